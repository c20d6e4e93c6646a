"""From files to layers of weights: what each file is, and whether it is kept, rewritten or merged.

Sources: Ollama ``server/create.go`` (convertModelFromFiles, splitGGUFGroupKey, mergeSplitGGUFLayers, createModel).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from modelsmith.errors import InvalidGGUF, Unsupported, UsageError
from modelsmith.manifest import ADAPTER, DRAFT, MODEL, PROJECTOR, Layer
from modelsmith.patterns import regex
from modelsmith.records import dataclass
from modelsmith.weights.blobs.blob import EditedGGUF, SegmentBlob
from modelsmith.weights.blobs.merged import MergedGGUF
from modelsmith.weights.blobs.quantized import QuantizedGGUF
from modelsmith.weights.gguf.arrange.canonical import canonical
from modelsmith.weights.gguf.file import GGUFFile
from modelsmith.weights.gguf.metadata import GGUFArray

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from modelsmith.files.segments import Segment

Role = Literal["model", "adapter", "draft"]
Change = Literal["", "canonical", "merged", "projector-type", "quantized"]

_SPLIT_NAME = regex(r"(?P<prefix>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.DOTALL)
_QUANTIZABLE = ("F16", "BF16", "F32")
_QUANTIZATIONS = {"F32": "F32", "F16": "F16", "BF16": "BF16", "Q8_0": "Q8_0", "Q4_K_S": "Q4_K_S"} | dict.fromkeys(
    ("Q4_K_M", "Q4_K"), "Q4_K_M"
)
_TYPES_OLLAMA_LACKS = ("TQ1_0", "TQ2_0")


@dataclass(frozen=True, slots=True)
class Weights:
    """One layer of weights: its files' headers, and where its bytes come from (a stored layer, or bytes to store)."""

    media_type: str
    parts: tuple[GGUFFile, ...]
    content: Layer | SegmentBlob
    change: Change = ""
    source: str = ""  # the file's name, which Ollama notes in a layer whose bytes are the file's own

    @property
    def gguf(self) -> GGUFFile:
        """The header that describes the model: the first shard's."""
        return self.parts[0]

    @property
    def parameter_count(self) -> int:
        """How many numbers all parts hold."""
        return sum(part.parameter_count for part in self.parts)


def weights_from_files(files: Mapping[str, SegmentBlob], role: Role, *, as_is: bool) -> tuple[Weights, ...]:
    """Return the layers that ``files`` become: by name, merged splits last.

    Raises InvalidGGUF for what is no GGUF or a wrong one, Unsupported for what only an Ollama server converts.
    """
    for name in files:
        if name.endswith(".safetensors"):
            raise Unsupported(
                f"{name}: Safetensors cannot be stored without a server, which converts them",
                hint="start `ollama serve` and create the model there, or convert it to GGUF first",
            )
    if role == "adapter" and len(files) > 1:
        raise UsageError("only one adapter is currently supported", hint="name one ADAPTER, or merge them first")
    single: list[Weights] = []
    groups: dict[tuple[str, str, int], list[tuple[str, GGUFFile, SegmentBlob]]] = {}
    for name in sorted(files, key=str.encode):
        blob = files[name]
        gguf = blob.gguf if isinstance(blob, EditedGGUF | MergedGGUF | QuantizedGGUF) else GGUFFile.open(blob.path)
        _check_types(gguf)
        media_type = _media_type(name, gguf, role)
        key = _split_group(name, gguf, media_type)
        if key is None:
            single.append(_single(name, media_type, gguf, blob, as_is=as_is))
        else:
            groups.setdefault(key, []).append((name, gguf, blob))
    return (*single, *(_merged(key, shards) for key, shards in groups.items()))


def check_quantization(layers: Iterable[Weights], quantize: str, draft_quantize: str) -> None:
    """Raise where a wanted quantization is none that Ollama has, cannot be done, or would have to be done here."""
    for layer in layers:
        wish = {MODEL: quantize, DRAFT: draft_quantize}.get(layer.media_type, "")
        have = layer.gguf.file_type
        if layer.media_type == MODEL and not wish and _is_fp8(layer.gguf) and have in _QUANTIZABLE:
            wish = "Q8_0"
        if not wish:
            continue
        if wish not in _QUANTIZATIONS:
            raise UsageError(
                f"unsupported quantization type {wish} - supported types are F32, F16, Q4_K_S, Q4_K_M, Q8_0"
            )
        if have not in _QUANTIZABLE:
            raise UsageError(
                f"quantization is only supported for F16, BF16 and F32 models; {layer.gguf.path.name} is {have}",
                hint="start from the unquantized model, or leave quantize out",
            )
        if have != _QUANTIZATIONS[wish]:
            raise Unsupported(
                f"quantizing {have} to {wish} is not done in a folder",
                hint="start `ollama serve` and create the model there, or quantize the file with llama-quantize first",
            )


def _media_type(name: str, gguf: GGUFFile, role: Role) -> str:
    if role == "draft":
        return DRAFT
    media_type = {"model": MODEL, "adapter": ADAPTER, "projector": PROJECTOR}[gguf.kind]
    if role == "adapter" and media_type == MODEL:
        raise InvalidGGUF(
            f"{name} is no adapter: its general.type does not say so, and Ollama would take it for the model itself",
            hint="name a LoRA in GGUF format (general.type = adapter)",
        )
    return media_type


def _single(name: str, media_type: str, gguf: GGUFFile, blob: SegmentBlob, *, as_is: bool) -> Weights:
    if isinstance(blob, QuantizedGGUF):
        return Weights(media_type, (gguf,), blob, "quantized")  # in canonical order already
    if media_type == MODEL and not as_is and not gguf.has_embedded_parts:
        parts = blob.parts if isinstance(blob, MergedGGUF) else (gguf,)
        return Weights(media_type, (gguf,), _derived("canonical", canonical(*parts), [blob]), "canonical")
    if media_type == PROJECTOR:
        from modelsmith.weights.gguf.arrange.ollama_writer import needs_projector_type, with_projector_type

        if needs_projector_type(gguf):
            segments = with_projector_type(gguf)
            return Weights(media_type, (gguf,), _derived("projector", segments, [blob]), "projector-type")
    return Weights(media_type, (gguf,), blob, source=name)


def _derived(what: str, segments: tuple[Segment, ...], blobs: list[SegmentBlob]) -> SegmentBlob:
    stamps = tuple(stamp for blob in blobs for stamp in blob.stamps)
    variant = "\n".join([what, *(blob.fingerprint for blob in blobs)])
    return SegmentBlob(blobs[0].path, segments, stamps, variant)


def _merged(key: tuple[str, str, int], shards: list[tuple[str, GGUFFile, SegmentBlob]]) -> Weights:
    media_type, _, count = key
    if len(shards) != count:
        raise InvalidGGUF(
            f'split GGUF "{shards[0][0]}" has {len(shards)} shards, expected {count}',
            hint="give all shards: FROM their folder, or one FROM line for each",
        )
    numbers = [_split_number(gguf, "split.no") for _, gguf, _ in shards]
    if sorted(number for number in numbers if number is not None) != list(range(count)):
        raise InvalidGGUF(f'split GGUF "{shards[0][0]}": a shard is there twice and another one is missing')
    ordered = [shard for _, shard in sorted(zip(numbers, shards, strict=True), key=lambda item: item[0] or 0)]
    parts = tuple(gguf for _, gguf, _ in ordered)
    blobs = [blob for _, _, blob in ordered]
    if any(part.has_embedded_parts for part in parts):
        from modelsmith.weights.gguf.arrange.ollama_writer import merged_by_ollama

        return Weights(media_type, parts, _derived("merged", merged_by_ollama(*parts), blobs), "merged")
    return Weights(media_type, parts, _derived("canonical", canonical(*parts), blobs), "canonical")


def _split_group(name: str, gguf: GGUFFile, media_type: str) -> tuple[str, str, int] | None:
    count = _split_number(gguf, "split.count")
    if count is None or count <= 1:
        return None
    match = _SPLIT_NAME.fullmatch(name.rsplit("/", 1)[-1])
    if not match or not int(match["number"]) or not int(match["count"]):
        raise InvalidGGUF(
            f'split GGUF "{name}" must use llama.cpp split filename pattern', hint="name-00001-of-00003.gguf"
        )
    if int(match["count"]) != count:
        raise InvalidGGUF(f'split GGUF "{name}" filename count {match["count"]} does not match metadata count {count}')
    number = _split_number(gguf, "split.no")
    if number is None:
        raise InvalidGGUF(f'split GGUF "{name}" is missing split.no metadata')
    if number != int(match["number"]) - 1:
        index = int(match["number"]) - 1
        raise InvalidGGUF(f'split GGUF "{name}" filename index {index} does not match metadata index {number}')
    return media_type, match["prefix"], count


def _split_number(gguf: GGUFFile, key: str) -> int | None:
    for name in (key, gguf.metadata.of_architecture(key)):
        value = gguf.metadata.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 16:
            return value
    return None


def _check_types(gguf: GGUFFile) -> None:
    for tensor in gguf.tensors:
        if tensor.type.name in _TYPES_OLLAMA_LACKS:
            raise InvalidGGUF(
                f'{gguf.path}: tensor "{tensor.name}" is {tensor.type.name}, which Ollama cannot read',
                hint="take another quantization of the model",
            )


def _is_fp8(gguf: GGUFFile) -> bool:
    metadata = gguf.metadata
    tensors = metadata.get(metadata.of_architecture("source_fp8_tensors"))
    fp8 = metadata.text(metadata.of_architecture("source_quantization")) == "hf_fp8"
    return fp8 and isinstance(tensors, GGUFArray) and len(tensors) > 0
