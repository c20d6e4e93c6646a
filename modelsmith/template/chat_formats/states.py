"""What a prompt does about reasoning: opens it, closes it, or leaves it to the model; told by how answers to it are split."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from modelsmith.errors import TemplateRenderError
from modelsmith.memo import Same, remembered
from modelsmith.template.chat_formats.chat_format import opened_turn
from modelsmith.template.chat_formats.markers import trimmed

if TYPE_CHECKING:
    from modelsmith.template.chat_formats.chat_format import ChatFormat, Split
    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.jinja.template import ChatTemplate

_THOUGHT, _ANSWER = "xq7zAThoughtz7qx", "xq7zAnAnswerz7qx"


class State(StrEnum):
    """What stands at the end of a prompt: ``opens`` (reasoning goes on from there), ``closes`` (it is over), ``free``.

    ``none``: llama-server sees no reasoning in answers to this template.
    """

    OPENS = "opens"
    CLOSES = "closes"
    FREE = "free"
    NONE = "none"


def prompt_state(
    template: ChatTemplate, conversation: Conversation, think: bool | str | None = None
) -> tuple[str, State]:
    """Return the prompt of a conversation that does not end with the assistant, and what it does about reasoning.

    Raises TemplateRenderError where the template fails or refuses.
    """
    key = ("prompt state", template.text, Same(conversation), think, type(think))
    return remembered(key, lambda: _prompt_state(template, conversation, think), refusals=TemplateRenderError)


def _prompt_state(template: ChatTemplate, conversation: Conversation, think: bool | str | None) -> tuple[str, State]:
    chat_format = template.format()
    prompt = template.render(conversation, think)
    opened = opened_turn(template.render(conversation, think, add_generation_prompt=False), prompt)
    if chat_format.family is not None:
        opened = chat_format.family.asked(prompt, opened)[1]
    thinks = chat_format.thinks if think is None else bool(think)
    return prompt, state_of(chat_format, opened, enable_thinking=thinks)


def state_of(chat_format: ChatFormat, generation_prompt: str, *, enable_thinking: bool) -> State:
    """Return what a prompt that ends with this does about reasoning."""
    if not chat_format.thinks or not chat_format.closings:
        return State.NONE

    def split(answer: str) -> Split | None:
        try:
            return chat_format.split(answer, generation_prompt, enable_thinking=enable_thinking, eos_token="")
        except TemplateRenderError:
            return None

    after = chat_format.after_reasoning
    if chat_format.before_answer and chat_format.before_answer in generation_prompt:  # no model writes it once more
        after = after.removesuffix(chat_format.before_answer)
    if _thought(split(_THOUGHT + after + _ANSWER)):
        return State.OPENS
    ends = (trimmed(after), *chat_format.closings)
    if trimmed(generation_prompt).endswith(ends):
        return State.CLOSES
    opened = chat_format.opening and _thought(split(chat_format.opening_text + _THOUGHT + after + _ANSWER))
    return State.FREE if opened else State.NONE


def _thought(split: Split | None) -> bool:
    """Say whether the thought arrives as reasoning, and the answer as the answer."""
    if split is None or split.reasoning is None or split.content is None:
        return False
    return _THOUGHT in split.reasoning and _ANSWER not in split.reasoning and trimmed(split.content).endswith(_ANSWER)
