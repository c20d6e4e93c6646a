"""A file that stands in for a GGUF that is not here: made of its outline, with a hole instead of the tensors' numbers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from modelsmith.errors import InvalidGGUF
from modelsmith.files.cache import cannot_make
from modelsmith.files.replacing import replacing
from modelsmith.weights.gguf.layout import header
from modelsmith.weights.gguf.outline import entries_of
from modelsmith.weights.gguf.tensor_groups import ungrouped
from modelsmith.weights.gguf.types import DEFAULT_ALIGNMENT, MAX_ALIGNMENT, MAX_TEXTS, padding

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_MAX_TEXT_BYTES = 256 << 20
_MAX_SIZE = 1 << 50


def write_standin(outline: Mapping[str, Any], path: Path, size: int) -> None:
    """Write the file of ``size`` bytes that an outline stands for; it takes no more room than the header.

    Raises InvalidGGUF where the outline is none, or is that of a file of another size; UnreadableFile.
    """
    metadata = outline["metadata"]
    if outline["size"] != size:
        raise InvalidGGUF(
            f"the outline is that of {outline['size']!r:.40} bytes, not of {size:,}", hint="write the lock again"
        )
    _check(metadata, size)
    entries = tuple(entries_of(metadata))
    alignment = metadata.get("general.alignment", {}).get("uint32", DEFAULT_ALIGNMENT)
    if not isinstance(alignment, int) or not 0 < alignment <= MAX_ALIGNMENT:
        raise InvalidGGUF(f"general.alignment is {alignment!r:.40}", hint="write the lock again")
    infos, offset = [], 0
    for tensor in ungrouped(outline["tensors"]):
        infos.append(tensor.info(offset))
        offset += tensor.nbytes + padding(tensor.nbytes, alignment)
    start = b"".join(
        part if isinstance(part, bytes) else part.read()
        for part in header(entries, infos, alignment, outline["version"])
    )
    if len(start) + offset > size + alignment:
        raise InvalidGGUF(
            f"an outline of {len(start) + offset:,} bytes says that its file has {size:,}", hint="write the lock again"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path, keeps=False) as (descriptor, _):
            os.write(descriptor, start)
            os.ftruncate(descriptor, size)
    except OSError as error:
        raise cannot_make(path, error) from error


def _check(metadata: Mapping[str, Any], size: int) -> None:
    """Refuse what would take too much room before any of it is made."""
    if not 0 < size <= _MAX_SIZE:
        raise InvalidGGUF(f"no GGUF has {size:,} bytes", hint="write the lock again")
    counts = [value.get("count", 0) for value in metadata.values()]
    lengths = [value.get("bytes", 0) for value in metadata.values()]
    numbers = [*counts, *lengths]
    if any(not isinstance(number, int) or isinstance(number, bool) or number < 0 for number in numbers):
        raise InvalidGGUF("a count in an outline is no number", hint="write the lock again")
    if sum(counts) > 2 * MAX_TEXTS or sum(lengths) > min(_MAX_TEXT_BYTES, size):
        raise InvalidGGUF(
            f"an outline of {sum(counts):,} items and {sum(lengths):,} bytes of texts is that of no GGUF",
            hint="write the lock again",
        )
