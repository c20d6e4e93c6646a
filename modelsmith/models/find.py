"""Find what a text names: a model of a store, a GGUF, a Modelfile, or the built-in sample."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.diagnostic import did_you_mean
from modelsmith.errors import (
    InvalidParameter,
    ModelfileRefused,
    ModelNotFound,
    ModelsmithError,
    ServerError,
    StoreError,
    UnreadableFile,
    Unsupported,
    UsageError,
    system_errors,
)
from modelsmith.files.paths import anchored
from modelsmith.hub.reference import is_hub, is_hub_name
from modelsmith.models.base import Base, Inherited, brought_along
from modelsmith.name import ModelName
from modelsmith.syntax.modelfile.modelfile import Modelfile

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.store import Store
    from modelsmith.store.model import StoredModel
    from modelsmith.syntax.modelfile.request import ResolvedRequest
    from modelsmith.weights.gguf import GGUFFile


@system_errors()
def resolve_base(spec: str, store: Store, folder: Path) -> Base:
    """Find what ``spec`` names: ``sample:NAME``, ``hf://…``, an existing file, else a model of the store.

    A name of the Hub as Ollama writes it (``hf.co/org/repo:Q4_K_M``) that is no model of the store is asked for there.

    Raises UsageError for a name or file that cannot be one, ModelNotFound with what was tried.
    """
    if spec.startswith("sample:"):
        from modelsmith.models.sources.sample import sample_modelfile

        return _from_modelfile(spec, sample_modelfile(spec.removeprefix("sample:")), folder, store)
    if is_hub(spec):
        return _from_hub(spec, folder, store)
    if not spec:
        raise UsageError("an empty text names no model", hint="name a model, a .gguf or a Modelfile")
    path = Path(anchored(spec, folder))
    if path.is_dir() and ((path / "config.json").is_file() or not ModelName.parse(spec).is_valid):
        return _from_checkpoint(spec, path)
    if path.is_file():
        if _is_gguf(path):
            return _from_modelfile(spec, Modelfile.parse(f"FROM {path}\n"), path.parent, store)
        return _from_modelfile(spec, Modelfile.parse(_read(path)), path.parent, store)
    if path.suffix.lower() in {".gguf", ".modelfile"} or spec.startswith((".", "/", "~")):
        raise UnreadableFile(
            f'"{spec}" does not exist', hint=f"looked for {path}; give an existing file or a model's name"
        )
    name = ModelName.strict(spec)
    try:
        model = store.show(name)
    except ModelNotFound as error:
        if is_hub_name(spec):
            return _from_hub(spec, folder, store)
        raise _missing(spec, path, store) from error
    return Base(spec, Modelfile.parse(f"FROM {name.short}\n"), folder, _from_store(model))


def _from_checkpoint(spec: str, folder: Path) -> Base:
    """Return what Ollama makes of the GGUF that a folder of Safetensors becomes."""
    from modelsmith.weights.convert.weights import is_checkpoint, open_weights

    if not is_checkpoint(folder):
        raise Unsupported(f'"{spec}" is a folder without a config.json', hint="name the .gguf or the Modelfile in it")
    gguf = open_weights(folder)
    modelfile = Modelfile.parse(f"FROM {folder}\n")
    found = Inherited(
        chat_template=gguf.chat_template,
        family=gguf.architecture,
        architecture=gguf.architecture,
        weights=folder,
        bos_token=_token(gguf, "bos"),
        eos_token=_token(gguf, "eos"),
        imported=True,
        checkpoint=True,
    )
    return Base(spec, modelfile, folder.parent, brought_along(found, modelfile, gguf.chat_template))


def find_base(
    spec: str, store: Store, folder: Path, *, alone: Callable[[Modelfile], bool] = lambda _modelfile: True
) -> Base:
    """Find what ``spec`` names, or a Modelfile alone whose FROM is not here; ``Base.missing`` says so.

    ``alone`` says whether a Modelfile is enough by itself. Raises what ``resolve_base`` raises for everything else.
    """
    try:
        return resolve_base(spec, store, folder)
    except (ModelNotFound, ServerError, ModelfileRefused, Unsupported) as error:
        path = Path(anchored(spec, folder))
        modelfile = None if spec.startswith("sample:") else _accepted(path)
        if modelfile is None or not alone(modelfile):
            raise
        return Base(spec, modelfile, path.parent, Inherited(), error.message)


def _accepted(path: Path) -> Modelfile | None:
    """Return the Modelfile in a file, None where there is none that Ollama would read."""
    try:
        if not path.is_file() or _is_gguf(path):
            return None
        modelfile = Modelfile.parse(_read(path))
        modelfile.resolve(path.parent)
    except (OSError, ModelsmithError):
        return None
    return modelfile if modelfile.as_ollama().error is None else None


def _from_hub(spec: str, folder: Path, store: Store) -> Base:
    from modelsmith.models.sources.hub import find_on_hub, hub_checkpoint, hub_modelfile

    found = find_on_hub(spec)
    if found.choice.kind == "checkpoint":
        checkpoint, downloads = hub_checkpoint(found)
        return replace(_from_checkpoint(spec, checkpoint), notes=tuple(found.notes()), downloads=downloads)
    modelfile, downloads = hub_modelfile(found)
    base = _from_modelfile(spec, modelfile, folder, store)
    return replace(base, notes=tuple(found.notes()), downloads=downloads)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.stat().st_size <= 16 << 20 else _too_large(path)
    except OSError as error:
        raise UnreadableFile(
            f"{path} cannot be read: {error.strerror or error}", hint=f'check its permissions: ls -l "{path}"'
        ) from error


def _too_large(path: Path) -> bytes:
    raise UnreadableFile(
        f"{path} has {path.stat().st_size:,} bytes and is no GGUF: too large for a Modelfile",
        hint="is it a damaged download? a GGUF starts with the four bytes GGUF",
    )


def _is_gguf(path: Path) -> bool:
    if path.suffix.lower() == ".gguf":
        return True
    try:
        with path.open("rb") as file:
            return file.read(4) == b"GGUF"
    except OSError as error:
        raise UnreadableFile(
            f"{path} cannot be read: {error.strerror or error}", hint=f'check its permissions: ls -l "{path}"'
        ) from error


def _from_modelfile(spec: str, modelfile: Modelfile, folder: Path, store: Store) -> Base:
    reading = modelfile.as_ollama()
    if reading.error is not None:
        raise ModelfileRefused(
            f"{spec}: Ollama refuses this Modelfile: {reading.error.message}",
            line=reading.error.line,
            hint=f"see modelsmith parse {spec}",
        )
    resolved = _resolved(spec, modelfile, folder)
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
        return Base(spec, modelfile, folder, _from_store(model))
    models = [path for path in resolved.files.values() if _is_gguf(path)]
    if not models:
        raise Unsupported(
            f"{spec} names {', '.join(sorted(resolved.files)) or 'no weights'}, but no GGUF",
            hint="convert Safetensors to a GGUF first, or create the model with a running Ollama and start from its name",
        )
    return Base(spec, modelfile, folder, _from_gguf(models, modelfile))


def _resolved(spec: str, modelfile: Modelfile, folder: Path) -> ResolvedRequest:
    try:
        return modelfile.resolve(folder)
    except (InvalidParameter, ModelfileRefused) as error:
        raise ModelfileRefused(
            f"{spec}: Ollama refuses this Modelfile: {error.message}",
            hint=error.hint or f"see modelsmith parse {spec}",
        ) from error


def _from_store(model: StoredModel) -> Inherited:
    from modelsmith.weights.gguf import GGUFFile

    bos_token = eos_token = ""
    architecture = "" if model.chat_template_known else model.family
    if model.weights is not None:
        with GGUFFile.open(model.weights) as gguf:
            bos_token, eos_token = _token(gguf, "bos"), _token(gguf, "eos")
            architecture = gguf.architecture
    return Inherited(
        template=model.template,
        chat_template=model.chat_template,
        chat_template_known=model.chat_template_known,
        said=model.said,
        system=model.system,
        parameters=model.parameters,
        messages=model.messages,
        licenses=model.licenses,
        noted=model.noted,
        family=model.family,
        architecture=architecture,
        weights=model.weights,
        digest=model.digest,
        stored=True,
        extra_layers=model.extra_layers,
        format=model.format,
        bos_token=bos_token,
        eos_token=eos_token,
    )


def _token(gguf: GGUFFile, kind: str) -> str:
    token = gguf.special_tokens.get(kind)
    return token.text if token else ""


def gguf_inherited(path: Path) -> Inherited | None:
    """Return what is in a GGUF for a model that is made FROM it; None for a projector or an adapter."""
    from modelsmith.weights.gguf import GGUFFile

    with GGUFFile.open(path) as gguf:
        if gguf.kind != "model":
            return None
        return Inherited(
            chat_template=gguf.chat_template,
            family=gguf.architecture,
            architecture=gguf.architecture,
            weights=path,
            bos_token=_token(gguf, "bos"),
            eos_token=_token(gguf, "eos"),
            imported=True,
        )


def _from_gguf(paths: list[Path], modelfile: Modelfile) -> Inherited:
    """Return what Ollama makes of GGUF files: of the model among them."""
    for path in paths:
        if (found := gguf_inherited(path)) is not None:
            return brought_along(found, modelfile, found.chat_template)
    raise ModelsmithError(
        f"{', '.join(path.name for path in paths)}: no text model among these GGUFs",
        hint="projectors and adapters need a model to go with",
    )


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
