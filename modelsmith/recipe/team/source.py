"""A place that a team keeps recipes in, pinned: a repository of git, an artifact of a registry, or a folder."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from modelsmith.errors import InvalidDigest, RecipeSourceError, UsageError
from modelsmith.manifest import Digest
from modelsmith.recipe.read.bundled import ENDINGS
from modelsmith.recipe.remote.address import GitAddress, OciAddress, is_remote, meant_address, parse_address
from modelsmith.recipe.remote.checkout import Checkout, remember, seen
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.recipe.remote.address import Address

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?")
_MAX_RECIPES: Final = 1_000


@dataclass(frozen=True, slots=True)
class TeamSource:
    """A place of recipes.

    ``place`` is an address (git+…, oci://…) or the path of a folder, ``pin`` the commit or digest that is taken ("" for a folder, which is
    taken as it is), ``key`` the public key whose signature it needs ("" for none).
    """

    name: str
    place: str
    pin: str = ""
    key: str = ""

    @property
    def address(self) -> Address | None:
        """Where it is asked for, without the pin; None for a folder."""
        return parse_address(self.place) if is_remote(self.place) else None

    def checkout(self) -> Checkout:
        """Return its files as they are pinned; raises RecipeSourceError where they cannot be had, or are not signed as they must be."""
        address = self.address
        if address is None:
            root = Path(self.place)
            if not root.is_dir():
                raise RecipeSourceError(
                    f"the recipes {self.name} are a folder that is not here: {self.place}",
                    hint=f"name another place: modelsmith recipes remove {self.name}, then recipes add {self.name} PLACE",
                )
            return Checkout(root.resolve(), self.place, "")
        from modelsmith.recipe.remote.fetch import fetch

        try:
            found = fetch(_at(address, self.pin))
        except RecipeSourceError as error:
            raise RecipeSourceError(f"the recipes {self.name}: {error.message}", hint=error.hint) from error
        if self.key:
            _check_signature(self, address, found.pin)
        return found

    def pinned_path(self, address: Address) -> str:
        """Return the address of the same file as this place is pinned, "" where it is none of this place."""
        own = self.address
        if isinstance(own, GitAddress) and isinstance(address, GitAddress):
            same = own.url == address.url
        elif isinstance(own, OciAddress) and isinstance(address, OciAddress):
            same = (own.reference.host, own.reference.repository) == (
                address.reference.host,
                address.reference.repository,
            )
        else:
            return ""
        if own is None or not same or (own.path and not address.path.startswith(f"{own.path}/")):
            return ""
        return str(replace(_at(own, self.pin), path=address.path))

    def newest(self) -> TeamSource:
        """Return it pinned to what its address names now; raises RecipeSourceError."""
        address = self.address
        if address is None:
            self.checkout()
            return self
        from modelsmith.recipe.remote.fetch import fetch

        try:
            pinned = replace(self, pin=fetch(address).pin)
        except RecipeSourceError as error:
            raise RecipeSourceError(f"the recipes {self.name}: {error.message}", hint=error.hint) from error
        pinned.checkout()
        return pinned

    def files(self) -> Iterator[tuple[str, Path]]:
        """Yield the name and the file of each file of YAML in it: ``folder/recipe`` for ``folder/recipe.yaml``."""
        root = self.folder()
        for path in sorted(root.rglob("*"))[: _MAX_RECIPES * 20]:
            inside = path.relative_to(root)
            if any(part.startswith(".") for part in inside.parts):
                continue  # workflows, hooks: no recipes
            if path.suffix.lower() in ENDINGS and path.is_file() and not path.is_symlink():
                yield inside.with_suffix("").as_posix(), path

    def folder(self) -> Path:
        """Return the folder that names are looked up in."""
        root = self.checkout().root
        address = self.address
        return root / address.path if address is not None and address.path else root


def team_source(name: str, place: str, key: str = "") -> TeamSource:
    """Return a place that a user names, pinned to what is there now.

    Raises UsageError for a name or a place that cannot be one, RecipeSourceError where nothing is found there.
    """
    check_name(name)
    if not is_remote(place):
        if key:
            raise UsageError(
                "a folder has no signature", hint="leave --key out, or name a repository of git or an artifact"
            )
        folder = Path(place).expanduser().absolute()
        if not folder.is_dir():
            what = "is a file" if folder.exists() else "is no folder"
            meant = meant_address(place)
            hint = "name a folder of recipes, git+https://HOST/REPOSITORY@REF or oci://HOST/NAME:TAG"
            raise UsageError(
                f'"{place:.200}" {what}, and no address either',
                hint=f"write it as {meant}, with a tag, a branch or a commit behind @" if meant else hint,
            )
        place = str(folder)
    source = TeamSource(name, place, key=key).newest()
    if not source.folder().is_dir():
        raise UsageError(
            f'"{place:.200}" has no folder of that name', hint="what stands behind // is a folder of the repository"
        )
    return source


def check_name(name: str) -> None:
    """Raise UsageError for what cannot be the short name of a place."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f'"{name:.80}" cannot be the name of recipes',
            hint="small letters, digits, - and _, such as team; recipes are then called team/force-think",
        )


def _at(address: Address, pin: str) -> Address:
    """Return the address of just what is pinned."""
    if not pin:
        return address
    if isinstance(address, GitAddress):
        return replace(address, ref=pin)
    try:
        digest = Digest.parse(pin)
    except InvalidDigest as error:
        raise UsageError(
            f"the pin of {address} is {pin!r:.80}, no digest", hint="pin it anew: recipes update"
        ) from error
    return replace(address, reference=replace(address.reference, digest=digest))


def _check_signature(source: TeamSource, address: Address, pin: str) -> None:
    """Check once what never changes: the cache remembers which commit, or artifact, this key has signed, so that it works offline too."""
    asked = f"{source.key} has signed {address.origin} {pin}"
    if seen(asked) == pin:
        return
    if isinstance(address, OciAddress):
        from modelsmith.recipe.remote.cosign import check_signed

        check_signed(address, pin, source.key)
    else:
        from modelsmith.recipe.remote.signed import check_signed_commit

        check_signed_commit(address, pin, source.key)
    remember(asked, pin)
