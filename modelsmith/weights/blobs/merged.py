"""All shards of a model as one GGUF, with edited metadata: a source of bytes for stores."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from modelsmith.weights.blobs.blob import SegmentBlob
from modelsmith.weights.gguf.arrange.canonical import SPLIT_KEYS
from modelsmith.weights.gguf.arrange.merge import merged
from modelsmith.weights.gguf.arrange.shards import open_shards
from modelsmith.weights.gguf.edit.edit import MetadataValue, edit
from modelsmith.weights.gguf.edit.padding import PADDING
from modelsmith.weights.gguf.types import padding

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.gguf.read.tensors import Tensor


class MergedGGUF(SegmentBlob):
    """One GGUF of the shards in ``parts``; ``gguf`` is its header. Raises UsageError where they are not all there."""

    __slots__ = ("gguf", "parts")

    def __init__(
        self, shards: Sequence[str | os.PathLike[str]], changes: Mapping[str, MetadataValue | None] | None = None
    ) -> None:
        opened = open_shards(shards)
        first = edit(opened[0], changes or {})
        first = first.with_metadata(first.metadata.without(*SPLIT_KEYS, PADDING))
        self.parts: tuple[GGUFFile, ...] = (first, *opened[1:])
        self.gguf: GGUFFile = replace(first, tensors=tuple(_placed(self.parts)))
        variant = json.dumps(["merged", dict(changes or {})], sort_keys=True, default=repr)
        super().__init__(first.path, merged(*self.parts), tuple(part.stamp for part in opened), variant)


def _placed(parts: Sequence[GGUFFile]) -> list[Tensor]:
    """Return all tensors with their places in the merged file."""
    placed, offset = [], 0
    for tensor in (tensor for part in parts for tensor in part.tensors):
        placed.append(replace(tensor, offset=offset))
        offset += tensor.nbytes + padding(tensor.nbytes, parts[0].alignment)
    return placed
