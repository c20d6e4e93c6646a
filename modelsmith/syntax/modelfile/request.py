"""What a Modelfile asks Ollama for: the body of ``POST /api/create``, with the files it names.

The one place of the syntax layer that looks at the disk. Sources: Ollama ``parser/parser.go`` (``CreateRequest``,
``expandPath``, ``fileDigestMap``), ``cmd/cmd.go`` (``createRequestFileNames``).
"""

from __future__ import annotations

import math
import os
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelsmith.errors import InvalidParameter, ModelfileRefused
from modelsmith.files.paths import looks_like_path
from modelsmith.files.users import home_of
from modelsmith.parameters import DEPRECATED, Value, typed_parameters
from modelsmith.records import dataclass
from modelsmith.syntax.modelfile.folder import go_errors, model_files, refuse_special
from modelsmith.syntax.modelfile.table import NOTED, required_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from os import PathLike

    from modelsmith.syntax.modelfile.reading import OllamaReading

_ORDER = (
    "model", "from", "files", "draft_files", "adapters", "template", "license", "system", "parameters", "messages",
    *NOTED, "name",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ResolvedRequest:
    """A create request with paths where the body has digests; names are those that Ollama sends.

    ``fields`` are the keys of the body but ``files``, ``draft_files`` and ``adapters``; ``model`` and ``name`` are "".
    ``ignored`` are deprecated parameters, of which ``ollama create`` warns. ``absent`` are the instructions whose file is not
    there, such as ``ADAPTER ./x.gguf``, where that was no reason to stop.
    """

    fields: dict[str, Any]
    files: dict[str, Path] = field(default_factory=dict)
    draft_files: dict[str, Path] = field(default_factory=dict)
    adapters: dict[str, Path] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    def to_body(self) -> dict[str, Any]:
        """Return the JSON body in Ollama's order of keys; every file is read once, in small pieces."""
        hashed = {
            "files": _hashed(self.files),
            "draft_files": _hashed(self.draft_files),
            "adapters": _hashed(self.adapters),
        }
        body = self.fields | {key: value for key, value in hashed.items() if value}
        return {key: body[key] for key in _ORDER if key in body}


def resolve(reading: OllamaReading, folder: str | PathLike[str], *, lenient: bool = False) -> ResolvedRequest:
    """Resolve what Ollama read; relative paths start at ``folder``. ``lenient`` goes on where a file beside FROM is not there.

    Raises ModelfileRefused or InvalidParameter with Ollama's words where ``ollama create`` would stop.
    """
    if reading.error is not None or reading.commands is None:
        error = reading.error
        raise ModelfileRefused(str(error), line=error.line if error else None)
    base = os.path.abspath(folder)  # noqa: PTH100 -- Path.resolve would follow links, which Ollama does not
    draft = _Draft(base, lenient=lenient)
    for name, args in reading.commands:
        draft.take(name, args)
    return draft.finished()


class _Draft:
    """Collects one request, command by command, in the order in which Ollama fails."""

    def __init__(self, base: str, *, lenient: bool) -> None:
        self.base = base
        self.lenient = lenient
        self.absent: list[str] = []
        self.fields: dict[str, Any] = {}
        self.paths: dict[str, list[str]] = {"model": [], "draft": []}
        self.files: dict[str, list[str]] = {"model": [], "draft": [], "adapter": []}
        self.parameters: dict[str, Value] = {}
        self.ignored: list[str] = []

    def take(self, name: str, args: str) -> None:
        match name:
            case "model" | "draft":
                self._local(name, args)
            case "adapter":
                self._adapter(args)
            case "template" | "system":
                self.fields[name] = args
            case "license":
                self.fields.setdefault("license", []).append(args)
            case "message":
                role, _, content = args.partition(": ")
                self.fields.setdefault("messages", []).append({"role": role, "content": content})
            case "requires":
                version = required_version(args)
                if version is None:
                    hint = f'REQUIRES "{args}" is none; it names the oldest Ollama that works, without >= or spaces'
                    raise ModelfileRefused("requires must be a valid semver (e.g. 0.14.0)", hint=hint)
                self.fields["requires"] = version
            case _ if name in NOTED:
                self.fields[name] = args
            case _:
                self._parameter(name, args)

    def _adapter(self, args: str) -> None:
        try:
            self.files["adapter"] = _files_at(expand_path(args, self.base))
        except ModelfileRefused as error:
            if not self._goes_on(error):
                raise
            self.absent.append(f"ADAPTER {args}")

    def _goes_on(self, error: ModelfileRefused) -> bool:
        return self.lenient and isinstance(error.__cause__, FileNotFoundError)

    def _local(self, name: str, args: str) -> None:
        path = expand_path(args, self.base)
        try:
            files = _files_at(path)
        except ModelfileRefused as error:
            if name == "model" and isinstance(error.__cause__, FileNotFoundError):
                self.fields["from"] = args
                return
            if name == "draft" and self._goes_on(error):
                self.absent.append(f"DRAFT {args}")
                return
            raise
        others = self.paths["draft" if name == "model" else "model"]
        if any(os.path.realpath(path) == os.path.realpath(other) for other in others):
            raise ModelfileRefused(
                f"DRAFT must not reference the same local path as FROM: {path}",
                hint="a draft model is a smaller model of the same family",
            )
        self.paths[name].append(path)
        self.files[name] += files

    def _parameter(self, name: str, args: str) -> None:
        if name in DEPRECATED:
            self.ignored.append(name)
            return
        (value,) = typed_parameters({name: [args]}).values()
        before = self.parameters.get(name)
        if isinstance(before, list) and isinstance(value, list):
            before.extend(value)  # in place: thousands of stop texts are not copied for each of them
        else:
            self.parameters[name] = value

    def finished(self) -> ResolvedRequest:
        for name, value in sorted(self.parameters.items()):
            if isinstance(value, float) and not math.isfinite(value):
                word = "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
                raise InvalidParameter(f"json: unsupported value: {word}", hint=f"{name} must be a finite number")
        if self.lenient and self.files["model"] and looks_like_path(self.fields.get("from", "")):
            self.absent.append(f"FROM {self.fields.pop('from')}")  # a projector beside the model's own file
        fields = {key: value for key, value in self.fields.items() if value} | {"model": "", "name": ""}
        if self.parameters:
            fields["parameters"] = dict(sorted(self.parameters.items()))
        return ResolvedRequest(
            {key: fields[key] for key in _ORDER if key in fields},
            files=named_files(self.files["model"]),
            draft_files=named_files(self.files["draft"]),
            adapters=named_files(self.files["adapter"]),
            ignored=tuple(dict.fromkeys(self.ignored)),
            absent=tuple(self.absent),
        )


def expand_path(text: str, base: str) -> str:
    """Return the absolute path that Ollama makes of an argument; raises ModelfileRefused for an unknown ``~user``."""
    if text.startswith(("/", "\\")):
        return _clean(text)
    if not text.startswith("~"):
        return _clean(f"{base}/{text}")
    user, _, rest = text[1:].partition("/")
    return _clean(f"{_home(user)}/{rest}")


def _home(user: str) -> str:
    home = home_of(user)
    if home is None:
        raise ModelfileRefused(
            f"failed to find user '{user}': user: unknown user {user}",
            hint=f'a path that starts with ~ names a home directory; write "./~{user}" for a file of this name',
        )
    return home


def _clean(path: str) -> str:
    absolute = os.path.normpath(path if path.startswith("/") else f"{Path.cwd()}/{path}")
    return "/" + absolute.lstrip("/")


def _files_at(path: str) -> list[str]:
    with go_errors("stat", path, "name a file or a folder; relative paths start where the Modelfile is"):
        is_folder = Path(path).stat().st_mode & 0o170000 == 0o040000
    if is_folder:
        return model_files(path)
    refuse_special(path)
    return [path]


def named_files(paths: Iterable[str]) -> dict[str, Path]:
    """Give each file the name that Ollama sends: its own if it is alone, else its path below the common folder."""
    unique = sorted(dict.fromkeys(paths))
    if len(unique) == 1:
        return {Path(unique[0]).name: Path(unique[0])}
    root = os.path.commonpath([os.path.dirname(path) for path in unique]) if unique else ""  # noqa: PTH120
    return {os.path.relpath(path, root): Path(path) for path in unique}


def _hashed(files: Mapping[str, Path]) -> dict[str, str]:
    import hashlib

    digests = {}
    for name, path in files.items():
        with go_errors("open", str(path)), path.open("rb") as file:
            digests[name] = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    return digests
