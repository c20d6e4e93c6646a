"""What the doctor says of a store's place, and who uses it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from local_stores import request

from modelsmith.diagnostic import Severity
from modelsmith.errors import StoreError
from modelsmith.manifest import Digest
from modelsmith.store.care.doctor import Check, Mount, examine, mount_of
from modelsmith.store.care.users import users_of
from modelsmith.store.local.local import LocalStore
from modelsmith.store.local.write import writing
from modelsmith.weights.gguf.sample import write_sample


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalStore:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr("modelsmith.store.care.doctor._SERVICE", tmp_path / "service")
    store = LocalStore(tmp_path / "store")
    store.create("a", request({"m.gguf": write_sample(tmp_path / "m.gguf")}))
    return store


def mounted(tmp_path: Path, kind: str, options: str = "rw") -> Path:
    path = tmp_path / "mountinfo"
    path.write_text(
        "broken\n"
        f"1 0 8:1 / / {options},relatime shared:1 - {kind} /dev/x {options}\n"
        "2 1 0:5 / /proc rw - proc proc rw\n"
    )
    return path


def checks(store: LocalStore, **options: Path) -> list[Check]:
    return list(examine(store.layout, {}, **options))


def bad(found: list[Check]) -> list[tuple[str, str]]:
    return [(check.name, check.severity) for check in found if check.severity in {Severity.WARNING, Severity.ERROR}]


def test_a_store_where_everything_is_right(store: LocalStore, tmp_path: Path) -> None:
    found = checks(store, mounts=mounted(tmp_path, "ext4"))
    assert [name for name, _ in bad(found) if name != "space"] == []
    told = {check.name: check.text for check in found}
    assert told["file system"] == "ext4: copies cannot share blocks"
    assert told["content"].startswith("1 models, ")
    assert "mode 755" in told["owner"]
    assert all(check.hint for check in found if check.severity in {Severity.WARNING, Severity.ERROR})


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no folder"):
        examine(LocalStore(tmp_path / "typo").layout)


@pytest.mark.parametrize(
    ("kind", "severity", "words"),
    [
        ("xfs", None, "copies can share blocks"),
        ("nfs4", Severity.WARNING, "over a network"),
        ("fuse.sshfs", Severity.WARNING, "another program"),
        ("vfat", Severity.WARNING, "no file of 4 GiB"),
        ("exfat", Severity.WARNING, "no owners"),
    ],
)
def test_file_systems(store: LocalStore, tmp_path: Path, kind: str, severity: Severity | None, words: str) -> None:
    (check,) = [each for each in checks(store, mounts=mounted(tmp_path, kind)) if each.name == "file system"]
    assert check.severity == severity
    assert words in check.text


def test_mounts(tmp_path: Path) -> None:
    assert mount_of(Path("/proc/self"), mounted(tmp_path, "ext4", "ro")) == Mount("proc", read_only=False)
    assert mount_of(tmp_path, mounted(tmp_path, "ext4", "ro")) == Mount("ext4", read_only=True)
    assert mount_of(tmp_path, tmp_path / "nosuch") is None


def test_what_is_wrong_with_a_place(store: LocalStore, tmp_path: Path) -> None:
    store.layout.folder.chmod(0o777)
    (tmp_path / "service" / "manifests").mkdir(parents=True)
    orphan = store.blob_path(Digest.of(b"x"))
    orphan.write_bytes(b"x")
    (store.layout.blobs / "sha256-x-partial").write_bytes(b"x")
    (store.layout.folder / "manifests-v2").mkdir()
    if os.geteuid() == 0:
        os.chown(orphan, 4242, 4242)
    found = list(examine(store.layout, {"OLLAMA_MODELS": "/elsewhere"}))
    told = "\n".join(f"{check.name}: {check.text}" for check in found)
    for words in (
        "1 blobs (1 B) that no model needs",
        "OLLAMA_MODELS names another folder: /elsewhere",
        f"there is another store: {tmp_path / 'service'}",
        "manifests-v2 was made by a newer Ollama",
    ):
        assert words in told
    assert ("owner", Severity.WARNING) in bad(found)
    if os.geteuid() == 0:
        assert "1 of " in told
        assert "user 4242" in told
    (store.layout.manifests / "registry.ollama.ai" / "library" / "a" / "latest").write_text("")
    assert ("content", Severity.ERROR) in bad(checks(store))


def test_links_are_told(tmp_path: Path, store: LocalStore) -> None:
    moved = tmp_path / "disk"
    store.layout.blobs.rename(moved)
    store.layout.blobs.symlink_to(moved)
    told = [check.text for check in checks(store) if check.name == "link"]
    assert told == [f"{store.layout.blobs} is a link to {moved}"]


def test_another_modelsmith(store: LocalStore) -> None:
    def told() -> list[str]:
        return [check.text for check in checks(store) if check.name == "used by"]

    assert "another modelsmith writes to it now" not in told()
    with writing(store.layout):
        assert "another modelsmith writes to it now" in told()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux tells")
def test_a_process_that_has_a_blob_open(store: LocalStore) -> None:
    weights = store.show("a").weights
    assert weights is not None
    code = "import mmap, sys; f = open(sys.argv[1], 'rb'); m = mmap.mmap(f.fileno(), 0, prot=1); f.close(); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(weights)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        (use,) = [use for use in users_of(store.layout) if use.pid == child.pid]
        child.communicate("\n")
    assert use.blobs == {Digest(weights.name.removeprefix("sha256-"))}
    assert not use.serves
    assert [each.pid for each in users_of(store.layout) if each.pid == use.pid] == []


def test_an_ollama_that_serves_the_folder(store: LocalStore, tmp_path: Path) -> None:
    proc = tmp_path / "proc"
    for number, (name, variables) in enumerate(
        [
            ("ollama", f"PATH=/bin\0OLLAMA_MODELS='{store.layout.folder}'\0"),
            ("ollama", f"HOME={tmp_path}\0"),
            ("bash", f"OLLAMA_MODELS={store.layout.folder}\0"),
        ],
        start=10_000_000,
    ):
        (proc / str(number)).mkdir(parents=True)
        (proc / str(number) / "comm").write_text(f"{name}\n")
        (proc / str(number) / "environ").write_text(variables)
    (use,) = users_of(store.layout, proc)
    assert (use.pid, use.name, use.serves, use.blobs) == (10_000_000, "ollama", True, frozenset())
    assert users_of(store.layout, tmp_path / "nosuch") == ()
