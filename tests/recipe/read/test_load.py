"""Reading recipes: the corpus of good and bad files, extending, finding, and hostile input."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from modelsmith.errors import ModelsmithError, RecipeError, UnreadableFile, UsageError
from modelsmith.recipe.format.starter import starter
from modelsmith.recipe.read.bundled import bundled_recipes, find_recipe
from modelsmith.recipe.read.load import load_recipe, parse_recipe

CASES = Path(__file__).parent / "cases"
OK = sorted((CASES / "ok").rglob("*.yaml"))
ERR = sorted((CASES / "err").glob("*.yaml"))
UPDATE = bool(os.environ.get("UPDATE_CASES"))
"""With UPDATE_CASES=1 the expected outputs are written anew; read the difference before you keep it."""


def check(file: Path, actual: str) -> None:
    if UPDATE:
        file.write_text(actual, encoding="utf-8")
    assert actual == file.read_text(encoding="utf-8")


def shown(error: RecipeError) -> str:
    assert error.source is not None
    lines = []
    for diagnostic in error.diagnostics:
        line, column = error.source.position(diagnostic.span.start)
        name = Path(error.source.name).name
        lines.append(f"{name}:{line}:{column}: {diagnostic.message} [{diagnostic.code}]")
        lines += [f"    hint: {diagnostic.hint}"] if diagnostic.hint else []
    return "\n".join(lines).replace(str(CASES), "<cases>") + "\n"


@pytest.mark.parametrize("path", ERR, ids=lambda path: path.stem)
def test_bad_recipes_are_refused_with_every_place(path: Path) -> None:
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    check(path.with_suffix(".txt"), shown(caught.value))
    assert str(caught.value).startswith(f"{caught.value.source.name}:")


@pytest.mark.parametrize("path", OK, ids=lambda path: path.stem)
def test_good_recipes_say_what_is_expected(path: Path) -> None:
    recipe = load_recipe(path).resolve({}, environment={}, here=Path("/here"))
    data = json.dumps(recipe.model_dump(exclude_unset=True), indent=2, ensure_ascii=False)
    check(path.with_suffix(".json"), data.replace(str(CASES), "<cases>") + "\n")


def test_the_corpus_is_there() -> None:
    assert len(ERR) > 50
    assert len(OK) > 10
    assert all(path.with_suffix(".txt").exists() for path in ERR)


@pytest.mark.parametrize("name", bundled_recipes())
def test_bundled_recipes_are_read_by_name_and_path(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.description
    assert all(declared.description for declared in recipe.inputs.values())
    assert load_recipe(str(bundled_recipes()[name])).data() == recipe.data()
    needed = {key: "x" for key, declared in recipe.inputs.items() if declared.required}
    assert recipe.resolve(needed, environment={}).create


def test_the_bundled_recipes_are_the_promised_ones() -> None:
    assert {"force-think", "no-think", "long-context"} <= set(bundled_recipes())


@pytest.mark.parametrize("name", ["my-recipe.yaml", "Größe 2.yaml", "x" * 200 + ".yml", "folder/a_b.yaml", ".yaml"])
def test_a_new_recipe_is_a_valid_one(name: str) -> None:
    recipe = parse_recipe(starter(name)).resolve({"base": "x" * 80}, environment={})
    assert recipe.parameters == {"temperature": 0.7}


def test_uncommenting_the_starter_keeps_it_valid() -> None:
    lines = starter("my-recipe.yaml").splitlines()
    keys = ("temperature:", "team:", "stop:", "num_ctx:", "messages:", "license:", "adapters:", "gguf:", "requires:")
    more = ("template:", "- ", "  - ", "  when:", "extends:")
    opened = [
        line.replace("# ", "", 1)
        if line.lstrip().startswith("# ") and line.lstrip()[2:].startswith(keys + more)
        else line
        for line in lines
    ]
    assert opened != lines
    recipe = parse_recipe("\n".join(opened)).resolve({"team": "us"}, environment={})
    assert recipe.template is not None
    assert recipe.requires == "0.12.0"
    assert len(recipe.expect) == 5


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("force-thinc", 'did you mean "force-think"'),
        ("./nowhere.yaml", "there is no recipe ./nowhere.yaml"),
        ("nowhere/force-think.yaml", "there is no recipe nowhere/force-think.yaml"),
        ("", 'no bundled recipe ""'),
    ],
)
def test_a_recipe_that_is_not_there(name: str, says: str) -> None:
    with pytest.raises((UsageError, UnreadableFile), match=re.escape(says)) as caught:
        find_recipe(name)
    assert "force-think" in caught.value.hint


def test_what_is_not_a_file_is_not_read(tmp_path: Path) -> None:
    for name, make in {"folder.yaml": Path.mkdir, "pipe.yaml": os.mkfifo}.items():
        make(tmp_path / name)
        with pytest.raises(UnreadableFile, match="is not a file"):
            load_recipe(tmp_path / name)


def test_a_file_of_any_size_is_refused_quickly(tmp_path: Path) -> None:
    huge = tmp_path / "huge.yaml"
    with huge.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(UnreadableFile, match="larger than"):
        load_recipe(huge)
    huge.write_text("name: " + "x" * (300 << 10))
    with pytest.raises(RecipeError, match=r"307,206 characters, at most 262,144"):
        load_recipe(huge)


@pytest.mark.parametrize("name", ["x" * 300 + ".yaml", "a\0b.yaml"])
def test_a_path_that_cannot_be_one(name: str) -> None:
    with pytest.raises(UnreadableFile, match=r"cannot be read|there is no recipe"):
        load_recipe(name)
    with pytest.raises(RecipeError, match=r"cannot be read|there is no recipe"):
        parse_recipe(f"name: case\nextends: {json.dumps(name)}\n")


def test_recipes_cannot_extend_each_other_without_end(tmp_path: Path) -> None:
    for number in range(12):
        (tmp_path / f"{number}.yaml").write_text(f"name: case\nextends: ./{number + 1}.yaml\n")
    with pytest.raises(RecipeError, match="more than 10 recipes extend each other"):
        load_recipe(tmp_path / "0.yaml")


def test_errors_point_into_the_file_that_has_them(tmp_path: Path) -> None:
    (tmp_path / "below.yaml").write_text("parameters: {top_k: many}\n")
    (tmp_path / "above.yaml").write_text("name: a\nfrom: b\ncreate: c\nextends: below.yaml\n")
    with pytest.raises(RecipeError, match=r"below.yaml:1:21: parameters.top_k") as caught:
        load_recipe(tmp_path / "above.yaml")
    assert caught.value.source is not None
    assert caught.value.source.name.endswith("below.yaml")


SAMPLES = [path.read_bytes() for path in (*ERR, *OK, *bundled_recipes().values())]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Real recipes with a piece cut out, doubled, or taken from another one."""
    one, other = draw(st.sampled_from(SAMPLES)), draw(st.sampled_from(SAMPLES))
    start, end = sorted((draw(st.integers(0, len(one))), draw(st.integers(0, len(one)))))
    begin, stop = sorted((draw(st.integers(0, len(other))), draw(st.integers(0, len(other)))))
    return (
        one[:start]
        + draw(st.sampled_from([b"", other[begin:stop], one[start:end] * 2, b"\n- ", b"${", b": "]))
        + one[end:]
    )


PIECES = st.sampled_from(
    [
        "a",
        ":",
        " ",
        "\n",
        "- ",
        "{",
        "}",
        "[",
        "]",
        ",",
        "&a ",
        "*a",
        "!x ",
        "|",
        ">",
        "'",
        '"',
        "#",
        "?",
        "\t",
        "%",
        "${a}",
        "~",
        "1",
        "\\",
    ]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.text(max_size=60), st.binary(max_size=60), st.lists(PIECES, max_size=40).map("".join), damaged()))
@example("name: \ud800")
@example(b"\xef\xbb\xbf")
@example("[" * 5000)
@example("{" * 5000)
@example("- " * 5000)
@example("? " * 5000)
@example("a: !!float x")
@example('{"": }')
@example("? [a]\n: b")
def test_any_input_is_a_recipe_or_a_recipe_error(data: str | bytes) -> None:
    refused: ModelsmithError | None = None
    try:
        parse_recipe(data, folder=CASES / "ok").resolve(environment={}, here=CASES)
    except RecipeError as error:
        refused = error
        assert_readable(error)
    except UsageError as error:
        refused = error
    assert refused is None or refused.exit_code == 2


def assert_readable(error: RecipeError) -> None:
    assert error.diagnostics
    assert error.source is not None
    for diagnostic in error.diagnostics:
        assert diagnostic.message
        error.source.position(diagnostic.span.start)
        assert diagnostic.span.end <= len(error.source.text)
