"""Whether a commit, or the tag that names it, is signed with an SSH key: git's own check, with that key and no other.

Sources: git-verify-commit(1), git-verify-tag(1), git-config(1) (``gpg.ssh.allowedSignersFile``), ssh-keygen(1) (ALLOWED SIGNERS).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from modelsmith.errors import RecipeSourceError, UsageError
from modelsmith.files.unfinished import scratch_folder
from modelsmith.recipe.remote.git import fetched, run_git, tag_object

if TYPE_CHECKING:
    from modelsmith.recipe.remote.address import GitAddress

_KEY: Final = re.compile(
    r"(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)|sk-[a-z0-9@.-]+) [A-Za-z0-9+/]+={0,2}"
)


def ssh_key(text: str) -> str:
    """Return the key of a public key's file (``ssh-ed25519 AAAA…``), without its comment; raises UsageError."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    key = " ".join(lines[0].split()[:2]) if lines else ""
    if len(lines) != 1 or not _KEY.fullmatch(key):
        raise UsageError(
            "this is no public SSH key, and commits of recipes are checked with one",
            hint="name the .pub file of the key that signs (git config gpg.format ssh)",
        )
    return key


def check_signed_commit(address: GitAddress, commit: str, key: str) -> None:
    """Raise RecipeSourceError unless the commit, or the tag of the address, carries a signature of this key."""
    with scratch_folder() as folder, fetched(address, commit) as repository:
        signers = folder / "signers"
        signers.write_text(f'* namespaces="git" {ssh_key(key)}\n', encoding="utf-8")
        settings = ("gpg.format=ssh", f"gpg.ssh.allowedSignersFile={signers}", "gpg.minTrustLevel=fully")
        try:
            run_git(["verify-commit", "--end-of-options", commit], repository, settings)
        except RecipeSourceError as error:
            told = error.message
        else:
            return
        tag = "" if address.is_pinned else tag_object(address, commit, repository)
        if tag:
            try:
                run_git(["verify-tag", "--end-of-options", tag], repository, settings)
            except RecipeSourceError as error:
                told = error.message
            else:
                return
    raise RecipeSourceError(
        f"commit {commit[:12]} of {address.url} is not signed with the key that was given ({told})",
        hint="do not use it before you know why; a new key is told by recipes add NAME PLACE --key FILE --force",
    )
