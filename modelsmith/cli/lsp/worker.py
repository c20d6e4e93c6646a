"""The process that does the language server's heavy work: started when it is needed, killed when it takes too long.

A template may be a bomb, and a thread cannot be stopped; a process can, and the server answers meanwhile.
"""

from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any, TypeVar

from modelsmith.cli.lsp.work import warm_up

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO

_Answer = TypeVar("_Answer")

_START = "import sys; sys.path[:] = sys.argv[1:]; from modelsmith.cli.lsp.work import main; main()"
_START_SECONDS = 30.0


class WorkStoppedError(Exception):
    """A job that took too long, or ended the process."""


class Worker:
    """One process, one job after the other.

    It is a plain process, talked to by a thread: one of asyncio's own that is cancelled while it starts is waited for without
    end, and the server with it.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self._turn = asyncio.Lock()

    async def start(self) -> None:
        """Start the process before there is work; raises WorkStoppedError."""
        await self.run(warm_up, seconds=_START_SECONDS)

    async def run(self, function: Callable[..., _Answer], *arguments: object, seconds: float) -> _Answer:
        """Return what a function of ``lsp_work`` gives; raises WorkStoppedError where it takes longer, or fails."""
        # an answer must be read even where nobody waits for it any more, or the next one would be taken for it
        return await asyncio.shield(asyncio.ensure_future(self._in_turn(function, arguments, seconds)))

    def stop(self) -> None:
        """End the process at once, also where there is no event loop any more; the thread that reads from it ends with it."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
        if self._errors is not None:
            self._errors.close()
            self._errors = None

    async def _in_turn(
        self, function: Callable[..., _Answer], arguments: tuple[object, ...], seconds: float
    ) -> _Answer:
        async with self._turn:
            try:
                process = self._process or await self._started()
                answer: _Answer = await asyncio.wait_for(asyncio.to_thread(_ask, process, function, arguments), seconds)
            except TimeoutError:
                self.stop()
                raise WorkStoppedError(f"it took longer than {seconds:g} seconds") from None
            except (EOFError, ConnectionError):
                reason = self._last_words()
                self.stop()
                raise WorkStoppedError(reason) from None
            except asyncio.CancelledError:  # the server ends, and would wait for the thread
                self.stop()
                raise
            return answer

    async def _started(self) -> subprocess.Popen[bytes]:
        """Start the process and let it import what it needs, which is not counted as work."""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        # -P: what lies in the folder that the editor has open is never imported
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _START, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        await asyncio.wait_for(asyncio.to_thread(_ask, self._process, warm_up, ()), _START_SECONDS)
        return self._process

    def _last_words(self) -> str:
        if self._errors is None:
            return "it ended"
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace").strip()[-2000:] or "it ended"


def _ask(process: subprocess.Popen[bytes], function: Callable[..., Any], arguments: tuple[object, ...]) -> Any:
    """Return the answer of the process; raises EOFError or ConnectionError where it is gone."""
    if process.stdin is None or process.stdout is None:
        raise EOFError
    data = pickle.dumps((function, arguments))
    process.stdin.write(len(data).to_bytes(8) + data)
    process.stdin.flush()
    size = _exactly(process.stdout, 8)
    return pickle.loads(_exactly(process.stdout, int.from_bytes(size)))  # noqa: S301  # from the process started above


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    data = pipe.read(size)
    if len(data) < size:
        raise EOFError
    return data
