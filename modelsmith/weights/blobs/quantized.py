"""A quantized GGUF as a source of bytes for stores: its size is known from the plan, its bytes are made when they are asked for.

Stores know the class and mostly meet none, so converting, merging and quantizing are loaded when one is made.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING

from modelsmith.files.stream import write_all
from modelsmith.manifest import Digest
from modelsmith.progress import ProgressSink, silent
from modelsmith.weights.blobs.blob import SegmentBlob
from modelsmith.weights.convert.weights import is_checkpoint, stamps_of, weights_for
from modelsmith.weights.gguf.edit.edit import MetadataValue, edit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from modelsmith.files.segments import FileStamp
    from modelsmith.weights.adapters.lora import Lora
    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.quantize.plan import QuantizePlan
    from modelsmith.weights.quantize.wishes import Wishes

_CHUNK = 1 << 20


def _stamps(parts: Sequence[GGUFFile]) -> tuple[FileStamp, ...]:
    """Return the files that the parts are read from; of a checkpoint also the small ones that its metadata comes from."""
    return tuple(
        stamp for part in parts for stamp in (stamps_of(part.path) if is_checkpoint(part.path) else (part.stamp,))
    )


class QuantizedGGUF(SegmentBlob):
    """A GGUF with edited metadata whose tensors are quantized: the file that llama-quantize would make of it.

    ``adapters``, each with its weight, are merged before.

    Where the bytes are wanted twice (their digest first, then themselves, for a server) they are kept meanwhile in a file
    without a name in ``scratch``, or in the system's folder for temporary files.
    """

    __slots__ = ("__weakref__", "_kept", "_scratch", "adapters", "gguf", "plan")

    def __init__(
        self,
        path: str | os.PathLike[str],
        wishes: Wishes,
        changes: Mapping[str, MetadataValue | None],
        scratch: Path | None = None,
        adapters: Sequence[tuple[Path, float]] = (),
    ) -> None:
        from modelsmith.weights.adapters.merge import open_adapters, with_adapters
        from modelsmith.weights.quantize.plan import plan_quantize

        (first, *others), wanted = weights_for(path, wishes)
        parts = (edit(first, changes), *others)
        self.adapters: tuple[tuple[Lora, float], ...] = open_adapters(adapters, parts) if adapters else ()
        plan = plan_quantize(parts, wanted)
        self.plan: QuantizePlan = with_adapters(plan, self.adapters) if self.adapters else plan
        self.gguf: GGUFFile = replace(
            parts[0], metadata=self.plan.metadata, tensors=tuple(tensor.tensor for tensor in self.plan.tensors)
        )
        self._scratch = scratch
        self._kept: int | None = None
        rules = [[rule.pattern.text, rule.type.name] for rule in wishes.rules]
        weights = [[weight, [pair.scale for pair in lora.pairs.values()]] for lora, weight in self.adapters]
        made = ["quantized", wishes.mix.name, rules, dict(changes), *([weights] if weights else [])]
        variant = json.dumps(made, sort_keys=True, default=repr)
        stamps = dict.fromkeys(stamp for lora, _ in self.adapters for stamp in lora.stamps)
        super().__init__(first.path, (), (*_stamps(parts), *stamps), variant)

    @property
    def size(self) -> int:
        """How many bytes there will be."""
        return self.plan.size

    def chunks(self, progress: ProgressSink = silent) -> Iterator[memoryview]:
        """Yield the bytes in order, quantizing on the way unless they are kept; each is good until the next is asked for."""
        if self._kept is None:
            from modelsmith.weights.quantize.run import Quantizer

            yield from Quantizer(self.plan, progress=progress).chunks()
            return
        buffer = memoryview(bytearray(_CHUNK))
        position = 0
        while count := os.preadv(self._kept, [buffer], position):
            yield buffer[:count]
            position += count

    def digest(self, progress: ProgressSink = silent) -> Digest:
        """Return the digest of the bytes; where it is not known yet they are made, and kept for ``chunks``."""
        known = self.known_digest()
        if known is not None:
            return known
        if self._scratch is not None:
            self._scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(buffering=0, dir=self._scratch) as file:
            descriptor = os.dup(
                file.fileno()
            )  # a file without a name vanishes with its last descriptor, however the process ends
        weakref.finalize(self, os.close, descriptor)
        digest = self.write_to(descriptor, progress)
        self._kept = descriptor
        self.remember(digest)
        return digest

    def write_to(self, descriptor: int, progress: ProgressSink = silent, status: str = "") -> Digest:
        """Write the bytes to a file and return their digest."""
        del status  # it always quantizes
        sha = hashlib.sha256()
        for chunk in self.chunks(progress):
            sha.update(chunk)
            write_all(descriptor, chunk)
        return Digest(sha.hexdigest())
