"""The store: where the server keeps its models, and where commands without a server would."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.errors import ModelsmithError
from modelsmith.store.care.doctor import Check, examine
from modelsmith.store.environment import variable
from modelsmith.store.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.machine.server import Server
    from modelsmith.machine.system import Process, System


def check_store(server: Server, system: System, processes: tuple[Process, ...]) -> Iterator[Check]:
    """Yield the folders of models that count here, and what is wrong with each; ``store doctor`` says more of one."""
    ours = _folder(system.environment)
    folders: dict[str, str] = {}
    for process in processes if server.is_local else ():
        if process.environment is not None and (theirs := _folder(process.environment)):
            folders.setdefault(os.path.realpath(theirs), f"of the server (process {process.pid})")
    if not folders and ours and system.path(ours).is_dir():
        folders[os.path.realpath(system.path(ours))] = "where Ollama keeps its models by default"
    for folder, whose in folders.items():
        if not Path(folder).is_dir():
            yield Check(
                "store", f"{folder}, {whose}, is not there yet", Severity.INFO, "it is made with the first model"
            )
            continue
        yield Check("store", f"{folder}, {whose}")
        try:
            for check in examine(Layout(Path(folder)), system.environment):
                if check.severity in {Severity.ERROR, Severity.WARNING}:
                    yield Check("store", f"{check.name}: {check.text}", check.severity, check.hint)
        except ModelsmithError as error:
            yield Check("store", error.message, Severity.WARNING, error.hint)
    if not folders and server.is_local:
        yield Check(
            "store", f"there is no folder {ours}", Severity.INFO, "pull or create a model, or set OLLAMA_MODELS"
        )


def _folder(environment: Mapping[str, str]) -> str:
    named = variable("OLLAMA_MODELS", environment)
    home = environment.get("HOME", "")
    return named or (f"{home}/.ollama/models" if home else "")
