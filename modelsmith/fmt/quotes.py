"""Which quotes a value gets: others than its own only where it is easier to read in them, and read as the same.

What survives in which quotes: Ollama ``parser/parser.go`` (``unquote``), see ``modelsmith.syntax.modelfile.quote``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelsmith.syntax.modelfile.nodes import Instruction

_TEXTS = frozenset({"SYSTEM", "TEMPLATE", "LICENSE", "MESSAGE"})
_WORD = re.compile(r'[^\s"]+')
_LINES_OR_QUOTES = re.compile(r'[\r\n"]')


def quotes_of(node: Instruction, written: str) -> str:
    """Return the quotes for the value of ``node``, which stands in the file as ``written`` between its own."""
    if not written:
        return '"'  # without quotes Ollama refuses it as soon as an editor strips the blank behind the keyword
    if written != node.value:
        return node.quote  # it holds characters that Ollama drops: nothing is known of it in other quotes
    if _LINES_OR_QUOTES.search(written):
        # What is read in one quote is read in three: no quote in it ends a line.
        return '"""' if node.quote == '"' else node.quote
    if node.keyword == "PARAMETER" and node.name == "stop":
        return '"'  # where a stop ends, blanks and all, shall be seen
    return "" if node.keyword not in _TEXTS and _WORD.fullmatch(written) else node.quote
