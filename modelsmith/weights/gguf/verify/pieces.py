"""Whether a file is one piece of something: a shard of llama.cpp's, a part that was cut by bytes, or several files in one.

Shards are GGUFs of their own and are merged; parts cut by bytes are joined with ``cat``. To mix the two up destroys files.
Source: llama.cpp ``tools/gguf-split`` (names and keys of shards).
"""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from modelsmith.diagnostic import Severity
from modelsmith.weights.gguf.read.fault import Fault
from modelsmith.weights.gguf.types import MAGIC, padding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.gguf.metadata import Metadata
    from modelsmith.weights.gguf.read.fault import Faults

SHARD = re.compile(r"(?P<prefix>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf$")
# What `split`, upload scripts and download managers call the parts of a file that they cut by bytes.
_PART = re.compile(
    r"(?P<stem>.+?)(?:[._-](?:part|split|piece|chunk)[._-]?(?P<a>[a-z]{1,2}|\d{1,4})(?:[._-]?of[._-]?\d{1,4})?"
    r"|\.(?P<b>\d{2,3}|[a-z]{2})|_(?P<c>\d{4}))(?:\.gguf)?$",
    re.IGNORECASE,
)
_UNFINISHED = (".part", ".partial", ".crdownload", ".download", ".incomplete", ".aria2", ".tmp", "-partial")
_MOST = 1000


class _Part(NamedTuple):
    number: str
    path: Path


def explain_pieces(faults: Iterable[Fault], path: Path, metadata: Metadata | None) -> Iterator[Fault]:
    """Yield the faults, with a better way out where the file is a piece; and those of a shard that is not complete."""
    parts = _parts(path)
    for fault in faults:
        if fault.code not in {"truncated", "header-cut", "not-a-gguf"}:
            yield fault
        elif len(parts) > 1 and (fault.code != "not-a-gguf" or "not in GGUF format" in fault.message):
            names = " ".join(shlex.quote(part.path.name) for part in parts)
            stem = shlex.quote(f"{_stem(path)}.gguf".replace(".gguf.gguf", ".gguf"))
            hint = f"join them: cat {names} > {stem}, or modelsmith gguf merge --raw {shlex.quote(parts[0].path.name)} -o {stem}"
            first = "the first" if parts[0].path == path else "a later"
            message = f"{fault.message}; by its name it is {first} piece of a file that was cut by bytes"
            yield replace(fault, code="byte-split", message=message, hint=hint)
        elif parts and (fault.code != "not-a-gguf" or "not in GGUF format" in fault.message):
            message = f"{fault.message}; by its name it may be a piece of a file that was cut by bytes"
            hint = "fetch the other pieces into this folder and join them in order: cat PIECE… > FILE; one alone is no model"
            yield replace(fault, code="byte-split", message=message, hint=hint)
        elif path.name.lower().endswith(_UNFINISHED):
            yield replace(fault, message=f"{fault.message}; by its name the download is not finished")
        else:
            yield fault
    if metadata is not None:
        yield from _shard_faults(path, metadata)


def _stem(path: Path) -> str:
    match = _PART.match(path.name)
    return match["stem"] if match else path.stem


def _parts(path: Path) -> list[_Part]:
    """Return the parts of the same file that lie beside this one, in order; nothing where the name is none of a part."""
    match = _PART.match(path.name)
    if match is None or SHARD.match(path.name):
        return []
    found = []
    for name in _names(path.parent):
        other = _PART.match(name)
        if other and other["stem"] == match["stem"] and not SHARD.match(name):
            number = other["a"] or other["b"] or other["c"]
            found.append(_Part(number.zfill(8) if number.isdigit() else number, path.parent / name))
    return sorted(found)


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry, _ in zip(entries, range(_MOST), strict=False) if entry.is_file())
    except OSError:
        return []


def _shard_faults(path: Path, metadata: Metadata) -> Iterator[Fault]:
    count, number = metadata.get("split.count"), metadata.get("split.no")
    match = SHARD.match(path.name)
    if not isinstance(count, int) or count <= 1:
        if match and int(match["count"]) > 1:
            message = f"its name says shard {int(match['number'])} of {int(match['count'])}, its metadata says nothing"
            hint = "llama.cpp will not load it as a shard; rename it, or split the model again"
            yield Fault("shard-keys", message, None, "", hint, Severity.WARNING)
        return
    at = metadata.entry("split.count").value_at
    if match is None:
        message = f"it is one of {count} shards, but its name does not say which"
        hint = f"name it NAME-{(number if isinstance(number, int) else 0) + 1:05d}-of-{count:05d}.gguf"
        yield Fault("shard-name", message, at, "", hint, Severity.WARNING)
        return
    if int(match["count"]) != count or int(match["number"]) - 1 != number:
        message = f"its name says shard {int(match['number'])} of {int(match['count'])}, its metadata {number} (from 0) of {count}"
        yield Fault("shard-name", message, at, "the same", "give it the name that it had at first")
        return
    names = set(_names(path.parent))
    wanted = [f"{match['prefix']}-{index + 1:05d}-of-{count:05d}.gguf" for index in range(min(count, _MOST))]
    if missing := [name for name in wanted if name not in names]:
        message = (
            f"it is shard {number + 1} of {count}; {len(missing)} of the others are not beside it, such as {missing[0]}"
        )
        hint = "fetch all shards into one folder; join them with `modelsmith gguf merge`, never with cat"
        yield Fault("missing-shard", message, None, "", hint)


def check_tail(gguf: GGUFFile, faults: Faults) -> None:
    """Note what stands behind the last tensor: another GGUF (shards that were joined by cat), or anything else."""
    end = max((tensor.offset + tensor.nbytes for tensor in gguf.tensors), default=0)
    padded = end + padding(end, gguf.alignment)
    if not gguf.tensors or gguf.data_offset + padded >= gguf.size:
        return
    from modelsmith.files.segments import FileSlice

    for start in (gguf.data_offset + end, gguf.data_offset + padded):
        if start + 4 <= gguf.size and FileSlice(gguf.stamp, start, 4).read() == MAGIC:
            message = "behind the last tensor another GGUF begins: shards were joined with cat, which makes no model"
            hint = (
                f"fetch the shards again, or cut them apart (the first has {start} bytes), then `modelsmith gguf merge`"
            )
            faults.add("joined-shards", message, start, "the end of the file", hint)
            return
    start = gguf.data_offset + end
    message = f"{gguf.size - start} bytes stand behind the last tensor"
    hint = "nothing reads them; if the download was resumed at a wrong place, fetch the file again"
    faults.note(Fault("trailing-data", message, start, "the end of the file", hint, Severity.WARNING))
