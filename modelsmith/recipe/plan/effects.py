"""What a recipe asks for and the model does not get: edits that change nothing, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import TemplateRenderError, TemplateSyntaxError
from modelsmith.recipe.prove.compare import Verdict, applies
from modelsmith.template.edit.positions import GENERATION_PROMPT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelsmith.models.draft import Draft, Injection
    from modelsmith.recipe.prove.compare import Comparison
    from modelsmith.recipe.read.load import Recipe


def without_effect(recipe: Recipe, before: Draft, after: Draft, comparisons: Sequence[Comparison]) -> tuple[str, ...]:
    """Say which edits of a recipe have no effect; what the base has already as the recipe wants it is no such edit."""
    return (*_of_template(recipe, before, after, comparisons), *_of_values(recipe, after), *_unseen(recipe, after))


def _of_template(recipe: Recipe, before: Draft, after: Draft, comparisons: Sequence[Comparison]) -> Iterator[str]:
    if not recipe.template:
        return
    source = after.effective.source
    edited = before.template_text != after.template_text
    if source == "renderer":
        if edited:
            yield (
                f"the edits of the template have no effect: RENDERER {after.renderer} builds the prompts in Ollama's own code; "
                "start from the GGUF file, or from a base without RENDERER"
            )
        return
    changed = edited or _chat_text(before) != _chat_text(after)
    same = all(comparison.verdict is Verdict.SAME for comparison in comparisons)
    gained = (before.effective.source, before.effective.capabilities) != (source, after.effective.capabilities)
    lost = [injection.text for injection in after.injections if not _stands(injection, comparisons)]
    if (changed and same and not gained) or lost:
        reason = (
            "the Jinja template inside the GGUF runs, and not the TEMPLATE: add the step make-effective behind them"
            if source == "jinja" and _chat_text(before) == _chat_text(after)
            else "every prompt is the same as before"
        )
        yield f"the edits of the template have no effect: {reason}"


def _chat_text(draft: Draft) -> str | None:
    return draft.chat_template.text if draft.chat_template else None


def _stands(injection: Injection, comparisons: Sequence[Comparison]) -> bool:
    """Say whether a text is in a prompt for which it was asked for; a generation prompt ends with it."""
    prompts = [comparison.after.prompt for comparison in comparisons if applies(injection.when, comparison.think)]
    if injection.reasoning:
        return any(prompt.rstrip().endswith(_last_tag(injection.text)) for prompt in prompts)
    if injection.at == GENERATION_PROMPT:
        return any(prompt.endswith(injection.text) for prompt in prompts)
    return any(injection.text in prompt for prompt in prompts)


def _last_tag(text: str) -> str:
    """Return the last tag of a text: a template may close reasoning by that alone, with other white space."""
    bare = text.rstrip()
    return bare[max(bare.rfind("<"), bare.rfind("["), 0) :]


def _of_values(recipe: Recipe, after: Draft) -> Iterator[str]:
    for name, value in recipe.parameters.items():
        if value is None and name in after.parameters:
            yield (
                f"parameters: {name}: null has no effect: {name} comes along with FROM, and Ollama has no way to remove it; "
                "give it a value, or start from the GGUF file"
            )


SYSTEM_UNSEEN = "system has no effect: the template that runs never shows a system prompt to the model"
_MARK = "xq7zText{}z7qx"
"""What stands for a text in a chat: a word that no template contains."""


def _unseen(recipe: Recipe, after: Draft) -> Iterator[str]:
    """Say which texts of the recipe the template that runs never shows to the model."""
    if after.effective.source not in {"go", "jinja"}:
        return  # code of Ollama or llama-server shows all of them
    if recipe.system is not None and not _shown(after, ["system"])[0]:
        yield SYSTEM_UNSEEN + ("; print {{ .System }} in it" if after.effective.source == "go" else "")
    roles = [message.role for message in recipe.messages or ()]
    lost = [f"{place} ({roles[place]})" for place, seen in enumerate(_shown(after, roles)) if not seen]
    if lost:
        yield f"messages: {', '.join(lost)} has no effect: the template that runs never shows it to the model"


def _shown(draft: Draft, roles: Sequence[str]) -> list[bool]:
    """Say of each message of a chat with these roles, which a user goes on with, whether the prompt has it.

    All are taken for shown where the chat cannot be rendered, or its last message is not in the prompt either.
    """
    from modelsmith.template.conversation.conversation import Conversation

    marks = [_MARK.format(place) for place in range(len(roles) + 1)]
    messages = [{"role": role, "content": mark} for role, mark in zip((*roles, "user"), marks, strict=True)]
    try:
        prompt = draft.render(Conversation.from_dict({"messages": messages}))
    except (TemplateRenderError, TemplateSyntaxError):
        prompt = ""
    return [mark in prompt or marks[-1] not in prompt for mark in marks[:-1]]
