"""First recipes of people who write from memory of other tools: every mistake is told with a way out of it.

``cases/newcomers.txt`` is a table: a title, the recipe, and what is said about it. With UPDATE_CASES=1 it is written anew; read the
difference before you keep it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from modelsmith.cli import run
from modelsmith.errors import RecipeError
from modelsmith.recipe.read.load import parse_recipe

TABLE = Path(__file__).parent / "cases" / "newcomers.txt"
UPDATE = bool(os.environ.get("UPDATE_CASES"))


def cases() -> list[tuple[str, str, str]]:
    found = []
    for block in re.split(r"(?m)^=== ", TABLE.read_text(encoding="utf-8"))[1:]:
        title, _, rest = block.partition("\n")
        recipe, _, said = rest.partition(">>>\n")
        found.append((title, recipe, said))
    return found


def said_about(recipe: str) -> str:
    try:
        read = parse_recipe(recipe, name="r.yaml", folder=Path("/nowhere"))
    except RecipeError as error:
        diagnostics, source = error.diagnostics, error.source
    else:
        diagnostics, source = read.warnings, read.sources[0]
    assert source is not None
    lines = []
    for each in diagnostics:
        line, column = source.position(each.span.start)
        lines.append(f"{line}:{column}: {each.message}")
        lines += [f"  hint: {each.hint}"] if each.hint else []
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize(("title", "recipe", "said"), cases(), ids=[title for title, _, _ in cases()])
def test_a_first_recipe_is_told_what_is_wrong(title: str, recipe: str, said: str) -> None:
    assert said_about(recipe) == said


def test_every_case_is_told_something_in_plain_words() -> None:
    if UPDATE:
        told = (f"=== {title}\n{recipe}>>>\n{said_about(recipe)}" for title, recipe, _ in cases())
        TABLE.write_text("".join(told), encoding="utf-8")
    for title, _, said in cases():
        assert said, title
        assert not re.search(r"block end|scalar>|while (scanning|parsing)|valid (boolean|integer|number)", said), title


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("Modelfile", b"# mine\nFROM llama3.2\nSYSTEM You are: a pirate\n", "./Modelfile is a Modelfile: `modelsmith recipes new"),
        ("./Modelfile", b"FROM llama3.2\n", "this is a Modelfile, no recipe"),
        ("notes", b"hello\n", "a file here needs a path: ./notes"),
        ("./m.gguf", b"GGUF\x03\0\0\0", "m.gguf is a GGUF, no recipe"),
        ("llama3.2:3b", None, "modelsmith plan force-think --set base=llama3.2:3b"),
        ("org/llama:3b", None, "modelsmith plan force-think --set base=org/llama:3b"),
        ("./folder", None, "name a recipe in it, such as folder/a.yaml"),
        ("folder", None, "name a recipe in the folder: folder/FILE.yaml"),
        ("./weights", None, "modelsmith recipes new ./my-recipe.yaml --from weights"),
    ],
)  # fmt: skip
def test_what_is_no_recipe_is_named_with_the_way_to_one(
    name: str,
    content: bytes | None,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder, file in (("folder", "a.yaml"), ("weights", "config.json")):
        Path(folder).mkdir()
        Path(folder, file).write_text("{}")
    if content is not None:
        Path(name).write_bytes(content)
    assert run(["plan", name, "--store", "./models"]) in {2, 3}
    assert words in capsys.readouterr().err


def test_a_text_in_a_message_stays_in_its_line(tmp_path: Path) -> None:
    data = b'name: r\nfrom: x\ntemplate:\n  - inject: "<think>\\n"\ncreate: c\n'
    with pytest.raises(RecipeError) as raised:
        parse_recipe(data, name="r.yaml", folder=tmp_path)
    assert 'template[0].inject: expected a mapping, found "<think>\\n"' in [
        each.message for each in raised.value.diagnostics
    ]
