"""The header of a GGUF on the Hub, and a stand-in for the file: everything but the tensors' numbers can be known from it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from modelsmith.errors import InvalidGGUF, ServerError, UnreadableFile
from modelsmith.files.cache import cache_folder, make_folder_of
from modelsmith.files.replacing import replacing
from modelsmith.http.ranges import WebFile
from modelsmith.hub.failures import hub_errors
from modelsmith.progress import ProgressSink, silent
from modelsmith.weights.convert.safetensors import SafetensorsFile
from modelsmith.weights.gguf.file import GGUFFile
from modelsmith.weights.gguf.read.reader import scan
from modelsmith.weights.gguf.read.remote import RemoteSource

if TYPE_CHECKING:
    from pathlib import Path

    from modelsmith.hub.client import Hub
    from modelsmith.hub.snapshot import HubFile, Snapshot
    from modelsmith.weights.gguf.read.reader import Scan


def scan_on_hub(
    hub: Hub, snapshot: Snapshot, file: HubFile, progress: ProgressSink = silent
) -> tuple[Scan, RemoteSource, WebFile]:
    """Read the header of a file, and nothing behind it; raises HubError where the Hub refuses."""
    reader = _reader(hub, snapshot, file)
    try:
        source = RemoteSource(reader, progress)
        return scan(source), source, reader
    except ServerError as error:
        _ask_why(hub, snapshot, file)
        raise error from None
    finally:
        reader.close()


def standin(hub: Hub, snapshot: Snapshot, file: HubFile, progress: ProgressSink = silent) -> Path:
    """Return a file with the name, the size and the header of one on the Hub, whose tensors are a hole.

    It takes no room, and serves to plan with until the file itself is there. Raises HubError, InvalidGGUF.
    """
    path = cache_folder() / "hub" / snapshot.repo / snapshot.commit / file.path
    if _is_whole(path, file.size):
        return path
    found, source, _ = scan_on_hub(hub, snapshot, file, progress)
    for fault in found.faults:
        raise fault.error(f"{file.path} of {snapshot.repo}")
    make_folder_of(path)
    with replacing(path, keeps=False) as (descriptor, _):
        os.write(descriptor, source.read(0, 0, source.fetched))
        os.ftruncate(descriptor, file.size)
    return path


def standin_tensors(hub: Hub, snapshot: Snapshot, file: HubFile, place: Path, progress: ProgressSink = silent) -> None:
    """Let ``place`` stand in for a file of Safetensors: its header and its size, and a hole instead of numbers.

    Raises HubError, InvalidCheckpoint.
    """
    reader = _reader(hub, snapshot, file)
    try:
        source = RemoteSource(reader, progress)
        SafetensorsFile.read(source)
    except ServerError as error:
        _ask_why(hub, snapshot, file)
        raise error from None
    finally:
        reader.close()
    with replacing(place, keeps=False) as (descriptor, _):
        os.write(descriptor, source.read(0, 0, source.fetched))
        os.ftruncate(descriptor, file.size)


def _reader(hub: Hub, snapshot: Snapshot, file: HubFile) -> WebFile:
    known = {"HF_ENDPOINT": hub.settings.endpoint, "HF_TOKEN": hub.settings.token}
    return WebFile(hub.url(snapshot, file), environment=known)


def _ask_why(hub: Hub, snapshot: Snapshot, file: HubFile) -> None:
    """Let the Hub's own client find out why it refuses a file: gated, private, gone."""
    from huggingface_hub.file_download import get_hf_file_metadata

    settings = hub.settings
    with hub_errors(settings, snapshot.repo, file.path):
        get_hf_file_metadata(hub.url(snapshot, file), token=settings.token or False, endpoint=settings.endpoint)


def _is_whole(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size and bool(GGUFFile.open(path).tensors)
    except (OSError, InvalidGGUF, UnreadableFile):
        return False
