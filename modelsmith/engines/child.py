"""A llama-server in a process of its own: it may hang, crash and print what it likes, and all that comes of it is an error."""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import selectors
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import IO, TYPE_CHECKING

from modelsmith.engines import embedded_child
from modelsmith.errors import EngineError, Unsupported

if TYPE_CHECKING:
    from typing import Self

_LAST_WORDS = 2000
_GRACE = 0.5
"""Seconds after the end of its input in which the process ends by itself."""
_CAUSES = ("error", "failed", "unable", "invalid", "unknown", "not enough", "abort", "assert")


@dataclass(frozen=True, slots=True)
class Job:
    """What to load: the GGUF, the size of the context, a chat template instead of the GGUF's own, and with what to compute."""

    weights: Path
    context: int
    template: str | None = None
    threads: int = 0
    gpu_layers: int | None = None


class Child:
    """The running process; ``url`` answers to ``key``."""

    def __init__(self, process: subprocess.Popen[bytes], errors: IO[bytes], key: str) -> None:
        if process.stdin is None or process.stdout is None:
            raise ValueError("the process has no pipes")
        self._process = process
        self._in: IO[bytes] = process.stdin
        self._out = process.stdout
        self._errors = errors
        self.key = key
        self.url = ""

    @classmethod
    def start(cls, job: Job, seconds: float, *, program: Path = Path(embedded_child.__file__)) -> Self:
        """Load a model within so many seconds; raises EngineError where that fails, Unsupported without the library."""
        if importlib.util.find_spec("xllamacpp") is None:
            raise Unsupported(
                "the embedded engine is not installed",
                hint="pip install 'modelsmith[run]', or run the model elsewhere: --on ollama, --on URL",
            )
        key = secrets.token_hex(16)
        data = {
            "weights": str(job.weights.resolve()),
            "context": job.context,
            "template": job.template,
            "threads": job.threads,
            "gpu_layers": job.gpu_layers,
            "key": key,
        }
        errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the child
        process = subprocess.Popen(
            [sys.executable, "-P", str(program)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,  # an interrupt at the keyboard ends an answer, not the engine
        )
        child = cls(process, errors, key)
        try:
            child.url = child._load(json.dumps(data).encode() + b"\n", job.weights, seconds)
        except BaseException:
            child.close()
            raise
        return child

    @property
    def is_running(self) -> bool:
        """Whether the process is still there."""
        return self._process.poll() is None

    def how_it_ended(self, seconds: float = 1.0) -> str:
        """Return in words how the process ended and what it said last; "" while it runs on."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        code = self._process.poll()
        if code is None:
            return ""
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return f"the embedded engine died ({how}){self._said()}"

    def close(self) -> None:
        """End the process."""
        with suppress(OSError):
            self._in.close()
        try:
            self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._out.close()
        self._errors.close()

    def _load(self, job: bytes, weights: Path, seconds: float) -> str:
        with suppress(BrokenPipeError):
            self._in.write(job)
            self._in.flush()
        line = self._line(seconds)
        if line is None:
            raise EngineError(
                f"the embedded engine did not load {weights} within {seconds:g} s{self._said()}",
                hint="give it more time with --timeout, or run the model elsewhere with --on",
            )
        try:
            answer = json.loads(line)
        except ValueError:
            answer = {}
        if isinstance(answer, dict) and isinstance(url := answer.get("url"), str):
            return url
        reason = answer.get("error") if isinstance(answer, dict) else None
        ended = f"{reason}{self._said()}" if reason else self.how_it_ended() or f"it answered {line[:100]!r}"
        raise EngineError(
            f"the embedded engine cannot load {weights}: {ended}",
            hint=f"`modelsmith gguf verify {weights}` says what is wrong with a file; memory is the other usual reason",
        )

    def _line(self, seconds: float) -> bytes | None:
        """Return the first line of the process's output, b"" where it ended without one, None where the time is over."""
        until, data = monotonic() + seconds, b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._out, selectors.EVENT_READ)
            while b"\n" not in data:
                if not selector.select(max(0.0, until - monotonic())):
                    return None
                if not (more := os.read(self._out.fileno(), 4096)):
                    break
                data += more
        return data.partition(b"\n")[0]

    def _said(self) -> str:
        """Return the line of its log that tells most, to be put behind a sentence."""
        size = self._errors.seek(0, 2)
        self._errors.seek(max(0, size - _LAST_WORDS))
        lines = [line.strip() for line in self._errors.read().decode("utf-8", "replace").splitlines() if line.strip()]
        telling = [line for line in lines if any(cause in line.lower() for cause in _CAUSES)]
        chosen = (telling or lines)[:1]
        return f": {chosen[0]:.300}" if chosen else ""
