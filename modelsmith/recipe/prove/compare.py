"""Proof by rendering: every conversation before and after, and what may differ between the two.

Nothing is written unless what should change has changed and everything else is byte-identical.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from modelsmith.errors import TemplateRenderError
from modelsmith.models.draft import DEFAULT_TEMPLATE
from modelsmith.models.rendered import rendered, renderings
from modelsmith.records import dataclass
from modelsmith.template.conversation.named import NAMED, is_prefill, last_assistant_thinks, opens_assistant_turn
from modelsmith.template.edit.go.generation import opens_turn
from modelsmith.template.edit.positions import GENERATION_PROMPT
from modelsmith.template.effective.capabilities import go_tool_round_trip
from modelsmith.template.go.template import Template
from modelsmith.template.outcomes import Outcome, Pair, compared

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsmith.models.draft import Draft
    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.conversation.think import Think


class Verdict(StrEnum):
    """How the prompt of a conversation differs from what it was."""

    SAME = "same"
    """The same bytes."""
    APPENDED = "appended"
    """The injected text at the end, nothing else."""
    INSERTED = "inserted"
    """Injected texts, and nothing else, at positions beside messages or at the start too."""
    REPAIRED = "repaired"
    """A line break that was typed as a backslash and an n became one."""
    THINKING = "thinking"
    """It differs, and the last assistant message carries thinking, which an added block may show."""
    TOOLS = "tools"
    """It differs, has tools, calls or results, and the template handles them only now."""
    PREFILLED = "prefilled"
    """A begun answer where the Jinja template runs: llama-server takes the answer away, renders the generation prompt, and puts
    the answer behind it, so the injected text stands between the two."""
    SWITCHED = "switched"
    """What the template printed before where a variable of its own, which the edit now sets, was set so."""
    CHANGED = "changed"
    """Anything else."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One conversation under one ``think`` value, before and after; ``opens``: it opens the assistant's turn."""

    name: str
    think: Think
    opens: bool
    before: Outcome
    after: Outcome
    verdict: Verdict


def applies(when: str, think: Think) -> bool:
    """Tell whether a condition (``always``, ``thinking``, ``not-thinking``) holds for a ``think`` value."""
    return when == "always" or (when == "not-thinking") == (think is False)


def compare_drafts(before: Draft, after: Draft) -> tuple[Comparison, ...]:
    """Render all named conversations under every ``think`` value with both drafts.

    Both sides use the kind of template (Go or Jinja) that runs afterwards, so that the comparison shows the edits; what
    it means that another template runs than before is told by ``engine_changes``.
    """
    jinja = after.runs_jinja
    pairs = compared(renderings(before, jinja=jinja), renderings(after, jinja=jinja), NAMED)
    return tuple(_judged(pair, before, after) for pair in pairs)


def engine_changes(before: Draft, after: Draft) -> str:
    """Say what differs because another template runs than before; an empty text when it is the same kind, or nothing does."""
    if before.runs_jinja == after.runs_jinja:
        return ""
    kinds = ("Jinja", "Go") if before.runs_jinja else ("Go", "Jinja")
    different = [
        name
        for name, conversation in NAMED.items()
        if rendered(before, conversation, None) != rendered(before, conversation, None, jinja=after.runs_jinja)
    ]
    if not different:
        return f"the {kinds[1]} template runs instead of the {kinds[0]} one; both render all {len(NAMED)} conversations alike"
    return (
        f"the {kinds[1]} template runs instead of the {kinds[0]} one, and renders {len(different)} of {len(NAMED)} conversations "
        f"differently: {', '.join(different)}"
    )


def _judged(pair: Pair, before: Draft, after: Draft) -> Comparison:
    jinja, conversation, think = after.runs_jinja, pair.conversation, pair.think
    old, new = pair.before, pair.after
    opens = _opens(conversation, before, after)
    verdict = Verdict.SAME
    switched = _switched(before, after, conversation, think) if old != new and not old.error else ""
    if switched == new.prompt != "" or old.fails_like(new):
        verdict = Verdict.SWITCHED if switched else Verdict.SAME
    elif old != new:
        may_open = opens or (jinja and not is_prefill(conversation))
        texts = [
            injection.text
            for injection in after.injections
            if applies(injection.when, think) and injection.at == GENERATION_PROMPT
        ]
        failed = old.error or new.error
        elsewhere = [
            injection
            for injection in after.injections
            if injection.at != GENERATION_PROMPT and applies(injection.when, think)
        ]
        was = switched or old.prompt
        verdict = Verdict.CHANGED if failed else _verdict(conversation, was, new.prompt, texts, may_open=may_open)
        if verdict in {Verdict.CHANGED, Verdict.THINKING} and not failed and jinja:
            verdict = _reasoning_verdict(conversation, was, new.prompt, after, may_open=may_open) or verdict
        if verdict in {Verdict.CHANGED, Verdict.THINKING} and not failed and elsewhere:
            ends = texts if may_open else []
            within = [injection.text for injection in elsewhere]
            verdict = Verdict.INSERTED if only_inserted(old.prompt, new.prompt, within, ends) else verdict
        if verdict in {Verdict.CHANGED, Verdict.THINKING} and _got_tools(before, after):
            from modelsmith.template.edit.tools.proof import has_tool_parts

            verdict = Verdict.TOOLS if has_tool_parts(conversation) else verdict
    return Comparison(pair.name, think, opens, old, new, verdict)


def _switched(before: Draft, after: Draft, conversation: Conversation, think: Think) -> str:
    """Return the prompt of the template before with its own switch turned as in the one after; empty where none was.

    The switch may be ``enable_thinking`` itself: llama-server turns that on by default where it sees that the model thinks.
    """
    from modelsmith.template.edit.jinja.reasoning import turned_switch

    old, new = before.chat_template, after.chat_template
    if not after.runs_jinja or old is None or new is None or think is False:
        return ""
    turned = turned_switch(new)
    if turned == turned_switch(old):
        turned = {}
    begins_to_think = think is None and new.thinks and not old.thinks
    if not turned and not begins_to_think:
        return ""
    think = True if begins_to_think else think
    try:
        return old.render(conversation, think, variables=turned, **before.inherited.ends)
    except TemplateRenderError:
        return ""


def _reasoning_verdict(
    conversation: Conversation, old: str, new: str, after: Draft, *, may_open: bool
) -> Verdict | None:
    """Say how two prompts differ that are the same but for tags of reasoning at the end, or before a begun answer."""
    from modelsmith.template.edit.jinja.reasoning import reasoning_texts

    chat_template = after.chat_template
    if chat_template is None:
        return None
    tags = reasoning_texts(chat_template).tags
    last = conversation.messages[-1].content if is_prefill(conversation) else ""
    if may_open:
        return Verdict.APPENDED if _without(old, tags) == _without(new, tags) else None
    ends = old.endswith(last) and new.endswith(last)
    same = _without(old.removesuffix(last), tags) == _without(new.removesuffix(last), tags)
    return Verdict.PREFILLED if is_prefill(conversation) and ends and same else None


def _without(prompt: str, tags: Sequence[str]) -> str:
    """Return a prompt without tags and white space at its end."""
    prompt = prompt.rstrip()
    while found := next((tag for tag in tags if tag and prompt.endswith(tag)), ""):
        prompt = prompt.removesuffix(found).rstrip()
    return prompt


def only_inserted(old: str, new: str, texts: list[str], ends: list[str]) -> bool:
    """Say whether a prompt is another one with some of the texts put into it, and one of ``ends`` (or its end) behind it."""
    ends = [end[start:] for end in ends for start in range(len(end))]
    if any(new.endswith(end) and only_inserted(old, new.removesuffix(end), texts, []) for end in ends):
        return True
    at: dict[int, set[int]] = {0: {0}}  # for a place in the new prompt: how far the old one may be followed there
    for place in range(len(new) + 1):
        for followed in at.pop(place, ()):
            if place == len(new):
                if followed == len(old):
                    return True
                continue
            if followed < len(old) and old[followed] == new[place]:
                at.setdefault(place + 1, set()).add(followed + 1)
            for text in texts:
                if new.startswith(text, place):
                    at.setdefault(place + len(text), set()).add(followed)
    return False


def _got_tools(before: Draft, after: Draft) -> bool:
    """Say whether a Go template runs that shows tools, calls and results, which the one before it did not."""
    old, new = before.template, after.template
    if after.runs_jinja or old is None or new is None or old.text == new.text:
        return False
    return go_tool_round_trip(new) and not go_tool_round_trip(old)


def _opens(conversation: Conversation, before: Draft, after: Draft) -> bool:
    """Say whether the template that runs opens the assistant's turn for this conversation.

    A Jinja template is told to by a flag: it opens one after a user's message, and wherever the flag makes a difference.
    """
    chat_template = before.chat_template
    if not after.runs_jinja or chat_template is None:
        return opens_turn(after.template or Template.parse(DEFAULT_TEMPLATE), conversation)
    if is_prefill(conversation):
        return False
    if opens_assistant_turn(conversation) and conversation.messages[-1:] and conversation.messages[-1].role == "user":
        return True
    try:
        opened, closed = (chat_template.render(conversation, add_generation_prompt=opens) for opens in (True, False))
    except TemplateRenderError:
        return False
    family = chat_template.format().family
    return opened not in (closed, family.asked(closed, "")[0] if family else closed)


def _verdict(conversation: Conversation, old: str, new: str, texts: list[str], *, may_open: bool) -> Verdict:
    if may_open and new.startswith(old) and any(text.endswith(new[len(old) :]) for text in texts):
        return Verdict.APPENDED
    for text in texts if may_open else ():
        typed = text.replace("\n", "\\n")
        if typed != text and old.endswith(typed) and new == old.removesuffix(typed) + text:
            return Verdict.REPAIRED
    last = conversation.messages[-1].content if is_prefill(conversation) else ""
    if not may_open and any(new == f"{old.removesuffix(last)}{text}{last}" for text in texts):
        return Verdict.PREFILLED
    return Verdict.THINKING if last_assistant_thinks(conversation) else Verdict.CHANGED
