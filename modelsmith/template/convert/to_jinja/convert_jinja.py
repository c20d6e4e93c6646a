"""Put Ollama's Go template into Jinja, proven equal by rendering.

The tree is translated node by node (``convert_jinja_translate``) and put behind what Ollama does before a template runs
(``convert_jinja_parts``): neighbours of one role are merged, and a template of the old style (``.Prompt``, ``.Response``)
runs once a turn, the last time cut off behind ``.Response``. The result is then rendered as llama-server renders it.

Source of the rules: Ollama template/template.go (Execute) and server/routes.go (what ``think`` becomes).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from modelsmith.errors import ConversionError, TemplateRenderError, TemplateSyntaxError
from modelsmith.syntax.gotemplate.nodes import Action, Command, Field, Pipeline
from modelsmith.template.conversation.named import is_prefill
from modelsmith.template.conversation.proof import conversion_conversations
from modelsmith.template.conversation.think import THINKS
from modelsmith.template.convert.conversion import Conversion
from modelsmith.template.convert.proof import NOW, Counterexample, Proof, counts, uses_tools
from modelsmith.template.convert.to_jinja.items import Case, Loop, written
from modelsmith.template.convert.to_jinja.parts import surrounded
from modelsmith.template.convert.to_jinja.translate import Translator
from modelsmith.template.convert.to_jinja.values import BOOL, MESSAGES, TEXT, TOOLS, Known, Value, text, truth
from modelsmith.template.go.functions.ollama import today_is
from modelsmith.template.go.legacy import ServerPanic, cut
from modelsmith.template.jinja.template import ChatTemplate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.conversation.think import Think
    from modelsmith.template.convert.to_jinja.items import Item
    from modelsmith.template.go.template import Template

BEGUN: Final = (
    "begun answers: llama-server renders what comes before and adds their text by itself; "
    "rendered with all messages, the Jinja template prints them as the Go template does"
)
_RESPONSE: Final = Action(0, 0, Pipeline(0, 0, (), False, (Command(0, 0, (Field(0, 0, ("Response",)),)),)))
_MESSAGES: Final = {
    "System": Value("system", TEXT),
    "Messages": Value("ns.talk", MESSAGES, known=Known(1)),
    "Tools": Value("tools", TOOLS),
    "Response": text(""),
}
_TURN: Final = {
    "System": Value("turn.system", TEXT),
    "Prompt": Value("turn.prompt", TEXT),
    "Response": Value("turn.response", TEXT),
}
_THINKING: Final = {"Think": Value("thinks", BOOL), "ThinkLevel": Value("think_level", TEXT), "IsThinkSet": truth(True)}
_NO_THINKING: Final = {"Think": truth(False), "ThinkLevel": text(""), "IsThinkSet": truth(False)}


def to_jinja(template: Template) -> Conversion:
    """Return the Jinja template for a Go template; raises ConversionError where none can be written at all.

    Of two ways to prepare for begun answers (see ``surrounded``) the one that makes more conversations equal is taken.
    """
    found: list[Conversion] = []
    reason = "it prints nothing"
    for begins in (False, True):
        text = jinja_text(template, begins=begins)
        try:
            found += [_judged(template, ChatTemplate.parse(text))] if text else []
        except TemplateSyntaxError as error:
            reason = error.message
    if not found:
        raise ConversionError(
            f"the Jinja template that does the same is of no use: {reason}",
            hint="repair the Go template first; see what it prints with `modelsmith render`",
        )
    return max(
        found,
        key=lambda conversion: (
            conversion.proven_chat,
            conversion.proven_tools,
            -len(conversion.limits),
            len(conversion.covered),
        ),
    )


def _judged(template: Template, chat_template: ChatTemplate) -> Conversion:
    chat, tools = (_compared(template, chat_template, tools=tools) for tools in (False, True))
    return Conversion(
        chat_template,
        chat.counterexample is None and bool(chat.covered),
        tools.counterexample is None,
        chat.counterexample or tools.counterexample,
        (*chat.covered, *tools.covered),
        tuple(dict.fromkeys((*chat.limits, *tools.limits))),
    )


def _compared(template: Template, chat_template: ChatTemplate, *, tools: bool) -> Proof:
    """Compare over the conversations with or without tools that both servers take, the smallest first."""
    covered: list[str] = []
    limits: dict[str, None] = {}
    first: Counterexample | None = None
    for name, conversation in conversion_conversations().items():
        if not counts(conversation) or _is_refused(conversation) or uses_tools(conversation) != tools:
            continue
        found = [pair for think in THINKS if (pair := _pair(template, chat_template, name, conversation, think))]
        different = [counterexample for counterexample in found if counterexample.go != counterexample.jinja]
        if (
            different
            and is_prefill(conversation)
            and all(_is_alike(chat_template, counterexample) for counterexample in different)
        ):
            limits[BEGUN] = None
        elif different:
            first = first or different[0]
            continue
        covered += [name] if found else []
    return Proof(tuple(covered), first, tuple(limits))


def _is_refused(conversation: Conversation) -> bool:
    """Say whether llama-server refuses a conversation whatever the template: two answers at its end."""
    return [message.role for message in conversation.turns[-2:]] == ["assistant", "assistant"]


def _pair(
    template: Template, chat_template: ChatTemplate, name: str, conversation: Conversation, think: Think
) -> Counterexample | None:
    """Return both prompts, None where Ollama refuses the request or its template fails.

    For a model that can think, Ollama takes unset for true, and for others it refuses true.
    """
    can_think = all(template.thinking_tags)
    if think and not can_think:
        return None
    try:
        with today_is(NOW.date()):
            wanted = template.render(conversation, True if think is None and can_think else think)
    except TemplateRenderError:
        return None
    try:
        got = chat_template.render(conversation, think, reasoning_content=True, now=NOW)
    except TemplateRenderError as error:
        got = error.message
    return Counterexample(name, conversation, think, got, wanted)


def _is_alike(chat_template: ChatTemplate, pair: Counterexample) -> bool:
    """Say whether the template alone, given all messages, prints a begun answer as the Go template does."""
    thinks = pair.think if pair.think is not None else True
    try:
        alone = chat_template.render(
            pair.conversation, thinks, reasoning_content=True, add_generation_prompt=False, now=NOW
        )
    except TemplateRenderError:
        return False
    return alone == pair.go


def jinja_text(template: Template, *, begins: bool = False) -> str:
    """Return the Jinja template for a Go template, unproven; raises ConversionError where Jinja has nothing for a part."""
    thinking = _THINKING if all(template.thinking_tags) else _NO_THINKING
    if template.is_legacy:
        return surrounded(written(_legacy(template, {**_TURN, **thinking})), legacy=True, begins=begins)
    items = Translator(template.tree.templates, {**_MESSAGES, **thinking}).items(template.tree.templates[""])
    return surrounded(written(items), legacy=False, begins=begins)


def _legacy(template: Template, root: Mapping[str, Value]) -> Sequence[Item]:
    """Return the loop over the turns: the last one ends behind ``.Response``."""
    body = template.tree.templates[""]
    if template.adds_response:
        body = replace(body, nodes=(*body.nodes, _RESPONSE))
    try:
        last = Translator({"": body}, root).items(cut(body))
    except ServerPanic as panic:
        raise ConversionError(
            f"Ollama itself fails on this template: {panic}",
            hint="an if or range that holds .Response must have no else",
        ) from None
    whole = Translator(template.tree.templates, root).items(body)
    shared = 0
    while shared < len(whole) and shared < len(last) and whole[shared] == last[shared]:
        shared += 1
    ends: Sequence[Item] = ()
    if last[shared:]:
        ends = (Case((("loop.last", last[shared:]), ("", whole[shared:]))),)
    elif whole[shared:]:
        ends = (Case((("not loop.last", whole[shared:]),)),)
    return (Loop("turn in ns.turns", (*whole[:shared], *ends)),)
