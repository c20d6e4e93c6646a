"""A repository of the Hugging Face Hub as the start of everything that looks at models.

Until a file is here, one with its header stands in for it: plans, explanations and estimates need no more. What Ollama reads of a
repository beside the GGUF is read too: its files ``template``, ``system`` and ``params``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from modelsmith.errors import HubError, InvalidParameter, Unsupported
from modelsmith.files.cache import cache_folder
from modelsmith.files.replacing import point
from modelsmith.hub.choose import Choice, choose
from modelsmith.hub.client import Hub
from modelsmith.hub.download import download
from modelsmith.hub.header import scan_on_hub, standin, standin_tensors
from modelsmith.hub.reference import HubReference
from modelsmith.manifest import Digest
from modelsmith.models.base import Base, Download
from modelsmith.models.sources import checkpoint
from modelsmith.models.sources import modelfile as modelfiles
from modelsmith.progress import ProgressSink, silent
from modelsmith.syntax.modelfile.modelfile import Modelfile
from modelsmith.weights.blobs.blob import FileBlob

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from modelsmith.hub.snapshot import HubFile, Snapshot
    from modelsmith.store import Store
    from modelsmith.weights.gguf.read.reader import Scan

_LARGEST_TEXT = 1 << 20


@dataclass(frozen=True, slots=True)
class HubModel:
    """What a reference means now: the repository at a commit, and the files chosen of it."""

    reference: HubReference
    hub: Hub
    snapshot: Snapshot
    choice: Choice

    @property
    def pinned(self) -> str:
        """The same reference with the commit in it, and the file where it is one: it means the same for ever."""
        first = self.choice.files[0].path if self.choice.kind in {"gguf", "file"} else ""
        return str(HubReference(self.snapshot.repo, self.snapshot.commit, first))

    @property
    def name(self) -> str:
        """The name that Ollama would give the model."""
        quantization = self.choice.quantization or self.reference.quantization
        return HubReference(self.snapshot.repo, quantization=quantization).ollama_name

    def notes(self) -> Iterator[str]:
        """Yield what a plan should say about where the weights come from."""
        yield f"from the Hub: {self.pinned}"
        if self.choice.note:
            yield self.choice.note
        missing = [file for file in self.choice.everything if self.hub.cached(self.snapshot, file) is None]
        if missing:
            size = sum(file.size for file in missing)
            yield f"to download: {len(missing)} {'file' if len(missing) == 1 else 'files'}, {size:,} bytes"


@cache
def _snapshot(endpoint: str, token: str, offline: bool, repo: str, revision: str) -> tuple[Hub, Snapshot]:
    """Return a repository as it was when it was first asked for: a plan and its carrying out see the same."""
    del endpoint, token, offline
    hub = Hub()
    return hub, hub.snapshot(repo, revision)


def snapshot_of(reference: HubReference) -> tuple[Hub, Snapshot]:
    """Return the repository that a reference names, as it is now; raises HubError."""
    settings = Hub().settings
    return _snapshot(settings.endpoint, settings.token, settings.offline, reference.repo, reference.revision)


def find_on_hub(spec: str) -> HubModel:
    """Ask the Hub what a reference means. Raises UsageError for one that is none, HubError for what is not there."""
    reference = HubReference.parse(spec)
    hub, snapshot = snapshot_of(reference)
    return HubModel(reference, hub, snapshot, choose(snapshot, reference))


def base(spec: str, store: Store, folder: Path) -> Base:
    """Return the base that something of the Hub is: known from its header until the file itself is here."""
    found = find_on_hub(spec)
    if found.choice.kind == "checkpoint":
        place, downloads = hub_checkpoint(found)
        return replace(checkpoint.base_of(spec, place), notes=tuple(found.notes()), downloads=downloads)
    modelfile, downloads = hub_modelfile(found)
    made = modelfiles.base_of(spec, modelfile, folder, store)
    return replace(made, notes=tuple(found.notes()), downloads=downloads)


def forget() -> None:
    """Ask the Hub anew from now on."""
    _snapshot.cache_clear()


def hub_modelfile(found: HubModel, progress: ProgressSink = silent) -> tuple[Modelfile, tuple[Download, ...]]:
    """Return the Modelfile of what was found, and what must be downloaded before its weights can be used."""
    if found.choice.kind != "gguf":
        raise Unsupported(
            f"{found.reference} is {_KINDS[found.choice.kind]}, and a model starts from a GGUF",
            hint=f"download it (modelsmith pull {found.reference} -o FOLDER) and start from the folder",
        )
    files = [*found.choice.files, *([found.choice.projector] if found.choice.projector else [])]
    paths, downloads = weights_here(found, files, progress)
    modelfile = Modelfile.parse("".join(f"FROM {path}\n" for path in paths))
    for side in found.choice.sides:
        modelfile = _with_side(modelfile, found, side)
    return modelfile, downloads


def weights_here(
    found: HubModel, files: Iterable[HubFile], progress: ProgressSink = silent
) -> tuple[list[Path], tuple[Download, ...]]:
    """Return where GGUFs of the Hub lie, each the file or what stands in for it, and what must be downloaded."""
    downloads: list[Download] = []
    paths = []
    for file in files:
        path = found.hub.cached(found.snapshot, file)
        if path is None:
            if found.hub.settings.offline:
                raise HubError(
                    f"{file.path} was not downloaded, and HF_HUB_OFFLINE is set", hint="unset HF_HUB_OFFLINE"
                )
            path = standin(found.hub, found.snapshot, file, progress)
            downloads.append(Download(f"{found.snapshot.repo}/{file.path}", file.size, _fetcher(found, file)))
            if file.sha256:
                FileBlob(path).remember(Digest(file.sha256))
        paths.append(path)
    return paths, tuple(downloads)


def hub_checkpoint(found: HubModel, progress: ProgressSink = silent) -> tuple[Path, tuple[Download, ...]]:
    """Return a folder that holds a checkpoint of the Hub, and what must be downloaded before its numbers can be used."""
    return laid_out(found, "checkpoint", progress)


def laid_out(found: HubModel, kind: str, progress: ProgressSink = silent) -> tuple[Path, tuple[Download, ...]]:
    """Return a folder with the chosen files, and what must be downloaded before their numbers can be used.

    What is here is linked from the Hub's cache, small files are fetched; files of tensors that are not here yet have stand-ins.
    """
    hub, snapshot = found.hub, found.snapshot
    folder = cache_folder() / "hub" / snapshot.repo / snapshot.commit / kind / snapshot.repo.rpartition("/")[2]
    downloads: list[Download] = []
    for file in found.choice.files:
        place = folder / file.path
        place.parent.mkdir(parents=True, exist_ok=True)
        path = hub.cached(snapshot, file)
        if path is None and not file.path.endswith(".safetensors"):
            path = download(hub, snapshot, file, progress)
        if path is not None:
            if not (place.is_symlink() and place.samefile(path)):
                point(place, path.resolve())
            continue
        downloads.append(Download(f"{snapshot.repo}/{file.path}", file.size, _fetcher(found, file)))
        if not (place.is_file() and place.stat().st_size == file.size):
            place.unlink(missing_ok=True)
            standin_tensors(hub, snapshot, file, place, progress)
    return folder, tuple(downloads)


def checkpoint_folder(spec: str, progress: ProgressSink = silent, *, whole: bool) -> Path:
    """Return the folder of a checkpoint on the Hub; ``whole`` downloads its tensors too, else their headers are enough."""
    found = find_on_hub(spec)
    if found.choice.kind != "checkpoint":
        raise Unsupported(
            f"{found.reference} is no folder of Safetensors",
            hint=f"look at a GGUF with modelsmith gguf inspect {spec}, at an adapter with modelsmith pull {spec} -o FOLDER",
        )
    folder, downloads = hub_checkpoint(found, progress)
    if whole and downloads:
        for part in downloads:
            part.fetch(progress)
        folder, _ = hub_checkpoint(found, progress)
    return folder


_KINDS = {"checkpoint": "a folder of Safetensors", "adapter": "a LoRA adapter", "file": "no model"}


def _fetcher(found: HubModel, file: HubFile) -> Any:
    return lambda progress: download(found.hub, found.snapshot, file, progress)


def _with_side(modelfile: Modelfile, found: HubModel, side: HubFile) -> Modelfile:
    """Return the Modelfile with what a file beside the GGUF says, as Ollama gets it from the Hub."""
    if side.size > _LARGEST_TEXT:
        return modelfile
    text = download(found.hub, found.snapshot, side).read_bytes().decode("utf-8", "replace")
    if side.path == "template":
        return modelfile.set_template(text)
    if side.path == "system":
        return modelfile.set_system(text)
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    around = f"tell its owner, or start from the file alone: modelsmith pull {found.reference} -o FOLDER"
    if not isinstance(values, dict):
        raise HubError(f"the file params of {found.snapshot.repo} is no table in JSON", hint=around)
    try:
        for name, value in values.items():
            modelfile = modelfile.set_parameter(str(name), *(value if isinstance(value, list) else [value]))
    except InvalidParameter as error:
        raise HubError(f"the file params of {found.snapshot.repo}: {error.message}", hint=around) from error
    return modelfile


def scan_of(spec: str, progress: ProgressSink = silent) -> tuple[str, Scan, Path | None, int, int]:
    """Return the pinned reference of one GGUF, its header, its path where it is here, bytes and requests that it cost."""
    found = find_on_hub(spec)
    if found.choice.kind != "gguf":
        raise Unsupported(
            f"{found.reference} is {_KINDS[found.choice.kind]}: there is no GGUF to look at",
            hint=f"download it: modelsmith pull {found.reference} -o FOLDER",
        )
    file = found.choice.files[0]
    path = found.hub.cached(found.snapshot, file)
    if path is not None:
        from modelsmith.weights.gguf.read.reader import scan_file

        return found.pinned, scan_file(path), path, 0, 0
    scanned, _, reader = scan_on_hub(found.hub, found.snapshot, file, progress)
    return found.pinned, scanned, None, reader.fetched, reader.requests
