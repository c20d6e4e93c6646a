"""A LoRA adapter of the Hugging Face Hub: by its header until its numbers are needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.hub.choose import choose_adapter
from modelsmith.hub.reference import HubReference
from modelsmith.models.sources.hub import HubModel, laid_out, snapshot_of, weights_here
from modelsmith.progress import ProgressSink, silent

if TYPE_CHECKING:
    from pathlib import Path

    from modelsmith.models.base import Download


@dataclass(frozen=True, slots=True)
class HubAdapter:
    """Where an adapter lies, or what stands in for it; ``pinned`` names its commit, ``downloads`` are what is not here yet."""

    path: Path
    pinned: str
    downloads: tuple[Download, ...]


def hub_adapter(spec: str, progress: ProgressSink = silent) -> HubAdapter:
    """Find an adapter on the Hub: a folder as PEFT saves it, or a GGUF. Raises UsageError, HubError."""
    reference = HubReference.parse(spec)
    hub, snapshot = snapshot_of(reference)
    found = HubModel(reference, hub, snapshot, choose_adapter(snapshot, reference))
    folder = found.choice.files[0].folder
    if found.choice.kind == "gguf":
        paths, downloads = weights_here(found, found.choice.files, progress)
        return HubAdapter(paths[0], found.pinned, downloads)
    place, downloads = laid_out(found, "adapter", progress)
    pinned = str(HubReference(snapshot.repo, snapshot.commit, folder))
    return HubAdapter(place / folder, pinned, downloads)


def adapter_folder(spec: str, progress: ProgressSink = silent, *, whole: bool) -> Path:
    """Return where an adapter of the Hub lies; ``whole`` downloads its numbers too, else its header is enough."""
    found = hub_adapter(spec, progress)
    if whole and found.downloads:
        for download in found.downloads:
            download.fetch(progress)
        found = hub_adapter(spec, progress)
    return found.path
