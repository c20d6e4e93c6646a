"""How long commands take for a megabyte of anything: every kind of input of ``megabyte_kinds`` with each command that reads it.

Printed are seconds of the processor's time, seconds of the clock where they are many more, memory, the exit code and what was said.
With ``--above`` only what took longer is shown. A command that is refused counts as well: the bound is 3 seconds.

Usage: python benchmarks/megabyte.py [--only WORD] [--command WORD] [--above SECONDS]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from megabyte_kinds import Kind

LIMIT = 20  # seconds of the processor after which a command is stopped
CLOCK = 120  # and of the clock
BOUND = 3.0


@dataclass(frozen=True)
class Result:
    """What one command took: seconds of the processor and of the clock, megabytes, the exit code (None: stopped), and its last words."""

    kind: str
    command: str
    processor: float
    clock: float
    memory: float
    code: int | None
    said: str

    def __str__(self) -> str:
        """One line of the table."""
        clock = f" ({self.clock:.0f} s of the clock)" if self.clock > 2 * self.processor + 2 else ""
        code = "stopped" if self.code is None else str(self.code)
        return f"{self.processor:7.2f} s {self.memory:6.0f} MB  exit {code:7} {self.kind}  |  {self.command}{clock}  |  {self.said[:160]}"


@contextmanager
def server(answers: Mapping[str, bytes]) -> Iterator[str]:
    """Answer every path with its bytes; ``*`` is any other path."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = answers.get(self.path.partition("?")[0], answers.get("*"))
            self.send_response(404 if body is None else 200)
            body = body or b""
            kind = "application/json"
            with suppress(ValueError):
                kind = json.loads(body).get("mediaType", kind) if body[:1] == b"{" and len(body) < 3_000_000 else kind
            self.send_header("Content-Type", str(kind))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                with suppress(OSError):
                    self.wfile.write(body)

        do_GET = do_POST = do_HEAD = answer  # noqa: N815 - names that the library asks for

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    found = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=found.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{found.server_address[1]}"
    finally:
        found.shutdown()
        found.server_close()


def measured(name: str, command: str, folder: Path, host: str) -> Result:
    """Run one command; called in a small process, for a child begins with the memory of its parent."""
    words = command.replace("{url}", f"http://{host}").replace("{host}", host).split(" ")
    environment = {**os.environ, "HOME": str(folder), "OLLAMA_MODELS": str(folder / "st"), "OLLAMA_HOST": "", "HF_ENDPOINT": f"http://{host}", "NO_COLOR": "1",
                   "XDG_CACHE_HOME": str(folder / "cache"), "MODELSMITH_STORE": str(folder / "st") if "--store" not in words else ""}  # fmt: skip
    environment = {variable: value for variable, value in environment.items() if value}
    extra = folder / "env.json"
    if extra.exists():
        environment |= json.loads(extra.read_text())
    began = time.perf_counter()
    out, errors = folder.parent / "out", folder.parent / "errors"
    with out.open("wb") as to_out, errors.open("wb") as to_errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "modelsmith", *words],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=to_out,
            stderr=to_errors,
            env=environment,
        )
        resource.prlimit(process.pid, resource.RLIMIT_CPU, (LIMIT, LIMIT + 1))
        stopped = threading.Timer(CLOCK, process.kill)
        stopped.start()
        _, status, usage = os.wait4(process.pid, 0)
        stopped.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    clock = time.perf_counter() - began
    said = (errors.read_text("utf-8", "replace").strip() or out.read_text("utf-8", "replace").strip()).replace(
        "\n", " / "
    )
    code = process.returncode if process.returncode >= 0 else None
    return Result(name, command, usage.ru_utime + usage.ru_stime, clock, usage.ru_maxrss / 1000, code, said)


def results(kind: Kind, command: str, small: ProcessPoolExecutor) -> Iterator[Result]:
    """Make the input once and run its commands, each in a folder of its own kind of files."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "work")
        folder.mkdir()
        with server(kind.make(folder) or {}) as host:
            for one in kind.commands:
                if command in one:
                    yield small.submit(measured, kind.name, one, folder, host).result()


def main() -> None:
    """Run the table."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--only", default="", help="kinds whose name has this in it")
    words.add_argument("--command", default="", help="commands that have this in them")
    words.add_argument("--above", type=float, default=0.0, help="show what took more seconds than this")
    asked = words.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
    every: list[Result] = []
    with ProcessPoolExecutor(1, get_context("spawn")) as small:
        small.submit(int).result()
        from megabyte_kinds import KINDS

        for kind in KINDS:
            if asked.only not in kind.name:
                continue
            for result in results(kind, asked.command, small):
                every.append(result)
                if (
                    result.processor >= asked.above
                    or result.code is None
                    or "bug in modelsmith" in result.said
                    or "Traceback" in result.said
                ):
                    print(result, flush=True)
    over = [result for result in every if result.processor > BOUND or result.code is None]
    slowest = max(every, key=lambda result: result.processor, default=None)
    print(
        f"{len({result.kind for result in every})} kinds, {len(every)} commands, {len(over)} above {BOUND:g} s; the slowest: {slowest}"
    )


if __name__ == "__main__":
    main()
