"""A model of a store as a base."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.diagnostic import did_you_mean
from modelsmith.errors import ModelNotFound, StoreError, UnreadableFile
from modelsmith.files.paths import anchored
from modelsmith.hub.reference import is_hub_name
from modelsmith.models.base import Base
from modelsmith.models.inherited import inherited_from
from modelsmith.name import ModelName
from modelsmith.syntax.modelfile.modelfile import Modelfile

if TYPE_CHECKING:
    from modelsmith.store import Store


def base(spec: str, store: Store, folder: Path) -> Base:
    """Return a model by its name; one as Ollama names those of the Hub that is not here is asked for there."""
    path = Path(anchored(spec, folder))
    is_address = spec.startswith(("http://", "https://"))  # of a file; an Ollama's name may begin like this, too
    if not is_address and (path.suffix.lower() in {".gguf", ".modelfile"} or spec.startswith((".", "/", "~"))):
        raise UnreadableFile(
            f'"{spec}" does not exist', hint=f"looked for {path}; give an existing file or a model's name"
        )
    name = ModelName.strict(spec)
    try:
        model = store.show(name)
    except ModelNotFound as error:
        if is_hub_name(spec):
            from modelsmith.models.sources import hub

            return hub.base(spec, store, folder)
        raise _missing(spec, path, store) from error
    return Base(spec, Modelfile.parse(f"FROM {name.short}\n"), folder, inherited_from(model))


def _missing(spec: str, path: Path, store: Store) -> ModelNotFound:
    """Say what was tried when a base is not there, and how to go on, with and without a model at hand."""
    try:
        known = [name.short for name in store.models()]
    except StoreError:
        known = []
    if path.is_dir():
        tried, hint = f"{path} is a folder", "name the .gguf or the Modelfile in it"
    else:
        tried, hint = "no such file", f"run `ollama pull {spec}`"
    return ModelNotFound(
        f'"{spec}" was not found: {tried}, and there is no such model in {store.location}{did_you_mean(spec, known)}',
        hint=f"{hint}, name another model, .gguf or Modelfile, or try it at once with sample:deepseek-r1",
    )
