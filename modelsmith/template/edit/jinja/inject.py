"""Add text to the generation prompt of a Jinja chat template, proven by rendering.

Who renders a chat template says with ``add_generation_prompt`` whether the assistant's turn is to be opened. Where it is, the
text ends the generation prompt; where it is not, nothing changes. Some templates open no turn although asked to, after a
tool's result or a lone system message: there the text may be missing too. ``enable_thinking`` is what ``think`` becomes;
what an unset one becomes, and how a begun answer goes on, is the server's business and not the template's.

Source: llama.cpp tools/server/server-common.cpp; transformers, chat templates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import InjectionError
from modelsmith.memo import remembering
from modelsmith.source import Edit, apply_edits
from modelsmith.template.conversation.named import NAMED, is_prefill, is_suffix
from modelsmith.template.edit.addition import Addition
from modelsmith.template.edit.jinja.code import code_of
from modelsmith.template.edit.jinja.renderings import SWITCHES, ChatRenderings
from modelsmith.template.edit.positions import GENERATION_PROMPT, check_place
from modelsmith.template.edit.prove import first_proven, prove
from modelsmith.template.jinja.template import ChatTemplate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.conversation.think import Think
    from modelsmith.template.edit.prove import Expectation
    from modelsmith.template.jinja.pieces import Piece

_MOST_INSIDE = 12
"""How many places inside a block that prints the generation prompt are tried."""

_BLOCKS = frozenset({"if", "for", "macro", "call", "filter", "set", "generation"})


def inject_chat_template(
    template: ChatTemplate, texts: Sequence[tuple[str, str]], at: str = GENERATION_PROMPT
) -> ChatTemplate:
    """Return the chat template that prints the (text, when) at a position (see ``inject.inject``), in one block; proven, or InjectionError."""
    check_place(at)
    if at == GENERATION_PROMPT:
        return add_to_chat_template(template, Addition.of(texts))
    from modelsmith.template.edit.jinja.beside import insert_chat_template

    return insert_chat_template(template, Addition.of(texts), at)


@remembering()
def ensure_chat_template(
    template: ChatTemplate, texts: Sequence[tuple[str, str]], at: str = GENERATION_PROMPT
) -> ChatTemplate:
    """Return the chat template whose prompts have the texts at a position: the same one where they do already."""
    from modelsmith.template.edit.go.ensure import missing_from

    wanted = Addition.of(texts)
    if at != GENERATION_PROMPT:
        from modelsmith.template.edit.jinja.beside import is_there_in_chat_template

        there = is_there_in_chat_template(template, wanted, at)
        return template if there else inject_chat_template(template, texts, at)
    found = ChatRenderings(template)
    on, off = (missing_from(_prompts(found, think), wanted.text(think)) for think in SWITCHES)
    return add_to_chat_template(template, Addition(on, on, off))


def _prompts(found: ChatRenderings, think: Think) -> Iterator[str]:
    for conversation in NAMED.values():
        if conversation.turns and conversation.turns[-1].role == "user" and not is_suffix(conversation):
            outcome = found.opened(conversation, think)
            if not outcome.error:
                yield outcome.prompt


def _first_error(found: ChatRenderings) -> str:
    errors = (found.opened(conversation, True).error for conversation in NAMED.values())
    return next(filter(None, errors), "it prints nothing")


@remembering()
def add_to_chat_template(template: ChatTemplate, addition: Addition) -> ChatTemplate:
    """Return the chat template that prints the addition at the end of its generation prompts; proven, or InjectionError."""
    if not addition:
        return template
    before = ChatRenderings(template)
    if not any(True for _ in _prompts(before, True)):
        raise InjectionError(
            f"the chat template renders no conversation that ends with a user's message: {_first_error(before)}",
            hint="repair the template first; see `modelsmith render`",
        )

    def proven(edit: Edit) -> ChatTemplate:
        edited = ChatTemplate.parse(apply_edits(template.text, (edit,)))
        _prove(before, edited, addition)
        return edited

    return first_proven(_candidates(template, addition), proven, "no place was found for the text")


def _candidates(template: ChatTemplate, addition: Addition) -> Iterator[Edit]:
    """Yield the ends of the blocks that print the generation prompt, then the end of the template."""
    from modelsmith.template.jinja.pieces import pieces as pieces_of

    pieces = pieces_of(template.text)
    code = code_of(addition)
    for number, piece in enumerate(pieces):
        if piece.keyword == "if" and "add_generation_prompt" in piece.words:
            last = _last_inside(pieces, number)
            yield _after(pieces, last, code)
            inner = [n for n in range(last - 1, number, -1) if pieces[n].kind != "trimmed"]
            yield from (_after(pieces, n, code) for n in inner[:_MOST_INSIDE])
    end = max((n for n, piece in enumerate(pieces) if piece.kind != "trimmed"), default=-1)
    yield _after(pieces, end, f"{{% if add_generation_prompt %}}{code}{{% endif %}}")


def _last_inside(pieces: Sequence[Piece], start: int) -> int:
    """Return the last piece of the first branch of the ``if`` at ``start`` that is not trimmed away."""
    depth = 0
    last = start
    for number in range(start + 1, len(pieces)):
        word = pieces[number].keyword
        if not depth and word in {"endif", "else", "elif"}:
            break
        if word.startswith("end"):
            depth -= 1
        elif word in _BLOCKS and not _is_plain_set(pieces[number]):
            depth += 1
        if pieces[number].kind != "trimmed":
            last = number
    return last


def _is_plain_set(piece: Piece) -> bool:
    return piece.keyword == "set" and "=" in piece.words


def _after(pieces: Sequence[Piece], number: int, code: str) -> Edit:
    """Return the edit behind a piece; white space that was trimmed there is trimmed by the code's own end."""
    if number < 0:
        return Edit.insert(0, code)
    trimmed = number + 1 < len(pieces) and pieces[number + 1].kind == "trimmed"
    if trimmed:
        code = f"{code[:-2]}-{code[-2:]}"
    return Edit.insert(pieces[number].span.end, code)


def _prove(before: ChatRenderings, edited: ChatTemplate, addition: Addition) -> None:
    after = ChatRenderings(edited)
    # llama-server puts a begun answer behind the prompt itself
    asking = {name: conversation for name, conversation in NAMED.items() if not is_prefill(conversation)}
    prove(before.opened, after.opened, _expectation(before, addition), asking, SWITCHES)
    prove(before.closed, after.closed, _opens_no_turn, NAMED, SWITCHES)


def _opens_no_turn(_conversation: Conversation, _think: Think, was: str, now: str) -> str:
    return "" if was == now else "no turn is opened"


def _expectation(before: ChatRenderings, addition: Addition) -> Expectation:
    family = before.template.format().family

    def wrong(conversation: Conversation, think: Think, was: str, now: str) -> str:
        added = addition.text(think)
        if now == was + added:
            return ""
        closed = before.closed(conversation, think)
        by_server = (
            closed.prompt if family is None else family.asked(closed.prompt, "")[0]
        )  # where the template opens none
        asked = bool(conversation.turns) and (
            conversation.turns[-1].role == "user" or bool(closed.error) or was not in (closed.prompt, by_server)
        )
        return f"it must get {added!r} at the end of its generation prompt" if asked or now != was else ""

    return wrong
