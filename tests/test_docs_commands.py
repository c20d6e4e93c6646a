"""Every command that README and docs show outside of transcripts: run where a stand-in for what it names can be made, else read by its parser."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import click
import pytest

from modelsmith.cli import group, run
from modelsmith.weights.gguf.sample import write_sample
from tests.test_docs import PAGES, ROOT

_BLOCK = re.compile(r"^```(sh|yml|toml)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SHOWN = re.compile(r"(?:^|[\s`(|/])modelsmith (.*)")
_ELSEWHERE = re.compile(
    r"hf://|oci://|https?://|dask://|\blogin\b|\bserve\b|\bplayground\b|--on\b|\bverify [\w-]+\.yaml|\btry\b"  # a server, an engine
    r"|lora |import-safetensors|my-finetune|imatrix|team/|sizes\.yaml|00001-of|--from-lock|--locked|outdated"  # others' files
    r"| - | -$"  # what another command writes
)
"""What a command names that has no stand-in here: it is read, not run. The tests of its own page or command run it."""
_FINDS = re.compile(r"lint(?! recipes)|fmt --check|doctor cmd|diff deepseek-r1:8b Modelfile|gguf pair|plan .*--check")
"""What finds something in the stand-ins, or a model that is not as its recipe says: exit code 1."""
MODELS = ("deepseek-r1:8b", "qwen3:8b", "qwen3-think:8b", "llama3.2", "r1", "assistant")
TEMPLATE = "{{ range .Messages }}<|{{ .Role }}|>{{ .Content }}{{ end }}<|assistant|>{{ .Response }}"


def shown(page: Path) -> list[str]:
    """The commands of a page, without what surrounds them in a pipe, a step of CI or a comment."""
    blocks = (block for _, block in _BLOCK.findall(page.read_text(encoding="utf-8")))
    parts = (part for block in blocks for line in block.splitlines() for part in re.split(r" (?:&&|\|) ", line))
    matches = filter(None, map(_SHOWN.search, parts))
    return [re.split(r"\s+#|\s>\s", match[1])[0].rstrip("` ") for match in matches]


COMMANDS = sorted({command for page in PAGES for command in shown(page)})


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a stand-in for everything that the docs name."""
    folder = tmp_path_factory.mktemp("docs")
    store = folder / "store"
    for name in MODELS:
        words = ["apply", "force-think", "--set", "base=sample:deepseek-r1", "--set", f"name={name}"]
        assert run([*words, "--store", str(store), "--quiet"]) == 0
    for name in ("model", "model-f16", "model-q4", "a", "b"):
        write_sample(folder / f"{name}.gguf", chat_template="{{ messages[0].content }}")
    shutil.copytree(ROOT / "recipes", folder / "recipes")
    for name in ("Modelfile", "Modelfile.main", "models/Modelfile"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(f"FROM llama3.2\nTEMPLATE {TEMPLATE}\nPARAMETER stop <|user|>\n")
    for name in ("old.gotmpl", "new.gotmpl", "template.gotmpl"):
        (folder / name).write_text(TEMPLATE)
    (folder / "template.jinja").write_text(
        "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}<|assistant|>"
    )
    (folder / "chat.json").write_text('[{"role": "user", "content": "hello"}]')
    for name in ("thinks.yaml", "model.yaml"):
        (folder / name).write_text("name: thinks\ninputs: {base: {}}\nfrom: ${base}\ncreate: thinks\n")
    assert run(["gguf", "set", str(folder / "model.gguf"), "general.licence", "mit", "--type", "string"]) == 0
    (folder / "Downloads").mkdir()
    shutil.copy(folder / "a.gguf", folder / "Downloads")
    (folder / "how-to.md").write_text("```sh\nollama run llama3.2\n```\n")
    return folder


def _read(words: list[str]) -> None:
    """Let the parser of a command read its words; raises click's errors."""
    with click.Context(group) as context:
        command: click.Command = group
        while isinstance(command, click.Group):
            name, found, words = command.resolve_command(context, words)
            assert found is not None, name
            command = found
        command.make_context(command.name, words, parent=context)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_docs(command: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "here"
    shutil.copytree(place, here)
    monkeypatch.chdir(here)
    monkeypatch.setenv("MODELSMITH_STORE", str(here / "store"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(here / "cache"))
    words = [name for word in shlex.split(command) for name in _expanded(word.replace("~", str(here)))]
    if words[:2] == ["gguf", "quantize"]:
        Path(words[3]).unlink(missing_ok=True)
    _read([*words])
    if not _ELSEWHERE.search(command):
        assert run(words) == bool(_FINDS.match(command)), command


def _expanded(word: str) -> list[str]:
    """What a shell makes of a word with a star."""
    return sorted(str(path) for path in Path().glob(word)) if "*.yaml" in word else [word]
