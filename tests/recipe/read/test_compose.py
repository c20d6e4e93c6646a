"""What recipes are composed of: included lists, profiles, the matrix, secret values."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelsmith.cli import run
from modelsmith.errors import ModelsmithError, RecipeError, UsageError
from modelsmith.hidden import MASK, hide, hiding, unseen
from modelsmith.recipe.read.load import parse_recipe
from modelsmith.recipe.read.matrix import chosen
from modelsmith.weights.gguf.sample import write_sample

HEAD = "name: r\ninputs: {base: {}, size: {type: integer, choices: [1, 2, 3]}, key: {secret: true, default: null}}\n"
RECIPE = "name: r\ninputs: {base: {}, size: {type: integer, default: 1}}\nfrom: ${base}\ncreate: made-${size}\n"
SECRET = 'pa<ss"wörd/42'


def refused(text: str, folder: Path | None = None) -> RecipeError:
    with pytest.raises(RecipeError) as caught:
        parse_recipe(text, name="r.yaml", folder=folder)
    return caught.value


def test_lists_are_included_with_their_own_places(tmp_path: Path) -> None:
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps" / "all.yaml").write_text("- include: ./think.yaml\n- make-effective: {}\n")
    (tmp_path / "steps" / "think.yaml").write_text("- inject: {text: '${word}'}\n")
    (tmp_path / "promises.yaml").write_text("- history-unchanged: true\n")
    text = (
        "name: r\ninputs: {word: {}}\nfrom: m\ncreate: x\ntemplate: [{include: ./steps/all.yaml}, {strip-system: {}}]\n"
        "expect: [{include: promises.yaml}, {parameters: {top_k: 1}}]\n"
    )
    loaded = parse_recipe(text, folder=tmp_path)
    recipe = loaded.resolve({"word": "<think>"})
    assert [each.kind for each in recipe.template or () if not isinstance(each, str)] == [
        "inject",
        "make-effective",
        "strip-system",
    ]
    assert len(recipe.expect) == 2
    assert [Path(source.name).name for source in loaded.sources[1:]] == ["all.yaml", "think.yaml", "promises.yaml"]
    (tmp_path / "steps" / "think.yaml").write_text("- inject: {text: '${word}'}\n- injekt: {}\n")
    error = refused(text, tmp_path)
    assert error.message.startswith(f"{tmp_path}/steps/think.yaml:2:3: ")
    assert "injekt" in error.message


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ("include: ./no.yaml", "include: there is no recipe"),
        ("{include: ./self.yaml}", "includes itself"),
        ("{include: ./map.yaml}", "holds no list"),
        ("{include: ./map.yaml, inject: {text: x}}", '"inject": an item that includes a file says nothing else'),
        ("{include: [a]}", "expected the path of a YAML file"),
        ("{include: /etc/x.yaml}", "is not a relative path"),
        ("{include: ./x.txt}", "is not a relative path"),
    ],
)
def test_bad_includes_are_refused_with_their_place(tmp_path: Path, item: str, said: str) -> None:
    (tmp_path / "self.yaml").write_text("- include: ./self.yaml\n")
    (tmp_path / "map.yaml").write_text("a: b\n")
    error = refused(f"name: r\nfrom: m\ncreate: x\ntemplate:\n  - {item}\n", tmp_path)
    assert said in error.message
    assert "r.yaml:5:" in error.message or "self.yaml:1:" in error.message


def test_profiles_are_laid_over_the_recipe() -> None:
    loaded = parse_recipe(
        RECIPE + "parameters: {temperature: 1, num_ctx: 8192}\nsystem: Hello.\n"
        "profiles:\n"
        "  fast: {description: small, quantize: Q4_0, set: {size: 2}, parameters: {num_ctx: 2048}, create: '${base.stem}-${profile}'}\n"
        "  plain: {system: null}\n"
    )
    assert loaded.profiles == ("fast", "plain")
    fast = loaded.resolve({"base": "m"}, profile="fast")
    assert (fast.create, fast.quantize, fast.inputs["size"]) == ("m-fast", "Q4_0", 2)
    assert fast.parameters == {"temperature": 1, "num_ctx": 2048}
    assert loaded.resolve({"base": "m", "size": 3}, profile="fast").inputs["size"] == 3
    assert loaded.resolve({"base": "m"}, profile="plain").system is None
    assert loaded.resolve({"base": "m"}).system == "Hello."
    with pytest.raises(UsageError, match='did you mean "fast"'):
        loaded.resolve({"base": "m"}, profile="fats")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("profiles: {fast: {parameters: {temprature: 1}}}", 'unknown parameter "temprature"'),
        ("profiles: {fast: {systm: x}}", 'profiles.fast: unknown key "systm"; did you mean "system"'),
        ("profiles: {fast: {set: {sice: 1}}}", 'undeclared input "sice"; did you mean "size"'),
        ("profiles: {fast: {set: {size: x}}}", "expected a whole number"),
        ("profiles: {fast: {set: {key: abcd}}}", "a secret is given with --set"),
        ("profiles: {fast: {system: '${bass}'}}", 'undeclared input "bass"'),
        ("profiles: {Fast: {}}", "small letters"),
        ("profiles: {fast: {extends: x}}", 'unknown key "extends"'),
    ],
)
def test_bad_profiles_are_refused_with_their_place(text: str, said: str) -> None:
    inputs = HEAD.replace(", default: null", "")
    error = refused(f"{inputs}from: m\ncreate: x\n{text}\n")
    assert said in error.message
    assert "r.yaml:5:" in error.message


def test_the_matrix_combines_values() -> None:
    loaded = parse_recipe(
        RECIPE + "matrix:\n  base: [a, b]\n  size: [1, 2, 3]\n  exclude: [{base: b, size: 3}, {size: 2}]\n"
    )
    made = loaded.combinations()
    assert [each.label for each in made] == ["base=a, size=1", "base=a, size=3", "base=b, size=1"]
    assert [loaded.resolve({}, combination=each).create for each in made] == ["made-1", "made-3", "made-1"]
    assert [each.label for each in loaded.combinations({"size": 1})] == ["base=a", "base=b"]
    assert [each.label for each in chosen(made, ["base=a", "size=3"])] == ["base=a, size=3"]
    assert len(chosen(made, ["base=a", "base=b"])) == 3
    for wrong in ("base", "bas=a", "base=c", "size=2"):
        with pytest.raises(UsageError):
            chosen(made, [wrong])
    with pytest.raises(UsageError, match="no combination"):
        chosen(made, ["base=b", "size=3"])


def test_the_matrix_may_choose_profiles_and_paths_start_at_the_recipe(tmp_path: Path) -> None:
    loaded = parse_recipe(
        "name: r\ninputs: {base: {}}\nfrom: ${base}\ncreate: ${base.stem}-${profile}\n"
        "profiles: {fast: {quantize: Q4_0}, quality: {quantize: Q8_0}}\n"
        "matrix: {base: [./a.gguf], profile: [fast, quality]}\n",
        folder=tmp_path,
    )
    recipes = [loaded.resolve({}, combination=each, here=Path("/here")) for each in loaded.combinations()]
    assert [(each.create, each.quantize, each.from_) for each in recipes] == [
        ("a-fast", "Q4_0", str(tmp_path / "a.gguf")),
        ("a-quality", "Q8_0", str(tmp_path / "a.gguf")),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{bass: [a]}", 'undeclared input "bass"; did you mean "base"'),
        ("{base: a}", "expected a list of values"),
        ("{base: []}", "expected a list of values"),
        ("{base: [a, a]}", "stands there already"),
        ("{base: [[a]]}", "expected a value"),
        ("{base: ['${size}']}", "expected a value"),
        ("{size: [x]}", "expected a whole number"),
        ("{size: [7]}", "not among the choices"),
        ("{key: [abcd]}", "a secret is given"),
        ("{base: [a], exclude: {base: a}}", "expected a list of combinations"),
        ("{base: [a], exclude: [{base: b}]}", "has no value"),
        ("{base: [a], exclude: [{size: 1}]}", "is no axis of the matrix"),
        ("{base: [a], exclude: [{base: a}]}", "leaves no combination"),
        ("{exclude: []}", "expected inputs with their values"),
        ("{base: [" + ", ".join(f"b{i}" for i in range(500)) + "], size: [1, 2, 3]}", "more than 1,000"),
        ("{profile: [fast]}", 'undeclared input "profile"'),
    ],
)
def test_bad_matrices_are_refused_with_their_place(text: str, said: str) -> None:
    inputs = HEAD.replace(", default: null", "")
    error = refused(f"{inputs}from: m\ncreate: x\nmatrix: {text}\n")
    assert said in error.message
    assert "r.yaml:5:" in error.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "inputs: {k: {secret: true, default: abcdef}}\nfrom: m\ncreate: x\n",
            "a secret that stands in a file is none",
        ),
        ("inputs: {k: {secret: true}}\nfrom: m\ncreate: x-${k}\n", "everybody sees the name of a model"),
        ("inputs: {k: {secret: true, choices: [a]}}\nfrom: m\ncreate: x\n", "has no known values"),
    ],
)
def test_secrets_that_would_be_seen_are_refused(text: str, said: str) -> None:
    assert said in refused(f"name: r\n{text}").message


def test_a_secret_is_hidden_from_the_recipe_on() -> None:
    loaded = parse_recipe(
        "name: r\ninputs: {k: {secret: true, env: KEY}}\nfrom: m\ncreate: x\nsystem: The key is ${k}.\n"
    )
    with hiding():
        recipe = loaded.resolve({}, environment={"KEY": SECRET})
        assert recipe.inputs == {"k": MASK}
        assert recipe.system == f"The key is {SECRET}."
        assert SECRET not in str(ModelsmithError(f"cannot: {recipe.system}"))
        assert SECRET not in ModelsmithError("x", hint=f"{recipe.system}").hint
    with pytest.raises(UsageError, match="could not be hidden"):
        loaded.resolve({"k": "abc"})


@pytest.mark.parametrize(
    "spelling", [SECRET, json.dumps(SECRET), repr(SECRET), "pa&lt;ss&quot;wörd/42", "pa%3Css%22w%C3%B6rd%2F42"]
)
def test_every_spelling_is_hidden(spelling: str) -> None:
    with hiding():
        hide(SECRET)
        assert "rd" not in unseen(f"a {spelling} b")
        assert "ss" not in unseen(f"a {spelling} b")
    assert unseen(SECRET) == SECRET


@pytest.mark.parametrize("cut", range(8, 20))
def test_a_secret_that_was_cut_is_hidden(cut: int) -> None:
    secret = "correct-horse-battery"
    with hiding():
        hide(secret)
        assert secret[:8] not in unseen(f"x {secret[:cut]}")
        assert secret[-8:] not in unseen(f"{secret[-cut:]} y")


def test_lines_of_a_secret_are_hidden() -> None:
    with hiding():
        hide("first line\n  second line\nab")
        assert unseen("+ second line") == f"+ {MASK}"


@pytest.fixture
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODELSMITH_STORE", str(tmp_path / "models"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_sample(Path("m.gguf"))
    Path("r.yaml").write_text(
        "name: r\ninputs: {k: {secret: true, env: KEY}}\nfrom: ./m.gguf\ncreate: x\nsystem: |-\n  The key is\n  ${k}.\n"
        "template: '{{ if .System }}{{ .System }}{{ end }}{{ .Prompt }}'\nparameters: {stop: ['${k}']}\n"
    )


@pytest.mark.usefixtures("_here")
@pytest.mark.parametrize(
    "words",
    [
        ["plan", "r.yaml"],
        ["plan", "r.yaml", "--json"],
        ["plan", "r.yaml", "--check"],
        ["apply", "r.yaml"],
        ["apply", "r.yaml", "--json"],
        ["apply", "r.yaml", "--modelfile", "no/Modelfile"],
        ["plan", "r.yaml", "--set", f"kk={SECRET}"],
        ["recipes", "show", "r.yaml", "--json"],
        ["recipes", "emit", "r.yaml", "--to", "llama-preset"],
        ["recipes", "emit", "r.yaml", "--to", "lmstudio", "--json"],
    ],
)
def test_no_command_shows_a_secret(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", SECRET)
    run(words)
    captured = capsys.readouterr()
    if "kk=" not in words[-1]:
        for text in (captured.out, captured.err):
            assert SECRET not in text
            assert json.dumps(SECRET)[1:-1] not in text
            assert "wörd" not in text


@pytest.mark.usefixtures("_here")
def test_the_model_has_the_secret(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("KEY", SECRET)
    assert run(["apply", "r.yaml"]) == 0
    capsys.readouterr()
    assert run(["show", "x"]) == 0
    assert SECRET in capsys.readouterr().out
