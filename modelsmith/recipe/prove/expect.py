"""What a recipe promises, checked by rendering with the template that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.models.draft import as_values
from modelsmith.recipe.format.ask import Ask
from modelsmith.recipe.format.expectations import (
    Capabilities,
    Effective,
    HistoryUnchanged,
    ParametersAre,
    PromptEndsWith,
    PromptHas,
    PromptLacks,
    ReasoningIs,
    SplitsReasoning,
    ThinkingTags,
)
from modelsmith.recipe.prove.checked import Checked
from modelsmith.recipe.prove.compare import Verdict
from modelsmith.recipe.prove.prompts import prompt_ends_with, prompt_has, prompt_lacks, reasoning_is, where
from modelsmith.template.effective.renderers import PARSERS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelsmith.models.draft import Draft
    from modelsmith.recipe.format.expectations import Expectation
    from modelsmith.recipe.prove.compare import Comparison


def check(expectations: Sequence[Expectation], draft: Draft, comparisons: Sequence[Comparison]) -> tuple[Checked, ...]:
    """Check every promise of a recipe on its draft, but for those about answers, for which the model has to run."""
    return tuple(
        _CHECKS[type(expectation)](expectation, draft, comparisons)
        for expectation in expectations
        if not isinstance(expectation, Ask)
    )


def _thinking_tags(expectation: ThinkingTags, draft: Draft, _comparisons: Sequence[Comparison]) -> Checked:
    promise = f"Ollama separates reasoning at {expectation.tags[0]} and {expectation.tags[1]}"
    found, detail = _split_by(draft)
    return Checked(promise, found is True or found == expectation.tags, detail)


def _splits_reasoning(_expectation: SplitsReasoning, draft: Draft, _comparisons: Sequence[Comparison]) -> Checked:
    found, detail = _split_by(draft)
    return Checked(
        "reasoning is separated from the answer", found is True or (found is not False and bool(found[1])), detail
    )


def _split_by(draft: Draft) -> tuple[tuple[str, str] | bool, str]:
    """Return the tags that split reasoning from the answer (or whether a PARSER does), and what does so."""
    parser = PARSERS.get(draft.parser)
    if parser is not None:
        return parser.unset and parser.on, f"by PARSER {draft.parser}"
    chat_template = draft.chat_template
    if draft.effective.source == "jinja" and chat_template is not None:
        chat_format = chat_template.format()
        tags = (chat_format.opening, chat_format.closings[0] if chat_format.closings else "")
        return tags, (
            f"by llama-server, which finds {tags[0] or 'none'}, {tags[1] or 'none'} in the Jinja template inside the GGUF"
        )
    template = draft.template
    tags = template.thinking_tags if template else ("", "")
    return tags if all(tags) else ("", ""), f"inferred from the Go template: {tags[0] or 'none'}, {tags[1] or 'none'}"


def _effective(expectation: Effective, draft: Draft, _comparisons: Sequence[Comparison]) -> Checked:
    effective = draft.effective
    promise = f"the template that runs is one of {', '.join(expectation.engines)}"
    return Checked(promise, effective.source in expectation.engines, f"{effective.source}: {effective.reason}")


def _history_unchanged(_expectation: HistoryUnchanged, _draft: Draft, comparisons: Sequence[Comparison]) -> Checked:
    promise = "history, system prompt, tools and everything else render as before"
    for comparison in comparisons:
        if comparison.verdict is Verdict.CHANGED:
            detail = f"{where(comparison.name, comparison.think)}: {_difference(comparison)}"
            return Checked(promise, holds=False, detail=detail)
    same = sum(comparison.verdict is Verdict.SAME for comparison in comparisons)
    return Checked(
        promise,
        holds=True,
        detail=f"{same} of {len(comparisons)} renderings are byte-identical, the others only as intended",
    )


def _difference(comparison: Comparison) -> str:
    before = comparison.before.error or comparison.before.prompt
    after = comparison.after.error or comparison.after.prompt
    place = next(
        (index for index, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after))
    )
    start = max(0, place - 20)
    return f"{before[start : place + 40]!r} became {after[start : place + 40]!r}"


def _capabilities(expectation: Capabilities, draft: Draft, _comparisons: Sequence[Comparison]) -> Checked:
    effective = draft.effective
    missing = [name for name in expectation.capabilities if name not in effective.capabilities]
    found = ", ".join(sorted(effective.capabilities)) or "none beyond text"
    promise = f"Ollama takes the model for one with {', '.join(expectation.capabilities)}"
    return Checked(promise, not missing, f"{found}; {effective.source}: {effective.reason}")


def _parameters(expectation: ParametersAre, draft: Draft, _comparisons: Sequence[Comparison]) -> Checked:
    wrong = {
        name: draft.parameters.get(name)
        for name, value in expectation.parameters.items()
        if not _equal(draft.parameters.get(name), value)
    }
    listed = ", ".join(f"{name} {value}" for name, value in expectation.parameters.items())
    found = ", ".join(f"{name} is {'not set' if value is None else value}" for name, value in wrong.items())
    return Checked(f"parameters: {listed}", not wrong, found or "as promised")


def _equal(found: Any, promised: Any) -> bool:
    if found is None or promised is None:
        return found is promised
    return as_values(found) == as_values(promised)


_CHECKS: dict[type, Callable[[Any, Draft, Sequence[Comparison]], Checked]] = {
    PromptEndsWith: prompt_ends_with,
    ReasoningIs: reasoning_is,
    SplitsReasoning: _splits_reasoning,
    PromptHas: prompt_has,
    PromptLacks: prompt_lacks,
    Capabilities: _capabilities,
    ThinkingTags: _thinking_tags,
    Effective: _effective,
    HistoryUnchanged: _history_unchanged,
    ParametersAre: _parameters,
}
