"""A registry through which machines hand each other files: what jobs start from, and what they make.

What is there by its digest already is not sent again, and a job that was done for somebody before is not done anew.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelsmith.errors import ModelNotFound, StoreError, UsageError, system_errors
from modelsmith.files.cache import cache_folder
from modelsmith.files.paths import looks_like_path
from modelsmith.hub.reference import is_hub
from modelsmith.manifest import CONFIG_TYPE, MODEL, Digest, Layer, Manifest
from modelsmith.name import ModelName
from modelsmith.progress import ProgressSink, silent
from modelsmith.recipe.remote.address import is_inside
from modelsmith.registry.access import Access
from modelsmith.registry.moving import Mover
from modelsmith.registry.reference import OCI, Reference
from modelsmith.source import Edit
from modelsmith.store.local.local import LocalStore
from modelsmith.syntax.modelfile.modelfile import Modelfile
from modelsmith.weights.adapters.spec import weighted
from modelsmith.weights.blobs.blob import FileBlob

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.recipe.read.load import Recipe
    from modelsmith.recipe.scale.job import Job, Made
    from modelsmith.store import Store
    from modelsmith.store.folder import Folder

_INPUTS, _RESULTS, _MODELS = "inputs", "results", "models"
_OWN = "exchange"
"""The namespace of what is fetched for jobs, in the store of a worker."""
_MAX_MODELFILE = 4 << 20


@dataclass(frozen=True, slots=True)
class Exchange:
    """A place in a registry: ``host`` and the beginning of the names of its repositories."""

    host: str
    prefix: str

    @classmethod
    def parse(cls, text: str) -> Exchange:
        """Read ``oci://HOST/NAME``; raises UsageError."""
        if not text.startswith(OCI):
            raise UsageError(f"{text!r:.200} is no place in a registry", hint="write it as oci://HOST[:PORT]/NAME")
        reference = Reference.parse(text)
        if reference.digest is not None or reference.tag != "latest":
            raise UsageError(f"{text!r:.200} names one artifact", hint="leave tag and digest out: oci://HOST/NAME")
        return cls(reference.host, reference.repository)

    def mover(self, progress: ProgressSink = silent) -> Mover:
        """Return what moves blobs to and from it; a registry on this machine is asked by plain http."""
        return Mover(Access.of_host(self.host), progress)

    def send_base(self, job: Job, store: Store, progress: ProgressSink = silent) -> Job:
        """Send what a job starts from, as far as it is here only; return the job that starts from that."""
        recipe = job.to_recipe()
        files = _Files()
        spec = _sent_base(recipe, files)
        adapters = [_sent_adapter(text, files) for text in recipe.adapters]
        with self.mover(progress) as mover:
            base = ""
            if files.paths:
                base = f"{_INPUTS}:{files.tag}"
                mover.send(files, self._reference(_INPUTS, files.tag))
            elif spec == recipe.from_ and _is_stored(spec):
                name = ModelName.strict(spec)
                model = store.show(name)
                if not isinstance(store, LocalStore):
                    raise UsageError(
                        f"{spec} is a model of {store.location}, which hands out no files",
                        hint="name the folder of its models with --store DIR",
                    )
                base = f"{_MODELS}:{model.digest[:32]}"
                mover.push(store, name, self._reference(_MODELS, model.digest[:32]))
        return job.with_base(spec, adapters, base) if base else job

    def scratch(self, job: Job) -> LocalStore:
        """Return the store of this worker for jobs that start from the same: what one of them made, the next one has."""
        tag = job.base.partition(":")[2] or "others"
        return LocalStore(cache_folder() / "scale" / "stores" / tag)

    def fetch_base(self, job: Job, scratch: LocalStore, progress: ProgressSink = silent) -> Recipe:
        """Fetch what a job starts from, and return the recipe that starts from it here."""
        recipe = job.to_recipe()
        kind, _, tag = job.base.partition(":")
        if not kind:
            return recipe
        # a model keeps its name: manifests say where their layers were taken from
        name = ModelName.strict(recipe.from_) if kind == _MODELS else ModelName.parse(f"{_OWN}/{tag}")
        with self.mover(progress) as mover:
            mover.pull(self._reference(kind, tag), scratch, name)
        if kind == _MODELS:
            return recipe
        folder = _laid_out(scratch, name, tag)
        spec = str(folder / recipe.from_) if looks_like_path(recipe.from_) else recipe.from_
        adapters = tuple(str(folder / text) if text.startswith("./") else text for text in recipe.adapters)
        return recipe.model_copy(update={"from_": spec, "adapters": adapters})

    def result(self, job: Job) -> str:
        """Return the digest of what a job made for somebody before; "" where nobody did it."""
        with self.mover() as mover:
            try:
                reference = self._reference(_RESULTS, job.key)
                return str(mover.session.registry(self.host).manifest(reference).digest.hex)
            except ModelNotFound:
                return ""

    def send_result(self, job: Job, scratch: LocalStore, name: ModelName, progress: ProgressSink = silent) -> None:
        """Send what a job made; blobs that are there are not sent again."""
        with self.mover(progress) as mover:
            mover.push(scratch, name, self._reference(_RESULTS, job.key))

    def fetch_result(self, job: Job, made: Made, store: Store, progress: ProgressSink = silent) -> bool:
        """Bring what a job made into a store, verified; return whether anything was written there."""
        name = ModelName.strict(job.name)
        try:
            if store.show(name).digest == made.digest:
                return False
        except StoreError:
            pass  # it is not there, or damaged, and will be replaced
        reference = Reference(self.host, f"{self.prefix}/{_RESULTS}", job.key, Digest(made.digest))
        with self.mover(progress) as mover:
            if isinstance(store, LocalStore):
                mover.pull(reference, store, name)
            else:
                from modelsmith.registry.through_server import pull_into_server

                pull_into_server(mover, reference, store, name, progress)
        return True

    def _reference(self, kind: str, tag: str) -> Reference:
        return Reference(self.host, f"{self.prefix}/{kind}", tag)


class _Files:
    """Files by the names that they have for a job, as a source of a transfer: one blob each, and a config that names them."""

    def __init__(self) -> None:
        self.paths: dict[str, Path] = {}
        self.texts: dict[str, bytes] = {}
        self._made: Manifest | None = None

    def add(self, path: Path, prefix: str = "") -> str:
        """Take a file, and return its name for the job."""
        name = f"{prefix}{path.name}"
        number = 1
        while self.paths.get(name, path) != path:
            number += 1
            name = f"{prefix}{number}-{path.name}"
        self.paths[name] = path
        return f"./{name}"

    def add_text(self, name: str, data: bytes) -> str:
        """Take a file that is made of others."""
        self.paths[name] = Path(name)
        self.texts[name] = data
        return f"./{name}"

    @property
    def tag(self) -> str:
        """What tells these files from others."""
        return self.manifest().config.digest.hex[:32]

    def manifest(self) -> Manifest:
        """Return the manifest; files are hashed once."""
        if self._made is None:
            layers = {
                name: Layer(MODEL, Digest.of(self.texts[name]), len(self.texts[name]))
                if name in self.texts
                else Layer(MODEL, FileBlob(path).digest(), path.stat().st_size)
                for name, path in self.paths.items()
            }
            data = _config({name: str(layer.digest) for name, layer in layers.items()})
            self._made = Manifest(Layer(CONFIG_TYPE, Digest.of(data), len(data)), tuple(dict.fromkeys(layers.values())))
        return self._made

    def provide(self, layer: Layer, folder: Folder, progress: ProgressSink) -> Path:
        """Return the file of a blob."""
        del progress
        texts = dict(self.texts)
        named = {
            name: str(Digest.of(texts[name]) if name in texts else FileBlob(path).digest())
            for name, path in self.paths.items()
        }
        texts[""] = _config(named)
        for data in texts.values():
            if Digest.of(data) == layer.digest:
                descriptor = folder.new(layer.digest.file_name)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(data)
                return folder.path / layer.digest.file_name
        return next(self.paths[name] for name, digest in named.items() if digest == str(layer.digest))


def _config(files: Mapping[str, str]) -> bytes:
    return json.dumps({"files": dict(sorted(files.items()))}, separators=(",", ":")).encode() + b"\n"


def _is_stored(spec: str) -> bool:
    return not (looks_like_path(spec) or spec.startswith("sample:") or is_hub(spec))


def _sent_base(recipe: Recipe, files: _Files) -> str:
    """Take the files of a recipe's base; return how the recipe names it then."""
    spec = recipe.from_
    if not looks_like_path(spec):
        return spec
    path = Path(spec)
    if path.is_dir():
        for entry in sorted(path.iterdir()):
            if entry.is_file() and not entry.name.startswith("."):
                files.add(entry, f"{path.name}/")
        return f"./{path.name}"
    with path.open("rb") as file:
        is_gguf = file.read(4) == b"GGUF"
    if is_gguf:
        return files.add(path)
    return _sent_modelfile(path, files)


def _sent_modelfile(path: Path, files: _Files) -> str:
    """Take a Modelfile and the files that it names, which it names by their new places."""
    modelfile = Modelfile.parse(path.read_bytes()[:_MAX_MODELFILE])
    edits = []
    for keyword in ("FROM", "ADAPTER", "DRAFT"):
        for instruction in modelfile.find(keyword):
            named = path.parent / Path(instruction.value).expanduser()
            if named.is_file():
                edits.append(Edit(instruction.quoted_span, files.add(named)))
    return files.add_text("Modelfile", bytes(modelfile.edit(edits)))


def _sent_adapter(text: str, files: _Files) -> str:
    if is_hub(text):
        return text
    place, weight = weighted(text)
    path = Path(place)
    if path.is_dir():
        for entry in _regular(path):
            files.add(entry, f"adapters/{path.name}/")
        shown = f"./adapters/{path.name}"
    else:
        shown = files.add(path, "adapters/")
    return shown if weight == 1.0 else f"{shown}={weight}"


def _regular(folder: Path) -> Iterator[Path]:
    yield from (path for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith("."))


@system_errors()
def _laid_out(scratch: LocalStore, name: ModelName, tag: str) -> Path:
    """Return a folder with the files of a job under their names: links to the blobs."""
    config = scratch.layout.manifest(name).config
    body: Any = json.loads(scratch.layout.blob_path(config.digest).read_bytes())
    folder = cache_folder() / "scale" / "inputs" / tag
    for file, digest in body["files"].items():
        place = folder / file
        if not is_inside(file):
            raise StoreError(f"the exchange names a file {file!r:.100}, which would leave its folder")
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            blob = scratch.layout.blob_path(Digest.parse(digest))
            temporary = place.with_name(f"{place.name}.{os.getpid()}")
            try:
                os.link(blob, temporary)
            except OSError:
                shutil.copyfile(blob, temporary)
            temporary.replace(place)
    return folder
