"""How a model reasons: the texts that open and end it in its templates, and what shows that it does at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import TemplateError
from modelsmith.template.chat_formats.states import State, prompt_state
from modelsmith.template.chat_formats.texts import ReasoningTexts, shown_at_the_end, texts_of
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.edit.jinja.reasoning import reasoning_texts

if TYPE_CHECKING:
    from modelsmith.models.draft import Draft
    from modelsmith.template.conversation.think import Think

_HELLO = Conversation.from_dict({"messages": [{"role": "user", "content": "hello"}]})
_TAGS_OF_MODELS = ("reasoning", "thinking", "chain-of-thought", "cot")
"""What ``general.tags`` of a model that reasons may hold."""


def go_texts(draft: Draft, opening: str = "", closing: str = "") -> ReasoningTexts:
    """Return what opens and ends reasoning in a draft's Go template; what is given wins.

    Its own tags count, then those of the Jinja template inside the GGUF, then a tag that its prompts end with.
    """
    usual = ReasoningTexts()
    found = _jinja_texts(draft) or _shown(draft) or usual
    template = draft.template
    if template is not None and all(template.thinking_tags) and template.thinking_tags != found.tags:
        first, last = template.thinking_tags
        found = usual if usual.tags == (first, last) else ReasoningTexts(f"{first}\n", f"\n{last}\n\n")
    return ReasoningTexts(opening or found.opening, closing or found.closing)


def reasoning_state(draft: Draft, conversation: Conversation, think: Think) -> State:
    """Return what the prompt of the template that runs does about reasoning; raises TemplateRenderError where it fails."""
    chat_template = draft.chat_template
    if draft.runs_jinja and chat_template is not None:
        prompt, found = prompt_state(chat_template, conversation, think)
        return reasoning_texts(chat_template).state(prompt) if found is State.NONE else found
    return go_texts(draft).state(draft.render(conversation, think))


def evidence(draft: Draft) -> str:
    """Say what shows that a model reasons: tags in its templates, tokens in its vocabulary, its ``general.tags``; or nothing."""
    from modelsmith.models.vocabulary import in_vocabulary

    template, chat_template = draft.template, draft.chat_template
    tags = go_texts(draft).tags
    if template is not None and (all(template.thinking_tags) or any(tag in template.text for tag in tags)):
        return "the TEMPLATE has thinking tags"
    if chat_template is not None and any(tag in chat_template.text for tag in (*tags, "</think>")):
        return "the Jinja template inside the GGUF has thinking tags"
    if "thinking" in draft.effective.capabilities:
        return "Ollama takes it for a model that can think"
    known = in_vocabulary(draft, {*tags, "<think>", "</think>"})
    if known is None:
        return "its vocabulary cannot be seen here"
    if known:
        return f"its vocabulary has {', '.join(sorted(known))}"
    return "its general.tags say so" if _named_by_tags(draft) else ""


def unshown_reasoning(before: Draft, after: Draft) -> str:
    """Return the warning about a model that is made to reason although nothing shows that it can; empty where something does."""
    opens = [
        injection.text
        for injection in after.injections
        if injection.reasoning == "open" or (not injection.reasoning and shown_at_the_end(injection.text))
    ]
    if not opens or evidence(before):
        return ""
    tag = opens[-1].strip()
    return (
        f"nothing shows that this model reasons: no thinking tags in its templates, none in its vocabulary, none in its "
        f"general.tags. Its answers will begin behind {tag}, which it was hardly trained on"
    )


def _jinja_texts(draft: Draft) -> ReasoningTexts | None:
    chat_template = draft.chat_template
    if chat_template is None:
        return None
    try:
        chat_format = chat_template.format()
    except TemplateError:
        return None
    return texts_of(chat_format) if chat_format.thinks and any(chat_format.written_tags) else None


def _shown(draft: Draft) -> ReasoningTexts | None:
    try:
        return shown_at_the_end(draft.render(_HELLO, True))
    except TemplateError:
        return None


def _named_by_tags(draft: Draft) -> bool:
    from modelsmith.weights.convert.weights import open_weights
    from modelsmith.weights.gguf.metadata import GGUFArray

    if draft.inherited.weights is None:
        return False
    with open_weights(draft.inherited.weights) as gguf:
        tags = gguf.metadata.get("general.tags")
    return isinstance(tags, GGUFArray) and any(str(tag).lower() in _TAGS_OF_MODELS for tag in tags)
