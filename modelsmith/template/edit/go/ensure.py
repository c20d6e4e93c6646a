r"""Add to the generation prompt only what is missing there, so that an edit can be made again and changes nothing.

How much of a text is there already is read off the renderings, never off the template's text:

- the prompt ends with the text: nothing is missing; white space inside and after it may differ (``<think>\n</think>\n\n`` is
  the same closed block as ``<think>\n\n</think>\n\n``, and so is ``</think>`` alone), but a missing line break at the very
  end is added;
- it ends with a beginning of the text, e.g. ``<think>``: the rest is missing;
- else the whole text is.

A text that was typed with ``\n`` gets real line breaks (``inject_repair.py``). Where that cannot be, or where the template
itself closes a tag that the text would open, it is an error: what is there has to go first.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.errors import ClosedReasoningError, InjectionError
from modelsmith.memo import remembering
from modelsmith.patterns import regex
from modelsmith.template.conversation.proof import proof_conversations
from modelsmith.template.conversation.think import THINKS, When
from modelsmith.template.edit.addition import Addition
from modelsmith.template.edit.go.generation import generation_prompt, opens_turn
from modelsmith.template.edit.go.inject import add
from modelsmith.template.edit.go.repair import repair_typed
from modelsmith.template.edit.positions import GENERATION_PROMPT, check_place
from modelsmith.template.edit.prove import Renderings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from modelsmith.template.conversation.think import Think
    from modelsmith.template.go.template import Template

_OPENING = regex(r"<([^\s<>/]+)>\s*\Z")
_CLOSED = regex(r"<([^\s<>/]+)>\s*(</\1>)\s*\Z")


def ensure(template: Template, text: str, at: str = GENERATION_PROMPT, when: str = When.ALWAYS) -> Template:
    """Return the template whose prompts have the text at a position: the same one where they do already."""
    return ensure_many(template, [(text, when)], at)


@remembering()
def ensure_many(template: Template, texts: Iterable[tuple[str, str]], at: str = GENERATION_PROMPT) -> Template:
    """Return the template with what is missing of several (text, when) added in one block.

    Each request gets one text: a pair whose condition holds for it too, but stands later, is added behind the former.
    """
    check_place(at)
    wanted = Addition.of(texts)
    if at != GENERATION_PROMPT:
        from modelsmith.template.edit.go.beside import insert, is_there

        return template if is_there(template, wanted, at) else insert(template, wanted, at)
    template = repair_typed(template, wanted)
    before = Renderings(template)
    missing = {think: _missing(before, wanted.text(think), think) for think in THINKS}
    return add(template, Addition(missing[None], missing[True], missing[False]))


def _missing(before: Renderings, text: str, think: Think) -> str:
    if text:
        generation_prompt(before.template, think)
    return missing_from(_prompts(before, think), text)


def missing_from(prompts: Iterable[str], text: str) -> str:
    """Return what all the prompts lack to end with the text; InjectionError where they lack different things."""
    found: dict[str, str] = {}
    for prompt in prompts if text else ():
        found.setdefault(_rest(prompt, text), prompt)
    if len(found) > 1:
        ends = " and ".join(repr(prompt[-30:]) for prompt in found.values())
        raise InjectionError(
            f"the template opens its turns in different ways, the prompts end with {ends}: {text!r} would not fit all",
            hint="inject the text with a condition of your own, or write the template anew",
        )
    return next(iter(found), text)


def _prompts(before: Renderings, think: Think) -> Iterator[str]:
    for conversation in proof_conversations().values():
        if opens_turn(before.template, conversation):
            outcome = before(conversation, think)
            if not outcome.error:
                yield outcome.prompt


def _rest(prompt: str, text: str) -> str:
    """Return what the prompt lacks to end with the text."""
    for size in range(len(text), 0, -1):
        start = text[:size]
        if start.strip() and prompt.endswith(start):
            return text[size:]
    closed = _CLOSED.match(text)
    if text.strip() and _squeezed(prompt).endswith(closed[2] if closed else _squeezed(text)):
        return ""
    typed = text.replace("\n", "\\n")
    if typed != text and prompt.endswith(typed):
        raise InjectionError(
            f"the template types the line break of {text!r} as a backslash and an n, and the model sees these two",
            hint=f"remove {typed} from the template; the text is then added with a real line break",
        )
    tag = _OPENING.search(text)
    if tag and re.search(rf"</{re.escape(tag[1])}>(?:\s|\\n)*\Z", prompt):
        raise ClosedReasoningError(
            f"the template itself closes <{tag[1]}> where {text!r} should open it: the prompt ends with {prompt[-30:]!r}",
            hint="remove the closing tag from the template first",
        )
    return text


def _squeezed(text: str) -> str:
    return "".join(text.split())
