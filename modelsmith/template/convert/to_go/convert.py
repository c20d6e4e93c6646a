"""Put a Jinja chat template into Ollama's language, proven equal by rendering (``convert_jinja`` goes the other way).

The Jinja template is not translated line by line: it is rendered on small conversations whose contents are known, what it
prints around them is learned (``convert_observe``, ``convert_tree``), and a Go template that prints the same is written
(``convert_build``). Whether it does is then proven over all conversations (``convert_proof``).
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from modelsmith.errors import ConversionError
from modelsmith.template.convert.conversion import Conversion
from modelsmith.template.convert.proof import KINDS, NOW, QUOTES, Proof, Reference, compare
from modelsmith.template.convert.to_go.build import build
from modelsmith.template.convert.to_go.orders import CALLING, FIRST, INLINE, JOINED, LAST, PILED, Scope
from modelsmith.template.convert.to_go.tools import learn, without_placeholders
from modelsmith.template.go.template import Template

if TYPE_CHECKING:
    from modelsmith.template.jinja.template import ChatTemplate


_ROLES = (("system", "user", "assistant", "tool"), ("system", "user", "assistant"), ("user", "assistant"))


def to_go(chat_template: ChatTemplate, *, bos_token: str = "", eos_token: str = "") -> Conversion:
    """Return the Go template for a Jinja template; raises ConversionError where none can be written at all.

    ``bos_token`` stays empty for Ollama, which puts it in front of the prompt by itself.
    """
    reference = Reference(chat_template, bos_token, eos_token)
    best: Conversion | None = None
    reason: ConversionError | None = None
    tools = learn(reference, NOW)
    formats = [tools, None] if tools else [None]
    for tool_format, roles, placement in product(formats, _ROLES, (INLINE, FIRST, JOINED, LAST, PILED)):
        calling = (CALLING,) if tool_format and tool_format.calls and "tool" in roles else ()
        try:
            scope = Scope((*calling, *roles), placement, reference.thinks, reference.reasons, tool_format)
            template = Template.parse(without_placeholders(build(reference, scope, reference.opening)))
        except ConversionError as error:
            reason = reason or error
            continue
        found = _judged(reference, template)
        if best is None or _rank(found) > _rank(best):
            best = found
        if best.proven or (best.proven_chat and best.proven_tools) or (best.proven_chat and placement == PILED):
            break
    if best is None:
        raise ConversionError(
            f"no Go template could be written: {reason.message}" if reason else "the template prints nothing",
            hint="a conversion is possible where contents are printed unchanged, once, and in the order of the messages",
        )
    return best


def _judged(reference: Reference, template: Template) -> Conversion:
    chat, tools = (compare(reference, template, tools=tools) for tools in (False, True))
    proofs: tuple[Proof, Proof] = (chat, tools)
    quotes = (QUOTES,) if 'printf "%q"' in template.text else ()
    return Conversion(
        template,
        chat.counterexample is None and bool(chat.covered),
        tools.counterexample is None,
        chat.counterexample or tools.counterexample,
        tuple(name for proof in proofs for name in proof.covered),
        (*dict.fromkeys(limit for proof in proofs for limit in proof.limits), *quotes),
        tuple(kind for kind in KINDS if not any(kind in proof.kinds for proof in proofs)),
    )


def _rank(conversion: Conversion) -> tuple[bool, bool, int]:
    return conversion.proven_chat, conversion.proven_tools, len(conversion.covered)
