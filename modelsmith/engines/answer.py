"""A whole answer, collected within bounds."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, cast

from modelsmith.engines.protocol import MAX_ANSWER, AnswerPiece, Finished, ToolCall, Usage
from modelsmith.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from modelsmith.engines.protocol import InferenceEngine, Request


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request: ``first_seconds`` until anything came (None: nothing did), ``seconds`` in all, by our own clock."""

    reasoning: str
    content: str
    tool_calls: tuple[ToolCall, ...]
    reason: str
    usage: Usage
    first_seconds: float | None
    seconds: float

    @property
    def wait_seconds(self) -> float | None:
        """The time to the first token, without what loading the model took; None where nothing came."""
        if self.first_seconds is None:
            return None
        return max(0.0, self.first_seconds - (self.usage.load_seconds or 0.0))

    @property
    def prompt_rate(self) -> float | None:
        """Tokens of the prompt that were read in a second, those from a cache left out; None where the engine does not tell."""
        tokens, seconds = self.usage.prompt_tokens, self.usage.prompt_seconds
        if tokens is None or not seconds:
            return None
        return (tokens - (self.usage.cached_tokens or 0)) / seconds

    @property
    def answer_rate(self) -> float | None:
        """Tokens of the answer in a second: as the engine measured them, else from the first piece to the end by our clock."""
        tokens, seconds = self.usage.answer_tokens, self.usage.answer_seconds
        if seconds is None and self.first_seconds is not None:
            seconds = self.seconds - self.first_seconds
        return tokens / seconds if tokens is not None and seconds else None


def collect(
    engine: InferenceEngine, request: Request, show: Callable[[AnswerPiece], None] = lambda _piece: None
) -> Answer:
    """Ask, and return the whole answer; ``show`` gets the pieces as they come.

    Raises EngineError for an answer without an end, or of more than MAX_ANSWER characters, and what the engine raises.
    """
    began = monotonic()
    first: float | None = None
    parts: dict[bool, list[str]] = {True: [], False: []}
    length = 0
    with closing(cast("Generator[AnswerPiece | Finished]", engine.stream(request))) as items:
        for item in items:
            if isinstance(item, Finished):
                if item.tool_calls and first is None:
                    first = monotonic() - began
                return Answer(
                    "".join(parts[True]),
                    "".join(parts[False]),
                    item.tool_calls,
                    item.reason,
                    item.usage,
                    first,
                    monotonic() - began,
                )
            if first is None:
                first = monotonic() - began
            length += len(item.text)
            if length > MAX_ANSWER:
                raise EngineError(
                    f"{engine.location} answered with more than {MAX_ANSWER:,} characters",
                    hint="limit the answer with num_predict",
                )
            parts[item.is_reasoning].append(item.text)
            show(item)
    raise EngineError(f"{engine.location} ended its answer without saying so", hint="was it stopped? its log says more")
