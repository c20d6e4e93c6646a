"""What a recipe promises of answers, checked by asking the model."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelsmith.engines.answer import Answer, collect
from modelsmith.engines.protocol import Request
from modelsmith.errors import ModelsmithError, RecordingMismatch, UsageError
from modelsmith.recipe.format.ask import plain
from modelsmith.recipe.parts.pattern import AnswerPattern
from modelsmith.recipe.prove.checked import Checked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from modelsmith.engines.protocol import InferenceEngine
    from modelsmith.recipe.format.ask import Ask

_TAG = re.compile(
    r"</?(?:think|thinking|reason|reasoning|thought|seed:think)>|\[/?THINK\]|<\|(?:im_start|im_end|start_header_id|"
    r"end_header_id|eot_id|channel|message|user|assistant|end)\|?>|<｜[^｜]{1,40}｜>|</?(?:start|end)_of_turn>"
)
"""Tags of reasoning and of turns, of the formats that are known: none of them belongs into an answer."""
_SHOWN = 120


@dataclass(frozen=True, slots=True)
class CheckedAsk:
    """One question, what came of it, and which promises the answer keeps.

    ``answer`` is None where there is none: for the ``error``, or (without one) because the engine had failed before.
    """

    ask: Ask
    checked: tuple[Checked, ...]
    answer: Answer | None = None
    error: ModelsmithError | None = None

    @property
    def title(self) -> str:
        """What was asked, short enough for a list."""
        turns = self.ask.conversation.turns
        text = " ".join(turns[-1].content.split())
        think = "" if self.ask.think is None else f" (think {json.dumps(self.ask.think)})"
        return f"{text[:60]}{'…' if len(text) > 60 else ''}{think}"

    @property
    def holds(self) -> bool:
        """Whether every promise is kept."""
        return self.answer is not None and all(promise.holds for promise in self.checked)


def request_of(ask: Ask) -> Request:
    """Return the request of a question."""
    return Request(ask.conversation, ask.think, ask.request_options, plain(ask.format_) or "")


def ask_all(
    asks: Sequence[Ask], engine: InferenceEngine, tell: Callable[[CheckedAsk], None] = lambda _asked: None
) -> tuple[CheckedAsk, ...]:
    """Ask every question and check the answers; ``tell`` hears of each at once.

    Once the engine failed, nothing more is asked of it; a recording that does not fit one question may fit the others.
    """
    found: list[CheckedAsk] = []
    failed = False
    for ask in asks:
        asked = CheckedAsk(ask, ()) if failed else _asked(ask, engine)
        failed = failed or (asked.error is not None and not isinstance(asked.error, RecordingMismatch | UsageError))
        found.append(asked)
        tell(asked)
    return tuple(found)


def _asked(ask: Ask, engine: InferenceEngine) -> CheckedAsk:
    try:
        answer = collect(engine, request_of(ask))
        return CheckedAsk(ask, tuple(check_answer(ask, answer)), answer)
    except ModelsmithError as error:
        return CheckedAsk(ask, (), error=error)


def check_answer(ask: Ask, answer: Answer) -> Iterator[Checked]:
    """Yield every promise that a question makes, and whether the answer keeps it; raises UsageError where that cannot be told."""
    if ask.thinks is not None:
        count = len(answer.reasoning.strip())
        promise = "the model thinks" if ask.thinks else "the model does not think"
        yield Checked(promise, bool(count) == ask.thinks, f"{count} characters of reasoning")
    if ask.apart:
        yield _apart(answer)
    if ask.stops_within is not None:
        yield _stops(ask.stops_within, answer)
    if ask.calls is not None:
        yield _calls(ask.calls.name, plain(ask.calls.arguments), answer)
    if ask.json_ is not None:
        yield _json(ask.json_, answer)
    for text in ask.contains:
        yield Checked(f"the answer has {text!r}", text in answer.content, shown(answer.content))
    for text in ask.lacks:
        yield Checked(f"the answer lacks {text!r}", text not in answer.content, shown(answer.content))
    if ask.matches is not None:
        found = AnswerPattern(ask.matches).found_in(answer.content)
        yield Checked(f"the answer matches {ask.matches!r}", found, shown(answer.content))
    if ask.tokens_per_second is not None:
        yield _fast(ask.tokens_per_second, answer)


def shown(text: str) -> str:
    """Return an answer for a message."""
    return "there is no answer" if not text else f"{text[:_SHOWN]!r}{'…' if len(text) > _SHOWN else ''}"


def _apart(answer: Answer) -> Checked:
    for where, text in (("answer", answer.content), ("reasoning", answer.reasoning)):
        if found := _TAG.search(text):
            around = text[max(0, found.start() - 30) : found.end() + 30]
            return Checked("reasoning and answer are apart", holds=False, detail=f"in the {where}: {around!r}")
    return Checked(
        "reasoning and answer are apart",
        holds=True,
        detail=f"{len(answer.reasoning)} characters of reasoning, {len(answer.content)} of the answer",
    )


def _stops(most: int, answer: Answer) -> Checked:
    promise = f"the model stops within {most:,} tokens"
    count = answer.usage.answer_tokens
    if answer.reason != "stop":
        return Checked(promise, holds=False, detail=f"it was cut off ({answer.reason}): …{answer.content[-40:]!r}")
    if count is None:
        return Checked(promise, holds=True, detail="it stopped; the engine does not count")
    return Checked(promise, count <= most, f"{count:,} tokens")


def _calls(name: str, arguments: dict[str, Any], answer: Answer) -> Checked:
    wanted = f"{name}({json.dumps(arguments, ensure_ascii=False)})" if arguments else name
    promise = f"the model calls {wanted}"
    if not answer.tool_calls:
        return Checked(promise, holds=False, detail=f"it calls nothing: {shown(answer.content)}")
    made = ", ".join(f"{call.name}({call.text:.80})" for call in answer.tool_calls[:4])
    holds = any(
        call.name == name
        and call.arguments is not None
        and all(key in call.arguments and call.arguments[key] == value for key, value in arguments.items())
        for call in answer.tool_calls
    )
    return Checked(promise, holds, f"it calls {made}")


def _json(shape: Any, answer: Answer) -> Checked:
    promise = "the answer is JSON" + (" of the schema" if isinstance(shape, dict) else "")
    try:
        value = json.loads(answer.content)
    except (ValueError, RecursionError) as error:
        return Checked(promise, holds=False, detail=f"{error!s:.100}: {shown(answer.content)}")
    if not isinstance(shape, dict):
        return Checked(promise, holds=True, detail=shown(answer.content))
    from modelsmith.recipe.prove.json_schema import JsonShape

    fault = JsonShape(plain(shape)).fault(value)
    return Checked(promise, not fault, fault or shown(answer.content))


def _fast(least: float, answer: Answer) -> Checked:
    promise = f"the model answers at least {least:g} tokens a second"
    rate = answer.answer_rate
    if rate is None:
        return Checked(promise, holds=False, detail="the engine does not count tokens")
    return Checked(promise, rate >= least, f"{rate:.1f}")
