"""Regular expressions that are looked for in answers of models: long texts, of which nobody knows beforehand what they hold."""

from __future__ import annotations

import re
from typing import Any

from modelsmith.errors import UsageError
from modelsmith.linear import INSTALL, MAX_PATTERN, in_linear_time, longest_in_time, repetitions_in, why_slow

MAX_TEXT = 16_384
"""Characters of an answer that Python's own engine searches at most: its time may grow with their square."""
_LEAST_TEXT = 2000  # an expression that cannot be looked for in so much is of no use

_FLAGS = re.compile(r"\(\?[ims]+\)")


class AnswerPattern:
    """A regular expression; found anywhere in a text, as by ``grep``."""

    def __init__(self, text: str) -> None:
        """Read an expression; raises UsageError for one that is none, is too long, or may take too long."""
        self.text = text
        self._most: int | None = None
        if len(text) > MAX_PATTERN:
            raise UsageError(
                f"a regular expression of {len(text):,} characters is too long", hint=f"at most {MAX_PATTERN}"
            )
        self._search: Any = in_linear_time(text)
        if self._search is not None:
            return
        flags = _FLAGS.match(text)
        plain = text[flags.end() if flags else 0 :]
        reason = why_slow(plain, longest=MAX_TEXT, repeats=1)
        most = min(MAX_TEXT, longest_in_time(plain, repetitions_in(plain, MAX_TEXT)))
        if not reason and most < _LEAST_TEXT:
            reason = "it can match in too many ways"
        if reason:
            raise UsageError(
                f'the regular expression "{text}" may take too long: {reason}', hint=f"simplify it, {INSTALL}"
            )
        try:
            self._search, self._most = re.compile(text).search, most
        except (re.error, OverflowError, RecursionError) as error:
            raise UsageError(
                f'"{text}" is no regular expression: {error}', hint="put it between single quotes in YAML"
            ) from error

    def found_in(self, text: str) -> bool:
        """Say whether a text holds a match; raises UsageError for one that is too long to be searched without RE2."""
        if self._most is not None and len(text) > self._most:
            raise UsageError(
                f'an answer of {len(text):,} characters is too long to search for "{self.text}"',
                hint="limit the answer with num_predict, or install google-re2: pip install google-re2",
            )
        return self._search(text) is not None
