"""A preset of llama-server's router: ``llama-server --models-preset preset.ini``.

Sources: llama.cpp ``common/preset.cpp`` (the grammar of the file, tags of names in capitals), ``common/arg.cpp`` (escapes in
reverse prompts), ``tools/server/README.md`` (Model presets).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.recipe.emit.llama_arguments import llama_arguments
from modelsmith.recipe.emit.subject import Emitted, Subject, Unsaid, common_unsaid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TITLE = "a preset.ini of llama-server"
FILE = "preset.ini"
_TOOL = "llama-server"
_ENDS_A_VALUE = re.compile(r"[;#\r\n]|^[ \t]|[ \t]$")


def emit(subject: Subject) -> Emitted:
    """Return the preset: one section that names the weights, the template where it was edited, and the PARAMETERs."""
    draft = subject.draft
    unsaid = list(common_unsaid(subject, tool=_TOOL, keeps=frozenset({"projector"})))
    todo: list[str] = []
    beside: dict[Path, str] = {}
    rows = _weights(subject, unsaid, todo)
    if subject.weights is None and subject.swaps_template_alone and draft.chat_template is not None:
        rows += _template(subject, draft.chat_template.text, unsaid, beside)
    rows.append(("jinja", "true", ""))
    arguments = llama_arguments(draft.parameters)
    unsaid += arguments.unsaid
    rows += [
        ("mmap", str(name == "mmap").lower(), "") if name.endswith("mmap") else (name, value, "")
        for name, value in arguments.values.items()
    ]
    rows += [(name, value, "Ollama's default, llama.cpp has another") for name, value in arguments.defaults.items()]
    rows += _stops(draft.parameters.get("stop") or (), unsaid)
    return Emitted(_ini(subject, rows), tuple(unsaid), tuple(todo), beside)


def _ini(subject: Subject, rows: Sequence[tuple[str, str, str]]) -> str:
    lines = ["; llama-server --models-preset FILE", f"; the model {subject.plan.name.short}"]
    lines += ["version = 1", "", f"[{subject.stem}]"]
    for key, value, note in rows:
        if note:
            lines.append(f"; {note}")
        lines.append(f"{key} = {value}")
    return "\n".join(lines) + "\n"


def _weights(subject: Subject, unsaid: list[Unsaid], todo: list[str]) -> list[tuple[str, str, str]]:
    draft, rows = subject.draft, []
    path = subject.weights or (draft.inherited.weights if subject.unchanged_weights else None)
    if subject.weights is None and subject.hub is not None and subject.unchanged_weights:
        hub = subject.hub
        rows.append(("hf-repo", f"{hub.repo}{f':{hub.quantization}' if hub.quantization else ''}", ""))
        if hub.file:
            rows.append(("hf-file", hub.file, ""))
        if hub.revision:
            unsaid.append(Unsaid(f"revision {hub.revision}", "llama-server takes the newest of a repository"))
    elif path is None:
        why = "the recipe changes them: write them with --weights FILE"
        if draft.inherited.weights is None:
            why = "their file cannot be read from here; write this where it is"
        unsaid.append(Unsaid("FROM (the weights)", why))
        todo.append(f"set `model` in [{subject.stem}] to the GGUF")
    elif _ENDS_A_VALUE.search(str(path)):
        unsaid.append(Unsaid(f"FROM {path}", "a value in this file ends at ; and #, and loses blanks at its ends"))
    else:
        rows.append(("model", str(path), ""))
    return rows


def _template(subject: Subject, text: str, unsaid: list[Unsaid], beside: dict[Path, str]) -> list[tuple[str, str, str]]:
    if subject.file is None:
        unsaid.append(
            Unsaid("the edited Jinja template", "it needs a file of its own: name the preset's file with -o FILE")
        )
        return []
    path = subject.file.with_name(f"{subject.stem}.jinja").absolute()
    if _ENDS_A_VALUE.search(str(path)):
        unsaid.append(Unsaid(f"the edited Jinja template in {path}", "a value in this file ends at ; and #"))
        return []
    beside[path] = text
    return [("chat-template-file", str(path), "")]


def _stops(stops: Sequence[str], unsaid: list[Unsaid]) -> list[tuple[str, str, str]]:
    if len(stops) > 1:
        rest = ", ".join(repr(stop) for stop in stops[1:])
        unsaid.append(Unsaid(f"PARAMETER stop {rest}", "a preset has each key once, so only the first can be said"))
    return [("reverse-prompt", _escaped(stops[0]), "")] if stops else []


def _escaped(text: str) -> str:
    """Return a text as llama.cpp reads escapes, with nothing in it that would end a value of the file."""
    names = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", ";": "\\x3b", "#": "\\x23"}
    escaped = "".join(names.get(character, character) for character in text)
    for space in re.findall(r"^ +", escaped):
        escaped = "\\x20" * len(space) + escaped[len(space) :]
    for space in re.findall(r" +$", escaped):
        escaped = escaped[: -len(space)] + "\\x20" * len(space)
    return escaped
