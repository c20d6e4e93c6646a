"""Whether the server that gets a model is one that the model works with: REQUIRES, which older servers do not read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import UsageError
from modelsmith.versions import Version, of_server

if TYPE_CHECKING:
    from modelsmith.models.draft import Draft
    from modelsmith.store import Store


def too_old(store: Store, after: Draft) -> str:
    """Say that a server is older than the model's REQUIRES; "" where it is not, says no version, or there is no server."""
    needed = after.modelfile.requires or after.inherited.requires
    server = of_server(store.ollama_version())
    if not needed or server is None:
        return ""
    try:
        fits = Version.parse(server).has(needed)
    except UsageError:  # a REQUIRES that is no version is told by lint
        return ""
    return (
        "" if fits else f"the model needs Ollama {needed.removeprefix('v')} or newer, and {store.location} is {server}"
    )
