"""Whether a GGUF is intact: all that is wrong with it, at once, each with its byte and the way out.

The header alone is enough for most of it and takes milliseconds; ``deep`` reads every byte, in constant memory.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelsmith.diagnostic import Severity
from modelsmith.progress import ProgressSink, silent
from modelsmith.weights.gguf.file import GGUFFile
from modelsmith.weights.gguf.read.fault import Fault, Faults
from modelsmith.weights.gguf.read.reader import Scan, scan_file
from modelsmith.weights.gguf.verify.architecture import check_architecture
from modelsmith.weights.gguf.verify.model import check_model
from modelsmith.weights.gguf.verify.pieces import check_tail, explain_pieces
from modelsmith.weights.gguf.verify.template import check_template
from modelsmith.weights.gguf.verify.tokenizer import check_tokenizer

if TYPE_CHECKING:
    from collections.abc import Sequence

_CUT = frozenset(("truncated", "tensor-outside-file"))
"""Faults of a file that is not whole: whatever else is wrong comes after them."""
_RANKS = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome: ``gguf`` is None where the header could not be read; ``faults`` come the worst first."""

    name: str
    gguf: GGUFFile | None
    faults: tuple[Fault, ...]
    deep: bool

    @property
    def ok(self) -> bool:
        """Whether there is neither an error nor a warning."""
        return all(fault.severity is Severity.INFO for fault in self.faults)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        gguf = self.gguf
        about: dict[str, Any] = {"path": self.name, "ok": self.ok, "deep": self.deep}
        if gguf is not None:
            about |= {"size": gguf.size, "version": gguf.version}
            about |= {"tensors": len(gguf.tensors), "keys": len(gguf.metadata)}
        return about | {"findings": [fault.to_dict() for fault in self.faults]}


def verify(path: str | os.PathLike[str], *, deep: bool = False, progress: ProgressSink = silent) -> Verification:
    """Look for everything that can be wrong with a file; raises UnreadableFile where there is none.

    ``deep`` also reads the numbers: NaN, infinity, tensors full of zeros.
    """
    place = Path(path)
    found = scan_file(place)
    faults = explain_pieces(found.faults, place, found.header.metadata if found.header else None)
    verified = verify_scan(Scan(found.header, tuple(faults)), os.fspath(path))
    gguf = verified.gguf
    if gguf is None:
        return verified
    more = Faults()
    check_tail(gguf, more)
    if deep and not _cut(found.faults):
        from modelsmith.weights.gguf.verify.numbers import check_numbers

        check_numbers(gguf, more, progress)
    return Verification(verified.name, gguf, _sorted((*verified.faults, *more)), deep)


def verify_scan(found: Scan, name: str) -> Verification:
    """Look for everything that a header tells, wherever it was read from."""
    if found.header is None:
        return Verification(name, None, _sorted(found.faults), deep=False)
    gguf = GGUFFile.of(found.header)
    faults = Faults()
    check_model(gguf, faults)
    check_architecture(gguf, faults)
    check_tokenizer(gguf, faults)
    check_template(gguf, faults)
    return Verification(name, gguf, _sorted((*found.faults, *faults)), deep=False)


def _cut(faults: Sequence[Fault]) -> bool:
    return any(fault.code in _CUT for fault in faults)


def _sorted(faults: Sequence[Fault]) -> tuple[Fault, ...]:
    def place(fault: Fault) -> tuple[int, bool, bool, int]:
        return (_RANKS[fault.severity], fault.code not in _CUT, fault.offset is None, fault.offset or 0)

    return tuple(sorted(faults, key=place))
