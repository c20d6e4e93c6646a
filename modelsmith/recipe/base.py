"""Where a recipe starts: a model's name, a ``.gguf``, a Modelfile, or the built-in sample.

A Base holds what the new model would inherit if nothing were changed, by Ollama's rules for FROM
(server/create.go): the layers of a named model, or what Ollama detects in a GGUF.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelsmith.diagnostic import did_you_mean
from modelsmith.errors import (
    InvalidParameter,
    ModelfileRefused,
    ModelNotFound,
    ModelsmithError,
    StoreError,
    Unsupported,
    UsageError,
    system_errors,
)
from modelsmith.name import ModelName
from modelsmith.recipe.inputs import anchored
from modelsmith.syntax.modelfile import Modelfile
from modelsmith.template.imported import Imported, imported

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.store import Store
    from modelsmith.store.model import StoredModel
    from modelsmith.syntax.request import ResolvedRequest
    from modelsmith.weights.gguf import GGUFFile


@dataclass(frozen=True, slots=True)
class Inherited:
    """What FROM brings along, before the Modelfile's own instructions.

    ``template`` is None where FROM brings no template layer; ``detected`` names the built-in one that Ollama picked.
    ``architecture`` is the GGUF's, "" where there is none or it is not known; ``family`` what Ollama notes of it.
    ``weights`` is the GGUF's path where it can be read here, ``bos_token`` and ``eos_token`` the texts of its tokens,
    ``extra_layers`` the kinds of further weights, such as projectors. ``stored`` says that FROM names a model of a store,
    ``imported`` that it names a GGUF; both are False for a template that stands alone.
    """

    template: str | None = None
    detected: str = ""
    chat_template: str | None = None
    chat_template_known: bool = True
    system: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    messages: tuple[Mapping[str, Any], ...] = ()
    licenses: tuple[str, ...] = ()
    renderer: str = ""
    parser: str = ""
    requires: str = ""
    family: str = ""
    architecture: str = ""
    weights: Path | None = None
    digest: str = ""
    bos_token: str = ""
    eos_token: str = ""
    stored: bool = False
    imported: bool = False
    extra_layers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Base:
    """The start of a recipe: a Modelfile, the folder its paths are relative to, and what its FROM brings along."""

    spec: str
    modelfile: Modelfile
    folder: Path
    inherited: Inherited


@system_errors()
def resolve_base(spec: str, store: Store, folder: Path) -> Base:
    """Find what ``spec`` names: ``sample:NAME``, an existing file, else a model of the store.

    Raises UsageError for a name or file that cannot be one, ModelNotFound with what was tried.
    """
    if spec.startswith("sample:"):
        from modelsmith.recipe.sample import sample_modelfile

        return _from_modelfile(spec, sample_modelfile(spec.removeprefix("sample:")), folder, store)
    if not spec:
        raise UsageError("the base has an empty name", hint="name a model, a .gguf or a Modelfile")
    path = Path(anchored(spec, folder))
    if path.is_dir() and not ModelName.parse(spec).is_valid:
        raise Unsupported(
            f'base "{spec}" is a folder',
            hint="name the .gguf or the Modelfile in it; folders of Safetensors need Ollama",
        )
    if path.is_file():
        if _is_gguf(path):
            return _from_modelfile(spec, Modelfile.parse(f"FROM {path}\n"), path.parent, store)
        return _from_modelfile(spec, Modelfile.parse(_read(path)), path.parent, store)
    if path.suffix.lower() in {".gguf", ".modelfile"} or spec.startswith((".", "/", "~")):
        raise UsageError(
            f'base "{spec}" does not exist', hint=f"looked for {path}; give an existing file or a model's name"
        )
    name = ModelName.strict(spec)
    try:
        model = store.show(name)
    except ModelNotFound as error:
        raise _missing(spec, path, store) from error
    return Base(spec, Modelfile.parse(f"FROM {name.short}\n"), folder, _from_store(model))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.stat().st_size <= 16 << 20 else _too_large(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error


def _too_large(path: Path) -> bytes:
    raise UsageError(
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
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error


def _from_modelfile(spec: str, modelfile: Modelfile, folder: Path, store: Store) -> Base:
    reading = modelfile.as_ollama()
    if reading.error is not None:
        raise ModelfileRefused(
            f'base "{spec}": Ollama refuses this Modelfile: {reading.error.message}',
            line=reading.error.line,
            hint=f"see modelsmith parse {spec}",
        )
    resolved = _resolved(spec, modelfile, folder)
    if source := resolved.fields.get("from"):
        name = ModelName.parse(source)
        if not name.is_valid:
            raise ModelfileRefused(
                f'base "{spec}": FROM {source} is neither an existing file nor the name of a model',
                hint=f"paths are relative to {folder}",
            )
        try:
            model = store.show(name)
        except ModelNotFound as error:
            raise ModelNotFound(
                f'base "{spec}": FROM {source} is no file in {folder} and no model in {store.location}',
                hint=f"run `ollama pull {source}`, or name an existing file in FROM",
            ) from error
        return Base(spec, modelfile, folder, _from_store(model))
    models = [path for path in resolved.files.values() if _is_gguf(path)]
    if not models:
        raise Unsupported(
            f'base "{spec}" names {", ".join(sorted(resolved.files)) or "no weights"}, but no GGUF',
            hint="convert Safetensors to a GGUF first, or create the model with a running Ollama and start from its name",
        )
    return Base(spec, modelfile, folder, _from_gguf(models, modelfile))


def _resolved(spec: str, modelfile: Modelfile, folder: Path) -> ResolvedRequest:
    try:
        return modelfile.resolve(folder)
    except (InvalidParameter, ModelfileRefused) as error:
        raise ModelfileRefused(
            f'base "{spec}": Ollama refuses this Modelfile: {error.message}',
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
        system=model.system,
        parameters=model.parameters,
        messages=model.messages,
        licenses=model.licenses,
        renderer=model.renderer,
        parser=model.parser,
        requires=model.requires,
        family=model.family,
        architecture=architecture,
        weights=model.weights,
        digest=model.digest,
        stored=True,
        extra_layers=model.extra_layers,
        bos_token=bos_token,
        eos_token=eos_token,
    )


def _token(gguf: GGUFFile, kind: str) -> str:
    token = gguf.special_tokens.get(kind)
    return token.text if token else ""


def _from_gguf(paths: list[Path], modelfile: Modelfile) -> Inherited:
    """Return what Ollama makes of GGUF files: of the model among them."""
    from modelsmith.weights.gguf import GGUFFile

    for path in paths:
        with GGUFFile.open(path) as gguf:
            if gguf.kind != "model":
                continue
            found = Inherited(
                chat_template=gguf.chat_template,
                family=gguf.architecture,
                architecture=gguf.architecture,
                weights=path,
                bos_token=_token(gguf, "bos"),
                eos_token=_token(gguf, "eos"),
                imported=True,
            )
            return brought_along(found, modelfile, gguf.chat_template)
    raise ModelsmithError(
        f"{', '.join(path.name for path in paths)}: no text model among these GGUFs",
        hint="projectors and adapters need a model to go with",
    )


def brought_along(
    inherited: Inherited, modelfile: Modelfile, chat_template: str | None, *, rewritten: bool = False
) -> Inherited:
    """Return what comes along when this Modelfile is created and the GGUF has this Jinja template then.

    Of a stored model everything comes along, and what its architecture adds. It is ``rewritten`` where its weights become
    a new file, which the model is made of with all that came along written out.
    """
    if not (inherited.stored or inherited.imported):
        return replace(inherited, chat_template=chat_template)
    renderer, parser = (inherited.renderer, inherited.parser) if inherited.stored else ("", "")
    brought = _imported(
        inherited.architecture,
        chat_template if inherited.imported or rewritten else None,
        modelfile.renderer or renderer,
        modelfile.parser or parser,
    )
    kept = inherited.stored and inherited.template is not None
    if inherited.imported or rewritten:
        parameters = {**brought.parameters, **(inherited.parameters if inherited.stored else {})}
    else:
        parameters = {**inherited.parameters, **brought.parameters}
    return replace(
        inherited,
        chat_template=chat_template,
        template=inherited.template if kept else brought.template,
        detected=brought.named.name if brought.named and not kept else "",
        parameters=parameters,
        renderer=brought.renderer,
        parser=brought.parser,
    )


@lru_cache(maxsize=32)
def _imported(architecture: str, chat_template: str | None, renderer: str, parser: str) -> Imported:
    return imported(architecture, chat_template, renderer=renderer, parser=parser)


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
        f'base "{spec}" was not found: {tried}, and there is no such model in {store.location}{did_you_mean(spec, known)}',
        hint=f"{hint}, name another model, .gguf or Modelfile, or try it at once with sample:deepseek-r1",
    )
