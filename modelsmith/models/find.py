"""Where a model comes from: one row of a table for each kind of source, and one rule for a FROM that is not here."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from modelsmith.errors import (
    ModelfileRefused,
    ModelNotFound,
    ServerError,
    Unsupported,
    UsageError,
    system_errors,
)
from modelsmith.files.paths import anchored
from modelsmith.hub.reference import is_hub
from modelsmith.models.base import Base, Inherited
from modelsmith.name import ModelName

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.store import Store
    from modelsmith.syntax.modelfile.modelfile import Modelfile


class Source(Protocol):
    """What a module of ``models/sources`` is."""

    @staticmethod
    def base(spec: str, store: Store, folder: Path) -> Base:
        """Return the base that a text names, which is of this kind; relative paths start at ``folder``."""


class Row(NamedTuple):
    """A kind of source: its module in ``models/sources``, and whether a text (and the path that it would be) is of this kind."""

    module: str
    claims: Callable[[str, Path], bool]

    def source(self) -> Source:
        """Import it."""
        return cast("Source", import_module(f"modelsmith.models.sources.{self.module}"))


def _is_folder(spec: str, path: Path) -> bool:
    return path.is_dir() and ((path / "config.json").is_file() or not ModelName.parse(spec).is_valid)


def _is_gguf(_spec: str, path: Path) -> bool:
    from modelsmith.models.sources.gguf import is_gguf

    return path.is_file() and is_gguf(path)


SOURCES = (
    Row("sample", lambda spec, _path: spec.startswith("sample:")),
    Row("hub", lambda spec, _path: is_hub(spec)),
    Row("oci", lambda spec, _path: spec.startswith("oci://")),
    Row("checkpoint", _is_folder),
    Row("gguf", _is_gguf),
    Row("modelfile", lambda _spec, path: path.is_file()),
    Row("stored", lambda _spec, _path: True),
)
"""The kinds of sources; the first that claims a text has it."""


@system_errors()
def resolve_base(spec: str, store: Store, folder: Path) -> Base:
    """Find what ``spec`` names: ``sample:NAME``, ``hf://…``, ``oci://…``, an existing file or folder, else a model of the store.

    A name of the Hub as Ollama writes it (``hf.co/org/repo:Q4_K_M``) that is no model of the store is asked for there.

    Raises UsageError for a name or file that cannot be one, ModelNotFound with what was tried.
    """
    if not spec:
        raise UsageError("an empty text names no model", hint="name a model, a .gguf or a Modelfile")
    path = Path(anchored(spec, folder))
    row = next(row for row in SOURCES if row.claims(spec, path))
    return row.source().base(spec, store, folder)


def find_base(
    spec: str, store: Store, folder: Path, *, alone: Callable[[Modelfile], bool] = lambda _modelfile: True
) -> Base:
    """Find what ``spec`` names; of a Modelfile what is here, where FROM or another file is not (``Base.missing``, ``Base.absent``).

    ``alone`` says whether a Modelfile is enough by itself. Raises what ``resolve_base`` raises for everything else.
    """
    from modelsmith.models.sources.modelfile import accepted, base_of

    try:
        return resolve_base(spec, store, folder)
    except (ModelNotFound, ServerError, ModelfileRefused, Unsupported) as error:
        path = Path(anchored(spec, folder))
        modelfile = None if spec.startswith("sample:") else accepted(path)
        if modelfile is None:
            raise
        absent = modelfile.resolve(path.parent, lenient=True).absent
        message = error.message
        if absent:
            try:
                return base_of(spec, modelfile, path.parent, store, lenient=True)
            except (ModelNotFound, ServerError, ModelfileRefused, Unsupported) as found:
                message = found.message
        if not alone(modelfile):
            raise
        return Base(spec, modelfile, path.parent, Inherited(), message, absent)
