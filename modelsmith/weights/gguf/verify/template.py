"""Whether the chat template inside a GGUF parses, and only does what templates do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.errors import TemplateRenderError, TemplateSyntaxError
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
    """Note what is wrong with the chat templates; each is parsed, read for ways out, and rendered in the sandbox."""
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
    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.jinja.limits import Limits
    from modelsmith.template.jinja.template import ChatTemplate

    limits = Limits(seconds=2.0, size=1_000_000)
    match = hostile_part(text)
    if match is not None:
        line = text.count("\n", 0, match.start()) + 1
        place = at + len(text[: match.start()].encode())
        faults.add("unsafe-template", f"{key} holds `{match[0]}` (its line {line})", place, "no such thing", _HOSTILE)
    try:
        template = ChatTemplate.parse(text)
    except TemplateSyntaxError as error:
        place = at + len(text[: error.offset or 0].encode())
        hint = "repair it: modelsmith gguf set FILE tokenizer.chat_template --from-file FIXED.jinja"
        faults.add("broken-template", f"{key} does not parse: {error.message}", place, "a Jinja template", hint)
        return
    if match is not None:
        return
    try:
        template.render(Conversation.from_dict({"messages": [{"role": "user", "content": "hello"}]}), limits=limits)
    except TemplateRenderError as error:
        message = f"{key} fails for one user's message: {error.message}"
        unsafe = "was stopped" in error.message or "sandbox" in error.message
        severity = Severity.ERROR if unsafe else Severity.WARNING
        hint = _HOSTILE if unsafe else "see what it needs: modelsmith render FILE --user hello"
        faults.note(Fault("unsafe-template" if unsafe else "failing-template", message, at, "", hint, severity))
