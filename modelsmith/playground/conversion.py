"""The chat template in the other language, Jinja or Go, and how far it is proven equal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from modelsmith.errors import ModelsmithError
from modelsmith.template.conversation.think import THINK_WORDS
from modelsmith.template.convert.to_go.convert import to_go
from modelsmith.template.convert.to_jinja.convert_jinja import to_jinja
from modelsmith.template.jinja.template import ChatTemplate

if TYPE_CHECKING:
    from modelsmith.playground.given import Given
    from modelsmith.template.convert.conversion import Conversion


def convert(given: Given) -> dict[str, Any]:
    """Return the template in the other language; raises ConversionError where none can be written at all."""
    if given.kind == "jinja":
        return _answer("go", given.text, to_go(ChatTemplate.parse(given.text)))
    draft, _ = given.draft()
    own = draft.template if given.kind == "go" or draft.modelfile.template else None
    if own is not None:
        return _answer("jinja", own.text, to_jinja(own))
    if draft.chat_template is not None:
        found = to_go(draft.chat_template, eos_token=draft.inherited.ends["eos_token"])
        return _answer("go", draft.chat_template.text, found)
    raise ModelsmithError(
        "there is no template to convert: the Modelfile has no TEMPLATE of its own",
        hint="paste a Go template or a Jinja template, or open the .gguf",
    )


def _answer(to: str, source: str, conversion: Conversion) -> dict[str, Any]:
    difference = conversion.counterexample
    return {
        "to": to,
        "from_text": source,
        "text": conversion.template.text,
        "proven": conversion.proven,
        "proven_without_tools": conversion.proven_chat,
        "covered": len(conversion.covered),
        "limits": list(conversion.limits),
        "unrendered": list(conversion.unrendered),
        "counterexample": difference
        and {
            "name": difference.name,
            "think": THINK_WORDS.get(difference.think, str(difference.think)),
            "conversation": json.dumps(difference.conversation.to_dict(), ensure_ascii=False, indent=2),
            "jinja": difference.jinja,
            "go": difference.go,
        },
    }
