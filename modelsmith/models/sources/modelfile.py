"""A Modelfile as a base: what it says, over what its FROM brings along."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.errors import (
    InvalidParameter,
    ModelfileRefused,
    ModelNotFound,
    ModelsmithError,
    UnreadableFile,
    Unsupported,
)
from modelsmith.files.binary import binary_reason
from modelsmith.files.paths import anchored
from modelsmith.models.base import Base
from modelsmith.models.inherited import inherited_from, inherited_of
from modelsmith.models.sources.gguf import is_gguf
from modelsmith.name import ModelName
from modelsmith.syntax.modelfile.modelfile import Modelfile

if TYPE_CHECKING:
    from modelsmith.store import Store
    from modelsmith.syntax.modelfile.request import ResolvedRequest


def base(spec: str, store: Store, folder: Path) -> Base:
    """Return the base that a file says; raises ModelfileRefused where Ollama would, BinaryFile for what is no text."""
    from modelsmith.files.text import binary_file

    path = Path(anchored(spec, folder))
    data = read(path)
    modelfile = Modelfile.parse(data)
    if modelfile.as_ollama().error is not None and (reason := binary_reason(data)):
        raise binary_file(spec, reason)
    return base_of(spec, modelfile, path.parent, store)


def base_of(spec: str, modelfile: Modelfile, folder: Path, store: Store, *, lenient: bool = False) -> Base:
    """Return the base that a Modelfile is, whose paths start at ``folder``; ``spec`` is what to call it.

    ``lenient`` goes on where a file beside FROM is not there, and says so in ``Base.absent``.
    """
    reading = modelfile.as_ollama()
    if reading.error is not None:
        raise ModelfileRefused(
            f"{spec}: Ollama refuses this Modelfile: {reading.error.message}",
            line=reading.error.line,
            hint=f"see modelsmith parse {spec}",
        )
    resolved = _resolved(spec, modelfile, folder, lenient=lenient)
    if source := resolved.fields.get("from"):
        name = ModelName.parse(source)
        if not name.is_valid:
            raise ModelfileRefused(
                f"{spec}: FROM {source} is neither an existing file nor the name of a model",
                hint=f"paths are relative to {folder}",
            )
        try:
            model = store.show(name)
        except ModelNotFound as error:
            raise ModelNotFound(
                f"{spec}: FROM {source} is no file in {folder} and no model in {store.location}",
                hint=f"run `ollama pull {source}`, or name an existing file in FROM",
            ) from error
        return Base(spec, modelfile, folder, inherited_from(model), absent=resolved.absent)
    models = [path for path in resolved.files.values() if is_gguf(path)]
    if not models:
        raise Unsupported(
            f"{spec} names {', '.join(sorted(resolved.files)) or 'no weights'}, but no GGUF",
            hint="make a GGUF of Safetensors with `modelsmith import FOLDER -o model.gguf` and name it in FROM, or start from the "
            "name of a model that a running Ollama has made",
        )
    return Base(spec, modelfile, folder, inherited_of(models, modelfile), absent=resolved.absent)


def _resolved(spec: str, modelfile: Modelfile, folder: Path, *, lenient: bool) -> ResolvedRequest:
    try:
        return modelfile.resolve(folder, lenient=lenient)
    except (InvalidParameter, ModelfileRefused) as error:
        raise ModelfileRefused(
            f"{spec}: Ollama refuses this Modelfile: {error.message}",
            hint=error.hint or f"see modelsmith parse {spec}",
        ) from error


def accepted(path: Path) -> Modelfile | None:
    """Return the Modelfile in a file, None where there is none that Ollama would read if the files that it names were there."""
    try:
        if not path.is_file() or is_gguf(path):
            return None
        modelfile = Modelfile.parse(read(path))
        modelfile.resolve(path.parent, lenient=True)
    except (OSError, ModelsmithError):
        return None
    return modelfile if modelfile.as_ollama().error is None else None


def read(path: Path) -> bytes:
    """Return a Modelfile's bytes; raises UnreadableFile, for one that is too large too."""
    from modelsmith.files.text import check_length

    try:
        data = path.read_bytes() if path.stat().st_size <= 16 << 20 else _too_large(path)
    except OSError as error:
        raise UnreadableFile(
            f"{path} cannot be read: {error.strerror or error}", hint=f'check its permissions: ls -l "{path}"'
        ) from error
    check_length(data, str(path), f"see modelsmith parse {path}")
    return data


def _too_large(path: Path) -> bytes:
    raise UnreadableFile(
        f"{path} has {path.stat().st_size:,} bytes and is no GGUF: too large for a Modelfile",
        hint="is it a damaged download? a GGUF starts with the four bytes GGUF",
    )
