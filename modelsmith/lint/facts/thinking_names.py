"""The names by which people try to switch thinking in a Modelfile, where Ollama knows none of them.

MS401 reports them with the ways that work; the rules for unknown parameters and instructions leave them to it.
"""

from __future__ import annotations

THINKING_NAMES = frozenset(
    {
        "think",
        "thinks",
        "thinking",
        "think_mode",
        "thinking_mode",
        "think_level",
        "think_budget",
        "thinking_budget",
        "enable_think",
        "enable_thinking",
        "disable_think",
        "disable_thinking",
        "force_think",
        "hide_think",
        "hidethinking",
        "nothink",
        "no_think",
        "nothinking",
        "no_thinking",
        "reasoning",
        "reasoning_effort",
        "reasoning_budget",
        "enable_reasoning",
    }
)
"""In small letters, with ``_`` for ``-``."""


def is_thinking_name(name: str) -> bool:
    """Say whether a parameter's or instruction's name is meant to switch thinking; case and ``-`` do not count."""
    return name.lower().replace("-", "_") in THINKING_NAMES
