"""What the ``think`` field of a request becomes before a template sees it.

Source: Ollama server/routes.go (ChatHandler, GenerateHandler) and api/types.go (ThinkValue), read in the releases named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.records import dataclass
from modelsmith.versions import resolve

if TYPE_CHECKING:
    from modelsmith.versions import Version

LEVELS = ("low", "medium", "high", "max")
"""The words that ``think`` accepts beside true and false."""


@dataclass(frozen=True, slots=True)
class ThinkOutcome:
    """What a template gets: ``value`` (None is unset), or ``error``, the reason of Ollama's HTTP 400."""

    value: bool | str | None = None
    error: str = ""

    @property
    def splits(self) -> bool:
        """Whether Ollama looks for the inferred tags in the answer; it does so only when thinking is on."""
        return bool(self.value)


def think_semantics(
    version: str | Version | None,
    has_thinking_capability: bool,
    think: bool | str | None,
    *,
    harmony: bool = False,
) -> ThinkOutcome:
    """Return what Ollama of this version makes of ``think`` for a model that can think, or cannot.

    Unset becomes true for a model that can think (0.12.4); a model that cannot refuses true. ``harmony`` is for gpt-oss,
    whose levels came first and end at high.
    """
    ollama = resolve(version)
    if think == "":
        think = None
    if not ollama.has("0.9.0"):
        return ThinkOutcome()
    if isinstance(think, str):
        known = LEVELS if ollama.has("0.22.0") else LEVELS[:3] if ollama.has("0.11.0") else ()
        if think not in known:
            words = "".join(f'"{level}", ' for level in reversed(known))
            return ThinkOutcome(error=f'invalid think value: "{think}" (must be {words}true, or false)')
        if not ollama.has("0.17.7") and not harmony:
            return ThinkOutcome(error=f'think value "{think}" is not supported for this model')
    if has_thinking_capability:
        if think is None:
            return ThinkOutcome(True if ollama.has("0.12.4") else None)
        return ThinkOutcome("high" if harmony and think == "max" else think)
    if think or (think is False and ollama.has("0.12.4") and not ollama.has("0.12.5")):
        return ThinkOutcome(error="the model does not support thinking")
    return ThinkOutcome(think)
