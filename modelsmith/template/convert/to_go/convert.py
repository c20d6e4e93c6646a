"""Put a Jinja chat template into Ollama's language, proven equal by rendering (``convert_jinja`` goes the other way).

It is tried in two ways. First the Jinja template is rendered on small conversations whose contents are known, what it
prints around them is learned (``convert_observe``, ``convert_tree``), and a short Go template that prints the same is written
(``convert_build``). Where that is not proven over all conversations (``convert_proof``), the Jinja template is translated
node by node (``translate``), and what came of it is proven likewise.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import product
from typing import TYPE_CHECKING

from modelsmith.errors import ConversionError, TemplateError
from modelsmith.template.conversation.named import NAMED
from modelsmith.template.convert.conversion import Conversion
from modelsmith.template.convert.proof import (
    GAP,
    KINDS,
    NOW,
    QUOTES,
    TOOL_KINDS,
    Reference,
    chats,
    go_outcomes,
    limits_met,
    prove,
)
from modelsmith.template.convert.to_go.build import build
from modelsmith.template.convert.to_go.orders import CALLING, CONCATENATED, FIRST, INLINE, JOINED, LAST, Coverage
from modelsmith.template.convert.to_go.readings import with_readings
from modelsmith.template.convert.to_go.tools import learn, without_placeholders
from modelsmith.template.convert.translate.translate import translate
from modelsmith.template.go.template import Template

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsmith.template.convert.to_go.tools import ToolFormat
    from modelsmith.template.jinja.template import ChatTemplate


_ROLES = (("system", "user", "assistant", "tool"), ("system", "user", "assistant"), ("user", "assistant"))


def to_go(chat_template: ChatTemplate, *, bos_token: str = "", eos_token: str = "") -> Conversion:
    """Return the Go template for a Jinja template; raises ConversionError where none can be written at all.

    ``bos_token`` stays empty for Ollama, which puts it in front of the prompt by itself.
    """
    reference = Reference(chat_template, bos_token, eos_token)
    tools = learn(reference, NOW)
    # what is written in no known format is not learned
    learnable = "tool" not in chat_template.text or bool(tools.tools and tools.calls)
    learned = _learned(reference, [tools or None], _ROLES[:1])[0] if learnable else None
    if learned and learned.counterexample is None:
        return learned
    translated = _translated(chat_template, reference, bos_token, eos_token)
    if translated and translated.proven:
        return translated
    best, reason = _learned(reference, [tools, None] if tools else [None], _ROLES)
    found = max((conversion for conversion in (translated, learned, best) if conversion), key=_rank, default=None)
    if found is None:
        raise ConversionError(
            f"no Go template could be written: {reason.message}" if reason else "the template prints nothing",
            hint="a conversion is possible where contents are printed unchanged, once, and in the order of the messages",
        )
    return found


def _translated(chat_template: ChatTemplate, reference: Reference, bos_token: str, eos_token: str) -> Conversion | None:
    """Return what comes of translating the template node by node, None where nothing does."""
    best: Conversion | None = None
    for fixed_start in (False, True):
        try:
            translation = translate(
                chat_template,
                bos_token=bos_token,
                eos_token=eos_token,
                thinks=reference.thinks,
                fixed_start=fixed_start,
            )
            template = with_readings(Template.parse(translation.text), chat_template)
            found = _judged(reference, template, translation.gaps)
        except TemplateError:
            continue
        if found.proven_chat and (best is None or _rank(found) > _rank(best)):
            best = found
        if best and best.counterexample is None:
            break
    return best


def _learned(
    reference: Reference, formats: Sequence[ToolFormat | None], role_sets: Sequence[tuple[str, ...]]
) -> tuple[Conversion | None, ConversionError | None]:
    """Return the best template that can be written of what is learned, or why none can be."""
    best: Conversion | None = None
    reason: ConversionError | None = None
    for tool_format, roles, placement in product(formats, role_sets, (INLINE, FIRST, JOINED, LAST, CONCATENATED)):
        calling = (CALLING,) if tool_format and tool_format.calls and "tool" in roles else ()
        try:
            scope = Coverage((*calling, *roles), placement, reference.thinks, reference.reasons, tool_format)
            built = Template.parse(without_placeholders(build(reference, scope, reference.opening)))
            template = with_readings(built, reference.chat_template)
        except ConversionError as error:
            reason = reason or error
            continue
        found = _judged(reference, template)
        if best is None or _rank(found) > _rank(best):
            best = found
        if best.counterexample is None or (best.proven_chat and placement == CONCATENATED):
            break
    return best, reason


def _judged(reference: Reference, template: Template, gaps: tuple[str, ...] = ()) -> Conversion:
    found = go_outcomes(template)
    excused = partial(limits_met, reference, found)
    chat, tools = (prove(reference, found, chats(tools=tools), excused) for tools in (False, True))
    rendered = chat.kinds | tools.kinds
    needed = (*KINDS, *TOOL_KINDS) if _shows_tools(reference) else KINDS
    return Conversion.judged(
        template,
        chat,
        tools,
        limits=(QUOTES,) if 'printf "%q"' in template.text else (),
        unrendered=(*(kind for kind in needed if kind not in rendered), *(f"{GAP}: {gap}" for gap in gaps)),
    )


def _shows_tools(reference: Reference) -> bool:
    offered = NAMED["tools"]
    shown, bare = (reference(talk, None) for talk in (offered, replace(offered, tools=(), has_tools=False)))
    return not shown.error and shown.prompt != bare.prompt


def _rank(conversion: Conversion) -> tuple[bool, bool, int]:
    return conversion.proven_chat, conversion.proven_tools, len(conversion.covered)
