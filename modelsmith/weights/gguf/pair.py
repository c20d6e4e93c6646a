"""Projectors and the text models they belong to: recognised by their metadata, paired by architecture and width.

Sources: llama.cpp ``tools/mtmd/clip-impl.h`` (keys), ``tools/mtmd/clip.cpp`` (clip_n_mmproj_embd: the last matrix of the
projector has as many rows as the text model's embeddings are wide, as often as it feeds deeper layers), ``conversion/*.py``
(which text models a projector of a type is made beside), ``src/llama-hparams.cpp`` (n_embd_inp); Ollama ``server/create.go`` (a projector has its own FROM).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelsmith.errors import ModelsmithError, UsageError
from modelsmith.patterns import regex
from modelsmith.records import dataclass
from modelsmith.weights.gguf.file import GGUFFile

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

_WIDTH_KEYS = ("clip.vision.projection_dim", "clip.audio.projection_dim")
# The type of a projector: its last tensor, and which of its dimensions (the fastest first) is the text model's width.
_OUTPUTS: dict[str, tuple[str, int]] = {
    "adapter": ("adapter.linear.dense_4h_to_h.weight", 1),
    "cogvlm": ("mm.down.weight", 1),
    "gemma3": ("mm.input_projection.weight", 0),
    "gemma3nv": ("mm.input_projection.weight", 0),
    "gemma4v": ("mm.input_projection.weight", 1),
    "glm4v": ("mm.down.weight", 1),
    "idefics3": ("mm.model.fc.weight", 1),
    "internvl": ("mm.model.mlp.3.weight", 1),
    "ldp": ("mm.model.mb_block.1.block.2.1.bias", 0),
    "ldpv2": ("mm.model.peg.0.bias", 0),
    "llama4": ("mm.model.fc.weight", 1),
    "qwen2.5vl_merger": ("mm.2.bias", 0),
    "qwen2a": ("mm.a.fc.weight", 1),
    "qwen2vl_merger": ("mm.2.bias", 0),
    "qwen3vl_merger": ("mm.2.bias", 0),
    "resampler": ("resampler.proj.weight", 0),
    "ultravox": ("mm.a.mlp.2.weight", 1),
    "voxtral": ("mm.a.mlp.2.weight", 1),
}
# The types that are made for some architectures only; others (mlp, pixtral, internvl …) go with many.
_FAMILIES: dict[str, frozenset[str]] = {
    "cogvlm": frozenset(("cogvlm",)),
    "gemma3": frozenset(("gemma3",)),
    "gemma3na": frozenset(("gemma3n",)),
    "gemma3nv": frozenset(("gemma3n",)),
    "gemma4a": frozenset(("gemma4",)),
    "gemma4ua": frozenset(("gemma4",)),
    "gemma4uv": frozenset(("gemma4",)),
    "gemma4v": frozenset(("gemma4",)),
    "llama4": frozenset(("llama4",)),
    "qwen2.5vl_merger": frozenset(("qwen25vl", "qwen2vl")),
    "qwen2vl_merger": frozenset(("qwen2vl",)),
    "qwen3vl_merger": frozenset(("qwen35", "qwen35moe", "qwen3vl", "qwen3vlmoe")),
}
_OTHERS = (("mm.2.weight", 1), ("mm.2.bias", 0), ("mm.model.fc.weight", 1), ("mm.model.mlp.3.weight", 1))
_WORDS = regex(r"[a-z]+|\d+(?:\.\d+)*b?")
_NOISE = frozenset(("mmproj", "model", "gguf", "f16", "f32", "bf16", "q", "k", "m", "s", "of", "instruct", "it"))
_DEEPER = regex(r"v\.deepstack\.\d{1,4}\.fc2\.weight")
_SHARD = re.compile(r"-(\d{5})-of-\d{5}$")
_MANY = 4096


@dataclass(frozen=True, slots=True)
class Projector:
    """A file that turns pictures (or sound) into embeddings of a text model of ``width``; 0 where it does not say.

    ``deeper`` is how many layers of the text model it feeds besides the first.
    """

    path: Path
    kind: str
    width: int
    vision: bool
    audio: bool
    deeper: int = 0

    def refuses(self, model: TextModel) -> str:
        """Return why this projector does not go with a model, "" where it does."""
        if self.width != model.width or not self.width:
            return f"{model.architecture} is {model.width} wide"
        family = _FAMILIES.get(self.kind)
        if family is not None and model.architecture not in family:
            return f"{self.kind} is made for {' and '.join(sorted(family))}, not for {model.architecture}"
        if self.deeper != model.deeper and self.deeper:
            return f"it feeds {self.deeper} layers besides the first, {model.architecture} takes {model.deeper}"
        return ""


@dataclass(frozen=True, slots=True)
class TextModel:
    """A file that such embeddings can be given to; ``deeper`` as in Projector."""

    path: Path
    architecture: str
    width: int
    deeper: int = 0


@dataclass(frozen=True, slots=True)
class Pair:
    """Two files that fit by width. ``certain``: no other file would do as well."""

    model: TextModel
    projector: Projector
    certain: bool

    def from_lines(self, folder: Path | None = None) -> tuple[str, str]:
        """Return the FROM lines of a Modelfile in ``folder`` (default: the model's own)."""
        base = folder or self.model.path.parent
        return f"FROM {_from(self.model.path, base)}", f"FROM {_from(self.projector.path, base)}"


@dataclass(frozen=True, slots=True)
class Pairing:
    """What was found: pairs, projectors that fit no model, and files that could not be read (with the reason)."""

    pairs: tuple[Pair, ...]
    models: tuple[TextModel, ...]
    alone: tuple[Projector, ...]
    unreadable: tuple[tuple[Path, str], ...] = ()


def projector_of(gguf: GGUFFile) -> Projector | None:
    """Return the projector that a file is, None for other files."""
    if gguf.kind != "projector":
        return None
    metadata = gguf.metadata
    kind = metadata.text("clip.projector_type") or metadata.text("clip.vision.projector_type")
    return Projector(
        gguf.path,
        kind or "unknown",
        projected_width(gguf),
        vision=metadata.flag("clip.has_vision_encoder") or bool(metadata.uint("clip.vision.block_count")),
        audio=metadata.flag("clip.has_audio_encoder") or bool(metadata.uint("clip.audio.block_count")),
        deeper=sum(bool(_DEEPER.fullmatch(tensor.name)) for tensor in gguf.tensors),
    )


def projected_width(gguf: GGUFFile) -> int:
    """Return how wide the embeddings are that a projector makes: by its last tensor, else by its metadata, else 0.

    The tensor goes first, as in llama.cpp: in LLaVA's files ``projection_dim`` is another width. What a projector hands to
    deeper layers besides (deepstack) is as wide again, and not counted.
    """
    shapes = {tensor.name: tensor.dims for tensor in gguf.tensors}
    metadata = gguf.metadata
    kind = metadata.text("clip.projector_type") or metadata.text("clip.vision.projector_type")
    for name, side in (_OUTPUTS.get(kind, _OTHERS[0]), *_OTHERS):
        dims = shapes.get(name, ())
        if len(dims) > side:
            return dims[side]
    return next((metadata.uint(key) for key in _WIDTH_KEYS if metadata.uint(key)), 0)


def text_model_of(gguf: GGUFFile) -> TextModel | None:
    """Return the text model that a file is, None for other files and for later shards of one."""
    shard = _SHARD.search(gguf.path.stem)
    if gguf.kind != "model" or (shard and int(shard[1]) != 1):
        return None
    width: Any = gguf.metadata.get(gguf.metadata.of_architecture("embedding_length"), 0)
    if not isinstance(width, int) or not 0 < width <= 1 << 20:
        return None
    deeper = gguf.metadata.uint(gguf.metadata.of_architecture("n_deepstack_layers"))
    return TextModel(gguf.path, gguf.architecture, width, deeper)


def pair(
    models: Sequence[TextModel], projectors: Sequence[Projector], unreadable: Sequence[tuple[Path, str]] = ()
) -> Pairing:
    """Give each projector the model of its kind and width; among several the one whose name is most alike."""
    pairs, alone = [], []
    for projector in projectors:
        fitting = [model for model in models if not projector.refuses(model)]
        if not fitting:
            alone.append(projector)
            continue
        ranked = sorted(fitting, key=lambda model: (-_alike(model.path, projector.path), str(model.path)))
        best = _alike(ranked[0].path, projector.path)
        equal = sum(_alike(model.path, projector.path) == best for model in ranked)
        pairs.append(Pair(ranked[0], projector, certain=equal == 1))
    return Pairing(tuple(pairs), tuple(models), tuple(alone), tuple(unreadable))


def pair_files(paths: Iterable[str | os.PathLike[str]]) -> Pairing:
    """Look at files, and at all ``.gguf`` of folders, and pair what belongs together. Reads headers only.

    Raises UsageError where there are none; files that cannot be read are named in the answer.
    """
    models: list[TextModel] = []
    projectors: list[Projector] = []
    unreadable: list[tuple[Path, str]] = []
    files = list(dict.fromkeys(_files(paths)))
    if not files:
        raise UsageError(
            "there is no .gguf among what was named", hint="name a folder with a model and its mmproj file, or both"
        )
    for path in files[:_MANY]:
        try:
            gguf = GGUFFile.open(path)
        except ModelsmithError as error:
            unreadable.append((path, error.message))
            continue
        if projector := projector_of(gguf):
            projectors.append(projector)
        elif model := text_model_of(gguf):
            models.append(model)
    return pair(models, projectors, unreadable)


def _files(paths: Iterable[str | os.PathLike[str]]) -> list[Path]:
    found: list[Path] = []
    for path in map(Path, paths):
        found += sorted(path.glob("*.gguf")) if path.is_dir() else [path]
    return found


def _alike(model: Path, projector: Path) -> int:
    return len(_words(model) & _words(projector)) + 2 * (model.parent == projector.parent)


def _words(path: Path) -> set[str]:
    return set(_WORDS.findall(path.stem.lower())) - _NOISE


def _from(path: Path, folder: Path) -> str:
    try:
        return f"./{path.resolve().relative_to(folder.resolve()).as_posix()}"
    except ValueError:
        return str(path.resolve())
