"""Regular expressions that are looked for in names of tensors, and cannot take long (see ``modelsmith.linear``)."""

from __future__ import annotations

import re
import time
from typing import Any

from modelsmith.errors import UsageError
from modelsmith.linear import INSTALL, MAX_PATTERN, in_linear_time, longest_in_time, repetitions_in, why_slow

MAX_NAME = 63
"""Longer names match nothing: llama.cpp does not load such tensors (GGML_MAX_NAME)."""

_REPEATS = 3
_SECONDS = 10.0


class TensorPattern:
    """A regular expression that is looked for in names of tensors."""

    __slots__ = ("_left", "_search", "text")

    def __init__(self, text: str) -> None:
        """Read an expression; raises UsageError for one that is none, is too long, or may take too long."""
        self.text = text
        self._left = _SECONDS
        if len(text) > MAX_PATTERN:
            raise UsageError(
                f"a regular expression of {len(text):,} characters is too long", hint=f"at most {MAX_PATTERN}"
            )
        self._search: Any = in_linear_time(text)
        if self._search is not None:
            return
        reason = why_slow(text, longest=MAX_NAME, repeats=_REPEATS)
        if not reason and longest_in_time(text, repetitions_in(text, MAX_NAME)) < MAX_NAME:
            reason = "it can match in too many ways"
        if reason:
            raise UsageError(
                f'the regular expression "{text}" may take too long: {reason}',
                hint=rf"write it with fewer repetitions, such as blk\.\d+\.ffn_.*; {INSTALL}",
            )
        try:
            self._search = re.compile(text).search
        except (re.error, OverflowError, RecursionError) as error:
            raise UsageError(f'"{text}" is no regular expression: {error}', hint="quote it for the shell") from error

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TensorPattern) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def found_in(self, name: str) -> bool:
        """Say whether a name holds a match; raises UsageError once all names together took too long."""
        if len(name) > MAX_NAME:
            return False
        started = time.process_time()
        found = self._search(name) is not None
        self._left -= time.process_time() - started
        if self._left < 0:
            raise UsageError(
                f'the regular expression "{self.text}" took more than {_SECONDS:g} seconds',
                hint=f"simplify it, {INSTALL}",
            )
        return found
