"""How a recipe elsewhere is written: ``git+https://HOST/REPOSITORY@REF//PATH`` and ``oci://HOST/NAME:TAG[@DIGEST]//PATH``.

``REF`` is a tag, a branch or a whole commit; ``PATH`` is a file (or folder) in it. Source of the form: pip's VCS requirements
(``git+`` and ``@REF``), Terraform's module sources (``//`` before the path inside).
"""

from __future__ import annotations

import re
from typing import Final

from modelsmith.errors import ModelsmithError, UsageError
from modelsmith.records import dataclass
from modelsmith.registry.reference import OCI, Reference

GIT: Final = "git+"
_TRANSPORTS: Final = ("https", "ssh", "file")
_URL = re.compile(r"[A-Za-z0-9@:/._~%+\[\]-]+")
_BROWSED = re.compile(
    r"https?://(?P<place>[A-Za-z0-9@:._-]+(?:/[A-Za-z0-9._~%+-]+)+?)/?(?:/(?:-/)?(?:tree|blob|raw)/(?P<ref>[A-Za-z0-9._-]+)(?:/(?P<path>[^?#]*[^?#/]))?/?)?(?:[?#].*)?"
)
"""A page of GitHub, GitLab, Gitea or Forgejo, or the URL of a repository."""
_SCP = re.compile(r"(?P<host>[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+):(?P<path>[A-Za-z0-9._~%+/-]+)")
_REF = re.compile(r"(?![-/.])(?!.*(?:\.\.|//|@\{|\.lock$|[/.]$))[A-Za-z0-9._/+-]{1,255}")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_PART = re.compile(r"[^\x00-\x1f\x7f/\\]{1,255}")
_WAY_OUT: Final = "write it as git+https://HOST/REPOSITORY@TAG//PATH/recipe.yaml"
_OCI_WAY_OUT: Final = "write it as oci://HOST/NAME:TAG//recipe.yaml"


@dataclass(frozen=True, slots=True)
class GitAddress:
    """A path in a repository of git; ``path`` is "" for all of it."""

    url: str
    ref: str
    path: str = ""

    @property
    def is_pinned(self) -> bool:
        """Whether the ref is a whole commit, which never changes."""
        return _COMMIT.fullmatch(self.ref) is not None

    @property
    def origin(self) -> str:
        """The address without the path."""
        return f"{GIT}{self.url}@{self.ref}"

    def __str__(self) -> str:
        return f"{self.origin}//{self.path}" if self.path else self.origin


@dataclass(frozen=True, slots=True)
class OciAddress:
    """A file in an artifact of a registry; ``path`` is "" for its only one."""

    reference: Reference
    path: str = ""

    @property
    def is_pinned(self) -> bool:
        """Whether a digest is named, which never changes."""
        return self.reference.digest is not None

    @property
    def origin(self) -> str:
        """The address without the path."""
        return str(self.reference)

    def __str__(self) -> str:
        return f"{self.origin}//{self.path}" if self.path else self.origin


Address = GitAddress | OciAddress


def meant_address(text: str) -> str:
    """Return how an address that browsers or git itself read is written here, "" for what is none."""
    if match := _BROWSED.fullmatch(text):
        if not match["ref"] and match["place"].lower().endswith((".yaml", ".yml")):
            return ""  # a file alone
        path = f"//{match['path']}" if match["path"] else ""
        return f"{GIT}https://{match['place']}@{match['ref'] or 'TAG'}{path}"
    if match := _SCP.fullmatch(text):
        return f"{GIT}ssh://{match['host']}/{match['path']}@TAG"
    scheme, separator, rest = text.partition("://")
    return f"{GIT}{scheme.lower()}://{rest.rstrip('/')}@TAG" if separator and scheme.lower() in {"ssh", "file"} else ""


def is_remote(text: str) -> bool:
    """Say whether a text is meant as an address elsewhere."""
    return text.lower().startswith((GIT, OCI))


def parse_address(text: str) -> Address:
    """Read an address; raises UsageError with what is wrong."""
    return _git(text) if text.lower().startswith(GIT) else _oci(text)


def relative_path(text: str) -> str:
    """Return a path inside a repository as it is; raises UsageError for one that could lead out of it."""
    if not is_inside(text):
        raise UsageError(f'"{text:.200}" is no path inside of the repository', hint="name a file of it, without ..")
    return text


def is_inside(path: str) -> bool:
    """Say whether a path is relative and stays where it starts."""
    return all(_PART.fullmatch(part) and part not in {".", "..", ".git"} for part in path.split("/"))


def _git(text: str) -> GitAddress:
    transport, separator, rest = text[len(GIT) :].partition("://")
    if not separator or transport.lower() not in _TRANSPORTS:
        raise _wrong(text, f"git is read by {', '.join(_TRANSPORTS)}, not {transport[:20]!r}", _WAY_OUT)
    start = 1 if transport.lower() == "file" else 0  # file:///folder
    left, _, path = rest[start:].partition("//")
    place, at, ref = (rest[:start] + left).rpartition("@")
    if not at or "/" not in place.lstrip("/"):
        raise _wrong(text, "it says no tag, branch or commit", _WAY_OUT)
    if not _REF.fullmatch(ref):
        raise _wrong(text, f"{ref[:80]!r} is no tag, branch or commit", _WAY_OUT)
    if not _URL.fullmatch(place) or place.startswith("-") or ".." in place.split("/"):
        raise _wrong(text, f"{place[:120]!r} is no address of a repository", _WAY_OUT)
    authority = place.partition("/")[0]
    if ":" in authority.rpartition("@")[0] or (transport.lower() == "https" and "@" in authority):
        raise UsageError(
            "an address of a recipe holds a login, and everybody who reads the recipe would see it",
            hint="leave it out: git asks its credential helpers, ssh its agent",
        )
    return GitAddress(f"{transport.lower()}://{place}", ref, relative_path(path) if path else "")


def _oci(text: str) -> OciAddress:
    left, _, path = text[len(OCI) :].partition("//")
    try:
        reference = Reference.parse(OCI + left)
    except ModelsmithError as error:
        raise UsageError(error.message, hint=_OCI_WAY_OUT) from error
    return OciAddress(reference, relative_path(path) if path else "")


def _wrong(text: str, reason: str, hint: str) -> UsageError:
    shown = re.sub(r"(?<=//)[^/@]*:[^/@]*@", "***@", text[:200])
    return UsageError(f'"{shown}" cannot be read: {reason}', hint=hint)
