"""The place of a server that was named and does not answer, in questions about files that may do without it."""

# ruff: noqa: ARG002 - the arguments are those of every Store

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from modelsmith.progress import ProgressSink, silent

if TYPE_CHECKING:
    from modelsmith.errors import ServerError
    from modelsmith.name import ModelName
    from modelsmith.store.listing import Listing
    from modelsmith.store.model import CreatePreview, CreateRequest, StoredModel


class AbsentStore:
    """A Store that raises why the server cannot be used, as soon as a model is asked of it."""

    def __init__(self, location: str, error: ServerError) -> None:
        self.location = location
        self.error = error

    def ollama_version(self) -> str | None:
        """Return None: nobody knows."""
        return None

    def models(self) -> tuple[ModelName, ...]:
        """Raise ServerError."""
        self._fail()

    def listing(self) -> Listing:
        """Raise ServerError."""
        self._fail()

    def show(self, name: ModelName) -> StoredModel:
        """Raise ServerError."""
        self._fail()

    def preview(self, name: ModelName, request: CreateRequest, *, as_is: bool = False) -> CreatePreview:
        """Raise ServerError."""
        self._fail()

    def create(
        self, name: ModelName, request: CreateRequest, *, as_is: bool = False, progress: ProgressSink = silent
    ) -> StoredModel:
        """Raise ServerError."""
        self._fail()

    def copy(self, source: ModelName, target: ModelName) -> None:
        """Raise ServerError."""
        self._fail()

    def delete(self, name: ModelName) -> int | None:
        """Raise ServerError."""
        self._fail()

    def _fail(self) -> NoReturn:
        raise self.error
