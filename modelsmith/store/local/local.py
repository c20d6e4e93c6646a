"""A store in a folder, in Ollama's layout: what is created here, a running or later Ollama serves.

What creates and reads models is loaded when that is done: a list of models, or a name that is given, needs nothing of it.
"""

from __future__ import annotations

import os
from collections.abc import Container, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelsmith.errors import InvalidModelName, ModelNotFound, StoreError
from modelsmith.manifest import Digest, Manifest
from modelsmith.name import ModelName
from modelsmith.progress import Progress, ProgressSink, silent
from modelsmith.store.layout import Layout

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from modelsmith.store.create.compose import Composition
    from modelsmith.store.create.request import Blobs
    from modelsmith.store.folder import Folder
    from modelsmith.store.listing import Listing
    from modelsmith.store.local.known import KnownDigests
    from modelsmith.store.local.put import Putter
    from modelsmith.store.local.write import Writer
    from modelsmith.store.model import CreatePreview, CreateRequest, StoredModel

_FALSE = {"0", "f", "F", "FALSE", "false", "False", ""}


class LocalStore:
    """Models in a folder. Needs no server; safe beside a running one, and beside other modelsmiths."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        try:
            usable = b"\0" not in os.fsencode(folder)
        except UnicodeEncodeError:
            usable = False
        if not usable:
            raise StoreError(f"{folder!r:.200} is not a name that a folder can have", hint="name another folder")
        self.layout = Layout(Path(folder))

    def __repr__(self) -> str:
        return f"LocalStore({os.fspath(self.layout.folder)!r})"

    @property
    def location(self) -> str:
        """The folder."""
        return os.fspath(self.layout.folder)

    def ollama_version(self) -> str | None:
        """Return None: any version may serve a folder."""
        return None

    def models(self) -> tuple[ModelName, ...]:
        """List the models, sorted by name; what is no readable manifest is passed over."""
        return self.layout.names()

    def listing(self) -> Listing:
        """Return the table of the models: sizes and what they share, without opening weights."""
        from modelsmith.store.listing import list_folder

        return list_folder(self.layout)

    def show(self, name: ModelName | str) -> StoredModel:
        """Describe one model; raises ModelNotFound, or StoreError where it is damaged."""
        from modelsmith.store.local.show import read_model

        return read_model(self.layout, _name(name))

    def blob_path(self, digest: Digest | str) -> Path:
        """Return where a blob is or would be; raises InvalidDigest."""
        return self.layout.blob_path(digest if isinstance(digest, Digest) else Digest.parse(digest))

    def preview(
        self,
        name: ModelName | str,
        request: CreateRequest | Mapping[str, Any],
        *,
        blobs: Blobs | None = None,
        as_is: bool = False,
        progress: ProgressSink = silent,
    ) -> CreatePreview:
        """Say what ``create`` with the same arguments would write, and whether the model would change. Changes nothing.

        A model that exists is compared exactly, which may mean to hash a GGUF that was not seen before.
        """
        from modelsmith.store.local.preview import Previewer

        name = self.layout.existing(_name(name))
        composition = self._compose(request, blobs, as_is=as_is, progress=silent)
        return Previewer(self.layout, self._known).preview(name, composition, as_is=as_is, progress=progress)

    def create(
        self,
        name: ModelName | str,
        request: CreateRequest | Mapping[str, Any],
        *,
        blobs: Blobs | None = None,
        as_is: bool = False,
        progress: ProgressSink = silent,
    ) -> StoredModel:
        """Create or replace a model, byte for byte what ``ollama create`` would store, and return it as it is stored now.

        ``request`` is a CreateRequest or the JSON body of ``POST /api/create``, whose digests are looked up in ``blobs``
        (digest -> path) and in the store. ``as_is`` keeps a GGUF's bytes instead of rewriting it in the canonical order of
        tensors; where it can be, the file is linked: it and the blob are one then, and must not be written into. Raises what Ollama would refuse, StoreError for the folder.
        """
        from modelsmith.store.local.put import Putter

        asked = _name(name)
        with _writing(self.layout, progress) as writer:
            target = self.layout.existing(asked)
            composition = self._compose(request, blobs, as_is=as_is, progress=progress)
            self._store(writer, target, composition, Putter(writer, self._known, as_is, progress))
        progress(Progress("success"))
        return self.show(target)

    def receive(
        self,
        name: ModelName | str,
        manifest: Manifest,
        arrived: Container[Digest],
        place: Folder,
        progress: ProgressSink = silent,
    ) -> None:
        """Create or replace a model that came from elsewhere; its manifest is kept byte for byte.

        The blobs that have ``arrived`` are in ``place`` under their file names, complete and verified, and are moved into
        the store; the others are there already, else StoreError is raised and nothing has changed.
        """
        asked = _name(name)
        with _writing(self.layout, progress) as writer:
            target = self.layout.existing(asked)
            old = self._manifest(target)
            for layer in manifest.blobs:
                if layer.digest in arrived and place.exists(layer.digest.file_name):
                    writer.take(place, layer.digest)
                elif not writer.has(layer.digest, layer.size):
                    raise StoreError(
                        f"{self.layout.blob_path(layer.digest)} was removed by another program meanwhile",
                        hint="run the command again",
                    )
            self._publish(writer, target, manifest, old, progress)

    def tidy(self, progress: ProgressSink = silent) -> None:
        """Remove what a killed run left, if one did and this user may; looks at nothing else."""
        from modelsmith.store.journal import JOURNAL

        if os.path.lexists(self.layout.private / JOURNAL):
            with suppress(StoreError), _writing(self.layout, progress):
                pass

    def copy(self, source: ModelName | str, target: ModelName | str) -> None:
        """Give a model a second name; raises ModelNotFound."""
        wished = _name(target)
        manifest = self.layout.manifest(_name(source))
        with _writing(self.layout) as writer:
            writer.put_manifest(self.layout.existing(wished), manifest.raw)

    def delete(self, name: ModelName | str) -> int:
        """Remove a model and the blobs that no other model uses; return how many bytes that freed. Raises ModelNotFound.

        A model whose manifest is damaged is removed too; its blobs then stay, as nobody knows which they are.
        """
        found = self.layout.existing(_name(name))
        if self.layout.newer(found) is None and not self.layout.manifest_path(found).exists():
            self.tidy()  # a removal that was killed may have come so far
            raise ModelNotFound(
                f"model '{found.short}' not found in {self.layout.folder}",
                hint="`modelsmith store ls` lists what is there",
            )
        with _writing(self.layout) as writer:
            old = self._manifest(found)
            if old is not None:
                writer.note(layer.digest for layer in old.blobs)
            writer.drop_manifest(found)
        blobs = old.blobs if old is not None else ()
        return sum(layer.size for layer in blobs if not self.layout.blob_path(layer.digest).exists())

    @property
    def _known(self) -> KnownDigests:
        from modelsmith.store.blobs import known_digests

        return known_digests(self.layout)

    def _compose(
        self, request: CreateRequest | Mapping[str, Any], blobs: Blobs | None, *, as_is: bool, progress: ProgressSink
    ) -> Composition:
        from modelsmith.store.create.compose import compose
        from modelsmith.store.create.request import checked_request, from_body
        from modelsmith.store.local.show import read_base

        if isinstance(request, Mapping):
            request = from_body(request, blobs or {}, self.layout)
        return compose(
            checked_request(request), lambda name: read_base(self.layout, name), as_is=as_is, progress=progress
        )

    def _store(self, writer: Writer, name: ModelName, composition: Composition, putter: Putter) -> None:
        old = self._manifest(name)
        manifest = putter.put(composition)
        self._publish(writer, name, manifest, old, putter.progress)

    def _publish(
        self, writer: Writer, name: ModelName, manifest: Manifest, old: Manifest | None, progress: ProgressSink
    ) -> None:
        """Write the manifest, after all its blobs; what only the old model needed is removed afterwards."""
        progress(Progress("writing manifest"))
        self._check_blobs(manifest)
        if old is not None and not _no_prune():
            writer.note(layer.digest for layer in old.blobs)
        data = manifest.raw or manifest.to_bytes()
        writer.put_manifest(name, data, (layer.digest for layer in manifest.blobs))
        self._check_blobs(manifest)

    def _manifest(self, name: ModelName) -> Manifest | None:
        try:
            return self.layout.manifest(name)
        except StoreError:
            return None

    def _check_blobs(self, manifest: Manifest) -> None:
        """Make sure that nobody has pruned a blob meanwhile."""
        for layer in manifest.blobs:
            if not self.layout.blob_path(layer.digest).is_file():
                raise StoreError(
                    f"{self.layout.blob_path(layer.digest)} was removed by another program while the model was created",
                    hint="run the command again",
                )


def _writing(layout: Layout, progress: ProgressSink = silent) -> AbstractContextManager[Writer]:
    from modelsmith.store.local.write import writing

    return writing(layout, progress)


def _name(name: ModelName | str) -> ModelName:
    if isinstance(name, str):
        return ModelName.strict(name)
    if not name.is_valid:
        raise InvalidModelName(f'"{name}" is not a model name: {name.problem}', hint=name.way_out)
    return name


def _no_prune() -> bool:
    from modelsmith.store.environment import variable

    return variable("OLLAMA_NOPRUNE") not in _FALSE
