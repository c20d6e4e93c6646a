"""Which files of a folder make a model when FROM, ADAPTER or DRAFT names the folder.

Sources: Ollama ``parser/parser.go`` (``filesForModel``, ``fileDigestMap``); Go ``path/filepath`` (``Glob``, ``Match``).
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.errors import ModelfileRefused
from modelsmith.files.reading import READ_ONLY
from modelsmith.patterns import regex
from modelsmith.syntax.modelfile.sniff import SNIFFED_BYTES, content_type

if TYPE_CHECKING:
    from collections.abc import Iterator

NOTHING_FOUND = "no Modelfile or safetensors files found"

_WEIGHTS = (
    ("consolidated*.safetensors", ""),
    ("pytorch_model*.bin", "application/zip"),
    ("consolidated*.pth", "application/zip"),
    ("*.gguf", "application/octet-stream"),
    ("*.bin", "application/octet-stream"),
)


def model_files(folder: str) -> list[str]:
    """Return the files that Ollama takes of a folder, links resolved; raises ModelfileRefused in its words.

    The folder itself is not resolved, so that a folder below a link is refused: Ollama sees its files as outside.
    """
    files = []
    for found in _listed(folder):
        with go_errors("lstat", found):
            real = os.path.realpath(found, strict=True)
        relative = os.path.relpath(real, folder)
        if relative == ".." or relative.startswith("../"):
            more = "\n\nUse --local-dir <dir> when downloading model to disable caching" if ".cache" in relative else ""
            raise ModelfileRefused(
                f"insecure path: {relative}{more}",
                hint=f"{found} is a link out of {folder}; name the folder it points to, or copy the file",
            )
        files.append(real)
    return files


def _listed(folder: str) -> list[str]:
    files = _weights(folder)
    for pattern in ("*.json", "**/*.json", "chat_template.jinja"):
        files += _matches(folder, pattern, "text/plain")
    tokenizer = _attempt(folder, "tokenizer.model", "application/octet-stream")
    return files + (tokenizer or _attempt(folder, "**/tokenizer.model", "text/plain"))


def _weights(folder: str) -> list[str]:
    if found := _attempt(folder, "model*.safetensors", ""):
        return found + _matches(folder, "*/model*.safetensors", "")
    for pattern, kind in _WEIGHTS:
        if found := _attempt(folder, pattern, kind):
            return found
    hint = f"{folder} has no model*.safetensors, consolidated*.safetensors, *.gguf or *.bin that looks like a model"
    raise ModelfileRefused(NOTHING_FOUND, hint=hint)


def _attempt(folder: str, pattern: str, kind: str) -> list[str]:
    """Return the matches if all can be read and are of this kind; none otherwise, without a word."""
    try:
        return _matches(folder, pattern, kind)
    except ModelfileRefused:
        return []


def _matches(folder: str, pattern: str, kind: str) -> list[str]:
    found = _glob(os.path.join(folder, pattern))  # noqa: PTH118 -- Go's patterns are texts, not paths
    for path in found:
        actual = content_type(_start_of(path))
        if kind and actual != kind:
            raise ModelfileRefused(
                f"invalid content type: expected {actual} for {path}",
                hint=f"the file looks like {actual} and should be {kind}; is it complete (no pointer of git-lfs)?",
            )
    return found


@contextmanager
def go_errors(verb: str, path: str, hint: str = "") -> Iterator[None]:
    """Turn an OSError into ModelfileRefused with the sentence that Go prints, e.g. ``open x: permission denied``."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise ModelfileRefused(f"{verb} {path}: {reason[:1].lower()}{reason[1:]}", hint=hint) from error


def _start_of(path: str) -> bytes:
    refuse_special(path)
    with go_errors("open", path):
        descriptor = os.open(path, READ_ONLY)
    try:
        with go_errors("read", path):
            return os.read(descriptor, SNIFFED_BYTES)
    finally:
        os.close(descriptor)


def refuse_special(path: str) -> None:
    """Raise ModelfileRefused for a pipe, a device or a socket: reading one would block or never end."""
    place = Path(path)
    if place.exists() and not place.is_file() and not place.is_dir():
        raise ModelfileRefused(f"{path} is not a regular file", hint="name a file that holds weights")


def _glob(pattern: str) -> list[str]:
    """Return what Go's ``filepath.Glob`` finds: names that start with a dot too, ``**`` is one level, sorted."""
    if not _MAGIC.search(pattern):
        return [pattern] if os.path.lexists(pattern) else []
    folder, _, name = pattern.rpartition("/")
    matcher = _compiled(name)
    if matcher is None:
        return []
    found = []
    for place in _glob(folder) if _MAGIC.search(folder) else [folder]:
        try:
            names = [path.name for path in Path(place or "/").iterdir()]
        except OSError:
            continue
        found += [f"{place}/{name}" for name in sorted(names, key=os.fsencode) if matcher.fullmatch(name)]
    return found


_MAGIC = regex(r"[*?\[\\]")
_PIECE = regex(
    r"(?P<many>\*+)|(?P<one>\?)|\[(?P<not>\^?)(?P<set>(?:\\.|[^\]\\])+)\]|\\?(?P<literal>[^\[\\]|(?<=\\).)", re.DOTALL
)


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """Translate a pattern of Go's ``filepath.Match``; None for a malformed one, which matches nothing here.

    What stands behind a star is found at the first place where it fits, for good: looking for others, as Python does by itself,
    finds no more and takes years where stars are many.
    """
    parts: list[str] = []
    place = 0
    while place < len(pattern):
        match = _PIECE.match(pattern, place)
        if match is None:
            return None
        if match["many"]:
            parts.append("")
        elif match["one"]:
            parts.append(".")
        elif match["set"]:
            inner = re.sub(r"[\^\[&~|]", r"\\\g<0>", match["set"])
            parts.append(f"[{match['not']}{inner}]")
        else:
            parts.append(re.escape(match["literal"]))
        place = match.end()
    first, *behind = _between_stars(parts)
    searched = [f"(?>.*?{part})" for part in behind[:-1]]
    try:
        return re.compile("".join([first, *searched, *(f".*{part}" for part in behind[-1:])]), re.DOTALL)
    except re.error:
        return None


def _between_stars(parts: list[str]) -> list[str]:
    """Join the pieces of a pattern that stand between its stars, each of which is an empty piece."""
    joined = [""]
    for part in parts:
        if part:
            joined[-1] += part
        else:
            joined.append("")
    return joined
