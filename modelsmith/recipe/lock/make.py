"""From a plan to what a lock says of it: the recipe, the tools, the base as a plan needs it, and the result."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelsmith.about import __version__
from modelsmith.errors import ModelsmithError, UsageError
from modelsmith.files.paths import looks_like_path
from modelsmith.hub.reference import HubReference, is_hub
from modelsmith.manifest import ADAPTER, DRAFT, MODEL, PROJECTOR
from modelsmith.masking import looks_secret
from modelsmith.name import ModelName
from modelsmith.progress import ProgressSink, silent
from modelsmith.recipe.lock.composed import remembered, result_of, served_layout
from modelsmith.recipe.lock.format import (
    LockedBase,
    LockedFile,
    LockedLayer,
    LockedModel,
    LockedSource,
    LockedStored,
)
from modelsmith.recipe.read.bundled import is_path
from modelsmith.source import Edit
from modelsmith.store.local.local import LocalStore
from modelsmith.store.local.show import read_base
from modelsmith.syntax.modelfile.table import NOTED
from modelsmith.versions import resolve
from modelsmith.weights.adapters.spec import weighted
from modelsmith.weights.blobs.blob import FileBlob
from modelsmith.weights.gguf.file import GGUFFile
from modelsmith.weights.gguf.outline import outline

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from modelsmith.models.base import Base
    from modelsmith.recipe.plan.plan import Plan
    from modelsmith.recipe.read.load import RecipeFile
    from modelsmith.recipe.read.nodes import RecipeSource
    from modelsmith.recipe.read.resolved import ResolvedRecipe
    from modelsmith.store.layout import Layout

_WEIGHTS = {MODEL, PROJECTOR, ADAPTER, DRAFT}


def locked_model(
    plan: Plan,
    asked: ResolvedRecipe,
    folder: Path,
    *,
    hashes: bool = True,
    headers: bool = True,
    locked: LockedModel | None = None,
    base: LockedBase | None = None,
    progress: ProgressSink = silent,
) -> LockedModel:
    """Return what a lock in ``folder`` says of a plan of the recipe.

    ``hashes`` reads files whose digests are not known; without it they are left out, and without ``headers`` what only a plan
    from the lock needs. ``locked`` is what the lock says so far, ``base`` that of a lock that was planned from. Raises UsageError
    for an input that looks like a secret.
    """
    written = asked.written
    names = [plan.before.template_text or "", *map(str, plan.after.parameters.get("stop", ()))]
    # a file that was not downloaded has a stand-in, whose bytes say nothing
    hashes = hashes and not plan.downloads
    found = base or _base(plan, names if headers else None, asked.recipe.from_, hashes=hashes, progress=progress)
    adapters = tuple(_adapters(plan.recipe.adapters, hashes=hashes, progress=progress))
    sources = {file.name: file.digest or "" for file in (*found.files, *adapters)}
    if found.model is not None:
        sources[found.model.name] = found.model.weights or ""
    return LockedModel(
        recipe=_source_name(written.sources[0], folder) if is_path(plan_name(written)) else written.name,
        inputs={
            name: _input(name, value, folder)
            for name, value in sorted(asked.settings.items())
            if name not in written.inputs or not written.inputs[name].secret
        },
        sources=tuple(
            LockedSource(name=_source_name(source, folder), digest=_digest_of(source.text.encode("utf-8", "replace")))
            for source in written.sources
        ),
        profile=asked.profile,
        tools=_tools(plan),
        as_is=plan.as_is,
        base=found,
        adapters=adapters,
        result=result_of(
            plan, sources, hashes=hashes, locked=None if locked is None else locked.result, progress=progress
        ),
    )


def plan_name(written: RecipeFile) -> str:
    """Return how a recipe is named on the command line: a bundled one by its name, any other by its path."""
    from modelsmith.resources import RECIPES

    path = Path(written.sources[0].name)
    return written.name if path.parent == RECIPES and path.stem == written.name else str(path)


def _source_name(source: RecipeSource, folder: Path) -> str:
    from modelsmith.resources import RECIPES

    if source.checkout is not None and source.checkout.pin:
        return source.name  # the address that it was fetched from; the digest of its text pins it
    path = Path(source.name)
    return f"{path.stem} (bundled)" if path.parent == RECIPES else _relative(source.name, folder)


def _relative(name: str, folder: Path) -> str:
    """Return a path as seen from the lock's folder where it is below it, so that it means the same on another machine."""
    try:
        inside = Path(name).absolute().relative_to(folder.absolute())
    except ValueError:
        return name
    return f"./{inside.as_posix()}" if len(inside.parts) == 1 else inside.as_posix()


def _input(name: str, value: object, folder: Path) -> Any:
    if not isinstance(value, str):
        return value
    if looks_secret(value):
        raise UsageError(
            f"the value of the input {name} looks like a secret, and a lock is a file for everybody",
            hint=f"let the recipe read it from the environment (inputs: {name}: {{env: NAME}}), and do not give it with --set",
        )
    path = Path(value).expanduser()
    return _relative(str(path), folder) if looks_like_path(value) and path.exists() else value


def _digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _tools(plan: Plan) -> dict[str, str]:
    tools = {"modelsmith": __version__, "ollama": str(resolve(plan.after.version))}
    if plan.after.quantize is not None:
        from importlib.metadata import PackageNotFoundError, version

        with suppress(PackageNotFoundError):  # the mixes without K-quantization need no library
            tools["libggml"] = version("libggml-python")
    return tools


def _base(plan: Plan, names: Collection[str] | None, spec: str, *, hashes: bool, progress: ProgressSink) -> LockedBase:
    base = plan.before.base
    commit = _commit(plan.recipe.from_) if is_hub(plan.recipe.from_) else ""
    if base.inherited.checkpoint and base.inherited.weights is not None:
        parts = [path for path in sorted(base.inherited.weights.iterdir()) if path.is_file()]
        return LockedBase(
            spec=_shown(spec),
            commit=commit,
            files=tuple(_file(path, "FROM", None, hashes=hashes, progress=progress) for path in parts),
            partly="a folder of Safetensors is read whole",
        )
    model = _stored(plan, ModelName.strict(base.modelfile.from_ or ""), names) if base.inherited.stored else None
    folders = [
        instruction.value
        for instruction in base.modelfile.find("FROM")
        if (base.folder / Path(instruction.value).expanduser()).is_dir()
    ]
    modelfile, files = _files(base, names, hashes=hashes, progress=progress)
    return LockedBase(
        spec=_shown(spec),
        commit=commit,
        modelfile=modelfile,
        files=files,
        model=model,
        partly=_partly(plan, folders),
    )


def _partly(plan: Plan, folders: Collection[str]) -> str:
    """Say why a plan needs more than a lock holds; "" where it does not."""
    if folders:
        return "its FROM is a folder"
    if any(is_hub(weighted(text)[0]) for text in plan.recipe.adapters):
        return "an adapter is on the Hub"
    return ""


def _shown(spec: str) -> str:
    """Return a base as it means the same on every machine: a path by its last part."""
    return f"./{Path(spec).name}" if looks_like_path(spec) else spec


def _commit(spec: str) -> str:
    from modelsmith.models.sources.hub import snapshot_of

    return snapshot_of(HubReference.parse(spec))[1].commit


def _files(
    base: Base, names: Collection[str] | None, *, hashes: bool, progress: ProgressSink
) -> tuple[str, tuple[LockedFile, ...]]:
    """Return the base's Modelfile with the names of files instead of their paths, and these files."""
    edits, files = [], []
    for keyword in ("FROM", "ADAPTER", "DRAFT"):
        for instruction in base.modelfile.find(keyword):
            path = base.folder / Path(instruction.value).expanduser()
            if path.is_file():
                edits.append(Edit(instruction.quoted_span, f"./{path.name}"))
                files.append(_file(path, keyword, names, hashes=hashes, progress=progress))
    return str(base.modelfile.edit(edits)), tuple(files)


def _file(
    path: Path, keyword: Any, names: Collection[str] | None, *, hashes: bool, progress: ProgressSink
) -> LockedFile:
    blob = FileBlob(path)
    digest = remembered().find(blob)
    if digest is None and hashes:
        digest = blob.digest(progress)
        remembered().add(blob, digest)
    header = None
    if names is not None:
        with suppress(ModelsmithError):  # a file that is no GGUF has no header to keep
            header = outline(GGUFFile.open(path), names)
    return LockedFile(
        name=path.name, keyword=keyword, digest=str(digest) if digest else None, size=blob.size, gguf=header
    )


def _adapters(texts: Collection[str], *, hashes: bool, progress: ProgressSink) -> Iterator[LockedFile]:
    """Yield the files of adapters; one of the Hub is pinned by its commit."""
    for text in texts:
        place, _ = weighted(text)
        if is_hub(place):
            yield LockedFile(name=place.replace("/", "|"), keyword="ADAPTER", size=0, commit=_commit(place))
            continue
        path = Path(place).expanduser()
        for entry in sorted(path.iterdir()) if path.is_dir() else (path,):
            if entry.is_file():
                yield _file(entry, "ADAPTER", None, hashes=hashes, progress=progress)


def _stored(plan: Plan, name: ModelName, names: Collection[str] | None) -> LockedStored:
    model = plan.store.show(name)
    layout: Layout | None = plan.store.layout if isinstance(plan.store, LocalStore) else served_layout(plan)
    layers: tuple[LockedLayer, ...] = ()
    config = None
    ggufs: dict[str, Any] = {}
    if layout is not None and names is not None:
        read = read_base(layout, name)
        config = dict(read.config)
        for piece in read.pieces:
            layer: Any = piece.content
            layers += (LockedLayer(type=layer.media_type, digest=str(layer.digest), size=layer.size, name=layer.name),)
            if layer.media_type in _WEIGHTS and piece.weights is not None:
                ggufs[str(layer.digest)] = outline(piece.weights.gguf, names)
    elif model.weights is not None and model.weights_digest is not None and names is not None:
        ggufs[str(model.weights_digest)] = outline(GGUFFile.open(model.weights), names)
    return LockedStored(
        name=model.name.short,
        digest=model.digest,
        size=model.size,
        template=model.template,
        # the Jinja template stands in the outline of the GGUF where there is one
        chat_template=None if ggufs else model.chat_template,
        chat_template_known=model.chat_template_known,
        system=model.system,
        parameters=dict(sorted(model.parameters.items())),
        messages=tuple(dict(message) for message in model.messages),
        licenses=model.licenses if plan.after.changes_weights else (),
        noted={command: text for command in NOTED if (text := model.noted.get(command))},
        family=model.family,
        format=model.format,
        capabilities=tuple(sorted(model.capabilities)),
        extra_layers=model.extra_layers,
        weights=str(model.weights_digest) if model.weights_digest else None,
        config=config,
        layers=layers,
        ggufs=ggufs,
    )
