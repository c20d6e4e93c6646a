"""Merging adapters into a folder of Safetensors: another folder with the same files, in which some numbers are others."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.diagnostic import did_you_mean
from modelsmith.errors import InvalidAdapter, InvalidCheckpoint, Unsupported, UsageError
from modelsmith.files.replacing import check_room, sync_folder
from modelsmith.files.segments import CHUNK, FileSlice, read_into
from modelsmith.files.stream import write_all
from modelsmith.files.unfinished import unfinished_folder
from modelsmith.progress import Progress, ProgressSink, silent
from modelsmith.weights.adapters.delta import Delta, deltas_of
from modelsmith.weights.adapters.lora import Lora, LoraPair
from modelsmith.weights.adapters.peft import is_peft, read_peft
from modelsmith.weights.convert.safetensors import SafetensorsFile, all_tensors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from modelsmith.weights.convert.safetensors import StoredTensor

_KEPT = frozenset((".json", ".jinja", ".txt", ".model", ".md", ".tiktoken"))
_LARGEST_KEPT = 64 << 20
_NUMBERS = 1 << 20
_STATUS = "merging"


@dataclass(frozen=True, slots=True)
class MergedFolder:
    """What was made: the folder, how many tensors are others now, and the adapters with their weights."""

    path: Path
    changed: int
    adapters: tuple[tuple[Lora, float], ...]


def merge_into_folder(
    base: Path, adapters: Sequence[tuple[Path, float]], target: Path, progress: ProgressSink = silent
) -> MergedFolder:
    """Merge adapters of PEFT, each with a weight, into the checkpoint in ``base``; the result is the new folder ``target``.

    Tensors keep their types, and are worked on some rows at a time. Raises UsageError where ``target`` exists,
    InvalidCheckpoint, InvalidAdapter or Unsupported; then there is no ``target``.
    """
    if target.exists():
        raise UsageError(f"{target} exists already", hint="name a new folder")
    files = [SafetensorsFile.open(path) for path in _weights(base)]
    tensors = all_tensors(files)
    opened = tuple((_for_folder(path, base, tensors), weight) for path, weight in adapters)
    deltas = deltas_of(opened)
    total = sum(file.stamp.size for file in files)
    if not target.absolute().parent.is_dir():
        raise UsageError(
            f"{target} cannot be written: there is no folder {target.parent}", hint=f"mkdir -p {target.parent}"
        )
    check_room(target.absolute(), total)
    with unfinished_folder(target.absolute()) as unfinished:
        done = 0
        for file in files:
            done = _write(file, unfinished / file.path.name, deltas, progress, done, total)
        for path in sorted(base.iterdir()):
            if path.suffix in _KEPT and path.is_file() and path.stat().st_size <= _LARGEST_KEPT:
                shutil.copyfile(path, unfinished / path.name)
        unfinished.chmod(0o755)
        sync_folder(unfinished)
        unfinished.rename(target)
    return MergedFolder(target, len(deltas), opened)


def _weights(base: Path) -> list[Path]:
    found = sorted(path for path in base.glob("*.safetensors") if not path.name.startswith("adapter_"))
    if not found:
        raise InvalidCheckpoint(f"{base} holds no .safetensors", hint="name the folder of the model, or its GGUF")
    return found


def _for_folder(path: Path, base: Path, tensors: Mapping[str, StoredTensor]) -> Lora:
    """Return an adapter with the names of the checkpoint, checked against its tensors."""
    if not is_peft(path):
        raise UsageError(
            f"{path} is no adapter of PEFT, and only such fit into Safetensors",
            hint="name the folder with adapter_config.json, or merge into a GGUF",
        )
    adapter = read_peft(path)
    pairs = {}
    for module, found in adapter.pairs.items():
        name = f"{module}.weight"
        pair = LoraPair(found.a, found.b, found.scale, looked_up=found.embedding)
        tensor = tensors.get(name)
        if tensor is None:
            raise InvalidAdapter(
                f"{path} changes {name}, and {base} has no such tensor{did_you_mean(name, tensors)}",
                hint=f"this adapter was made for another model: {adapter.base or 'it does not say which'}",
            )
        if tensor.shape != pair.shape:
            raise InvalidAdapter(
                f"{path}: its matrices for {name} make {pair.shape[0]} x {pair.shape[1]} numbers, and the tensor has "
                f"{' x '.join(map(str, tensor.shape))}",
                hint=f"this adapter was made for another model: {adapter.base or 'it does not say which'}",
            )
        if tensor.dtype not in {"F32", "F16", "BF16"}:
            raise Unsupported(
                f"{name} of {base} is {tensor.dtype}: what an adapter adds would be lost in the rounding",
                hint="merge into the F16, BF16 or F32 checkpoint",
            )
        pairs[name] = pair
    return Lora(adapter.path, pairs, adapter.alpha, adapter.base)


def _write(
    file: SafetensorsFile, target: Path, deltas: Mapping[str, Delta], progress: ProgressSink, done: int, total: int
) -> int:
    """Write one file of the checkpoint: the same header, and data of the same sizes."""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        first = min((tensor.place.start for tensor in file.tensors.values()), default=file.stamp.size)
        for chunk in _copied(FileSlice(file.stamp, 0, first)):
            write_all(descriptor, chunk)
        for tensor in file.tensors.values():
            delta = deltas.get(tensor.name)
            for data in _copied(tensor.place) if delta is None else _changed(tensor, delta):
                write_all(descriptor, data)
                done += len(data)
                progress(Progress(_STATUS, "", done, total))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return done


def _copied(place: FileSlice) -> Iterator[memoryview]:
    buffer = memoryview(bytearray(CHUNK))

    def same() -> Iterator[memoryview]:
        while True:
            yield buffer

    return read_into((place,), same())


def _changed(tensor: StoredTensor, delta: Delta) -> Iterator[bytes]:
    rows, columns = tensor.shape
    width = tensor.place.length // max(1, rows)
    step = max(1, _NUMBERS // max(1, columns))
    for first in range(0, rows, step):
        count = min(step, rows - first)
        data = FileSlice(tensor.place.file, tensor.place.start + first * width, count * width).read()
        yield _added(tensor, data, delta, first)


def _added(tensor: StoredTensor, data: bytes, delta: Delta, first: int) -> bytes:
    import numpy as np

    if tensor.dtype == "BF16":
        numbers = (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4")
    else:
        numbers = np.frombuffer(data, "<f2" if tensor.dtype == "F16" else "<f4").astype("<f4")
    delta.add_to(numbers, first)
    with np.errstate(over="ignore"):
        half = numbers.astype("<f2") if tensor.dtype == "F16" else numbers
    if not np.isfinite(half).all():
        raise InvalidAdapter(
            f"{tensor.name} gets numbers that {tensor.dtype} cannot hold",
            hint="the adapter or the model is damaged, or the weight is too large",
        )
    if tensor.dtype != "BF16":
        return bytes(half.tobytes())
    bits = numbers.view("<u4")
    return bytes(((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2").tobytes())
