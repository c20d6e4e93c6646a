"""Fetch one commit of a repository with the user's own git: nothing of it runs, and nothing but regular files is taken.

Sources: git-fetch(1), git-config(1) (``protocol.*.allow``, ``fetch.fsckObjects``), git(1) (``GIT_ALLOW_PROTOCOL`` and the
other variables of the environment), pre-commit ``git.py`` (which variables of a surrounding git must not leak in).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from modelsmith.errors import RecipeSourceError
from modelsmith.recipe.remote.checkout import (
    MAX_FILE_BYTES,
    MAX_FILES,
    Checkout,
    holding,
    kept_tree,
    key_of,
    recipes_cache,
    remember,
    seen,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from modelsmith.recipe.remote.address import GitAddress

_SECONDS: Final = 300.0
_SHORT: Final = re.compile(r"[0-9a-f]{7,39}")
"""The beginning of a commit, as git shows it; a server gives out whole ones only."""
_KEPT: Final = {"GIT_SSH", "GIT_SSH_COMMAND", "GIT_ASKPASS", "GIT_SSL_CAINFO", "GIT_SSL_NO_VERIFY", "GIT_EXEC_PATH"}
_SAFE: Final = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "fetch.fsckObjects=true",
    "transfer.fsckObjects=true",
    "fetch.recurseSubmodules=false",
    "protocol.ext.allow=never",
    "gc.auto=0",
    "maintenance.auto=false",
    "advice.detachedHead=false",
)
_FETCH: Final = ("fetch", "--quiet", "--depth=1", "--no-tags", "--no-write-fetch-head", "--end-of-options")
_REGULAR: Final = frozenset({"100644", "100755"})
_MAX_LISTING: Final = 8 << 20


def fetch_git(address: GitAddress) -> Checkout:
    """Return the files of the commit that an address names.

    A tag that names another commit than last time is refused, and a repository that does not answer is replaced by the
    copy of last time, with a note. Raises RecipeSourceError.
    """
    before = seen(address.origin)
    notes: tuple[str, ...] = ()
    if address.is_pinned:
        commit, kind = address.ref, "commit"
    else:
        try:
            commit, kind = _asked(address.url, address.ref)
        except RecipeSourceError as error:
            if not before or not (recipes_cache() / "trees" / before).is_dir():
                raise
            note = f"{address.url} does not answer ({error.message}): commit {before[:12]} of an earlier run is used"
            return Checkout(recipes_cache() / "trees" / before, address.origin, before, (note,))
    if kind == "tag" and before and before != commit:
        raise RecipeSourceError(
            f"the tag {address.ref} of {address.url} is commit {commit[:12]} now and was {before[:12]}: it was rewritten",
            hint=f"look at what changed; then name the commit you mean, {commit}, in place of {address.ref}",
        )
    if kind == "branch":
        notes = (f"{address.ref} of {address.url} is a branch, which moves: name a tag or the commit {commit}",)
    root = kept_tree(commit, lambda: _files(address, commit))
    remember(address.origin, commit)
    return Checkout(root, address.origin, commit, notes)


@lru_cache(maxsize=64)
def _asked(url: str, ref: str) -> tuple[str, str]:
    """Return the commit that a tag or a branch names, and which of both it is; asked once a process."""
    wanted = {f"refs/tags/{ref}^{{}}": "tag", f"refs/tags/{ref}": "tag", f"refs/heads/{ref}": "branch"}
    answer = run_git(["ls-remote", "--end-of-options", url, *wanted]).decode("utf-8", "replace")
    found = {name: commit for commit, _, name in (line.partition("\t") for line in answer.splitlines())}
    for name, kind in wanted.items():
        if name in found:
            return found[name], kind
    whole = "a commit is named by all of its 40 digits; " if _SHORT.fullmatch(ref) else ""
    raise RecipeSourceError(
        f"{url} has no tag and no branch {ref}", hint=f"{whole}see what there is: git ls-remote {url}"
    )


def commit_now(address: GitAddress) -> str:
    """Return the commit that an address names now, by a question to its repository alone; raises RecipeSourceError."""
    return address.ref if address.is_pinned else _asked(address.url, address.ref)[0]


def forget() -> None:
    """Ask repositories anew from now on."""
    _asked.cache_clear()


@contextmanager
def fetched(address: GitAddress, commit: str) -> Iterator[Path]:
    """Hold the bare repository of the cache that has this commit, fetched if need be; raises RecipeSourceError."""
    with holding(f"git/{key_of(address.url)}") as folder:
        if not (folder / "HEAD").exists():
            run_git(["init", "--quiet", "--bare", "--template=", "--end-of-options", str(folder)])
        if not _has(folder, commit):
            _fetch(folder, address, commit)
        yield folder


def tag_object(address: GitAddress, commit: str, folder: Path) -> str:
    """Return the annotated tag that the address names and that is of this commit, fetched; "" where there is none."""
    name = f"refs/tags/{address.ref}"
    try:
        answer = run_git(["ls-remote", "--end-of-options", address.url, name]).decode("utf-8", "replace")
        tag = answer.partition("\t")[0].strip()
        if not tag or tag == commit:
            return ""
        run_git([*_FETCH, address.url, name], folder)
        peeled = run_git(["rev-parse", "--end-of-options", f"{tag}^{{commit}}"], folder).split()
    except RecipeSourceError:
        return ""
    return tag if peeled[-1:] == [commit.encode()] else ""


def _files(address: GitAddress, commit: str) -> Iterator[tuple[str, bytes]]:
    with fetched(address, commit) as folder:
        listing = run_git(["ls-tree", "-r", "-z", "--long", "--end-of-options", commit], folder)
        rows = listing.split(b"\0")[:-1]
        if len(listing) > _MAX_LISTING or len(rows) > MAX_FILES * 4:
            raise RecipeSourceError(f"{address.url} has {len(rows):,} files: not a repository of recipes")
        for row in rows:
            about, _, name = row.partition(b"\t")
            mode, kind, blob, size = about.decode().split()
            if mode in _REGULAR and kind == "blob" and int(size) <= MAX_FILE_BYTES:
                yield _path(name, address), run_git(["cat-file", "blob", blob], folder)


def _fetch(folder: Path, address: GitAddress, commit: str) -> None:
    """Fetch one commit without its history; where a server gives no single commits, by the ref that names it."""
    common = [*_FETCH, address.url]
    try:
        run_git([*common, commit], folder)
    except RecipeSourceError:
        if address.is_pinned:
            raise
        run_git([*common, address.ref], folder)
    if not _has(folder, commit):
        raise RecipeSourceError(
            f"{address.url} changed while it was read: commit {commit[:12]} is not there", hint="run the command again"
        )


def _has(folder: Path, commit: str) -> bool:
    try:
        return run_git(["cat-file", "-t", commit], folder).strip() == b"commit"
    except RecipeSourceError:
        return False


def _path(name: bytes, address: GitAddress) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError as error:
        raise RecipeSourceError(f"{address.url} has a file whose name is not UTF-8: {name!r:.80}") from error


def environment() -> dict[str, str]:
    """Return the environment for git: the user's own, without what a surrounding git set and without questions."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_") or key in _KEPT}
    return kept | {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "https:ssh:file",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_CONFIG_NOSYSTEM": os.environ.get("GIT_CONFIG_NOSYSTEM", "0"),
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_SSH_COMMAND": os.environ.get("GIT_SSH_COMMAND") or "ssh -oBatchMode=yes",
        "LC_ALL": "C",
    }


def run_git(words: list[str], folder: Path | None = None, more: tuple[str, ...] = ()) -> bytes:
    """Run git on a bare repository of the cache, or on none, with ``more`` settings; raises RecipeSourceError with its last words."""
    program = shutil.which("git")
    if program is None:
        raise RecipeSourceError("git is not installed, and this recipe comes from a repository", hint="install git")
    settings = [word for setting in (*_SAFE, *more) for word in ("-c", setting)]
    command = [program, *settings, *(["--git-dir", str(folder)] if folder else []), *words]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environment(),
            cwd=str(folder) if folder else "/",
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RecipeSourceError(f"git {words[0]} did not end within {_SECONDS:.0f} s") from error
    except OSError as error:
        raise RecipeSourceError(f"git cannot be run: {error.strerror or error}") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or [f"exit code {done.returncode}"]
        told = next((line for line in said if line.startswith(("fatal:", "error:"))), said[-1])
        raise RecipeSourceError(
            f"git {words[0]}: {told[:300]}",
            hint="check the address, and that git itself can read it without asking for a password",
        )
    return done.stdout
