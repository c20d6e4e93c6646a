"""Take the system prompt out of a template: conversations with one render as they do without.

Two edits do it. ``.System`` becomes the empty text (a block that shows nothing else goes as a whole), and where the messages are
printed whatever their role, those of the role system are skipped. Proof: conversations without a system message render as
before; those with one render as the same conversation without it, or, where that would be another conversation (two messages
of one role would meet, the system has the last word, or it ends a turn of a legacy template), nothing of the system's text is printed.

Source of the rules: Ollama template/template.go (collate, Execute).
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from modelsmith.memo import remembering
from modelsmith.source import Edit, apply_edits
from modelsmith.syntax.gotemplate.nodes import (
    Action,
    Block,
    Branch,
    Chain,
    Field,
    If,
    Parenthesized,
    Range,
    TemplateCall,
    Variable,
    With,
)
from modelsmith.syntax.gotemplate.tree import walk
from modelsmith.template.conversation.proof import proof_conversations
from modelsmith.template.conversation.think import THINKS
from modelsmith.template.edit.go.scope import is_messages
from modelsmith.template.edit.prove import Renderings, check_renders, first_proven, prove, prove_same_reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.syntax.gotemplate.nodes import ListItem, Operand, Pipeline
    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.conversation.think import Think
    from modelsmith.template.go.template import Template

_SKIP = '{{ if eq .Role "system" }}{{ continue }}{{ end }}'


@remembering()
def strip_system(template: Template) -> Template:
    """Return the template that shows no system prompt: the same one where it shows none already.

    Raises InjectionError where no edit could be proven.
    """
    before = Renderings(template)
    check_renders(before)

    def proven(edits: tuple[Edit, ...]) -> Template:
        edited = type(template).parse(apply_edits(template.text, edits)) if edits else template
        prove_same_reading(template, edited)
        _prove(before, before if edited is template else Renderings(edited))
        return edited

    return first_proven(_candidates(template), proven, "the system prompt cannot be taken out")


def _candidates(template: Template) -> Iterator[tuple[Edit, ...]]:
    yield ()
    whole, empty = tuple(_edits(template, whole=True)), tuple(_edits(template, whole=False))
    skips = tuple(_skips(template))
    yield from dict.fromkeys((whole, empty, (*whole, *skips), (*empty, *skips)))


def _edits(template: Template, *, whole: bool) -> Iterator[Edit]:
    gone = -1
    for node in walk(template.tree.root):
        if node.start < gone:
            continue
        if whole and _shows_system_only(node):
            gone = node.end
            yield Edit(node.span, _trims(template.text, node))
            continue
        if isinstance(node, Action | Branch | TemplateCall | Block) and node.pipeline:
            for operand in _operands(node.pipeline):
                if _is_system(operand):
                    yield Edit(operand.span, '""')


def _shows_system_only(node: ListItem) -> bool:
    if not isinstance(node, If | With) or node.otherwise is not None or node.closing is None:
        return False
    commands = node.pipeline.commands
    pure = len(commands) == 1 and len(commands[0].operands) == 1 and not node.pipeline.declared
    return pure and _is_system(commands[0].operands[0])


def _trims(text: str, node: ListItem) -> str:
    """Return what keeps the trimming around a block that goes: a comment with its markers, or nothing."""
    left = text.startswith("{{-", node.start) and node.start > 0
    right = text.endswith("-}}", 0, node.end) and node.end < len(text)
    return f"{{{{{'- ' if left else ''}/* no system prompt */{' -' if right else ''}}}}}" if left or right else ""


def _operands(pipeline: Pipeline) -> Iterator[Operand]:
    for command in pipeline.commands:
        for operand in command.operands:
            yield operand
            inner = operand.operand if isinstance(operand, Chain) else operand
            if isinstance(inner, Parenthesized):
                yield from _operands(inner.pipeline)


def _is_system(operand: Operand) -> bool:
    return (isinstance(operand, Field) and operand.names == ("System",)) or (
        isinstance(operand, Variable) and operand.names == ("$", "System")
    )


def _skips(template: Template) -> Iterator[Edit]:
    for node in walk(template.tree.root):
        if isinstance(node, Range) and is_messages(node):
            trims = template.text.endswith("-}}", 0, node.opening.end)
            yield Edit.insert(node.opening.end, _SKIP.removesuffix("}}") + "-}}" if trims else _SKIP)


def _prove(before: Renderings, after: Renderings) -> None:
    """Render all conversations; raise InjectionError for the smallest of a kind that is not as it must be."""
    thinks = before.different(THINKS)
    without = _without(legacy=after.template.is_legacy)
    talks = proof_conversations()
    plain = {name: talk for name, talk in talks.items() if name not in without}
    as_others = {name: talk for name, talk in talks.items() if without.get(name)}
    shown = {name: talk for name, talk in talks.items() if name in without and not without[name]}
    others = {id(talk): without[name] for name, talk in as_others.items()}
    prove(before, after, _stays, plain, thinks)
    prove(lambda talk, think: before(others[id(talk)] or talk, think), after, _is_as_without, as_others, thinks)
    prove(after, after, _shows_nothing, shown, thinks)


def _stays(talk: Conversation, _think: Think, was: str, now: str) -> str:
    # fill-in-the-middle has no system prompt, not even an empty one
    same = was == now or (talk.suffix and was.replace("<no value>", "") == now.replace("<no value>", ""))
    return "" if same else "it has no system prompt"


def _is_as_without(_talk: Conversation, _think: Think, was: str, now: str) -> str:
    return "" if was == now else "it must be as without the system message"


def _shows_nothing(talk: Conversation, _think: Think, _was: str, now: str) -> str:
    shown = next((text for text in _systems(talk) if text in now), None)
    return "" if shown is None else f"it shows {shown!r} of the system prompt"


def _systems(talk: Conversation) -> list[str]:
    return [message.content for message in talk.turns if message.role == "system" and message.content.strip()]


@cache
def _without(*, legacy: bool) -> Mapping[str, Conversation | None]:
    """Return the conversations without their system messages; None for those that become other conversations."""
    return {name: _stripped(talk, legacy=legacy) for name, talk in proof_conversations().items() if _systems(talk)}


def _stripped(talk: Conversation, *, legacy: bool) -> Conversation | None:
    rest = tuple(message for message in talk.turns if message.role != "system")
    without = replace(talk, messages=rest, prompt="")
    kept = [message.role for message in talk.collated[1] if message.role != "system"]
    same = kept == [message.role for message in without.collated[1]]
    if legacy:  # there a system message after others ends a turn, which the template has no part in
        same = talk.turns[-len(rest) :] == rest
    return without if rest and same and talk.turns[-1].role != "system" else None
