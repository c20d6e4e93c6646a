"""Find the GGUF that somebody names: a file, a URL, a model, a Modelfile or a built-in sample."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.errors import Unsupported
from modelsmith.hub.reference import is_hub
from modelsmith.progress import ProgressSink, silent
from modelsmith.weights.gguf.read.reader import Scan, scan_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.store import Store

_MAGICS = (b"GGUF", b"FUGG")


@dataclass(frozen=True, slots=True)
class FoundGGUF:
    """A header that was read. ``path`` is None for a file on a server, of which ``fetched`` bytes were fetched."""

    spec: str
    scan: Scan
    path: Path | None
    fetched: int = 0
    requests: int = 0


def find_gguf(
    spec: str, store: Callable[[], Store], folder: Path | None = None, progress: ProgressSink = silent
) -> FoundGGUF:
    """Read the header of what ``spec`` names; ``store`` is asked only where a model's name needs it.

    Raises UsageError, UnreadableFile, ModelNotFound, ServerError; what is wrong with the file is in the scan.
    """
    if is_hub(spec) and "/resolve/" not in spec:
        from modelsmith.models.sources.hub import scan_of

        pinned, scan, here, fetched, requests = scan_of(spec, progress)
        return FoundGGUF(pinned, scan, here, fetched, requests)
    if spec.startswith(("http://", "https://")):
        return _on_a_server(spec, progress)
    path = locate_gguf(spec, store, folder)
    return FoundGGUF(spec, scan_file(path), path)


def locate_gguf(spec: str, store: Callable[[], Store], folder: Path | None = None) -> Path:
    """Return where the file lies that ``spec`` names: a path as it is, the weights of a model or of a Modelfile."""
    if is_hub(spec):
        return _from_hub(spec)
    folder = folder or Path()
    path = folder / Path(spec).expanduser()
    looks_like_a_file = spec.startswith((".", "/", "~")) or path.suffix.lower() == ".gguf"
    if not spec.startswith("sample:") and (looks_like_a_file or path.is_file()) and not _is_modelfile(path):
        return path
    from modelsmith.models.find import resolve_base

    weights = resolve_base(spec, store(), folder).inherited.weights
    if weights is None:
        raise Unsupported(
            f"the weights of {spec} cannot be read here",
            hint="name the folder of the store with --store, or the .gguf itself",
        )
    return weights


def _from_hub(spec: str) -> Path:
    from modelsmith.models.sources.hub import find_on_hub

    found = find_on_hub(spec)
    path = found.hub.cached(found.snapshot, found.choice.files[0])
    if path is None:
        raise Unsupported(f"{found.pinned} is not here yet", hint=f"download it first: modelsmith pull {spec} -o .")
    return path


def _is_modelfile(path: Path) -> bool:
    if "modelfile" not in path.name.lower() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) not in _MAGICS


def _on_a_server(url: str, progress: ProgressSink) -> FoundGGUF:
    from modelsmith.http.ranges import WebFile
    from modelsmith.weights.gguf.read.remote import scan_remote

    file = WebFile(url)
    try:
        found, _ = scan_remote(file, progress)
    finally:
        file.close()
    return FoundGGUF(file.name, found, None, file.fetched, file.requests)
