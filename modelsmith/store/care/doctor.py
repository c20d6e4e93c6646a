"""What kind of place a store's folder is: its owner, its disk, its file system, who else uses it. Reads only."""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.files.locking import NoLocks, lock
from modelsmith.store.care.fsck import GRACE_SECONDS
from modelsmith.store.care.survey import Survey, survey
from modelsmith.store.care.users import Use, users_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.store.layout import Layout

_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "virtiofs", "vboxsf", "prl_fs"}
_SHARES_BLOCKS = {"btrfs", "xfs", "bcachefs", "ocfs2", "zfs", "apfs"}
_FAT = {"vfat", "msdos", "exfat"}
_FAT_LARGEST = (4 << 30) - 1
_LITTLE_ROOM = 0.05
_SERVICE = Path("/usr/share/ollama/.ollama/models")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; ``severity`` None means that it is fine, ``hint`` is the way out."""

    name: str
    text: str
    severity: Severity | None = None
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Mount:
    """The file system that a path is on: its type and whether it may be written."""

    kind: str
    read_only: bool


def examine(
    layout: Layout, environment: Mapping[str, str] = os.environ, mounts: Path = Path("/proc/self/mountinfo")
) -> tuple[Check, ...]:
    """Look at everything that decides whether a store works here; raises StoreError for a folder that is not there."""
    seen = survey(layout)
    mount = mount_of(layout.blobs if layout.blobs.is_dir() else layout.folder, mounts)
    return (
        *_places(layout),
        *_owner(layout, seen),
        *_space(layout, seen),
        *_file_system(seen, mount),
        *_content(seen),
        *_users(layout, users_of(layout)),
        *_environment(layout, environment),
    )


def mount_of(path: Path, mounts: Path = Path("/proc/self/mountinfo")) -> Mount | None:
    """Return the file system of a path as Linux tells it (``proc_pid_mountinfo(5)``); None where it does not."""
    place = os.path.realpath(path)
    try:
        lines = mounts.read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    best: tuple[int, Mount] | None = None
    for line in lines:
        fields, separator, rest = line.partition(" - ")
        parts, kind = fields.split(" "), rest.split(" ")
        if not separator or len(parts) < 6 or len(kind) < 3:
            continue
        point = parts[4].replace("\\040", " ")
        inside = place == point or place.startswith(point.rstrip("/") + "/")
        if inside and (best is None or len(point) >= best[0]):
            options = {*parts[5].split(","), *kind[2].split(",")}
            best = len(point), Mount(kind[0], "ro" in options)
    return best[1] if best else None


def _places(layout: Layout) -> Iterator[Check]:
    yield Check("folder", os.fspath(layout.folder.absolute()))
    for path in (layout.folder, layout.blobs, layout.manifests):
        if path.is_symlink():
            yield Check("link", f"{path} is a link to {os.path.realpath(path)}")
    if layout.private.is_symlink():
        yield Check(
            "link", f"{layout.private} is a link, so modelsmith writes nothing here", Severity.ERROR, "remove the link"
        )
    if not layout.manifests.is_dir():
        yield Check("folder", "there is no folder manifests in it: no store, or a new one", Severity.INFO)


def _owner(layout: Layout, seen: Survey) -> Iterator[Check]:
    status = layout.folder.stat()
    mode = stat.S_IMODE(status.st_mode)
    text = f"{_user(status.st_uid)}, mode {mode:03o}"
    if not os.access(layout.folder, os.W_OK):
        yield Check(
            "owner", text, Severity.WARNING, "this user may read and not write: run as that user to create models"
        )
    elif mode & stat.S_IWOTH:
        yield Check("owner", text, Severity.WARNING, f"everybody may replace models here: chmod o-w {layout.folder}")
    else:
        yield Check("owner", text)
    strangers = [item for item in seen.blobs.values() if item.status.st_uid != status.st_uid]
    if strangers:
        names = ", ".join(sorted({_user(item.status.st_uid) for item in strangers}))
        yield Check(
            "owner",
            f"{len(strangers)} of {len(seen.blobs)} blobs belong to {names}: an Ollama of {_user(status.st_uid)} cannot reuse them",
            Severity.WARNING,
            f"as root: chown -R --reference={layout.folder} {layout.folder}",
        )


def _space(layout: Layout, seen: Survey) -> Iterator[Check]:
    usage = shutil.disk_usage(layout.blobs if layout.blobs.is_dir() else layout.folder)
    text = f"{_bytes(usage.free)} free of {_bytes(usage.total)}; the store takes {_bytes(seen.size)}"
    little = usage.free < usage.total * _LITTLE_ROOM
    hint = (
        "`modelsmith store gc --dry-run` shows what nobody needs; a store on another disk may be named by OLLAMA_MODELS"
    )
    yield Check("space", text, Severity.WARNING if little else None, hint if little else "")


def _file_system(seen: Survey, mount: Mount | None) -> Iterator[Check]:
    if mount is None:
        return
    kind = mount.kind
    if mount.read_only:
        yield Check(
            "file system",
            f"{kind}, read-only",
            Severity.INFO,
            "models can be used and not created; set OLLAMA_NOPRUNE=1 there",
        )
    elif kind in _NETWORK or kind.startswith("fuse"):
        yield Check(
            "file system",
            f"{kind}, over a network or another program: loading is slow, and locks may be missing",
            Severity.WARNING,
            "let one machine write; others read with OLLAMA_NOPRUNE=1",
        )
    elif kind in _FAT:
        largest = max((item.status.st_size for item in seen.blobs.values()), default=0)
        text = f"{kind} knows no owners and no links" + ("" if kind == "exfat" else ", and no file of 4 GiB")
        severity = Severity.WARNING if kind == "exfat" or largest < _FAT_LARGEST else Severity.ERROR
        yield Check("file system", text, severity, "keep models on ext4, xfs, btrfs or the like")
    else:
        shares = "copies can share blocks" if kind in _SHARES_BLOCKS else "copies cannot share blocks"
        yield Check("file system", f"{kind}: {shares}")


def _content(seen: Survey) -> Iterator[Check]:
    files = seen.references.files
    models = {file.name for file in files if file.name is not None and file.manifests}
    yield Check("content", f"{len(models)} models, {len(seen.blobs)} blobs")
    if problems := seen.references.problems:
        yield Check(
            "content",
            f"{problems[0]}" + (f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""),
            Severity.ERROR,
            "`modelsmith store fsck` lists everything; until it is mended nothing is pruned",
        )
    else:
        unused = seen.references.unused(seen.blobs)
        size = sum(seen.blobs[digest].status.st_size for digest in unused)
        if unused:
            text = f"{len(unused)} blobs ({_bytes(size)}) that no model needs"
            hint = f"`modelsmith store gc` removes those that are older than {GRACE_SECONDS // 60} minutes"
            yield Check("content", text, Severity.INFO, hint)
    if seen.partials:
        size = sum(item.status.st_size for item in seen.partials)
        yield Check("content", f"{len(seen.partials)} unfinished downloads ({_bytes(size)})", Severity.INFO)
    for path in seen.newer:
        yield Check("content", f"{path.name} was made by a newer Ollama; it is read and left as it is", Severity.INFO)


def _users(layout: Layout, uses: tuple[Use, ...]) -> Iterator[Check]:
    for use in uses:
        what = "serves this folder" if use.serves else f"has {len(use.blobs)} of its blobs open"
        yield Check("used by", f"{use.name} (process {use.pid}) {what}", Severity.INFO)
    if is_locked(layout):
        yield Check("used by", "another modelsmith writes to it now", Severity.INFO)
    if not uses:
        yield Check("used by", "no other program that this user can see")


def is_locked(layout: Layout) -> bool:
    """Whether another modelsmith holds the store's lock at this moment."""
    try:
        descriptor = os.open(layout.private / "lock", os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        return not lock(descriptor, waits=False)
    except NoLocks:
        return False
    finally:
        os.close(descriptor)


def _environment(layout: Layout, environment: Mapping[str, str]) -> Iterator[Check]:
    named = environment.get("OLLAMA_MODELS", "").strip().strip("\"'")
    own = os.path.realpath(layout.folder)
    if named and os.path.realpath(named) != own:
        yield Check("environment", f"OLLAMA_MODELS names another folder: {named}", Severity.INFO)
    for other in (_SERVICE, Path.home() / ".ollama" / "models"):
        if os.path.realpath(other) != own and (other / "manifests").is_dir():
            yield Check(
                "environment",
                f"there is another store: {other}",
                Severity.INFO,
                "the service of Ollama and your own user keep their models apart, unless OLLAMA_MODELS says otherwise",
            )


def _user(number: int) -> str:
    try:
        import pwd

        return pwd.getpwuid(number).pw_name
    except (ImportError, KeyError):
        return f"user {number}"


def _bytes(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
