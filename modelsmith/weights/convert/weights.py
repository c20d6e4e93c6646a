"""Weights where they lie: a GGUF, or a folder of Safetensors as the GGUF that it makes."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.files.regular import stat_regular
from modelsmith.files.segments import FileStamp
from modelsmith.weights.gguf.file import GGUFFile

if TYPE_CHECKING:
    import os

    from modelsmith.weights.convert.model import ConvertedModel
    from modelsmith.weights.quantize.wishes import Wishes


def is_checkpoint(path: Path) -> bool:
    """Say whether a path is a folder that holds a model for Transformers."""
    return path.is_dir() and (path / "config.json").is_file()


def open_weights(path: str | os.PathLike[str]) -> GGUFFile:
    """Open a GGUF, or a folder of Safetensors as the GGUF that it makes; raises what each of them raises."""
    folder = Path(path)
    return _converted(folder, stamps_of(folder), None) if is_checkpoint(folder) else GGUFFile.open(folder)


def weights_for(path: str | os.PathLike[str], wishes: Wishes) -> tuple[tuple[GGUFFile, ...], Wishes]:
    """Open what shall be quantized (all shards of a split GGUF); return it with what is left to wish for.

    A checkpoint is read in the floats that are asked for, so that nothing is left to change.
    """
    from modelsmith.weights.convert.convert import wishes_for
    from modelsmith.weights.convert.model import has_fp8
    from modelsmith.weights.quantize.mixes import FLOATS, MIXES
    from modelsmith.weights.quantize.quantize import open_parts

    folder = Path(path)
    if not is_checkpoint(folder):
        return open_parts(folder), wishes
    floats = wishes.mix.name if wishes.mix.name in FLOATS else None
    if wishes.mix.type is None and has_fp8(folder):
        floats = "BF16"
    model = _converted(folder, stamps_of(folder), floats)
    return (model,), wishes_for(model, wishes if floats is None else replace(wishes, mix=MIXES["COPY"]))


def stamps_of(folder: Path) -> tuple[FileStamp, ...]:
    """Return the files that a conversion depends on, in the state in which they are."""
    from modelsmith.weights.convert.checkpoint import Checkpoint

    paths = [path for path in Checkpoint.open(folder).files() if path.exists()]
    return tuple(FileStamp.of(path, stat_regular(path)) for path in paths)


@lru_cache(maxsize=4)
def _converted(folder: Path, stamps: tuple[FileStamp, ...], floats: str | None) -> ConvertedModel:
    from modelsmith.weights.convert.model import open_checkpoint

    del stamps  # a changed file makes another key
    return open_checkpoint(folder, floats)
