"""Shards that are judged together, as llama.cpp loads them: the first one's metadata, and the tensors of all.

Sources: llama.cpp ``src/llama-model-loader.cpp`` (which shards are loaded, and what of each).
"""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

from modelsmith.errors import InvalidGGUF, UsageError
from modelsmith.weights.gguf.arrange.canonical import SPLIT_KEYS
from modelsmith.weights.gguf.arrange.shards import in_order, siblings
from modelsmith.weights.gguf.read.fault import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.gguf.read.reader import Header


def shards_beside(path: Path, header: Header | None) -> list[Path]:
    """Return the files of the set of which a file is a shard, in order; itself where it is none or some are missing."""
    count = header.metadata.get("split.count") if header is not None else None
    found = siblings(path)
    whole = len(found) > 1 and len(found) == count and all(shard.is_file() for shard in found)
    return found if whole else [path]


def set_fault(parts: Sequence[GGUFFile]) -> Fault | None:
    """Return why files are not the shards of one model; None where they are."""
    try:
        ordered = in_order(parts, len(parts))
    except (UsageError, InvalidGGUF) as error:
        return Fault("shard-set", error.message, hint=error.hint or "")
    wrong = next((part for part, right in zip(parts, ordered, strict=True) if part is not right), None)
    if wrong is None:
        return None
    message = f"its metadata says shard {ordered.index(wrong) + 1}, and its name another"
    return Fault("shard-set", message, hint="give it the name that it had at first", shard=wrong.path.name)


def joined(parts: Sequence[GGUFFile]) -> GGUFFile:
    """Return the model of all shards. ``at`` of its tensors counts as if the files stood one behind the other."""
    tensors = tuple(
        replace(tensor, at=tensor.at + start)
        for part, start in zip(parts, _starts(parts), strict=True)
        for tensor in part.tensors
    )
    return replace(parts[0], metadata=parts[0].metadata.without(*SPLIT_KEYS), tensors=tensors)


def placed(faults: Iterable[Fault], parts: Sequence[GGUFFile]) -> Iterator[Fault]:
    """Yield what was found in a joined model, each with the shard that it is in and its byte there."""
    starts = list(_starts(parts))
    for fault in faults:
        if fault.offset is None:
            yield fault
            continue
        part, start = next(
            (part, start)
            for part, start in zip(reversed(parts), reversed(starts), strict=True)
            if fault.offset >= start
        )
        yield replace(fault, offset=fault.offset - start, shard=part.path.name)


def in_shard(faults: Iterable[Fault], name: str) -> Iterator[Fault]:
    """Yield faults with the shard that they are in."""
    return (replace(fault, shard=name) for fault in faults)


def _starts(parts: Sequence[GGUFFile]) -> Iterator[int]:
    return accumulate((part.size for part in parts[:-1]), initial=0)
