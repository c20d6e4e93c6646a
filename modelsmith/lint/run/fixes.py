"""Apply fixes until none is left: each round takes those that do not touch each other, and reads the file again."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from typing import TYPE_CHECKING

from modelsmith.errors import ModelsmithError
from modelsmith.lint.run.engine import check
from modelsmith.records import dataclass
from modelsmith.source import Source, apply_edits
from modelsmith.syntax.modelfile.modelfile import Modelfile
from modelsmith.syntax.modelfile.text import BOM, Encoding, encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from modelsmith.diagnostic import Diagnostic
    from modelsmith.lint.document import Document

ROUNDS = 50
"""No file needs as many; two fixes that undo each other would."""
TRIALS = 64
"""How many groups of fixes are tried in a round where all together would make Ollama refuse the file."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """The document after its fixes, what was fixed, and what is left."""

    document: Document
    applied: tuple[Diagnostic, ...]
    remaining: tuple[Diagnostic, ...]

    @property
    def data(self) -> bytes:
        """The bytes to write."""
        return encode(self.document.text, self.document.encoding)


def fix(document: Document, *, unsafe: bool = False) -> Fixed:
    """Apply every safe fix, and the others too where ``unsafe``; raises ModelsmithError where they go in a circle.

    A fix after which Ollama refuses a file that it accepted before is not applied. Where one makes room for the next more often
    than ROUNDS, what is left can be mended by another call.
    """
    applied: list[Diagnostic] = []
    seen = {document.text}
    for _ in range(ROUNDS):
        found = check(document)
        fitting = list(
            _fitting(diagnostic for diagnostic in found if diagnostic.fix and (diagnostic.fix.safe or unsafe))
        )
        after, done = _apply(document, fitting)
        if not done:
            return Fixed(document, tuple(applied), found)
        document = after
        applied += done
        if document.text in seen:
            break
        seen.add(document.text)
    else:
        return Fixed(document, tuple(applied), check(document))
    codes = sorted({diagnostic.code for diagnostic in done})
    raise ModelsmithError(
        f"{document.source.name}: the fixes of {', '.join(codes)} do not come to rest",
        hint="this is a bug in modelsmith; --ignore these rules for now",
    )


def _fitting(found: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """Choose from top to bottom; two fixes may stand side by side but not in each other's place."""
    # the edits of one fix never overlap, so both lists are in order, and one look finds what could be in the way
    starts: list[int] = []
    ends: list[int] = []
    for diagnostic in found:
        spans = [(edit.span.start, edit.span.end) for edit in diagnostic.fix.edits] if diagnostic.fix else []
        before = [(bisect_right(starts, end) - 1, start) for start, end in spans]
        if spans and all(place < 0 or ends[place] < start for place, start in before):
            for start, end in sorted(spans):
                place = bisect_right(starts, start)
                starts.insert(place, start)
                ends.insert(place, end)
            yield diagnostic


def _apply(document: Document, fitting: list[Diagnostic]) -> tuple[Document, list[Diagnostic]]:
    """Apply all at once, or the first half, quarter and so on for which Ollama does not refuse the file."""
    waiting = [fitting]
    for _ in range(TRIALS):
        if not waiting:
            break
        group = waiting.pop()
        after = _spliced(document, group)
        if after.text != document.text and not _breaks(document, after):
            return after, group
        if len(group) > 1:
            middle = len(group) // 2
            waiting += [group[middle:], group[:middle]]
    return document, []


def _spliced(document: Document, fitting: list[Diagnostic]) -> Document:
    text = apply_edits(
        document.text, [edit for diagnostic in fitting if diagnostic.fix for edit in diagnostic.fix.edits]
    )
    # UTF-16 is told by its byte order mark: without the mark the text is written as UTF-8
    encoding = document.encoding if text.startswith(BOM) or document.encoding.codec == "utf-8" else Encoding()
    modelfile = None if document.modelfile is None else Modelfile.from_text(text, encoding)
    return replace(document, source=Source(text, document.source.name), encoding=encoding, modelfile=modelfile)


def _breaks(before: Document, after: Document) -> bool:
    if before.modelfile is None or after.modelfile is None:
        return False
    return before.modelfile.as_ollama().error is None and after.modelfile.as_ollama().error is not None
