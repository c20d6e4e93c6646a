"""Put Ollama's Go template into Jinja, proven equal by rendering.

The tree is translated node by node (``convert_jinja_translate``) and put behind what Ollama does before a template runs
(``convert_jinja_parts``): neighbours of one role are merged, and a template of the old style (``.Prompt``, ``.Response``)
runs once a turn, the last time cut off behind ``.Response``. The result is then rendered as llama-server renders it.

Source of the rules: Ollama template/template.go (Execute) and server/routes.go (what ``think`` becomes).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from modelsmith.errors import ConversionError, TemplateSyntaxError
from modelsmith.syntax.gotemplate.nodes import Action, Command, Field, Pipeline
from modelsmith.template.allowance import check_tags
from modelsmith.template.conversation.named import is_prefill
from modelsmith.template.conversation.think import THINKS
from modelsmith.template.convert.conversion import Conversion
from modelsmith.template.convert.proof import NOW, chats, go_outcomes, prove
from modelsmith.template.convert.to_jinja.items import Case, Loop, written
from modelsmith.template.convert.to_jinja.parts import surrounded
from modelsmith.template.convert.to_jinja.translate import Translator
from modelsmith.template.convert.to_jinja.values import BOOL, MESSAGES, TEXT, TOOLS, Known, Value, text, truth
from modelsmith.template.go.legacy import ServerPanic, cut
from modelsmith.template.jinja.template import ChatTemplate
from modelsmith.template.outcomes import Outcomes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.conversation.think import Think
    from modelsmith.template.convert.to_jinja.items import Item
    from modelsmith.template.go.template import Template
    from modelsmith.template.outcomes import Outcome, Pair

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
    check_tags(template.text)
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
    """Compare over the conversations that both servers take.

    For a model that can think, Ollama takes unset for true, and for others it refuses true.
    """
    can_think = all(template.thinking_tags)
    by_ollama = go_outcomes(template)
    by_server, alone = (
        Outcomes(partial(chat_template.render, reasoning_content=True, add_generation_prompt=asked, now=NOW))
        for asked in (True, False)
    )

    def wanted(conversation: Conversation, think: Think) -> Outcome:
        return by_ollama(conversation, True if think is None and can_think else think)

    def excused(pair: Pair) -> tuple[str, ...] | None:
        thinks = pair.think if pair.think is not None else True
        begun = is_prefill(pair.conversation) and alone(pair.conversation, thinks).shown == pair.before.prompt
        return (BEGUN,) if begun else None

    thinks = THINKS if can_think else (None, False)
    chat, tools = (
        prove(wanted, by_server, filter(_is_taken, chats(tools=tools)), excused, thinks) for tools in (False, True)
    )
    return Conversion.judged(chat_template, chat, tools)


def _is_taken(named: tuple[str, Conversation]) -> bool:
    """Say whether llama-server takes a conversation whatever the template: it refuses two answers at its end."""
    return [message.role for message in named[1].turns[-2:]] != ["assistant", "assistant"]


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
