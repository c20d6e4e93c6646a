"""Look at what a Modelfile names: files on the disk, models in a store; the values that lint may know.

Source of the order: Ollama ``parser/parser.go`` (a path that exists is a file, everything else is the name of a model).
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.errors import InvalidGGUF, ModelfileRefused, ModelsmithError, UnreadableFile
from modelsmith.lint.surroundings import Model, PathFacts, PathKind, Surroundings
from modelsmith.name import ModelName
from modelsmith.syntax.modelfile.request import expand_path
from modelsmith.template.effective.end_tokens import ENDING_TEXTS, ends_by_itself

if TYPE_CHECKING:
    from modelsmith.store import Store
    from modelsmith.store.model import StoredModel
    from modelsmith.syntax.modelfile.modelfile import Modelfile
    from modelsmith.weights.gguf import GGUFFile

_NAMING = ("FROM", "ADAPTER", "DRAFT")
_LICENSE_KEYS = ("general.license", "general.license.name")
_MOST_ENTRIES = 10_000


def look_around(
    modelfile: Modelfile | None, folder: Path, *, gguf: str | None = None, store: str | None = None, looks: bool = True
) -> Surroundings:
    """Return what is known around a Modelfile in ``folder``.

    ``gguf`` is a file to know as the base model whatever FROM says; ``store`` a folder or URL of models, by default the
    folder that Ollama would use if there is one (no server is asked without being named). With ``looks`` False nothing but
    ``gguf`` is looked at. Raises UnreadableFile or InvalidGGUF for ``gguf``, StoreError for a ``store`` that was named.
    """
    named = model_of_gguf(_open(gguf), gguf) if gguf is not None else None
    if not looks or modelfile is None:
        return Surroundings(model=named)
    paths = {
        instruction.value: look_at(instruction.value, folder)
        for key in _NAMING
        for instruction in modelfile.find(key)
        if instruction.value
    }
    origin = modelfile.from_
    facts = paths.get(origin) if origin else None
    models = _store(store)
    if named is None and facts is not None and facts.kind is not PathKind.MISSING:
        named = facts.model
    elif named is None and origin and models is not None:
        named = _stored(origin, models)
    stored = frozenset(name.short for name in models.models()) if models is not None else None
    return Surroundings(paths, named, stored)


def look_at(argument: str, folder: Path) -> PathFacts:
    """Return what a path that FROM, ADAPTER or DRAFT names leads to, relative to ``folder``; never raises."""
    try:
        path = Path(expand_path(argument, os.fspath(folder)))
        status = path.stat()
    except ModelfileRefused as error:
        return PathFacts(argument, PathKind.UNREADABLE, problem=error.message, hint=error.hint)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return PathFacts(argument, PathKind.MISSING)
    except OSError as error:
        return PathFacts(
            argument, PathKind.UNREADABLE, problem=error.strerror or str(error), hint="check its permissions"
        )
    is_link = path.is_symlink()
    leaves = is_link and not path.resolve().is_relative_to(folder.resolve())
    if stat.S_ISDIR(status.st_mode):
        return PathFacts(
            os.fspath(path), PathKind.FOLDER, entries=_entries(path), is_link=is_link, leaves_folder=leaves
        )
    if not stat.S_ISREG(status.st_mode):
        return PathFacts(os.fspath(path), PathKind.SPECIAL, is_link=is_link, leaves_folder=leaves)
    return _file(path, status.st_size, is_link, leaves)


def _entries(path: Path) -> tuple[str, ...]:
    try:
        names = sorted(entry.name for entry in path.iterdir())
    except OSError:
        return ()
    return tuple(names[:_MOST_ENTRIES])


def _file(path: Path, size: int, is_link: bool, leaves: bool) -> PathFacts:
    place = os.fspath(path)
    try:
        file = _open(place)
    except InvalidGGUF as error:
        return PathFacts(place, PathKind.FILE, size, _format(path), error.message, error.hint, (), is_link, leaves)
    except UnreadableFile as error:
        return PathFacts(place, PathKind.UNREADABLE, size, "", error.message, error.hint, (), is_link, leaves)
    role = "vocabulary" if file.kind == "model" and not file.tensors else file.kind
    model = model_of_gguf(file, path.name)
    return PathFacts(place, PathKind.FILE, size, "gguf", "", "", (), is_link, leaves, role, model)


def _format(path: Path) -> str:
    """Name the format of a file that is no sound GGUF by its first bytes."""
    with path.open("rb") as file:
        head = file.read(16)
    if head.startswith(b"GGUF"):
        return "gguf"
    is_safetensors = head[8:9] == b"{" and path.suffix == ".safetensors"
    return "safetensors" if is_safetensors else "pytorch" if head.startswith((b"PK\3\4", b"\x80\2")) else "unknown"


def _open(path: str) -> GGUFFile:
    from modelsmith.weights.gguf import GGUFFile

    return GGUFFile.open(path)


def model_of_gguf(file: GGUFFile, name: str | None = None) -> Model:
    """Return what the header of a GGUF says of the model."""
    from modelsmith.weights.gguf.tokens.ends import text_ends
    from modelsmith.weights.gguf.tokens.vocabulary import Vocabulary

    metadata = file.metadata

    def number(key: str) -> int:
        value = metadata.get(metadata.of_architecture(key))
        return value if isinstance(value, int) else 0

    special = {role: token.text for role, token in file.special_tokens.items()}
    vocabulary = Vocabulary.of(file)
    ends = [special[role] for role in ("eos", "eot", "eom") if special.get(role)]
    if vocabulary is not None:
        known = frozenset(text for text in ENDING_TEXTS if vocabulary.id_of(text) is not None)
        ends += sorted(text for text in known if ends_by_itself(text, known))
    around = text_ends(file)
    width = 0
    if file.kind == "projector":
        from modelsmith.weights.gguf.pair import projected_width

        width = projected_width(file)
    return Model(
        name=name or file.path.name,
        architecture=file.architecture,
        context_length=number("context_length"),
        embedding_length=number("embedding_length"),
        chat_template=file.chat_template,
        bos=around["bos_token"],
        eos=special.get("eos", ""),
        eot=special.get("eot", ""),
        adds_bos=around["add_bos"],
        end_tokens=tuple(dict.fromkeys(ends)),
        vocabulary=vocabulary,
        license=next((text for key in _LICENSE_KEYS if (text := metadata.text(key))), ""),
        is_embedding=metadata.of_architecture("pooling_type") in metadata,
        is_decision=metadata.of_architecture("decision.type") in metadata,
        projection_width=width,
    )


def model_of_stored(model: StoredModel) -> Model:
    """Return what a store says of a model, with its weights' header where it can be read here."""
    from dataclasses import replace

    base = Model(model.name.short)
    if model.weights is not None:
        try:
            base = model_of_gguf(_open(os.fspath(model.weights)), model.name.short)
        except ModelsmithError:
            base = Model(model.name.short)
    values = {
        key: tuple(map(str, value)) if isinstance(value, list) else (str(value),)
        for key, value in model.parameters.items()
    }
    return replace(
        base,
        architecture=base.architecture or model.family,
        chat_template=model.chat_template,
        capabilities=model.capabilities,
        is_decision=base.is_decision or "decision" in model.capabilities,
        is_stored=True,
        template=model.template or "",
        system=model.system,
        renderer=model.renderer,
        parser=model.parser,
        parameters=values,
        licenses=model.licenses,
    )


def _store(where: str | None) -> Store | None:
    """Return the store that was named, else the folder that Ollama would use, else None.

    OLLAMA_HOST may name another server: no folder is looked at in its place, and the server is not asked. Raises StoreError or
    ServerError where ``where`` cannot be used; what MODELSMITH_STORE names and cannot be used is done without.
    """
    from modelsmith.store.environment import variable
    from modelsmith.store.open import named_server, open_existing_store

    if where is not None:
        return open_existing_store(where)
    if variable("MODELSMITH_STORE"):
        try:
            return open_existing_store()
        except ModelsmithError:
            return None
    if named_server():
        return None
    folder = Path(variable("OLLAMA_MODELS") or Path.home() / ".ollama" / "models")
    if not (folder / "manifests").is_dir():
        return None
    from modelsmith.store.local.local import LocalStore

    return LocalStore(folder)


def _stored(name: str, store: Store) -> Model | None:
    try:
        return model_of_stored(store.show(ModelName.strict(name)))
    except ModelsmithError:
        return None
