"""Whether a GGUF is intact: all that is wrong with it, at once, each with its byte and the way out.

The header alone is enough for most of it and takes milliseconds; ``deep`` reads every byte, in constant memory.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelsmith.diagnostic import Severity
from modelsmith.progress import ProgressSink, silent
from modelsmith.weights.gguf.file import GGUFFile
from modelsmith.weights.gguf.read.fault import Fault, Faults
from modelsmith.weights.gguf.read.reader import Scan, scan_file
from modelsmith.weights.gguf.verify.architecture import check_architecture
from modelsmith.weights.gguf.verify.model import check_file, check_model
from modelsmith.weights.gguf.verify.pieces import check_tail, explain_pieces
from modelsmith.weights.gguf.verify.shards import in_shard, joined, placed, set_fault, shards_beside
from modelsmith.weights.gguf.verify.template import check_template
from modelsmith.weights.gguf.verify.tokenizer import check_tokenizer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_CUT = frozenset(("truncated", "tensor-outside-file"))
"""Faults of a file that is not whole: whatever else is wrong comes after them."""
_RANKS = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome: ``gguf`` is None where the header could not be read; ``faults`` come the worst first.

    ``shards`` are the files where several make one model; ``gguf`` then has the first one's metadata and all of their tensors.
    """

    name: str
    gguf: GGUFFile | None
    faults: tuple[Fault, ...]
    deep: bool
    shards: tuple[GGUFFile, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether there is neither an error nor a warning."""
        return all(fault.severity is Severity.INFO for fault in self.faults)

    @property
    def size(self) -> int:
        """The bytes of the file, or of all shards; 0 where nothing could be read."""
        files = self.shards or ((self.gguf,) if self.gguf is not None else ())
        return sum(file.size for file in files)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        gguf = self.gguf
        about: dict[str, Any] = {"path": self.name, "ok": self.ok, "deep": self.deep}
        if gguf is not None:
            about |= {"size": self.size, "version": gguf.version}
            about |= {"tensors": len(gguf.tensors), "keys": len(gguf.metadata)}
            about |= {"shards": [shard.path.name for shard in self.shards]} if self.shards else {}
        return about | {"findings": [fault.to_dict() for fault in self.faults]}


def verify(path: str | os.PathLike[str], *, deep: bool = False, progress: ProgressSink = silent) -> Verification:
    """Look for everything that can be wrong with a file, or with the whole set of which it is a shard.

    ``deep`` also reads the numbers: NaN, infinity, tensors full of zeros. Shards are judged together where all of them lie
    beside the file; raises UnreadableFile where there is no file.
    """
    place = Path(path)
    scans = {shard.name: _explained(shard) for shard in shards_beside(place, scan_file(place).header)}
    verified = verify_scans(scans, os.fspath(path))
    more: list[Fault] = []
    for name, scan in scans.items():
        if scan.header is None:
            continue
        gguf, found = GGUFFile.of(scan.header), Faults()
        check_tail(gguf, found)
        if deep and not any(fault.code in _CUT for fault in scan.faults):
            from modelsmith.weights.gguf.verify.numbers import check_numbers

            check_numbers(gguf, found, progress)
        more += in_shard(found, name) if len(scans) > 1 else found
    return replace(verified, faults=_sorted((*verified.faults, *more)), deep=deep and verified.gguf is not None)


def verify_scan(found: Scan, name: str) -> Verification:
    """Look for everything that a header tells, wherever it was read from."""
    return verify_scans({name: found}, name)


def verify_scans(scans: Mapping[str, Scan], name: str) -> Verification:
    """Look for everything that the headers of a model's shards tell, by their names and in their order; or one file's."""
    found: list[Fault] = []
    parts: list[GGUFFile] = []
    for file, scan in scans.items():
        faults = Faults()
        if scan.header is not None:
            parts.append(GGUFFile.of(scan.header))
            check_file(parts[-1], faults)
        of_file = (*scan.faults, *faults)
        found += in_shard(of_file, file) if len(scans) > 1 else of_file
    if len(parts) < len(scans):
        return Verification(name, None, _sorted(found), deep=False)
    if len(parts) == 1:
        return Verification(name, parts[0], _sorted((*found, *_judged(parts[0]))), deep=False)
    stranger = set_fault(parts)
    if stranger is not None:
        return Verification(name, parts[0], _sorted((*found, stranger)), deep=False, shards=tuple(parts))
    whole = joined(parts)
    found += placed(_judged(whole), parts)
    return Verification(name, whole, _sorted(found), deep=False, shards=tuple(parts))


def _explained(path: Path) -> Scan:
    found = scan_file(path)
    return replace(
        found, faults=tuple(explain_pieces(found.faults, path, found.header.metadata if found.header else None))
    )


def _judged(gguf: GGUFFile) -> Faults:
    faults = Faults()
    check_model(gguf, faults)
    check_architecture(gguf, faults)
    check_tokenizer(gguf, faults)
    check_template(gguf, faults)
    return faults


def _sorted(faults: Sequence[Fault]) -> tuple[Fault, ...]:
    def place(fault: Fault) -> tuple[int, bool, bool, int]:
        return (_RANKS[fault.severity], fault.code not in _CUT, fault.offset is None, fault.offset or 0)

    return tuple(sorted(faults, key=place))
