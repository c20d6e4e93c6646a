"""Add text beside the messages of a Go template, or at the start of its prompts; proven by rendering.

The nodes that print the texts of a role's messages are found by rendering marked conversations; the text goes right before or
right behind them, where they print other roles too or nothing at all with a condition. The proof is the law of
``inject_positions.py``: each prompt is the old one with the text at that position and nowhere else.

Source of the rules: Ollama template/template.go (Execute).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import InjectionError, TemplateRenderError
from modelsmith.memo import remembering
from modelsmith.source import Edit, apply_edits
from modelsmith.syntax.gotemplate.nodes import Text
from modelsmith.template.conversation.named import is_suffix
from modelsmith.template.conversation.proof import proof_conversations
from modelsmith.template.conversation.think import THINKS
from modelsmith.template.edit.addition import code
from modelsmith.template.edit.go.beside_edits import HINT, Builder, printers
from modelsmith.template.edit.go.scope import visible
from modelsmith.template.edit.positions import MARK, START, Position, after_bos, has_text, is_inserted, marked_prompts
from modelsmith.template.edit.prove import Renderings, first_proven, prove, prove_same_reading
from modelsmith.template.go.tool_tag import tool_call_tag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.conversation.think import Think
    from modelsmith.template.edit.addition import Addition
    from modelsmith.template.edit.prove import Expectation
    from modelsmith.template.go.template import Template


@remembering()
def insert(template: Template, addition: Addition, at: str) -> Template:
    """Return the template that prints the addition at a position other than the generation prompt; or InjectionError."""
    if not addition:
        return template
    before = Renderings(template)
    if at == START:
        offers, expectation = _at_the_start(template, addition), _starts(template, addition)
    else:
        position = Position.of(at)
        _check_shown(before, position, addition)
        offers, expectation = _beside(before, position, addition), _inserted(before, position, addition)
    failure = f"no place was found for the text {at}"
    if at == START and template.is_legacy:
        failure += (
            ": it is rendered turn by turn (.Prompt and .Response), and no turn knows whether it is the first one"
        )
    return first_proven(
        offers,
        lambda edits: _proven(before, edits, expectation),
        failure,
        otherwise="no node of the template prints these texts and nothing else",
        hint=HINT,
    )


@remembering()
def is_there(template: Template, addition: Addition, at: str) -> bool:
    """Say whether all prompts have the texts at the position already."""
    found, rendered = Renderings(template), False
    for think in found.different(THINKS):
        text = addition.text(think)
        for talk in proof_conversations().values() if text else ():
            if at == START:
                prompt = found(talk, think).prompt
                if prompt and talk.turns and not is_suffix(talk):
                    rendered = True
                    if not prompt.startswith(text, after_bos(prompt)):
                        return False
            for prompt in () if at == START else _marked(found, talk, think, Position.of(at)):
                rendered |= MARK in prompt
                if not has_text(prompt, Position.of(at), text):
                    return False
    return rendered


def _marked(found: Renderings, talk: Conversation, think: Think, position: Position) -> list[str]:
    return list(marked_prompts(found.prompts(think), talk, position, merged=True))[-1:]


def _check_shown(found: Renderings, position: Position, addition: Addition) -> None:
    for think in found.different([think for think in THINKS if addition.text(think)]):
        prompts = [
            prompt for talk in proof_conversations().values() for prompt in _marked(found, talk, think, position)
        ]
        if not any(MARK in prompt for prompt in prompts):
            raise InjectionError(
                f"the template never shows {position.what}, so there is no place {position.name}",
                hint="it is no chat template, or leaves these messages out; see `modelsmith render`",
            )


def _proven(found: Renderings, edits: tuple[Edit, ...], expectation: Expectation) -> Template:
    template = found.template
    edited = type(template).parse(apply_edits(template.text, edits))
    prove_same_reading(template, edited)
    if tool_call_tag(template.tree) != tool_call_tag(edited.tree):
        raise InjectionError("the edit would change what Ollama takes for the beginning of a tool call")
    prove(found, Renderings(edited), expectation, thinks=found.different(THINKS))
    return edited


def _inserted(found: Renderings, position: Position, addition: Addition) -> Expectation:
    fills_in = "suffix" in found.template.variables

    def wrong(talk: Conversation, think: Think, was: str, now: str) -> str:
        text = addition.text(think)
        if is_suffix(talk) and not fills_in:  # no request that Ollama renders
            return ""
        if now == was if not text else is_inserted(found.prompts(think), talk, position, text, now):
            return ""
        return f"it must get {text!r} {position.name} and nothing else"

    return wrong


def _starts(template: Template, addition: Addition) -> Expectation:
    fills_in = "suffix" in template.variables

    def wrong(talk: Conversation, think: Think, was: str, now: str) -> str:
        text, place = addition.text(think), after_bos(was)
        started = now == was[:place] + text + was[place:]
        free = not talk.turns or (is_suffix(talk) and not fills_in)  # no request that Ollama renders
        if (now == was or started) if free else now == was if is_suffix(talk) else started:
            return ""
        return "it must stay as it was" if is_suffix(talk) else f"it must get {text!r} at its start and nothing else"

    return wrong


def _at_the_start(template: Template, addition: Addition) -> Iterator[tuple[Edit, ...]]:
    offset = 0
    talk = proof_conversations()["user"]
    try:
        pieces = [piece for piece in template.trace(talk) if piece.text]
    except TemplateRenderError as error:
        raise InjectionError(f"the template renders no conversation: {error.message}") from error
    if pieces and isinstance(node := pieces[0].node, Text) and (bos := after_bos(pieces[0].text)):
        offset = visible(template.text, node).start + bos
    elif pieces and after_bos("".join(piece.text for piece in pieces)):
        raise InjectionError("the BOS token at the start of the prompt is no text of its own", hint=HINT)
    yield (Edit.insert(offset, code(addition)),)
    if not template.is_legacy:
        yield (Edit.insert(offset, code(addition, ("$.Messages",))),)


def _beside(found: Renderings, position: Position, addition: Addition) -> Iterator[tuple[Edit, ...]]:
    nodes = printers(found, addition)
    meant = [path for path, roles in nodes if position.role in roles]
    alone = {id(path[-1].node) for path, roles in nodes if roles == {position.role}}
    builder = Builder(found.template, position, addition)
    for always in (False, True):
        for edits in builder.edits([(path, always or id(path[-1].node) not in alone) for path in meant]):
            yield tuple(sorted(dict.fromkeys(edits), key=lambda edit: edit.span))
