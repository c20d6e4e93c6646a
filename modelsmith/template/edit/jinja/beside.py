"""Add text beside the messages of a Jinja chat template, or at the start of its prompts; proven by rendering.

A chat template prints messages in ways without number, so the messages themselves are given the text before it sees them:
a few statements at its beginning, in words that Ollama's llama-server knows too (it has no ``dict``). A begun answer is put behind the prompt by
llama-server, so no template can put anything beside it. What a template trims away cannot be added: then the proof refuses.

Source: llama.cpp tools/server/server-common.cpp and common/jinja; transformers, chat templates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import InjectionError
from modelsmith.memo import remembering
from modelsmith.source import Edit, apply_edits
from modelsmith.template.conversation.named import NAMED, is_prefill
from modelsmith.template.edit.jinja.renderings import SWITCHES, ChatRenderings
from modelsmith.template.edit.positions import MARK, START, Position, after_bos, has_text, is_inserted, marked_prompts
from modelsmith.template.edit.prove import first_proven, prove
from modelsmith.template.jinja.template import ChatTemplate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.conversation.think import Think
    from modelsmith.template.edit.addition import Addition
    from modelsmith.template.edit.prove import Expectation
    from modelsmith.template.outcomes import Outcomes

_BOS = "<s>"


@remembering()
def insert_chat_template(template: ChatTemplate, addition: Addition, at: str) -> ChatTemplate:
    """Return the chat template that prints the addition at a position other than the generation prompt; or InjectionError."""
    if not addition:
        return template
    before = ChatRenderings(template, _BOS)
    if at != START and not any(MARK in prompt for prompt in _known(before, addition, Position.of(at))):
        raise InjectionError(
            f"the chat template never shows {Position.of(at).what}, so there is no place {at}",
            hint="it leaves these messages out; see `modelsmith render`",
        )

    def proven(edit: Edit) -> ChatTemplate:
        edited = ChatTemplate.parse(apply_edits(template.text, (edit,)))
        _prove(before, edited, addition, at)
        return edited

    offers = _at_the_start(template, addition) if at == START else _ahead(Position.of(at), addition)
    return first_proven(offers, proven, f"no place was found for the text {at}")


def is_there_in_chat_template(template: ChatTemplate, addition: Addition, at: str) -> bool:
    """Say whether all prompts have the texts at the position already."""
    before = ChatRenderings(template, _BOS)
    if at != START:
        position = Position.of(at)
        found = [
            (prompt, addition.text(think)) for think in SWITCHES for prompt in _known(before, addition, position, think)
        ]
        return any(MARK in prompt for prompt, _ in found) and all(
            has_text(prompt, position, text) for prompt, text in found
        )
    prompts = [
        (prompt, addition.text(think))
        for think in SWITCHES
        for talk in NAMED.values()
        if talk.turns and not _is_alone(talk) and (prompt := before.opened(talk, think).prompt)
    ]
    return bool(prompts) and all(prompt.startswith(text, after_bos(prompt)) for prompt, text in prompts)


def _known(before: ChatRenderings, addition: Addition, position: Position, *thinks: Think) -> Iterator[str]:
    for think in thinks or SWITCHES:
        for talk in NAMED.values() if addition.text(think) else ():
            yield from list(marked_prompts(before.opened.prompts(think), talk, position, merged=False))[-1:]


def _ahead(position: Position, addition: Addition) -> Iterator[Edit]:
    """Yield the statements that give the messages their text before the template sees them."""
    text = _expression(addition)
    is_meant = f"message.role == '{position.role}'"
    if position.last:
        is_meant += " and loop.index0 == injected.last"
    joined = "{0} ~ {1}" if position.behind else "{1} ~ {0}"
    part = f"{{'type': 'text', 'text': {joined.format('part.text', text)}}}"
    declare = "{% set injected = namespace(messages=[], parts=[], last=-1) %}"
    count = "{% for message in messages %}{% if message.role == 'user' %}{% set injected.last = loop.index0 %}{% endif %}{% endfor %}"
    parts = (
        "{% set injected.parts = [] %}{% for part in message.content %}"
        f"{{% if part.type == 'text' %}}{{% set injected.parts = injected.parts + [{part}] %}}"
        "{% else %}{% set injected.parts = injected.parts + [part] %}{% endif %}{% endfor %}"
    )
    whole = _copied(position.role, joined.format("message.content", text))
    for lists in (
        "",
        f"{{% elif {is_meant} and message.content is sequence %}}{parts}{_copied(position.role, 'injected.parts')}",
    ):
        loop = (
            f"{{% for message in messages %}}{{% if {is_meant} and message.content is string %}}{whole}{lists}"
            "{% else %}{% set injected.messages = injected.messages + [message] %}{% endif %}{% endfor %}"
        )
        yield Edit.insert(0, f"{declare}{count if position.last else ''}{loop}{{% set messages = injected.messages %}}")


def _copied(role: str, content: str) -> str:
    """Return the statement that adds a copy of a message with other content; Ollama's llama-server knows no ``dict``."""

    def added(*kept: str) -> str:
        more = "".join(f", '{key}': message.{key}" for key in kept)
        return f"{{% set injected.messages = injected.messages + [{{'role': message.role, 'content': {content}{more}}}] %}}"

    if role != "assistant":
        return added()
    calls, thought = "tool_calls", "reasoning_content"
    return (
        f"{{% if message.{calls} and message.{thought} %}}{added(calls, thought)}{{% elif message.{calls} %}}{added(calls)}"
        f"{{% elif message.{thought} %}}{added(thought)}{{% else %}}{added()}{{% endif %}}"
    )


def _at_the_start(template: ChatTemplate, addition: Addition) -> Iterator[Edit]:
    from modelsmith.template.jinja.pieces import pieces

    printed = f"{{{{ {_expression(addition)} }}}}"
    for piece in pieces(template.text):
        if piece.kind == "output" and piece.words == ("bos_token",):
            yield Edit.insert(piece.span.end, printed)
    yield Edit.insert(0, f"{{% set bos_token = bos_token ~ {_expression(addition)} %}}")
    yield Edit.insert(0, printed)


def _expression(addition: Addition) -> str:
    from modelsmith.template.edit.jinja.code import OFF, literal

    if addition.on == addition.off:
        return literal(addition.on)
    return f"({literal(addition.off)} if {OFF} else {literal(addition.on)})"


def _prove(before: ChatRenderings, edited: ChatTemplate, addition: Addition, at: str) -> None:
    after = ChatRenderings(edited, _BOS)
    for was, now, begun in ((before.opened, after.opened, True), (before.closed, after.closed, False)):
        prove(was, now, _expectation(was, addition, at, begun=begun), NAMED, SWITCHES)
    if before.template.reasoning != edited.reasoning:
        raise InjectionError("the edit would change where llama-server sees reasoning")


def _expectation(before: Outcomes, addition: Addition, at: str, *, begun: bool) -> Expectation:
    """Expect the addition at a position and nothing else; ``begun``: a last answer goes on, as where the turn is opened."""

    def wrong(talk: Conversation, think: Think, was: str, now: str) -> str:
        text = addition.text(think)
        if not text:
            wanted = was == now
        elif at == START:
            place = after_bos(was)
            free = not talk.turns or not was or _is_alone(talk)
            wanted = now == was[:place] + text + was[place:] or (now == was and free)
        else:
            prompts = before.prompts(think)
            wanted = is_inserted(prompts, talk, Position.of(at), text, now, merged=False, begun=begun)
        return "" if wanted else f"it must get {text!r} {at} and nothing else"

    return wrong


def _is_alone(talk: Conversation) -> bool:
    """Say whether a begun answer is the only message: llama-server shows the template none then."""
    return is_prefill(talk) and len(talk.turns) == 1
