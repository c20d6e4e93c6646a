"""Add text to the generation prompt of a Jinja chat template, proven by rendering.

Who renders a chat template says with ``add_generation_prompt`` whether the assistant's turn is to be opened. Where it is, the
text ends the generation prompt; where it is not, nothing changes. Some templates open no turn although asked to, after a
tool's result or a lone system message: there the text may be missing too. ``enable_thinking`` is what ``think`` becomes;
what an unset one becomes, and how a begun answer goes on, is the server's business and not the template's.

Source: llama.cpp tools/server/server-common.cpp; transformers, chat templates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import InjectionError, TemplateRenderError, TemplateSyntaxError
from modelsmith.memo import remembering
from modelsmith.source import Edit, apply_edits
from modelsmith.template.conversation.named import NAMED, is_prefill, is_suffix
from modelsmith.template.edit.addition import Addition
from modelsmith.template.edit.jinja.code import _THINKS, _code
from modelsmith.template.edit.positions import GENERATION_PROMPT, check_place
from modelsmith.template.edit.prove import failed
from modelsmith.template.jinja.template import ChatTemplate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.jinja.tokens import Construct

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
    on, off = (missing_from(list(_prompts(template, think)), wanted.text(think)) for think in _THINKS)
    return add_to_chat_template(template, Addition(on, on, off))


def _prompts(template: ChatTemplate, think: bool) -> Iterator[str]:
    for conversation in NAMED.values():
        if conversation.turns and conversation.turns[-1].role == "user" and not is_suffix(conversation):
            prompt = _render(template, conversation, think, opens=True)
            if isinstance(prompt, str):
                yield prompt


def _render(
    template: ChatTemplate, conversation: Conversation, think: bool, *, opens: bool
) -> str | TemplateRenderError:
    try:
        return template.render(conversation, think, add_generation_prompt=opens)
    except TemplateRenderError as error:
        return error


def _first_error(template: ChatTemplate) -> str:
    for conversation in NAMED.values():
        outcome = _render(template, conversation, True, opens=True)
        if isinstance(outcome, TemplateRenderError):
            return outcome.message
    return "it prints nothing"


@remembering()
def add_to_chat_template(template: ChatTemplate, addition: Addition) -> ChatTemplate:
    """Return the chat template that prints the addition at the end of its generation prompts; proven, or InjectionError."""
    if not addition:
        return template
    if not any(True for _ in _prompts(template, True)):
        raise InjectionError(
            f"the chat template renders no conversation that ends with a user's message: {_first_error(template)}",
            hint="repair the template first; see `modelsmith render`",
        )
    before = _Known(template)
    reason: InjectionError | None = None
    for edit in _candidates(template, addition):
        try:
            edited = ChatTemplate.parse(apply_edits(template.text, (edit,)))
            _prove(before, edited, addition)
        except InjectionError as error:
            reason = error
        except TemplateSyntaxError:
            continue
        else:
            return edited
    raise InjectionError(f"no place was found for the text: {reason}", hint=reason.hint if reason else "")


def _candidates(template: ChatTemplate, addition: Addition) -> Iterator[Edit]:
    """Yield the ends of the blocks that print the generation prompt, then the end of the template."""
    from modelsmith.template.jinja.tokens import constructs

    pieces = constructs(template.text)
    code = _code(addition)
    for number, piece in enumerate(pieces):
        if piece.keyword == "if" and any(token.value == "add_generation_prompt" for token in piece.tokens):
            last = _last_inside(pieces, number)
            yield _after(pieces, last, code)
            inner = [n for n in range(last - 1, number, -1) if pieces[n].kind != "trimmed"]
            yield from (_after(pieces, n, code) for n in inner[:_MOST_INSIDE])
    end = max((n for n, piece in enumerate(pieces) if piece.kind != "trimmed"), default=-1)
    yield _after(pieces, end, f"{{% if add_generation_prompt %}}{code}{{% endif %}}")


def _last_inside(pieces: Sequence[Construct], start: int) -> int:
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


def _is_plain_set(piece: Construct) -> bool:
    return piece.keyword == "set" and any(token.value == "=" for token in piece.tokens)


def _after(pieces: Sequence[Construct], number: int, code: str) -> Edit:
    """Return the edit behind a piece; white space that was trimmed there is trimmed by the code's own end."""
    if number < 0:
        return Edit.insert(0, code)
    trimmed = number + 1 < len(pieces) and pieces[number + 1].kind == "trimmed"
    if trimmed:
        code = f"{code[:-2]}-{code[-2:]}"
    return Edit.insert(pieces[number].span.end, code)


def _prove(before: _Known, after: ChatTemplate, addition: Addition) -> None:
    for name, conversation in NAMED.items():
        for think in _THINKS:
            closed = before(conversation, think, opens=False)
            _same(name, think, closed, _render(after, conversation, think, opens=False), "no turn is opened")
            if is_prefill(conversation):
                continue
            was, now = before(conversation, think, opens=True), _render(after, conversation, think, opens=True)
            if not isinstance(was, str) or not isinstance(now, str):
                _same(name, think, was, now, "it must fail as before")
                continue
            added = addition.text(think)
            asked = bool(conversation.turns) and (
                conversation.turns[-1].role == "user" or was not in (closed, before.as_the_server_opens(closed))
            )
            if now != was + added and (asked or now != was):
                raise failed(name, think, was, now, f"it must get {added!r} at the end of its generation prompt")


def _same(name: str, think: bool, was: str | TemplateRenderError, now: str | TemplateRenderError, why: str) -> None:
    fails = not isinstance(was, str) and not isinstance(now, str)
    if was != now and not fails:
        raise failed(name, think, str(was), str(now), why)


class _Known:
    """The renderings of the template that is edited, each made once."""

    def __init__(self, template: ChatTemplate) -> None:
        self._template = template
        self._renderings: dict[tuple[int, bool, bool], str | TemplateRenderError] = {}

    def as_the_server_opens(self, closed: str | TemplateRenderError) -> str | TemplateRenderError:
        """Return the prompt whose turn llama-server opens where the template does not."""
        family = self._template.format().family
        return closed if family is None or not isinstance(closed, str) else family.asked(closed, "")[0]

    def __call__(self, conversation: Conversation, think: bool, *, opens: bool) -> str | TemplateRenderError:
        key = (id(conversation), think, opens)
        if key not in self._renderings:
            self._renderings[key] = _render(self._template, conversation, think, opens=opens)
        return self._renderings[key]
