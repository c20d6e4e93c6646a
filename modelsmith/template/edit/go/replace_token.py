"""Replace a token in the texts that a template prints: what is written between actions, and ``{{ "…" }}``.

Every prompt then differs by exactly that: pieces that the template's own texts print have the new token, and all others,
what users and models wrote among them, are the same. A token that comes about in another way (put together by ``printf``, or
split over two texts) cannot be replaced, which is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import InjectionError, TemplateRenderError, TemplateSyntaxError
from modelsmith.memo import remembering
from modelsmith.source import Edit, Span, apply_edits
from modelsmith.syntax.gotemplate.nodes import Action, String, Text
from modelsmith.syntax.gotemplate.tree import walk
from modelsmith.template.conversation.proof import proof_conversations
from modelsmith.template.conversation.think import THINKS
from modelsmith.template.edit.addition import literal
from modelsmith.template.edit.go.scope import visible
from modelsmith.template.edit.prove import Renderings, check_renders, prove, prove_same_reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.syntax.gotemplate.nodes import Node
    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.conversation.think import Think
    from modelsmith.template.go.template import Template


@remembering()
def replace_token(template: Template, old: str, new: str) -> Template:
    """Return the template that prints ``new`` wherever its own texts print ``old``; proven, or InjectionError.

    A template without ``old`` that has ``new`` already stays as it is.
    """
    if not old or old == new:
        raise InjectionError(
            "replacing a token takes two different texts", hint="give the token as it is, and as it shall be"
        )
    edits = tuple(_edits(template, old, new))
    if not edits:
        if new and any(new in text for text in _texts(template)):
            return template
        raise InjectionError(
            f"none of the template's texts holds {old!r}", hint="compare with the template, character by character"
        )
    try:
        edited = type(template).parse(apply_edits(template.text, edits))
    except TemplateSyntaxError as error:
        raise InjectionError(f"with {new!r} the template could not be read: {error.message}") from error
    prove_same_reading(template, edited, thinking_may_change=any(old in tag for tag in template.thinking_tags))
    before = Renderings(template)
    check_renders(before)
    prove(before, Renderings(edited), _Expectation(template, old, new), thinks=before.different(THINKS))
    return edited


def _literal_of(node: Node | None) -> String | Text | None:
    """Return the text that a node prints by itself, if it is one that does."""
    if isinstance(node, Text):
        return node
    if isinstance(node, Action) and not node.pipeline.declared and len(node.pipeline.commands) == 1:
        (command,) = node.pipeline.commands
        if len(command.operands) == 1 and isinstance(command.operands[0], String):
            return command.operands[0]
    return None


def _texts(template: Template) -> Iterator[str]:
    for node in walk(template.tree.root):
        if (text := _literal_of(node)) is not None:
            yield text.value


def _edits(template: Template, old: str, new: str) -> Iterator[Edit]:
    written = f"{{{{ {literal(new)} }}}}" if "{{" in new or new != new.strip() or not new.isprintable() else new
    for node in walk(template.tree.root):
        text = _literal_of(node)
        if text is None or old not in text.value:
            continue
        if isinstance(text, String):
            yield Edit(text.span, literal(text.value.replace(old, new)))
            continue
        place = visible(template.text, text)
        start = template.text.find(old, place.start, place.end)
        while start >= 0:
            yield Edit(Span(start, start + len(old)), written)
            start = template.text.find(old, start + len(old), place.end)


class _Expectation:
    """What a prompt must have become: its own texts with the new token, and the rest as it was."""

    def __init__(self, template: Template, old: str, new: str) -> None:
        self._template, self._old, self._new = template, old, new
        self._said = {id(talk): _says(talk, old) for talk in proof_conversations().values()}

    def __call__(self, conversation: Conversation, think: Think, before: str, after: str) -> str:
        old, new = self._old, self._new
        if not self._said[id(conversation)] and after != before.replace(old, new):
            return f"it must differ by {new!r} in place of every {old!r}"
        try:
            pieces = self._template.trace(conversation, think)
        except TemplateRenderError as error:
            return error.message
        wanted = "".join(
            piece.text if _literal_of(piece.node) is None else piece.text.replace(old, new) for piece in pieces
        )
        return "" if after == wanted else f"it must differ by {new!r} in place of {old!r}, and in nothing else"


def _says(conversation: Conversation, old: str) -> bool:
    """Say whether somebody wrote the token in the conversation, or in its tools."""
    return old in repr(conversation.to_dict()) or any(old in message.content for message in conversation.turns)
