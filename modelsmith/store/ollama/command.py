"""``ollama create NAME -f FILE``, run as a person would run it."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from modelsmith.errors import ServerError, Unsupported
from modelsmith.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

    from modelsmith.name import ModelName
    from modelsmith.progress import ProgressSink
    from modelsmith.store import Store


def find_command(store: Store) -> str:
    """Return the path of ``ollama``; raises Unsupported without the program, or where the store is not a server's."""
    program = shutil.which("ollama")
    if program is None:
        raise Unsupported(
            "there is no `ollama` on the PATH", hint="leave out --via cli: modelsmith creates the model itself"
        )
    if store.ollama_version() is None:
        raise Unsupported(
            f"`ollama create` needs a running Ollama, and {store.location} is a folder",
            hint="name the server with --store URL or OLLAMA_HOST, or leave out --via cli",
        )
    return program


def create_by_command(program: str, name: ModelName, modelfile: Path, store: Store, progress: ProgressSink) -> None:
    """Run ``ollama create`` against the store's server; raises ServerError with the program's own words when it fails."""
    command = [program, "create", name.short, "-f", str(modelfile)]
    progress(Progress("running " + " ".join(command)))
    result = subprocess.run(
        command,
        env=os.environ | {"OLLAMA_HOST": store.location},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if result.returncode != 0:
        words = (result.stderr or result.stdout).strip().splitlines()
        raise ServerError(f"`ollama create` failed: {words[-1] if words else f'exit code {result.returncode}'}")
