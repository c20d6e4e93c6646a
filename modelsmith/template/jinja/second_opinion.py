"""Where transformers, vLLM and SGLang (jinja2) make another prompt of a chat template than llama-server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.errors import TemplateError
from modelsmith.template.conversation.named import NAMED, is_suffix
from modelsmith.template.jinja.engine.values.texts import shared_start
from modelsmith.template.jinja.transformers.template import TransformersTemplate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.jinja.template import ChatTemplate

_AROUND = 30


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Prompts that differ, or a chat that only one of the two refuses; each side is what it has from the first difference on."""

    conversation: str
    think: bool | None
    llama_server: str
    transformers: str


def refusals(template: ChatTemplate, now: datetime | None = None) -> dict[str, str]:
    """Return which of the named conversations llama-server refuses, and why; pictures and suffixes are left out."""
    found = {}
    for name, talk in _chats().items():
        try:
            template.render(talk, now=now)
        except TemplateError as error:
            found[name] = error.message
    return found


def disagreements(
    template: ChatTemplate, *, bos_token: str = "", eos_token: str = "", now: datetime | None = None
) -> tuple[Disagreement, ...]:
    """Return where the two engines differ on the named conversations, with thinking unset and off."""
    try:
        other = TransformersTemplate.parse(template.text)
    except TemplateError as error:
        return (Disagreement("every conversation", None, "loads it", error.message),)
    found = []
    for name, talk in _chats().items():
        for think in (None, False):
            sides = [_side(engine, talk, think, bos_token, eos_token, now) for engine in (template, other)]
            (prompt, problem), (other_prompt, other_problem) = sides
            if (prompt, bool(problem)) != (other_prompt, bool(other_problem)):
                found.append(Disagreement(name, think, *_shown(prompt, problem, other_prompt, other_problem)))
    return tuple(found)


def _side(
    engine: ChatTemplate | TransformersTemplate,
    talk: Conversation,
    think: bool | None,
    bos_token: str,
    eos_token: str,
    now: datetime | None,
) -> tuple[str, str]:
    """Return the prompt, or why there is none."""
    try:
        return engine.render(talk, think, bos_token=bos_token, eos_token=eos_token, now=now), ""
    except TemplateError as error:
        return "", error.message


def _shown(prompt: str, error: str, other_prompt: str, other_error: str) -> tuple[str, str]:
    if error or other_error:
        return error or "a prompt", other_error or "a prompt"
    start = max(shared_start(prompt, other_prompt) - _AROUND, 0)
    return prompt[start : start + 3 * _AROUND], other_prompt[start : start + 3 * _AROUND]


def _chats() -> Mapping[str, Conversation]:
    return {
        name: talk
        for name, talk in NAMED.items()
        if not is_suffix(talk) and not any(message.images for message in talk.turns)
    }
