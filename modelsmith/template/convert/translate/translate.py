"""Put a Jinja chat template into Ollama's language node by node: what a Go template cannot say is refused.

A last message of the assistant is left out of the chat and added behind what opens the assistant's turn, as llama-server does.

Source: llama.cpp common/chat.cpp (common_chat_templates_apply_jinja) for what stands around a template.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.errors import ConversionError, TemplateError
from modelsmith.template.chat_formats import family_messages
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.convert.translate.code.go_code import Cond, Do, Lit, Loop, Out, Piece, joined
from modelsmith.template.convert.translate.code.write import written
from modelsmith.template.convert.translate.expressions import value_of
from modelsmith.template.convert.translate.operations.compare import tested
from modelsmith.template.convert.translate.operations.dates import date_text, month
from modelsmith.template.convert.translate.operations.lists import chosen
from modelsmith.template.convert.translate.operations.lookup import member
from modelsmith.template.convert.translate.state import MOST_STATEMENTS, State
from modelsmith.template.convert.translate.statements import append, body
from modelsmith.template.convert.translate.values.values import (
    MISSING,
    Known,
    NeedsVariable,
    Pick,
    Thing,
    TooMuch,
    Value,
    cannot,
)
from modelsmith.template.convert.translate.values.variables import Shape

if TYPE_CHECKING:
    from modelsmith.template.conversation.think import Think
    from modelsmith.template.convert.translate.code.go_code import Code
    from modelsmith.template.jinja.template import ChatTemplate

LONGEST = 100_000
"""A Go template of more characters is of no use to anybody."""

_SPEAKS = "or {0}.Content {0}.Thinking {0}.ToolCalls {0}.ToolName"
_ROUNDS = 200
_THOUGHT, _SAID = "xtAtx", "xqBqx"


@dataclass(frozen=True, slots=True)
class Translation:
    """A Go template, and what of the Jinja template has none and fails where it is reached."""

    text: str
    gaps: tuple[str, ...]


def translate(
    chat_template: ChatTemplate,
    *,
    bos_token: str = "",
    eos_token: str = "",
    thinks: bool = False,
    fixed_start: bool = False,
) -> Translation:
    """Return the Go template; raises ConversionError for what cannot be said in one.

    ``thinks``: the prompts depend on whether thinking is asked for. ``fixed_start``: an answer that has begun stands behind
    what opens the assistant's turn in the smallest chat, else behind what opens it in each.
    """
    variables: dict[tuple[object, ...], list[str]] = {}
    work = [MOST_STATEMENTS]
    for _ in range(_ROUNDS):
        try:
            return _translated(
                chat_template, (bos_token, eos_token), variables, work, thinks=thinks, fixed_start=fixed_start
            )
        except NeedsVariable as needed:
            kinds = variables.setdefault(needed.key, [])
            if needed.kind and needed.kind not in kinds:
                kinds.append(needed.kind)
        except (RecursionError, TooMuch):
            break
    raise cannot("a template that is so large, or whose macros call each other without end,")


def _translated(
    chat_template: ChatTemplate,
    tokens: tuple[str, str],
    variables: dict[tuple[object, ...], list[str]],
    work: list[int],
    *,
    thinks: bool,
    fixed_start: bool,
) -> Translation:
    bos_token, eos_token = tokens
    fixed_start = fixed_start or chat_template.format().family is not None
    definitions: dict[str, str] = {}
    names: dict[str, Value] = {
        "messages": Thing("messages", "$messages", True),
        "tools": Pick("$.Tools", Thing("tools", "$.Tools"), MISSING),
        "add_generation_prompt": Pick("$begun", MISSING, Known(True))
        if fixed_start
        else Pick("$asks", Known(True), MISSING),
        "bos_token": Known(bos_token),
        "eos_token": Known(eos_token),
        "enable_thinking": _thinking(chat_template, thinks=thinks),
    }
    state = State(
        _shape(chat_template),
        variables,
        definitions,
        chat_template.server.source,
        names,
        value_of,
        body,
        chosen,
        append,
        member,
        tested,
    )
    state.work = work
    for name, form in (("datetime", "%b %d %Y"), ("date_string", "%d %b %Y")):
        if name in chat_template.text:
            names[name] = date_text(state, form)
    body(state, chat_template.server.program.body)
    code = joined(tuple(state.code))
    if not fixed_start:
        code = _cut_openings(code, chat_template.format().analysis.reasoning.opening)
    whole = (*_head(state, code), *code, *_begun(chat_template, tokens, thinks=thinks, fixed_start=fixed_start))
    text = "\n".join((*definitions.values(), written(joined(whole))))
    if len(text) > LONGEST:
        raise ConversionError(f"the Go template would have {len(text):,} characters")
    return Translation(text, tuple(dict.fromkeys(state.gaps)))


def _cut_openings(code: Code, opening: str) -> Code:
    """Return code whose prompts for an answer end before the opening tag where the answer has begun."""
    found: list[Piece] = []
    for piece in code:
        if isinstance(piece, Cond):
            yes, no = _cut_openings(piece.yes, opening), _cut_openings(piece.no, opening)
            if re.search(r"\$asks\b", piece.test):
                short = _cut(piece.yes, opening)[0]
                yes = yes if short == piece.yes else (Cond("$begun", short, yes),)
            found.append(Cond(piece.test, yes, no))
        elif isinstance(piece, Loop):
            found.append(Loop(piece.head, piece.dot, _cut_openings(piece.body, opening)))
        else:
            found.append(piece)
    return tuple(found)


def _cut(code: Code, opening: str) -> tuple[Code, bool]:
    """Return code up to where it prints the opening, and whether it always does."""
    code = joined(code)
    for place, piece in enumerate(code):
        if isinstance(piece, Lit) and opening and opening in piece.text:
            return (*code[:place], Lit(piece.text.partition(opening)[0])), True
        if isinstance(piece, Cond):
            (yes, stops), (no, stops_too) = _cut(piece.yes, opening), _cut(piece.no, opening)
            if not stops and not stops_too:
                continue
            if stops and stops_too:
                return (*code[:place], Cond(piece.test, yes, no)), True
            rest, _ = _cut(code[place + 1 :], opening)
            sides = (yes, (*no, *rest)) if stops else ((*yes, *rest), no)
            return (*code[:place], Cond(piece.test, *sides)), True
    return code, False


def _thinking(chat_template: ChatTemplate, *, thinks: bool) -> Value:
    if not thinks:
        return Known(chat_template.thinks)
    if chat_template.thinks:
        return Pick("and $.IsThinkSet (not $.Think)", Known(False), Known(True))
    return Pick("$.Think", Known(True), Known(False))


def _shape(chat_template: ChatTemplate) -> Shape:
    takes, family = chat_template.capabilities, chat_template.format().family
    adjusts = (
        family.adjusts
        if family and family.rewritten(chat_template.server.source, [{"role": "user"}]) is not None
        else list
    )
    if family and any(word in chat_template.server.source for word in family.adjusts_without):
        adjusts = list
    if adjusts is family_messages.with_tool_responses:
        raise cannot("calls and results that are joined in one message")
    return Shape(
        parts=takes.typed_content and not takes.string_content,
        objects=takes.object_arguments,
        joined=not takes.system_role,
        blocks=adjusts is family_messages.as_blocks,
        thinking=adjusts in (family_messages.with_thinking, family_messages.for_harmony),
        sorted=adjusts is family_messages.results_in_call_order,
    )


def _head(state: State, code: Code) -> Code:
    declared = [Do(f"{name} := {value}") for name, value in state.declared.items()]
    found: list[Piece] = [*declared]
    if "$month" in state.declared:
        found += month()
    last = "index $.Messages (len (slice $.Messages 1))"
    found += [
        *(
            (Do("$asks := true"),)
            if "$asks" in str(code) or any("$asks" in text for text in state.definitions.values())
            else ()
        ),
        Do("$messages := $.Messages"),
        Do(f'$begun := eq ({last}).Role "assistant"'),
        Cond("$begun", (Do("$messages = slice $messages 0 (len (slice $messages 1))"),)),
    ]
    if "$asks := true" in str(found):
        found.append(Cond(f"and $begun (not ({_SPEAKS.format(f'({last})')}))", (Do("$asks = false"),)))
    if state.shape.joined:
        found += [
            Do('$system := ""'),
            Do("$joined := false"),
            Cond(
                'and $messages (eq (index $messages 0).Role "system")',
                (
                    Do("$system = (index $messages 0).Content"),
                    Do("$messages = slice $messages 1"),
                    Do("$joined = true"),
                ),
            ),
        ]
    return tuple(found)


def _begun(chat_template: ChatTemplate, tokens: tuple[str, str], *, thinks: bool, fixed_start: bool) -> Code:
    """Return what is added where the last message is the assistant's."""
    last = "(index $.Messages (len (slice $.Messages 1)))"
    chat_format = chat_template.format()
    if not fixed_start:
        content, thinking = Out(f"{last}.Content"), Out(f"{last}.Thinking")
        opening, closing = chat_format.analysis.reasoning.opening, chat_format.analysis.reasoning.closing
        if not opening:
            return (Cond("$begun", (content,)),)
        rest = Cond(f"or {last}.Content (not {last}.Thinking)", (Lit(closing), content))
        return (Cond("$begun", (Cond(_SPEAKS.format(last), (Lit(opening), thinking, rest)),)),)
    by_think: dict[Think, Code] = {}
    for think in (None, True, False) if thinks else (None,):
        found = [
            _added(chat_template, tokens, think, thought=thought, said=said)
            for thought, said in ((False, True), (True, True), (True, False))
        ]
        said, both, thought = (_filled(text, last) for text in found)
        by_think[think] = (
            Cond(
                f"and {last}.Thinking {last}.Content",
                both,
                (
                    Cond(
                        f"{last}.Thinking",
                        thought,
                        (Cond(f"or {last}.Content {last}.ToolCalls {last}.ToolName", said),),
                    ),
                ),
            ),
        )
    code = by_think[None]
    if thinks:
        unset, on, off = (by_think[think] for think in (None, True, False))
        if not unset == on == off:
            code = (Cond("$.Think", on, (Cond("$.IsThinkSet", off, unset),)),)
    return (Cond("$begun", code),)


def _filled(text: str, last: str) -> Code:
    found: list[Piece] = []
    while text:
        places = [(text.find(mark), mark) for mark in (_THOUGHT, _SAID) if mark in text]
        if not places:
            found.append(Lit(text))
            break
        place, mark = min(places)
        found += [Lit(text[:place]), Out(f"{last}.{'Thinking' if mark == _THOUGHT else 'Content'}")]
        text = text[place + len(mark) :]
    return joined(tuple(found))


def _added(chat_template: ChatTemplate, tokens: tuple[str, str], think: Think, *, thought: bool, said: bool) -> str:
    bos_token, eos_token = tokens
    asked = {"role": "user", "content": "xqAqx"}
    answer = {"role": "assistant", "content": _SAID if said else "", "thinking": _THOUGHT if thought else ""}
    try:
        history = chat_template.render(
            Conversation.from_dict({"messages": [asked]}),
            think,
            bos_token=bos_token,
            eos_token=eos_token,
            add_generation_prompt=False,
        )
        prompt = chat_template.render(
            Conversation.from_dict({"messages": [asked, answer]}),
            think,
            bos_token=bos_token,
            eos_token=eos_token,
            reasoning_content=True,
        )
    except TemplateError:
        return ""
    return prompt.removeprefix(history)
