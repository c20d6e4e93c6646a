"""Whether the chat template inside a GGUF parses, and only does what templates do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.errors import TemplateSyntaxError
from modelsmith.template.jinja.hostile import hostile_part
from modelsmith.weights.gguf.file import CHAT_TEMPLATE
from modelsmith.weights.gguf.metadata import GGUFArray
from modelsmith.weights.gguf.read.fault import Fault
from modelsmith.weights.gguf.types import ValueType

if TYPE_CHECKING:
    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.gguf.read.fault import Faults

_HOSTILE = "do not use this file: a program that renders templates without a sandbox would run foreign code"


def check_template(gguf: GGUFFile, faults: Faults) -> None:
    """Note what is wrong with the chat templates; each is read for ways out, and loaded as llama-server does."""
    for key in gguf.metadata:
        if key != CHAT_TEMPLATE and not key.startswith(f"{CHAT_TEMPLATE}."):
            continue
        entry, text = gguf.metadata.entry(key), gguf.metadata[key]
        if isinstance(text, GGUFArray) and text.item_type == ValueType.STRING and key != CHAT_TEMPLATE:
            continue
        if not isinstance(text, str):
            faults.add("wrong-type", f"{key} is no text", entry.at, "a text", "set it anew with `modelsmith gguf set`")
        elif text:
            _check(key, text, entry.value_at + 8, faults)


def _check(key: str, text: str, at: int, faults: Faults) -> None:
    from modelsmith.template.jinja.template import ChatTemplate

    match = hostile_part(text)
    if match is not None:
        line = text.count("\n", 0, match.start()) + 1
        place = at + len(text[: match.start()].encode())
        faults.add("unsafe-template", f"{key} holds `{match[0]}` (its line {line})", place, "no such thing", _HOSTILE)
    try:
        ChatTemplate.parse(text)
    except TemplateSyntaxError as error:
        if error.line is not None:
            place = at + len(text[: error.offset or 0].encode())
            hint = "repair it: modelsmith gguf set FILE tokenizer.chat_template --from-file FIXED.jinja"
            faults.add("broken-template", f"{key} does not parse: {error.message}", place, "a Jinja template", hint)
        elif match is None:
            _note_failure(f"{key}: {error.message}", at, faults)


def _note_failure(message: str, at: int, faults: Faults) -> None:
    """Note a template that can be read and that llama-server does not load."""
    if "was stopped" in message:
        faults.note(Fault("unsafe-template", message, at, "", _HOSTILE, Severity.ERROR))
    else:
        hint = "see what it makes of a message: modelsmith render FILE --user hello --engine transformers"
        faults.note(Fault("failing-template", message, at, "", hint, Severity.WARNING))
