"""Bundles: what is exported comes back byte for byte, and what is no bundle leaves nothing."""

from __future__ import annotations

import io
import json
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from local_stores import request

from modelsmith.cli import run
from modelsmith.errors import DigestMismatch, ModelNotFound, ModelsmithError, StoreError, UnreadableFile, UsageError
from modelsmith.manifest import Digest
from modelsmith.name import ModelName
from modelsmith.progress import Progress
from modelsmith.registry.bundle.parts import PartsWriter
from modelsmith.registry.bundle.read import Bundle, layers_of
from modelsmith.registry.bundle.write import Receipt, export
from modelsmith.registry.moving import Mover
from modelsmith.store.local.local import LocalStore
from modelsmith.weights.gguf.sample import write_sample

ONE, OTHER = ModelName.strict("one"), ModelName.strict("team/other:v2")


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "models")
    gguf = write_sample(tmp_path / "m.gguf")
    store.create(ONE, request({"m.gguf": gguf}, system="one", license="L"))
    store.create(OTHER, request({"m.gguf": gguf}, system="other", parameters={"stop": ["a"]}))
    return store


def load(path: Path, folder: Path, *names: ModelName) -> LocalStore:
    bundle, target = Bundle(path), LocalStore(folder)
    asked = names or tuple(bundle.models)
    bundle.want(layers_of(bundle.models[name] for name in asked))
    with Mover() as mover:
        for name in asked:
            mover.load(bundle.source(name), target, name)
    return target


def manifest_bytes(store: LocalStore, name: ModelName) -> bytes:
    return store.layout.manifest_path(name).read_bytes()


@pytest.mark.parametrize(("split", "compress"), [(None, False), (100_000, False), (None, True), (20_000, True)])
def test_there_and_back(store: LocalStore, tmp_path: Path, split: int | None, compress: bool) -> None:
    receipt = export(store, [ONE, OTHER], tmp_path / "b.tar", split=split, compress=compress)
    assert receipt.size == sum(path.stat().st_size for path in receipt.paths)
    assert len(receipt.paths) > 1 if split else receipt.paths == (tmp_path / "b.tar",)
    assert len(set(layers_of(map(store.layout.manifest, (ONE, OTHER))))) == receipt.blobs
    loaded = load(receipt.paths[-1], tmp_path / "elsewhere")
    for name in (ONE, OTHER):
        assert manifest_bytes(loaded, name) == manifest_bytes(store, name)
        assert loaded.show(name).system == store.show(name).system
    again = load(tmp_path / "b.tar" if not split else receipt.paths[0], tmp_path / "elsewhere", OTHER)
    assert again.models() == loaded.models()


def test_the_same_models_make_the_same_bytes(store: LocalStore, tmp_path: Path) -> None:
    for name in ("a.tar", "b.tar"):
        export(store, [OTHER, ONE], tmp_path / name)
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()
    with tarfile.open(tmp_path / "a.tar") as archive:
        names = archive.getnames()
    assert names[:2] == ["oci-layout", "index.json"]
    assert len(names) == len(set(names))


def test_only_the_named_models_are_loaded(store: LocalStore, tmp_path: Path) -> None:
    export(store, [ONE, OTHER], tmp_path / "b.tar")
    loaded = load(tmp_path / "b.tar", tmp_path / "elsewhere", OTHER)
    assert loaded.models() == (OTHER,)
    with pytest.raises(ModelNotFound, match="holds no model three"):
        Bundle(tmp_path / "b.tar").find(ModelName.strict("three"))


def test_a_file_is_replaced_only_by_force(store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "b.tar").write_text("a note")
    with pytest.raises(UsageError, match="would be lost"):
        export(store, [ONE], tmp_path / "b.tar")
    assert (tmp_path / "b.tar").read_text() == "a note"
    export(store, [ONE], tmp_path / "b.tar", force=True)
    assert (tmp_path / "b.tar.old").read_text() == "a note"


class Cut(BaseException):
    """An end like Ctrl-C."""


def interrupted(
    store: LocalStore, target: Path, after: int, *, split: int | None = None, compress: bool = False
) -> None:
    def stop(step: Progress) -> None:
        if step.completed >= after:
            raise Cut

    with pytest.raises(Cut):
        export(store, [ONE, OTHER], target, split=split, compress=compress, progress=stop)


@pytest.mark.parametrize(("split", "compress"), [(None, False), (100_000, False), (20_000, True)])
def test_an_interrupted_run_goes_on_where_it_was(
    store: LocalStore, tmp_path: Path, split: int | None, compress: bool
) -> None:
    (tmp_path / "whole").mkdir()
    whole = export(store, [ONE, OTHER], tmp_path / "whole" / "b.tar", split=split, compress=compress)
    interrupted(store, tmp_path / "b.tar", 150_000, split=split, compress=compress)
    assert not list(tmp_path.glob("b.tar*"))
    receipt = export(store, [ONE, OTHER], tmp_path / "b.tar", split=split, compress=compress)
    assert receipt.found > 100_000 or compress, "so little is not compressed before its end"
    assert [path.read_bytes() for path in receipt.paths] == [path.read_bytes() for path in whole.paths]
    assert not list(tmp_path.glob(".b.tar*"))
    assert stat.S_IMODE(receipt.paths[0].stat().st_mode) == 0o644


def test_what_differs_is_written_anew(store: LocalStore, tmp_path: Path) -> None:
    whole = export(store, [ONE, OTHER], tmp_path / "whole.tar").paths[0].read_bytes()
    interrupted(store, tmp_path / "b.tar", 1, split=10_000)
    (left,) = tmp_path.glob(".b.tar.001*")
    for path in (left, left.with_name(left.name.replace(".001", ""))):
        path.write_bytes(whole[:50_000] + b"x" + whole[50_001:] + b"more")
    receipt = export(store, [ONE, OTHER], tmp_path / "b.tar")
    assert 0 < receipt.found <= 50_000
    assert receipt.paths[0].read_bytes() == whole
    assert not list(tmp_path.glob(".b.tar*")), "parts of another size are removed, too"


def test_two_exports_of_one_file_and_what_is_no_file_of_ours(store: LocalStore, tmp_path: Path) -> None:
    with PartsWriter(tmp_path / "b.tar", None, force=False) as parts:
        parts.write(b"first")
        with pytest.raises(UsageError, match="another export is writing"):
            export(store, [ONE], tmp_path / "b.tar")
        parts.publish()
    assert (tmp_path / "b.tar").read_bytes() == b"first"
    (tmp_path / "mine").write_text("mine")
    (tmp_path / ".c.tar.modelsmith-unfinished").hardlink_to(tmp_path / "mine")
    with pytest.raises(UsageError, match="is not a file that export has begun"):
        export(store, [ONE], tmp_path / "c.tar")
    (tmp_path / ".d.tar.modelsmith-unfinished").symlink_to(tmp_path / "mine")
    with pytest.raises(StoreError, match="cannot be written"):
        export(store, [ONE], tmp_path / "d.tar")
    assert (tmp_path / "mine").read_text() == "mine"


def test_a_damaged_blob_is_not_exported(store: LocalStore, tmp_path: Path) -> None:
    layer = max(store.layout.manifest(ONE).layers, key=lambda one: one.size)
    path = store.layout.blob_path(layer.digest)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(StoreError, match=r"damaged|bytes"):
        export(store, [ONE], tmp_path / "b.tar")
    assert not list(tmp_path.glob("*.tar*"))
    assert not list(tmp_path.glob(".b.tar*"))


def test_a_missing_part_is_named(store: LocalStore, tmp_path: Path) -> None:
    receipt: Receipt = export(store, [ONE], tmp_path / "b.tar", split=60_000)
    assert len(receipt.paths) > 3
    receipt.paths[1].unlink()
    with pytest.raises(UnreadableFile, match=r"b\.tar\.002 is missing"):
        Bundle(receipt.paths[0])


Change = Callable[[list[tuple[tarfile.TarInfo, bytes]]], list[tuple[tarfile.TarInfo, bytes]]]


def rewritten(path: Path, change: Change) -> Path:
    """Write a bundle anew after a change of its members."""
    with tarfile.open(path) as archive:
        found = [(info, archive.extractfile(info).read()) for info in archive.getmembers()]
    target = path.with_name("hostile.tar")
    with tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as archive:
        for info, data in change(found):
            archive.addfile(info, io.BytesIO(data))
    return target


def info(name: str, size: int = 0, **fields: object) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.size = size
    for key, value in fields.items():
        setattr(made, key, value)
    return made


def index_with(change: Callable[[dict], object]) -> Change:
    def changed(members: list[tuple[tarfile.TarInfo, bytes]]) -> list[tuple[tarfile.TarInfo, bytes]]:
        found = []
        for member, content in members:
            data = content
            if member.name == "index.json":
                body = json.loads(content)
                data = json.dumps(change(body) or body).encode()
                member.size = len(data)
            found.append((member, data))
        return found

    return changed


def set_name(text: str) -> Callable[[dict], None]:
    def change(body: dict) -> None:
        body["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"] = text

    return change


def flipped(members: list[tuple[tarfile.TarInfo, bytes]]) -> list[tuple[tarfile.TarInfo, bytes]]:
    largest = max(range(len(members)), key=lambda number: members[number][0].size)
    member, data = members[largest]
    return [*members[:largest], (member, data[:-1] + bytes([data[-1] ^ 1])), *members[largest + 1 :]]


BLOB = "blobs/sha256/" + "0" * 64
HOSTILE: dict[str, tuple[Change, str]] = {
    "traversal": (lambda m: [*m, (info("../../evil", 1), b"x")], "no bundle holds"),
    "absolute": (lambda m: [(info("/etc/evil", 1), b"x"), *m], "no bundle holds"),
    "traversal in a digest": (lambda m: [*m, (info("blobs/sha256/../../x", 1), b"x")], "no bundle holds"),
    "link": (lambda m: [(info(BLOB, type=tarfile.SYMTYPE, linkname="/etc/passwd"), b""), *m], "a link"),
    "hard link": (lambda m: [(info(BLOB, type=tarfile.LNKTYPE, linkname="index.json"), b""), *m], "a link"),
    "device": (lambda m: [(info(BLOB, type=tarfile.CHRTYPE), b""), *m], "something else than a file"),
    "fifo": (lambda m: [(info(BLOB, type=tarfile.FIFOTYPE), b""), *m], "something else than a file"),
    "sparse": (lambda m: [(info(BLOB, type=tarfile.GNUTYPE_SPARSE), b""), *m], "a sparse file"),
    "extended header": (lambda m: [(info("x", type=tarfile.XHDTYPE), b""), *m], "something else than a file"),
    "twice": (lambda m: [*m, m[-1]], "twice"),
    "wrong bytes": (flipped, "digest"),
    "no index": (lambda m: [one for one in m if one[0].name != "index.json"], "has no index.json"),
    "blob missing": (lambda m: m[:-1], "missing"),
    "no json": (lambda m: [(one, b"[" * one.size if one.name == "index.json" else data) for one, data in m], "not JSON"),
    "name": (index_with(set_name("../../evil")), "no name of a model"),
    "control characters": (index_with(set_name("a\x1b[31mb")), "no name of a model"),
    "digest": (index_with(lambda body: body["manifests"][0].update(digest="sha256:../x")), "is not a digest"),
    "the same model twice": (index_with(lambda body: body["manifests"].append(body["manifests"][0])), "twice"),
    "a list that is none": (index_with(lambda body: {"manifests": {"a": 1}}), "no list of manifests"),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_bundles_are_refused_and_write_nothing(store: LocalStore, tmp_path: Path, kind: str) -> None:
    export(store, [ONE], tmp_path / "b.tar")
    change, message = HOSTILE[kind]
    hostile = rewritten(tmp_path / "b.tar", change)
    with pytest.raises(ModelsmithError, match=message) as caught:
        load(hostile, tmp_path / "elsewhere")
    assert "\n" not in caught.value.message
    target = LocalStore(tmp_path / "elsewhere")
    assert target.models() == ()
    assert not list((tmp_path / "elsewhere").glob("blobs/sha256-*"))
    assert not (tmp_path / "evil").exists()


def test_a_size_that_lies(store: LocalStore, tmp_path: Path) -> None:
    export(store, [ONE], tmp_path / "b.tar")

    def bomb(members: list[tuple[tarfile.TarInfo, bytes]]) -> list[tuple[tarfile.TarInfo, bytes]]:
        member, data = members[-1]
        member.size = len(data) + 1
        return [*members[:-1], (member, data + b"x")]

    with pytest.raises(DigestMismatch, match="instead of"):
        load(rewritten(tmp_path / "b.tar", bomb), tmp_path / "elsewhere")


def test_what_nobody_names_is_not_unpacked(store: LocalStore, tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard")
    export(store, [ONE], tmp_path / "b.tar")
    extra = b"x" * 100_000
    name = "blobs/sha256/" + Digest.of(extra).hex
    plain = rewritten(tmp_path / "b.tar", lambda m: [*m[:3], (info(name, len(extra)), extra), *m[3:]])
    packed = tmp_path / "hostile.tar.zst"
    packed.write_bytes(zstandard.compress(plain.read_bytes()))
    with pytest.raises(StoreError, match="which none of its models names"):
        load(packed, tmp_path / "elsewhere")


@pytest.mark.parametrize("share", [0, 0.001, 0.3, 0.9, 0.999])
def test_a_bundle_that_is_cut(store: LocalStore, tmp_path: Path, share: float) -> None:
    export(store, [ONE], tmp_path / "b.tar")
    data = (tmp_path / "b.tar").read_bytes().rstrip(b"\0")
    (tmp_path / "cut.tar").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ModelsmithError, match=r"ends early|is no bundle|is no tar|changed while|missing"):
        load(tmp_path / "cut.tar", tmp_path / "elsewhere")
    assert LocalStore(tmp_path / "elsewhere").models() == ()


def test_another_file_is_called_no_bundle(tmp_path: Path) -> None:
    (tmp_path / "Modelfile").write_text("FROM llama3.2\n")
    with pytest.raises(StoreError, match="Modelfile is no bundle"):
        Bundle(tmp_path / "Modelfile")


def test_materialize_links(store: LocalStore, tmp_path: Path) -> None:
    target = LocalStore(tmp_path / "image")
    with Mover() as mover:
        mover.link(store, ONE, target)
        mover.link(store, ONE, target)
    assert manifest_bytes(target, ONE) == manifest_bytes(store, ONE)
    for layer in store.layout.manifest(ONE).blobs:
        assert target.layout.blob_path(layer.digest).samefile(store.layout.blob_path(layer.digest))
    target.delete(ONE)
    assert store.show(ONE).system == "one"


def test_a_shorter_bundle_leaves_no_part_of_a_longer_one(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    gguf = write_sample(tmp_path / "m.gguf")
    for name, size in (("long", 3_000_000), ("short", 10)):
        store.create(name, request({"m.gguf": gguf}, license=str(size) * size))
    target = tmp_path / "b.tar"
    long, short = (ModelName.parse(name) for name in ("long", "short"))
    first = export(store, [long], target, split=500_000)
    assert len(first.paths) > 2
    assert export(store, [long], target, split=500_000).found == first.size, "it is there already"
    with pytest.raises(UsageError, match="exists already"):
        export(store, [short], target, split=500_000)
    second = export(store, [short], target, split=500_000, force=True)
    assert len(second.kept) == len(first.paths)
    assert all(kept.name.endswith(".old") for _, kept in second.kept)
    assert sorted(path.name for path in tmp_path.glob("b.tar.*") if path.suffix != ".old") == ["b.tar.001"]
    with Mover() as mover:
        mover.load(Bundle(target).source(short), LocalStore(tmp_path / "other"), short)


def test_materialize_replaces_no_other_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gguf = write_sample(tmp_path / "m.gguf")
    for folder in ("a", "b"):
        LocalStore(tmp_path / folder).create("m", request({"m.gguf": gguf}, system=folder))
    words = ["materialize", "m", "--into", str(tmp_path / "b"), "--store", str(tmp_path / "a")]
    assert run(words) == 2
    assert "has another model called m:latest: it would be lost" in capsys.readouterr().err
    LocalStore(tmp_path / "b").delete(ModelName.parse("m"))
    assert run(words) == run(words) == 0
