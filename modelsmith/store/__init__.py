"""Where models live: one protocol, an embedded store and an Ollama server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from modelsmith.progress import ProgressSink, silent

if TYPE_CHECKING:
    from modelsmith.name import ModelName
    from modelsmith.store.listing import Listing
    from modelsmith.store.model import CreatePreview, CreateRequest, StoredModel


class Store(Protocol):
    """Models by name. Implemented by LocalStore (a directory in Ollama's layout) and OllamaStore (a server's HTTP API)."""

    @property
    def location(self) -> str:
        """Where it is, for people: a directory or a URL."""

    def ollama_version(self) -> str | None:
        """Return the server's version; None for a directory, which any version may serve."""

    def models(self) -> tuple[ModelName, ...]:
        """List the models, sorted by name."""

    def listing(self) -> Listing:
        """Return the models as a table: sizes, and what they share where the store knows."""

    def show(self, name: ModelName) -> StoredModel:
        """Describe one model; raises ModelNotFound."""

    def preview(self, name: ModelName, request: CreateRequest, *, as_is: bool = False) -> CreatePreview:
        """Say what ``create`` with the same arguments would write. Changes nothing."""

    def create(
        self, name: ModelName, request: CreateRequest, *, as_is: bool = False, progress: ProgressSink = silent
    ) -> StoredModel:
        """Create or replace a model and return it as it is stored now.

        ``as_is``: keep a GGUF's bytes (linked where the file system can) instead of Ollama's canonical tensor order.
        """

    def copy(self, source: ModelName, target: ModelName) -> None:
        """Give a model a second name; raises ModelNotFound."""

    def delete(self, name: ModelName) -> int | None:
        """Remove a model and the blobs that no other model uses; raises ModelNotFound.

        Returns how many bytes that freed, None where the store does not say.
        """
