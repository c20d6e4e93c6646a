"""Inputs: settings, the environment, defaults, what ``${…}`` becomes, and where paths start."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelsmith.errors import RecipeError, UsageError
from modelsmith.files.paths import looks_like_path
from modelsmith.name import ModelName
from modelsmith.recipe.read.inputs import parse_settings
from modelsmith.recipe.read.load import RecipeFile, parse_recipe
from modelsmith.recipe.read.references import expand, references, stem

HERE = Path("/here")
FOLDER = Path("/recipes")


def recipe(inputs: str, **keys: str) -> RecipeFile:
    """A recipe with these inputs (a flow mapping) and one line for each further key."""
    lines = {"name": "case", "from": "llama3.2", "create": "made", "inputs": inputs} | keys
    return parse_recipe("".join(f"{key}: {value}\n" for key, value in lines.items()), folder=FOLDER)


def values(file: RecipeFile, settings: dict[str, Any] | None = None, **environment: str) -> dict[str, object]:
    return dict(file.resolve(settings or {}, environment=environment, here=HERE).inputs)


TYPED = recipe(
    "{t: {}, i: {type: integer}, n: {type: number}, b: {type: boolean}, p: {type: path}, c: {choices: [red, green]}}"
)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("t=", ""),
        ("t=a=b", "a=b"),
        ("t=5", "5"),
        ("t= x ", " x "),
        ("t=${i}", "${i}"),
        ("i=5", 5),
        ("i=-5", -5),
        ("i=007", 7),
        ("n=5", 5),
        ("n=.5", 0.5),
        ("n=1e3", 1000.0),
        ("b=true", True),
        ("b=False", False),
        ("p=./x", "./x"),
        ("c=red", "red"),
    ],
)
def test_settings_have_the_type_of_their_input(setting: str, value: object) -> None:
    (read,) = parse_settings([setting], TYPED.inputs).values()
    assert (type(read), read) == (type(value), value)


def test_the_last_setting_counts() -> None:
    assert parse_settings(["t=a", "i=1", "t=b"], TYPED.inputs) == {"t": "b", "i": 1}


@pytest.mark.parametrize(
    ("setting", "message", "hint"),
    [
        ("t", '--set t: expected name=value, as in "--set t=…"', ""),
        ("", '--set : expected name=value, as in "--set t=…"', ""),
        ("=x", 'no input ""', "inputs: t, i, n, b, p, c"),
        ("tt=x", 'no input "tt"; did you mean "t"?', "inputs: t, i, n, b, p, c"),
        ("i=", '--set i=: i must be a whole number, not ""', ""),
        ("i=1.0", '--set i=1.0: i must be a whole number, not "1.0"', ""),
        ("i=" + "9" * 19, f'--set i={"9" * 19}: i must be a whole number, not "{"9" * 19}"', ""),
        ("n=many", '--set n=many: n must be a number, not "many"', ""),
        ("n=nan", '--set n=nan: n must be a number, not "nan"', ""),
        ("n=inf", '--set n=inf: n must be a number, not "inf"', ""),
        ("b=yes", '--set b=yes: b must be true or false, not "yes"', ""),
        ("c=rad", '--set c=rad: "rad" is not allowed for c; did you mean "red"?', "one of red, green"),
    ],
)
def test_wrong_settings(setting: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_settings([setting], TYPED.inputs)
    assert (str(caught.value), caught.value.hint) == (message, hint)


def test_a_recipe_without_inputs_says_so() -> None:
    with pytest.raises(UsageError, match='no input "base"') as caught:
        parse_settings(["base=x"], recipe("{}").inputs)
    assert caught.value.hint == "this recipe has no inputs"


def test_missing_values_are_told_at_once_with_the_way_out() -> None:
    file = recipe("{base: {description: where to start}, n: {type: integer, env: N}, ok: {default: x}}")
    with pytest.raises(UsageError) as caught:
        file.resolve(environment={})
    assert str(caught.value) == "no value for base (where to start); n (integer)"
    assert caught.value.hint == "give --set base=… --set n=…, or set the environment variable N"


def test_settings_win_over_the_environment_and_that_over_the_default() -> None:
    file = recipe("{a: {default: default, env: A}}")
    assert values(file) == {"a": "default"}
    assert values(file, A="environment") == {"a": "environment"}
    assert values(file, {"a": "setting"}, A="environment") == {"a": "setting"}


def test_the_environment_is_read_only_where_the_recipe_says_so() -> None:
    file = recipe("{HOME: {default: none}, n: {type: integer, env: N, default: 1}}")
    assert values(file, HOME="/root", n="5") == {"HOME": "none", "n": 1}
    with pytest.raises(UsageError, match='environment variable N: n must be a whole number, not "x"'):
        values(file, N="x")


def test_the_environment_of_the_process_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELSMITH_TEST_TEAM", "us")
    assert recipe("{team: {env: MODELSMITH_TEST_TEAM}}").resolve().inputs == {"team": "us"}


@pytest.mark.parametrize(
    ("kind", "value", "fits"),
    [
        ("integer", 5, True),
        ("integer", True, False),
        ("integer", 5.0, False),
        ("number", 5, True),
        ("number", 5.5, True),
        ("number", float("nan"), False),
        ("boolean", True, True),
        ("boolean", 1, False),
        ("text", 5, False),
        ("text", ["x"], False),
    ],
)
def test_values_given_in_python_are_not_converted(kind: str, value: object, fits: bool) -> None:
    file = recipe(f"{{x: {{type: {kind}}}}}")
    if fits:
        assert values(file, {"x": value}) == {"x": value}
    else:
        with pytest.raises(UsageError, match="--set x: x must be"):
            values(file, {"x": value})


def test_choices_tell_true_from_one() -> None:
    file = recipe("{x: {type: boolean, choices: [true], default: true}}")
    assert values(file, {"x": "true"}) == {"x": True}
    with pytest.raises(UsageError, match='"false" is not allowed for x'):
        values(file, {"x": "false"})


def test_defaults_refer_to_the_inputs_above_them() -> None:
    file = recipe(
        '{a: {default: "x:1"}, b: {default: "${a.stem}-b"}, c: {default: "${b}!"}, n: {type: integer, default: 3}, '
        'm: {type: number, default: "${n}"}, k: {type: integer, default: "1${n}"}, none: {default: null}, z: {default: "${none}"}}'
    )
    assert values(file) == {"a": "x:1", "b": "x-1-b", "c": "x-1-b!", "n": 3, "m": 3, "k": 13, "none": None, "z": None}
    assert values(file, {"b": "${a}"})["c"] == "${a}!"


def test_a_default_that_does_not_fit_once_it_is_known() -> None:
    file = recipe('{a: {default: many}, n: {type: integer, default: "${a}"}, c: {choices: [x], default: "${a}"}}')
    with pytest.raises(UsageError, match=re.escape('the default "${a}": n must be a whole number, not "many"')):
        values(file)
    with pytest.raises(UsageError, match=re.escape('the default "${a}": "many" is not allowed for c')):
        values(file, {"n": 1})


def test_a_default_that_needs_a_missing_value() -> None:
    file = recipe('{a: {default: null}, b: {default: "${a}-x"}}')
    with pytest.raises(UsageError, match="the default of b needs a value for a") as caught:
        values(file)
    assert caught.value.hint == "give --set a=… or --set b=…"


def test_text_needs_a_value() -> None:
    file = recipe("{a: {default: null}}", system='"Hello ${a}."')
    with pytest.raises(RecipeError, match='5:9: input "a" has no value, and this text needs one') as caught:
        file.resolve(environment={})
    assert caught.value.diagnostics[0].hint == "give one with --set a=…"
    assert file.resolve({"a": ""}, environment={}).system == "Hello ."


def test_inputs_without_a_value_leave_keys_and_items_out() -> None:
    file = recipe(
        "{a: {default: null}}",
        system="${a}",
        parameters='{stop: ["${a}", x], top_k: "${a}"}',
        expect='[{parameters: {top_k: "${a}"}}]',
    )
    resolved = file.resolve(environment={})
    assert resolved.system is None
    assert resolved.parameters == {"stop": ("x",)}
    assert file.resolve({"a": "7"}, environment={}).parameters == {"stop": ("7", "x"), "top_k": "7"}


def test_a_required_key_that_is_left_out_is_missing() -> None:
    file = parse_recipe("name: case\nfrom: ${a}\ncreate: made\ninputs: {a: {default: null}}\n")
    with pytest.raises(RecipeError, match='the key "from" is missing'):
        file.resolve(environment={})


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        ({"create": "${x}"}, "a b", '3:9: create: "a b" is not a model name'),
        ({"from": "${x}"}, "a b", '2:7: from: "a b" is not a model name'),
        ({"from": "${x}"}, "", "2:7: from: must not be empty"),
        ({"parameters": '{top_k: "${x}"}'}, "many", "5:21: parameters.top_k: top_k takes a whole number"),
        ({"parameters": '{top_k: "${x}"}'}, "${y}", "parameters.top_k: top_k takes a whole number"),
        ({"messages": '[{role: "${x}", content: hi}]'}, "robot", "5:19: messages[0].role: expected one of system"),
        (
            {"messages": '[{role: "${x}", content: hi}]'},
            "${y}",
            '5:19: messages[0].role: expected one of system, user, assistant, found "${y}"',
        ),
        ({"requires": "${x}"}, "soon", '5:11: requires: expected a version such as "0.12.0"'),
        (
            {"template": '[{inject: {text: a, when: "${x}"}}]'},
            "now",
            '5:37: template[0].inject.when: expected one of always, thinking, not-thinking, found "now"',
        ),
    ],
)
def test_values_are_judged_where_they_are_used(keys: dict[str, str], value: str, message: str) -> None:
    lines = {"name": "case", "from": "llama3.2", "create": "made", "inputs": "{x: {}}"} | keys
    file = parse_recipe("".join(f"{key}: {value}\n" for key, value in lines.items()))
    with pytest.raises(RecipeError, match=re.escape(message)):
        file.resolve({"x": value}, environment={})


def test_a_number_is_no_text() -> None:
    file = recipe("{n: {type: integer, default: 5}}", system='"${n}"')
    with pytest.raises(RecipeError, match="5:9: system: expected text, found the number 5") as caught:
        file.resolve(environment={})
    assert caught.value.diagnostics[0].hint == "${n} takes the type of its input: declare that as text"
    assert recipe("{n: {type: integer, default: 5}}", system='"${n}."').resolve(environment={}).system == "5."


def test_an_unknown_input_in_python() -> None:
    with pytest.raises(UsageError, match='no input "bas"; did you mean "base"'):
        recipe("{base: {default: x}}").resolve({"bas": "x"})


PATHS = recipe(
    "{x: {default: ./d.gguf}, p: {type: path, default: d}}", **{"from": "${x}", "adapters": '["${p}", "a.gguf"]'}
)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ("/recipes/./d.gguf", "/recipes/d", "/recipes/a.gguf")),
        ({"x": "m.gguf", "p": "g"}, ("/here/m.gguf", "/here/g", "/recipes/a.gguf")),
        ({"x": "../m", "p": "/g"}, ("/here/../m", "/g", "/recipes/a.gguf")),
        ({"x": "llama3.2:1b", "p": "~nobody-at-all/g"}, ("llama3.2:1b", "/here/~nobody-at-all/g", "/recipes/a.gguf")),
        ({"x": "sample:deepseek-r1"}, ("sample:deepseek-r1", "/recipes/d", "/recipes/a.gguf")),
        ({"x": "hf.co/org/r1:r1.gguf"}, ("hf.co/org/r1:r1.gguf", "/recipes/d", "/recipes/a.gguf")),
    ],
)
def test_paths_are_relative_to_who_says_them(given: dict[str, str], expected: tuple[str, ...]) -> None:
    resolved = PATHS.resolve(given, environment={}, here=HERE)
    adapters = tuple(str(Path(adapter)) for adapter in resolved.adapters)
    assert (resolved.from_.replace("/./", "/"), *adapters) == tuple(path.replace("/./", "/") for path in expected)


def test_home_is_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert PATHS.resolve({"x": "~/m.gguf"}, environment={}, here=HERE).from_ == "/home/me/m.gguf"


@pytest.mark.parametrize(
    "text",
    ["./x", "../x", "/x", "~/x", ".", "x.gguf", "a/x.GGUF", "Modelfile", "a/Modelfile", "Modelfile.r1", "r1.modelfile"],
)
def test_paths(text: str) -> None:
    assert looks_like_path(text)


@pytest.mark.parametrize(
    "text", ["x", "a/x", "hf.co/a/b:q4.gguf", "modelfiles", "r1:Modelfile", "host:5000/a/b", "sample:r1", ""]
)
def test_names(text: str) -> None:
    assert not looks_like_path(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("deepseek-r1", "deepseek-r1"),
        ("deepseek-r1:8b", "deepseek-r1-8b"),
        ("deepseek-r1:latest", "deepseek-r1"),
        ("registry.ollama.ai/library/qwen3:8b-q4_K_M", "qwen3-8b-q4_K_M"),
        ("hf.co/unsloth/DeepSeek-R1-GGUF:Q4_K_M", "DeepSeek-R1-GGUF-Q4_K_M"),
        ("sample:deepseek-r1", "sample-deepseek-r1"),
        ("./model.gguf", "model"),
        ("/models/R1 distill (new).GGUF", "R1-distill-new"),
        ("/models/r1/Modelfile", "r1"),
        ("r1/", "r1"),
        ("Modelfile", "Modelfile"),
        ("./Modelfile", "Modelfile"),
        ("Modelfile.r1", "r1"),
        ("r1.Modelfile", "r1"),
        ("Größe", "Gr-e"),
        (".hidden", "hidden"),
        ("---", "model"),
        ("模型", "model"),
        ("", "model"),
    ],
)
def test_stems(text: str, expected: str) -> None:
    assert stem(text) == expected


@given(st.text(max_size=120))
def test_a_stem_is_always_the_start_of_a_model_name(text: str) -> None:
    assert ModelName.parse(stem(text)).is_valid
    assert ModelName.parse(f"{stem(text)}-think").is_valid
    assert ModelName.parse(f"me/{stem(text)}-no-think-at-all:v1").is_valid
    assert stem(stem(text)) == stem(text)


@given(st.text(max_size=80))
def test_text_without_references_stays_as_it_is(text: str) -> None:
    escaped = text.replace("${", "$${")
    assert expand(escaped, lambda _name: "never asked for") == text
    assert not list(references(escaped))


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_values_are_not_looked_into(before: str, value: str, after: str) -> None:
    text = before.replace("$", "") + "${x}" + after.replace("$", "")
    assert expand(text, lambda _name: value) == before.replace("$", "") + value + after.replace("$", "")


@pytest.mark.parametrize("value", ["text", 5, 0.5, True, None])
def test_one_reference_keeps_the_type(value: Any) -> None:
    assert expand("${x}", lambda _name: value) is value


@pytest.mark.parametrize(("value", "text"), [(5, "5!"), (0.5, "0.5!"), (True, "true!"), (1e-7, "1e-07!")])
def test_inside_text_a_value_is_written_as_yaml_does(value: Any, text: str) -> None:
    assert expand("${x}!", lambda _name: value) == text


def test_inputs_that_double_each_other_are_refused() -> None:
    doubling = "".join(f"  i{number + 1}: {{default: '${{i{number}}}${{i{number}}}'}}\n" for number in range(60))
    text = f"name: r\nfrom: x\ncreate: made\ninputs:\n  i0: {{default: ab}}\n{doubling}system: ${{i60}}\n"
    with pytest.raises(UsageError, match="more than 4 MB of text when its inputs are filled in"):
        parse_recipe(text).resolve({}, environment={})


def test_a_long_input_is_not_filled_in_everywhere() -> None:
    text = f"name: r\nfrom: x\ncreate: made\ninputs: {{a: {{default: {'x' * 50_000}}}}}\nsystem: {'${a} ' * 1000}\n"
    with pytest.raises(RecipeError) as raised:
        parse_recipe(text).resolve({}, environment={})
    assert [found.code for found in raised.value.diagnostics] == ["too-large"]
    assert raised.value.diagnostics[0].hint == "${a} is too long, or is there too often"
