"""Find what somebody asks about, and tell whether it fits: a file, a URL, a model, or a well-known shape."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.errors import ModelNotFound, UsageError
from modelsmith.hub.reference import is_hub
from modelsmith.models.locate import FoundGGUF, find_gguf
from modelsmith.progress import ProgressSink, silent
from modelsmith.weights.fit.extras import Extras, with_adapter, with_draft, with_projector
from modelsmith.weights.fit.known import SHAPES
from modelsmith.weights.fit.model import FitModel
from modelsmith.weights.fit.shapes import known_shape, quantized_model, shape_header, shape_model
from modelsmith.weights.gguf.file import GGUFFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from modelsmith.store import Store
    from modelsmith.weights.fit.settings import FitSettings

QUANTIZATIONS = ("Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0", "F16")
_SHARD = re.compile(r"-(\d{5})-of-(\d{5})\.gguf(?=$|[?#])")
_MANY = 512


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model that was found: its header, and whether only its shape is known."""

    name: str
    parts: tuple[GGUFFile, ...]
    by_shape: bool = False

    def model(self, quantization: str | None = None) -> FitModel:
        """Return it as it is, or as it would be in another quantization, which reads nothing and makes nothing."""
        if self.by_shape:
            return shape_model(self.name, quantization or "")
        return quantized_model(self.parts, self.name, quantization) if quantization else FitModel.of_parts(self.parts)


def find_shape(name: str) -> FoundModel:
    """Return a well-known model by its shape; raises UsageError for one that is not in the table."""
    return FoundModel(name, (shape_header(name, known_shape(name)),), by_shape=True)


def find_model(spec: str, store: Callable[[], Store], progress: ProgressSink = silent) -> FoundModel:
    """Return the model that ``spec`` names: a file, the first of several shards, a URL, a Modelfile or a model's name.

    Raises as ``find_gguf`` does; for a damaged header its first fault.
    """
    try:
        return FoundModel(spec, _parts(spec, store, progress))
    except ModelNotFound as error:
        if spec.lower() in SHAPES:
            error.hint = f"its shape is known: --shape {spec.lower()} answers without it; or {error.hint}"
        raise


def open_header(spec: str, store: Callable[[], Store], progress: ProgressSink = silent) -> GGUFFile:
    """Return the header of one GGUF; raises as ``find_model``."""
    return _header(find_gguf(spec, store, progress=progress))


def _header(found: FoundGGUF) -> GGUFFile:
    if found.scan.header is None:
        raise found.scan.faults[-1].error(found.spec)
    return GGUFFile.of(found.scan.header)


def _parts(spec: str, store: Callable[[], Store], progress: ProgressSink) -> tuple[GGUFFile, ...]:
    return tuple(_header(found) for found in find_shards(spec, store, progress))


def find_shards(spec: str, store: Callable[[], Store], progress: ProgressSink = silent) -> tuple[FoundGGUF, ...]:
    """Return all shards of the model of which ``spec`` names one, in order; one file where it is no shard.

    Raises as ``find_gguf`` does, also for a shard that is not where its name says, and UsageError for a name that does not say it.
    """
    found = find_gguf(spec, store, progress=progress)
    count = found.scan.header.metadata.get("split.count", 1) if found.scan.header is not None else 1
    if not isinstance(count, int) or count <= 1:
        return (found,)
    is_url = spec.startswith(("http://", "https://"))
    place = found.spec if is_hub(found.spec) else spec if is_url else str(found.path)
    match = _SHARD.search(place)
    if match is None or int(match[2]) != count or count > _MANY:
        raise UsageError(
            f"{spec} is one of {count} shards, and its name does not say which",
            hint="shards are called NAME-00001-of-00003.gguf and so on",
        )
    names = [
        f"{place[: match.start()]}-{number:05}-of-{count:05}.gguf{place[match.end() :]}"
        for number in range(1, count + 1)
    ]
    return tuple(find_gguf(name, store, progress=progress) for name in names)


@dataclass(frozen=True, slots=True)
class LoadedBeside:
    """Files that are loaded with a model, as they were named."""

    mmproj: Path | None = None
    adapters: tuple[Path, ...] = ()
    draft: str | None = None

    def extras(self, store: Callable[[], Store]) -> Callable[[FitSettings], Extras]:
        """Open the files, and return what they take as a function of the settings."""
        projector = GGUFFile.open(self.mmproj) if self.mmproj else None
        adapters = [GGUFFile.open(path) for path in self.adapters]
        draft = find_model(self.draft, store).model() if self.draft else None

        def of(settings: FitSettings) -> Extras:
            extras = Extras()
            if projector is not None:
                extras = with_projector(extras, projector, settings)
            for adapter in adapters:
                extras = with_adapter(extras, adapter)
            return with_draft(extras, draft, settings) if draft is not None else extras

        return of
