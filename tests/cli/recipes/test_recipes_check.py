"""``modelsmith recipes check`` and ``recipes new --from``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelsmith.cli import run
from modelsmith.errors import RecipeError
from modelsmith.recipe.read.load import load_recipe, parse_recipe
from modelsmith.weights.gguf.sample import write_sample


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODELSMITH_STORE", str(tmp_path / "models"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_sample(Path("m.gguf"))


GOOD = "name: good\ninputs: {base: {}}\nfrom: ${base}\ncreate: x\n"


def checked(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = run(["recipes", "check", *words])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


def test_recipes_are_found_and_other_yaml_is_passed_by(capsys: pytest.CaptureFixture[str]) -> None:
    Path("recipes/deep").mkdir(parents=True)
    Path("recipes/deep/a.yml").write_text(GOOD)
    Path("recipes/steps.yaml").write_text("- make-effective: {}\n")
    Path("recipes/workflow.yaml").write_text("name: CI\non: [push]\n")
    Path("recipes/broken.yaml").write_text("a: [\n")
    Path(".hidden").mkdir()
    Path(".hidden/b.yaml").write_text("name: x\nfrom: y\n")
    assert checked(capsys) == (0, "1 recipes checked: nothing is wrong\n")
    assert checked(capsys, "--quiet") == (0, "")
    code, text = checked(capsys, "recipes/steps.yaml")
    assert code == 1
    assert "expected a recipe" in text


def test_everything_is_told_with_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.yaml").write_text("name: a\nextends: ./b.yaml\nparameters: {num_ctx: [x]}\nsystem: [x]\n")
    Path("b.yaml").write_text("name: b\nfrom: m\ncreate: n\ntemplate: [{include: ./s.yaml}]\n")
    Path("s.yaml").write_text("- injekt: {}\n")
    Path("e.yaml").write_text("name: e\nextends: ./b.yaml\nparameters: {num_ctx: x}\n".replace("b.y", "f.y"))
    Path("f.yaml").write_text("name: f\nfrom: m\ncreate: n\n")
    Path("g.yaml").write_text("name: g\nextends: ./b.yaml\n")
    Path("c.yaml").write_text("name: c\nfrom: m\n  create: x\n")
    Path("d.yaml").write_text('name: d\nfrom: m\ncreate: "a b"\n')
    code, text = checked(capsys)
    assert code == 1
    for place in (
        "a.yaml:4:9: error",
        "e.yaml:3:23: error",
        "s.yaml:1:3: error",
        "c.yaml:3:",
        "d.yaml:3:9: error",
    ):
        assert place in text
    assert "5 errors" in text
    code, text = checked(capsys, "--json")
    findings = json.loads(text)["findings"]
    assert sorted({each["path"] for each in findings}) == ["a.yaml", "c.yaml", "d.yaml", "e.yaml", "s.yaml"]
    assert checked(capsys, "--format", "sarif")[0] == 1


def test_profiles_and_combinations_are_tried(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.yaml").write_text(
        "name: a\ninputs: {base: {}, q: {}}\nfrom: ${base}\ncreate: n\nquantize: ${q}\n"
        "profiles: {fast: {set: {q: Q4_9, base: m}}, good: {set: {q: Q8_0, base: m}}}\n"
    )
    Path("b.yaml").write_text(
        "name: b\ninputs: {base: {}, q: {}}\nfrom: ${base}\ncreate: n\nquantize: ${q}\n"
        "matrix: {base: [m], q: [Q8_0, Q9_9]}\n"
    )
    code, text = checked(capsys)
    assert code == 1
    assert 'a.yaml:5:11: error: quantize: "Q4_9"' in text.replace("there is no quantization ", "") or "Q4_9" in text
    assert "Q9_9" in text
    assert text.count("error") == 3  # and the summary


def test_same_names_are_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.yaml").write_text(GOOD)
    Path("b.yaml").write_text(GOOD)
    code, text = checked(capsys)
    assert code == 0
    assert 'b.yaml:1:7: warning: the name "good" is that of a.yaml too' in text
    assert checked(capsys, "--strict")[0] == 1


def test_a_repository_that_cannot_be_read_is_a_failure(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    Path("a.yaml").write_text(f"name: a\nextends: git+{tmp_path.as_uri()}/no@v1//r.yaml\n")
    code, text = checked(capsys)
    assert code == 3
    assert "a.yaml:2:10: extends: git ls-remote" in text


MODELFILE = """\
FROM ./m.gguf
SYSTEM \"\"\"You are
${mario}.\"\"\"
TEMPLATE {{ .System }}{{ .Prompt }}
PARAMETER temperature 0.7
PARAMETER stop <|a|>
PARAMETER stop yes
MESSAGE user hi
MESSAGE assistant ho
LICENSE MIT
REQUIRES 0.12.0
"""


def test_a_first_recipe_makes_what_the_modelfile_makes(capsys: pytest.CaptureFixture[str]) -> None:
    Path("sub").mkdir()
    Path("Modelfile").write_text(MODELFILE)
    assert run(["recipes", "new", "sub/mario.yaml", "--from", "./Modelfile"]) == 0
    recipe = load_recipe("sub/mario.yaml").resolve({})
    assert recipe.from_ == str(Path("sub").absolute() / "../m.gguf")
    assert recipe.parameters == {"temperature": 0.7, "stop": ("<|a|>", "yes")}
    assert run(["apply", "sub/mario.yaml", "--quiet"]) == 0
    assert run(["create", "by-hand", "-f", "Modelfile"]) == 0
    capsys.readouterr()
    assert run(["diff", "by-hand", recipe.create]) == 0


@pytest.mark.parametrize("base", ["sample:deepseek-r1", "./m.gguf", "stored", "./whole/Modelfile"])
def test_a_first_recipe_holds(base: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("Modelfile").write_text("FROM ./m.gguf\nPARAMETER top_k 3\n")
    Path("whole").mkdir()
    Path("whole/Modelfile").write_text("FROM ../m.gguf\nPARSER qwen3\n")
    assert run(["create", "stored", "-f", "Modelfile"]) == 0
    assert run(["recipes", "new", "first.yaml", "--from", base]) == 0
    assert run(["plan", "first.yaml"]) == 0
    assert checked(capsys, "first.yaml")[0] == 0
    assert run(["recipes", "new", "first.yaml", "--from", "./no.gguf"]) == 3


def test_a_first_recipe_promises_nothing_of_what_is_not_here(capsys: pytest.CaptureFixture[str]) -> None:
    Path("Modelfile").write_text("FROM llama3.2\nSYSTEM Be brief.\n")
    assert run(["recipes", "new", "first.yaml", "--from", "./Modelfile"]) == 0
    text = Path("first.yaml").read_text()
    assert "which template runs is not known here: llama3.2 is not at hand" in text
    assert "effective" not in text
    Path("with-template").write_text("FROM llama3.2\nTEMPLATE {{ .Prompt }}\n")
    assert run(["recipes", "new", "second.yaml", "--from", "./with-template"]) == 0
    assert "expect" not in Path("second.yaml").read_text()
    assert run(["apply", "force-think", "--set", "base=sample:deepseek-r1", "--set", "name=llama3.2", "--quiet"]) == 0
    capsys.readouterr()
    for recipe in ("first.yaml", "second.yaml"):
        assert run(["plan", recipe]) == 0
        assert checked(capsys, recipe)[0] == 0


@pytest.mark.parametrize(
    ("word", "key"),
    [
        ("model: x", "from"),
        ("Base: x", "from"),
        ("set: {a: 1}", "parameters"),
        ("steps: []", "template"),
        ("prompt: x", "system"),
    ],
)
def test_other_words_for_a_key(word: str, key: str) -> None:
    with pytest.raises(RecipeError, match=f'did you mean "{key}"'):
        parse_recipe(f"name: a\nfrom: x\ncreate: y\n{word}\n")


def test_thinking_is_no_key() -> None:
    with pytest.raises(RecipeError) as raised:
        parse_recipe("name: a\nfrom: x\ncreate: y\nthinking: true\n")
    assert "force-think" in str(raised.value.diagnostics)


def test_a_whole_template_is_read_and_its_line_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    text = "name: t\nfrom: sample:deepseek-r1\ncreate: m\ntemplate: "
    Path("block.yaml").write_text(f"{text}|\n  {{{{ .System }}}}\n  {{{{ .Prompt }}\n")
    Path("quoted.yaml").write_text(f'{text}"{{{{ if }}"\n')
    for recipe, place in (("block.yaml", "block.yaml:6:3"), ("quoted.yaml", "quoted.yaml:4:11")):
        code, told = checked(capsys, recipe)
        assert code == 1
        assert f"{place}: error: template: Ollama refuses it: template: " in told
        assert run(["plan", f"./{recipe}"]) != 0
        assert place in capsys.readouterr().err


def test_a_wrong_value_of_a_matrix_is_shown_where_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    Path("m.yaml").write_text(
        "name: m\ninputs: {q: {}}\nmatrix: {q: [Q4_K_M, Q9_X]}\nfrom: ./m.gguf\nquantize: ${q}\ncreate: m-${q}\n"
    )
    code, told = checked(capsys, "m.yaml")
    assert code == 1
    assert 'm.yaml:3:22: error: quantize: there is no quantization "Q9_X"' in told


@pytest.mark.parametrize("word", ["./first.yml", "firts.yaml", "./firs.yaml"])
def test_a_misspelt_path_names_the_recipe_beside_it(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("first.yaml").write_text(GOOD)
    assert run(["plan", word]) == 3
    assert "did you mean ./first.yaml?" in capsys.readouterr().err


def test_a_new_recipe_names_its_modelfile_by_its_path(capsys: pytest.CaptureFixture[str]) -> None:
    Path("deep").mkdir()
    Path("deep/Modelfile").write_text("FROM ../m.gguf\nSYSTEM hi\n")
    assert run(["recipes", "new", "n.yaml", "--from", "deep/Modelfile"]) == 0
    assert Path("n.yaml").read_text().startswith("# what ./deep/Modelfile is: ")
