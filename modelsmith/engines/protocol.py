"""What is asked of a model and what comes of it, whatever runs it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.conversation.think import Think

Format: TypeAlias = Literal["", "json"] | dict[str, Any]
"""What the answer is forced into: nothing, any JSON, or JSON of a schema; the field ``format`` of Ollama's API."""

SECONDS = 300.0
"""How long an answer may take as a whole, loading the model included."""

MAX_ANSWER = 4 << 20
"""Characters of an answer, reasoning and calls included; no honest model says more."""


@dataclass(frozen=True, slots=True)
class Request:
    """One question: the conversation, ``think`` (None: the model's default), and PARAMETERs that win over the model's own."""

    conversation: Conversation
    think: Think = None
    options: Mapping[str, Any] = field(default_factory=dict)
    format: Format = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as it stands in a recording."""
        data: dict[str, Any] = {**self.conversation.to_dict(), "think": self.think, "options": dict(self.options)}
        return data | ({"format": self.format} if self.format else {})

    @property
    def key(self) -> str:
        """A digest of all that is asked, for finding the same request again."""
        text = json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class AnswerPiece:
    """A part of an answer as it comes: of the reasoning, or of the answer itself."""

    text: str
    is_reasoning: bool = False


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that whatever runs the model read out of the answer; ``arguments`` is None where they are no JSON object."""

    name: str
    arguments: Mapping[str, Any] | None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and seconds as the engine counts them, None for what it does not tell.

    ``prompt_tokens`` counts the prompt as the model got it, ``cached_tokens`` of them were known from the request before and
    cost no time: ``prompt_seconds`` is for the others. ``load_seconds`` is what loading the model took.
    """

    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    answer_tokens: int | None = None
    prompt_seconds: float | None = None
    answer_seconds: float | None = None
    load_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of an answer. ``reason`` is ``stop`` where the model ended it, ``length`` where it was cut off, or the engine's word."""

    reason: str
    tool_calls: tuple[ToolCall, ...] = ()
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model gets to read: its text and its length in tokens, None for what is not known."""

    text: str | None = None
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Which model answers: its name there, and the digest of its weights ("" where it is not known)."""

    name: str
    digest: str = ""


class InferenceEngine(Protocol):
    """What can be asked of whatever runs a model. Failures are EngineError or ServerError."""

    @property
    def location(self) -> str:
        """What runs the model, for people: without credentials."""

    @property
    def identity(self) -> Identity:
        """The model; may hash its weights."""

    def context(self) -> int | None:
        """Return how many tokens prompt and answer may have together, None where it is not known."""

    def prompt(self, request: Request) -> Prompt:
        """Return what the model would get to read if nothing were cut, as far as it is known."""

    def stream(self, request: Request) -> Iterator[AnswerPiece | Finished]:
        """Yield the answer as it comes; the last item is the only ``Finished``."""

    def close(self) -> None:
        """Let go of connections and processes."""
