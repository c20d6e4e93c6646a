"""A GGUF file as an object: its metadata, its tensors and what they say about the model.

Sources: Ollama ``fs/ggml/ggml.go`` (getters), ``server/create.go`` (kinds of GGUF).
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from modelsmith.errors import InvalidGGUF
from modelsmith.files.segments import FileSlice, FileStamp
from modelsmith.records import dataclass
from modelsmith.weights.gguf.metadata import GGUFArray, Metadata
from modelsmith.weights.gguf.read.reader import Header, scan_file
from modelsmith.weights.gguf.types import FILE_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.weights.gguf.read.tensors import Tensor

GGUFKind = Literal["model", "adapter", "projector"]
CHAT_TEMPLATE = "tokenizer.chat_template"
# Tensors of vision, audio and draft parts that Ollama keeps inside text models; llama.cpp's text loader would drop them.
EMBEDDED_PREFIXES = ("a.", "mm.", "mtp.", "s.", "v.")


class SpecialToken(NamedTuple):
    """A token with a meaning of its own: its number and its text (``""`` where the vocabulary does not have it)."""

    id: int
    text: str


@dataclass(frozen=True, slots=True)
class GGUFFile:
    """An opened GGUF. Nothing stays open: values that are not small are read when they are asked for."""

    stamp: FileStamp
    version: int
    metadata: Metadata
    tensors: tuple[Tensor, ...]
    alignment: int
    data_offset: int
    order: str = "<"

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, any_order: bool = False) -> GGUFFile:
        """Read and check the header of the file at ``path``; raises UnreadableFile or InvalidGGUF, each with the way out.

        Big-endian files can be looked at, but not worked on: they are refused unless ``any_order`` is said.
        """
        found = scan_file(Path(path))
        for fault in found.faults:
            raise fault.error(os.fspath(path))
        assert found.header is not None  # noqa: S101 - a header that cannot be read leaves a fault
        gguf = cls.of(found.header)
        if gguf.is_big_endian and not any_order:
            raise InvalidGGUF(
                f"{os.fspath(path)}: it is big-endian (byte 4; expected the version in little-endian order)",
                offset=4,
                expected="the version in little-endian order",
                hint="only little-endian GGUFs run on this machine; get or convert that variant",
            )
        return gguf

    @classmethod
    def of(cls, header: Header) -> GGUFFile:
        """Return the file of a header that was read."""
        return cls(
            header.stamp,
            header.version,
            header.metadata,
            header.tensors,
            header.alignment,
            header.data_offset,
            header.order,
        )

    @property
    def is_big_endian(self) -> bool:
        """Whether its numbers are in the order of machines that hardly anybody has."""
        return self.order == ">"

    def __enter__(self) -> GGUFFile:
        return self

    def __exit__(self, *_exception: object) -> None:
        """Close nothing: nothing stays open; ``with`` only says for how long the file should stay as it is."""

    def with_metadata(self, metadata: Metadata) -> GGUFFile:
        """Return the same tensors under other metadata. Writes nothing."""
        return replace(self, metadata=metadata)

    @property
    def path(self) -> Path:
        """The file."""
        return self.stamp.path

    @property
    def size(self) -> int:
        """The file's size in bytes."""
        return self.stamp.size

    def data_of(self, tensor: Tensor) -> FileSlice:
        """Return where the bytes of a tensor are."""
        return FileSlice(self.stamp, self.data_offset + tensor.offset, tensor.nbytes)

    @property
    def architecture(self) -> str:
        """The architecture, ``"unknown"`` where the file names none."""
        return self.metadata.architecture

    @property
    def file_type(self) -> str:
        """The quantization's name as Ollama prints it, ``"unknown"`` for F32 and whatever it has no name for."""
        return FILE_TYPES.get(self.metadata.uint("general.file_type"), "unknown")

    @property
    def parameter_count(self) -> int:
        """How many numbers all tensors hold; Ollama, too, counts them and does not believe the metadata."""
        return sum(tensor.elements for tensor in self.tensors)

    @property
    def chat_template(self) -> str | None:
        """The Jinja template, None where there is none."""
        return self.metadata.text(CHAT_TEMPLATE) or None

    @property
    def special_tokens(self) -> Mapping[str, SpecialToken]:
        """The special tokens that the file names, by role: ``bos``, ``eos``, ``eot``, ``unk``, ``pad`` …."""
        prefix, suffix = "tokenizer.ggml.", "_token_id"
        tokens = self.metadata.get("tokenizer.ggml.tokens")
        found: dict[str, SpecialToken] = {}
        for key in self.metadata:
            if key.startswith(prefix) and key.endswith(suffix):
                number: Any = self.metadata[key]
                if isinstance(number, int):
                    known = isinstance(tokens, GGUFArray) and 0 <= number < len(tokens)
                    text = str(tokens[number]) if known and tokens is not None else ""
                    found[key[len(prefix) : -len(suffix)]] = SpecialToken(number, text)
        return found

    @property
    def kind(self) -> GGUFKind:
        """What Ollama takes the file for. (A draft is a model that came through DRAFT; the file itself does not say.)."""
        metadata = self.metadata
        declared = metadata.text("general.type")
        if declared == "adapter":
            return "adapter"
        if declared in {"projector", "mmproj"}:
            return "projector"

        def uint(key: str) -> int:
            return metadata.uint(metadata.of_architecture(key))

        def flag(key: str) -> bool:
            return metadata.flag(metadata.of_architecture(key))

        if uint("block_count"):
            return "model"
        if uint("vision.block_count"):
            return "projector"
        encoder = flag("has_vision_encoder") or flag("has_audio_encoder")
        return "projector" if self.architecture == "clip" and encoder else "model"

    @property
    def has_embedded_parts(self) -> bool:
        """Whether it holds tensors of vision, audio or draft parts, which exempt it from Ollama's rewriting."""
        return any(tensor.name.startswith(EMBEDDED_PREFIXES) for tensor in self.tensors)
