"""From an address to files, whatever kind it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.recipe.remote.address import Address, GitAddress

if TYPE_CHECKING:
    from modelsmith.recipe.remote.checkout import Checkout


def fetch(address: Address) -> Checkout:
    """Return the files that an address names; raises RecipeSourceError, UsageError."""
    if isinstance(address, GitAddress):
        from modelsmith.recipe.remote.git import fetch_git

        return fetch_git(address)
    from modelsmith.recipe.remote.oci import fetch_oci

    return fetch_oci(address)
