r"""Make real line breaks of those that somebody typed as ``\n`` into the text of a template.

A Modelfile has no escapes: ``<think>\n`` in TEMPLATE shows the model a backslash and an n. Inside ``{{ "…" }}`` it is Go that
reads the text, and ``\n`` is a line break. Source: Ollama parser/parser.go; Go, strconv.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import InjectionError
from modelsmith.memo import remembering
from modelsmith.source import Edit, Span, apply_edits
from modelsmith.syntax.gotemplate.nodes import Text
from modelsmith.template.conversation.think import THINKS
from modelsmith.template.edit.addition import Addition, literal
from modelsmith.template.edit.go.generation import opens_turn
from modelsmith.template.edit.go.inject import tails
from modelsmith.template.edit.go.scope import visible
from modelsmith.template.edit.prove import Renderings, prove, prove_same_reading

if TYPE_CHECKING:
    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.conversation.think import Think
    from modelsmith.template.go.template import Template


@remembering()
def repair_typed(template: Template, wanted: Addition) -> Template:
    r"""Return the template in which a text at the end of the generation prompt, typed with ``\n``, has real line breaks.

    The template itself where there is none, or where the change could not be proven to touch nothing else.
    """
    for text in dict.fromkeys(wanted.text(think) for think in THINKS):
        typed = text.replace("\n", "\\n")
        if typed == text or typed not in template.text:
            continue
        meant = Addition(*(text if wanted.text(think) == text else "" for think in THINKS))
        template = _repaired(template, typed, text, meant)
    return template


def _repaired(template: Template, typed: str, text: str, meant: Addition) -> Template:
    before = Renderings(template)
    edits = set()
    for node in tails(before, meant):
        if not isinstance(node, Text) or not node.value.endswith(typed):
            return template
        end = visible(template.text, node).end
        edits.add(Edit(Span(end - len(typed), end), f"{{{{ {literal(text)} }}}}"))

    def wrong(conversation: Conversation, think: Think, was: str, now: str) -> str:
        if now == was.removesuffix(typed) + text or (now == was and not opens_turn(template, conversation)):
            return ""
        return "" if now == was and not meant.text(think) else f"only {typed!r} at its end may change"

    edited = type(template).parse(apply_edits(template.text, edits))
    try:
        prove_same_reading(template, edited)
        prove(before, Renderings(edited), wrong)
    except InjectionError:
        return template
    return edited
