"""The program as a user runs it, in this process: output, errors, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelsmith.cli import COMMANDS, run

SET = ("--set", "base=sample:deepseek-r1")


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setenv("MODELSMITH_STORE", str(tmp_path / "models"))


def test_plan_shows_the_diff_the_prompts_and_the_promises(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", "force-think", *SET, "-v"]) == 0
    output = capsys.readouterr().out
    for part in ("+ create sample-deepseek-r1-think:latest", "<think>⏎", "6 of 6 kept", "not set -> 0.6", "rewrite"):
        assert part in output
    assert not Path("models").exists()


def test_apply_then_nothing_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["apply", "force-think", *SET, "--quiet"]) == 0
    assert "created and verified sample-deepseek-r1-think:latest" in capsys.readouterr().out
    assert run(["apply", "force-think", *SET]) == 0
    assert "no changes" in capsys.readouterr().out
    assert run(["plan", "force-think", *SET, "--check"]) == 0
    assert run(["plan", "force-think", *SET, "--check", "--set", "name=other"]) == 1


def test_json_outputs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", "force-think", *SET, "--json"]) == 0
    planned = json.loads(capsys.readouterr().out)
    assert planned["changes"] is True
    assert planned["holds"] is True
    assert planned["after"]["parameters"]["temperature"] == 0.6
    assert run(["apply", "force-think", *SET, "--json"]) == 0
    applied = json.loads(capsys.readouterr().out)
    assert applied["changed"] is True
    assert run(["render", "sample-deepseek-r1-think", "-u", "hello", "--json"]) == 0
    rendered = json.loads(capsys.readouterr().out)
    assert rendered["prompt"] == "<｜User｜>hello<｜Assistant｜><think>\n"
    assert set(rendered) == {"prompt", "engine", "thinking_tags", "capabilities"}


def test_store_ls(capsys: pytest.CaptureFixture[str]) -> None:
    Path("models").mkdir()
    assert run(["store", "ls", "--store", "models"]) == 0
    assert "no models in" in capsys.readouterr().out
    assert run(["apply", "force-think", *SET, "--quiet"]) == 0
    capsys.readouterr()
    assert run(["store", "ls", "--store", "models"]) == 0
    assert "sample-deepseek-r1-think:latest" in capsys.readouterr().out
    assert run(["store", "ls", "--store", "models", "--json"]) == 0
    (model,) = json.loads(capsys.readouterr().out)
    assert model["name"] == "sample-deepseek-r1-think:latest"
    assert "thinking" in model["capabilities"]


def test_a_damaged_model_hides_no_other_and_can_be_created_again(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        assert run(["apply", "force-think", *SET, "--set", f"name={name}", "--quiet"]) == 0
    manifest = Path("models/manifests/registry.ollama.ai/library/a/latest")
    manifest.write_text(
        manifest.read_text().replace(json.loads(manifest.read_text())["config"]["digest"], f"sha256:{0:064}")
    )
    capsys.readouterr()
    assert run(["store", "ls", "--store", "models", "--json"]) == 1
    listed = capsys.readouterr()
    assert [model["name"] for model in json.loads(listed.out)] == ["b:latest"]
    assert f"sha256-{0:064} is missing" in listed.err
    manifest.write_text("no JSON")
    assert run(["apply", "force-think", *SET, "--set", "name=a", "--quiet"]) == 0
    assert run(["store", "ls", "--store", "models"]) == 0


def test_a_damaged_sample_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert run(["plan", "force-think", *SET]) == 0
    (sample,) = tmp_path.glob("cache/modelsmith/samples/*.gguf")
    whole = sample.read_bytes()
    sample.write_bytes(whole[:1000])
    assert run(["plan", "force-think", *SET]) == 0
    assert sample.read_bytes() == whole


def test_render_puts_the_models_own_system_and_messages_first(capsys: pytest.CaptureFixture[str]) -> None:
    own = "SYSTEM Be brief.\nMESSAGE user hi\nMESSAGE assistant ho\n"
    text = 'TEMPLATE """{{ range .Messages }}[{{ .Role }}]{{ .Content }}{{ end }}{{ if .Suffix }}{{ .Suffix }}{{ end }}"""\n'
    Path("Modelfile").write_text(f"FROM nosuch\n{text}{own}")
    Path("recipe.yaml").write_text("name: r\nfrom: sample:deepseek-r1\ncreate: base\n")
    assert run(["apply", "./recipe.yaml", "--quiet"]) == 0
    Path("Stored").write_text(f"FROM base\n{text}{own}")
    capsys.readouterr()
    for source, options in (("Modelfile", ()), ("Stored", ("--engine", "go"))):
        assert run(["render", source, "-u", "Q", *options]) == 0
        assert capsys.readouterr().out == "[system]Be brief.[user]hi[assistant]ho[user]Q"
        assert run(["render", source, "-s", "mine", "-u", "Q", *options]) == 0
        assert capsys.readouterr().out == "[user]hi[assistant]ho[system]mine[user]Q"
    Path("fill.json").write_text('{"prompt": "P", "suffix": "S"}')
    assert run(["render", "Modelfile", "-c", "fill.json"]) == 0
    assert capsys.readouterr().out == "S"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ('{"messages": 5}', "messages is a number"),
        (None, "cannot be"),
    ],
    ids=["empty", "deep", "shape", "missing"],
)
def test_a_conversation_that_cannot_be_read_names_its_file(
    text: str | None, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("t.gotmpl").write_text("x")
    if text is not None:
        Path("c.json").write_text(text)
    assert run(["render", "t.gotmpl", "-c", "c.json"]) == (3 if text is None else 2)
    error = capsys.readouterr().err
    assert "c.json" in error
    assert words in error
    assert "hint:" in error


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", "force-think", "--set", f"base=/{'x' * 5000}.gguf"),
        ("plan", "force-think", *SET, "--store", "x" * 5000),
        ("plan", "force-think", *SET, "--modelfile", "x" * 300),
        ("render", "x" * 5000, "-u", "hi"),
        ("store", "ls", "--store", "x" * 5000),
        ("parse", "x" * 5000),
        ("recipes", "new", f"{'x' * 5000}.yaml"),
    ],
    ids=["base", "store", "modelfile", "render", "ls", "parse", "new"],
)
def test_what_the_system_refuses_is_no_bug(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) in {2, 3}
    error = capsys.readouterr().err
    assert "too long" in error
    assert "bug" not in error


def test_the_home_of_nobody_is_no_bug(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["render", "~nosuchuser/x", "-u", "hi"]) == 3
    assert "does not exist" in capsys.readouterr().err


def test_render_of_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.gotmpl").write_text("{{ range .Messages }}[{{ .Role }}]{{ .Content }}{{ end }}")
    (tmp_path / "t.jinja").write_text("{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}")
    (tmp_path / "Modelfile").write_text('FROM nosuch\nTEMPLATE "{{ .Prompt }}!"\n')
    (tmp_path / "c.json").write_text(json.dumps({"messages": [{"role": "user", "content": "hi"}]}))
    for source, prompt in (("t.gotmpl", "[user]hi"), ("t.jinja", "<user>hi"), ("Modelfile", "hi!")):
        assert run(["render", source, "--conversation", "c.json"]) == 0
        assert capsys.readouterr().out == prompt
    (tmp_path / "bad.gotmpl").write_text("{{ if .X }}")
    assert run(["render", "bad.gotmpl", "-u", "x", "--json"]) == 3
    assert "unexpected EOF" in json.loads(capsys.readouterr().out)["error"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["aply"], 2, 'did you mean "apply"?'),
        (["apply"], 2, "RECIPE"),
        (["apply", "force-thnk"], 2, "force-think"),
        (["apply", "nosuch/recipe.yaml"], 3, "nosuch/recipe.yaml"),
        (["apply", "force-think", "--set", "bse=x"], 2, 'did you mean "base"?'),
        (["apply", "force-think", "--set", "base"], 2, "base"),
        (["apply", "force-think", *SET, "--via", "cli"], 3, "no `ollama` on the PATH"),
        (["plan", "force-think"], 3, "sample:deepseek-r1"),
        (["plan", "force-think", *SET, "--target-ollama", "new"], 2, "is not a version"),
        (["plan", "force-think", *SET, "--store", "http://127.0.0.1:9"], 3, "127.0.0.1:9"),
        (["render", "sample:deepseek-r1"], 2, "--user"),
        (["render", "nosuch.gotmpl", "-u", "x"], 3, "nosuch.gotmpl"),
    ],
)
def test_errors_say_what_and_how_to_go_on(
    arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == code
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error
    assert not Path("models").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["store", "ls"],
        ["apply", "force-think", *SET],
        ["plan", "force-think", *SET],
        ["explain", "m"],
        ["render", "m", "-u", "x"],
        ["gguf", "inspect", "m"],
        ["fit", "m", "--vram", "8G"],
        ["diff", "m", "n"],
    ],
    ids=" ".join,
)
def test_a_server_that_was_named_is_never_replaced(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MODELSMITH_STORE")
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    assert run(arguments) == 3
    error = capsys.readouterr().err
    assert "no server answers at http://127.0.0.1:9, which OLLAMA_HOST=127.0.0.1:9 names" in error
    assert "--store" in error
    assert not Path("models").exists()


def test_files_need_no_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MODELSMITH_STORE")
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    Path("Modelfile").write_text('FROM nosuch\nTEMPLATE "{{ .Prompt }}!"\n')
    told = "note: going on without a store: no server answers at http://127.0.0.1:9"
    assert run(["render", "Modelfile", "-u", "hi"]) == 0
    captured = capsys.readouterr()
    assert captured.out == "hi!"
    assert captured.err.count(told) == 1
    assert run(["explain", "Modelfile"]) == 0
    captured = capsys.readouterr()
    assert captured.err.count(told) == 1
    assert "what follows is from the Modelfile alone" in " ".join(captured.out.split())
    for command in ("parse", "fmt", "lint"):
        assert run([command, "Modelfile"]) in {0, 1}
    assert "OLLAMA_HOST=127.0.0.1:9 is not asked" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["store", "ls"], ["explain", "m"], ["render", "m", "-u", "x"]], ids=" ".join)
def test_a_folder_that_is_not_there_is_no_empty_store(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*arguments, "--store", "typo"]) == 3
    assert "there is no folder typo" in capsys.readouterr().err


def test_a_wrong_recipe_is_shown_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "r.yaml").write_text("name: r\nfrom: x\ncreate: y\ntemplat: z\n")
    assert run(["plan", "r.yaml"]) == 2
    error = capsys.readouterr().err
    assert "r.yaml:4:1" in error
    assert 'did you mean "template"?' in error
    assert "^^^^^^^" in error


def test_a_bug_becomes_a_report(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(_name: str) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("modelsmith.cli.import_module", broken)
    assert run(["plan", "x"]) == 3
    error = capsys.readouterr().err
    assert "unexpected ZeroDivisionError: oops" in error
    report = Path(error.strip().rpartition("the report is in ")[2])
    assert "Traceback" in report.read_text()
    report.unlink()


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_help_with_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--help"]) == 0
    output = capsys.readouterr().out
    assert f"modelsmith {command}" in output
    assert "Example" in output
    assert "\\b" not in output
