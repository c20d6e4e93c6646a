"""Promises about prompts, checked by rendering; one that fails shows the conversation, what was asked, and the prompt."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.models.reasoning import reasoning_state
from modelsmith.models.rendered import rendered
from modelsmith.recipe.prove.checked import Checked
from modelsmith.recipe.prove.compare import applies
from modelsmith.template.chat_formats.states import State
from modelsmith.template.conversation.named import NAMED, is_suffix
from modelsmith.template.conversation.think import THINK_WORDS, THINKS
from modelsmith.template.edit.positions import (
    GENERATION_PROMPT,
    MARK,
    START,
    Position,
    after_bos,
    has_text,
    marked_prompts,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelsmith.models.draft import Draft
    from modelsmith.recipe.format.expectations import PromptEndsWith, PromptHas, PromptLacks, ReasoningIs
    from modelsmith.recipe.prove.compare import Comparison
    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.conversation.think import Think

_SHOWN = 60
_MOST_MESSAGES = 6


def where(name: str, think: Think) -> str:
    """Say which conversation it is and what its messages are, shortened, for a person who has to understand a failure."""
    talk = NAMED.get(name)
    said = [f"{message.role}: {_short(message.content, 40)!r}" for message in talk.turns] if talk else []
    if talk and is_suffix(talk):
        said = [f"prompt: {_short(talk.prompt, 40)!r}", f"suffix: {_short(talk.suffix, 40)!r}"]
    if len(said) > _MOST_MESSAGES:
        said = [*said[:2], f"… {len(said) - 4} more", *said[-2:]]
    messages = f" ({'; '.join(said)})" if said else ""
    return f'"{name}"{messages}, think {THINK_WORDS[think]}'


def prompt_ends_with(expectation: PromptEndsWith, draft: Draft, comparisons: Sequence[Comparison]) -> Checked:
    """Check that every prompt which opens the assistant's turn ends with a text."""
    promise = f"{_every_prompt(draft)} ends with {expectation.text!r}{_when(expectation.when)}"
    return _ends(promise, expectation.text, expectation.when, comparisons)


def reasoning_is(expectation: ReasoningIs, draft: Draft, comparisons: Sequence[Comparison]) -> Checked:
    """Check that every prompt which opens the assistant's turn opens reasoning, or has closed it."""
    wanted = State.OPENS if expectation.reasoning == "open" else State.CLOSES
    does = "opens reasoning" if expectation.reasoning == "open" else "has closed reasoning"
    promise = f"{_every_prompt(draft)} {does}{_when(expectation.when)}"
    ends: dict[str, int] = {}
    for comparison in _opened(comparisons, expectation.when):
        state = reasoning_state(draft, NAMED[comparison.name], comparison.think)
        if state is not wanted:
            detail = f"{where(comparison.name, comparison.think)}: ends with {comparison.after.prompt[-_SHOWN:]!r}"
            return Checked(promise, holds=False, detail=detail)
        end = _last_tag(comparison.after.prompt)
        ends[end] = ends.get(end, 0) + 1
    if not ends:
        return Checked(promise, holds=False, detail="no conversation renders")
    listed = ", ".join(
        f"{count} end with {end!r}" for end, count in sorted(ends.items(), key=lambda item: -item[1])[:3]
    )
    return Checked(promise, holds=True, detail=f"{sum(ends.values())} renderings: {listed}")


def prompt_has(expectation: PromptHas, draft: Draft, comparisons: Sequence[Comparison]) -> Checked:
    """Check that every prompt has a text, anywhere or at a position."""
    text, at, when = expectation.text, expectation.at, expectation.when
    promise = f"every prompt has {text!r}{f' at {at}' if at else ''}{_when(when)}"
    if at == GENERATION_PROMPT:
        return _ends(promise, text, when, comparisons)
    found = 0
    for name, think, prompt, has in _places(draft, text, at, when):
        if not has:
            return Checked(promise, holds=False, detail=f"{where(name, think)}: the prompt is {_around(prompt)}")
        found += 1
    return _found(promise, found, "no conversation has this place")


def prompt_lacks(expectation: PromptLacks, _draft: Draft, comparisons: Sequence[Comparison]) -> Checked:
    """Check that no prompt has a text."""
    promise = f"no prompt has {expectation.text!r}{_when(expectation.when)}"
    found = 0
    for comparison in comparisons:
        if not applies(expectation.when, comparison.think) or comparison.after.error:
            continue
        place = comparison.after.prompt.find(expectation.text)
        if place >= 0:
            around = comparison.after.prompt[max(0, place - 20) : place + len(expectation.text) + 20]
            return Checked(promise, holds=False, detail=f"{where(comparison.name, comparison.think)}: has {around!r}")
        found += 1
    return _found(promise, found, "no conversation renders")


def _ends(promise: str, text: str, when: str, comparisons: Sequence[Comparison]) -> Checked:
    opened = _opened(comparisons, when)
    for comparison in opened:
        if not comparison.after.prompt.endswith(text):
            detail = f"{where(comparison.name, comparison.think)}: ends with {comparison.after.prompt[-_SHOWN:]!r}"
            return Checked(promise, holds=False, detail=detail)
    return _found(promise, len(opened), "no conversation renders")


def _every_prompt(draft: Draft) -> str:
    """Say which prompts are meant: a Go template is not asked to open a turn, and stays as it was behind a system message."""
    if draft.runs_jinja:
        return "every prompt that opens the assistant's turn"
    return "every prompt that lets the assistant answer a user or a tool"


def _opened(comparisons: Sequence[Comparison], when: str) -> list[Comparison]:
    return [
        comparison
        for comparison in comparisons
        if comparison.opens and applies(when, comparison.think) and not comparison.after.error
    ]


def _last_tag(prompt: str) -> str:
    """Return what a prompt ends with, from the last two tags on."""
    places = [match.start() for match in re.finditer(r"[<\[]", prompt[-_SHOWN:])]
    return prompt[-_SHOWN:][places[-2] if len(places) > 1 else 0 :]


def _found(promise: str, count: int, nothing: str) -> Checked:
    return Checked(promise, holds=bool(count), detail=f"{count} renderings" if count else nothing)


def _places(draft: Draft, text: str, at: str | None, when: str) -> Iterator[tuple[str, Think, str, bool]]:
    """Yield the prompts that have the place, and whether the text stands there."""
    for think in THINKS:
        for name, talk in NAMED.items() if applies(when, think) else ():
            if at not in (None, START):
                position = Position.of(at or "")
                for prompt in _marked(draft, talk, think, position):
                    yield name, think, prompt.replace(MARK, ""), has_text(prompt, position, text)
                continue
            answer = rendered(draft, talk, think)
            if talk.turns and not is_suffix(talk) and not answer.error:
                prompt = answer.prompt
                yield name, think, prompt, prompt.startswith(text, after_bos(prompt)) if at else text in prompt


def _marked(draft: Draft, talk: Conversation, think: Think, position: Position) -> Iterator[str]:
    def render(conversation: Conversation) -> str | None:
        answer = rendered(draft, conversation, think)
        return None if answer.error else answer.prompt

    prompts = list(marked_prompts(render, talk, position, merged=not draft.runs_jinja))
    yield from (prompt for prompt in prompts[-1:] if MARK in prompt)


def _when(when: str) -> str:
    return "" if when == "always" else f" when {when}"


def _around(prompt: str) -> str:
    return repr(prompt) if len(prompt) <= 2 * _SHOWN else f"{prompt[:_SHOWN]!r}…{prompt[-_SHOWN:]!r}"


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
