"""Publishing: files go into a repository of the Hub as one commit, which is there whole or not at all."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

from modelsmith.errors import HubError
from modelsmith.hub.failures import came_of_xet, hub_errors
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from modelsmith.hub.client import Hub


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to be: its path in the repository, and what it holds, a file here or bytes."""

    path: str
    source: Path | bytes

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return len(self.source) if isinstance(self.source, bytes) else self.source.stat().st_size


def publish(
    hub: Hub,
    repo: str,
    uploads: Sequence[Upload],
    message: str,
    *,
    revision: str = "",
    private: bool = False,
    pull_request: bool = False,
    show_bars: bool = False,
    note: Callable[[str], None] = lambda _text: None,
) -> str:
    """Put files into a repository, which is made where it is not there yet; return the URL of the commit.

    ``show_bars`` lets ``huggingface_hub`` draw how far it is. Where its way of storing chunks (Xet) fails, plain uploads are
    taken. Raises HubError.
    """
    if hub.settings.offline:
        raise HubError("nothing can be published: HF_HUB_OFFLINE is set", hint="unset HF_HUB_OFFLINE")
    if not hub.settings.token:
        raise HubError(
            f"{repo} cannot be published to without a token",
            hint="make one that writes at https://huggingface.co/settings/tokens and set HF_TOKEN, or run `hf auth login`",
        )
    with hub_errors(hub.settings, repo, "creating"):
        if not pull_request:
            hub.api.create_repo(repo, private=private or None, exist_ok=True)
    with hub_errors(hub.settings, repo, "writing"):
        if hub.settings.xet:
            try:
                return _commit(hub, repo, uploads, message, revision, pull_request, show_bars=show_bars)
            except Exception as error:
                if not came_of_xet(error):
                    raise
                note(f"Xet failed and is done without: {' '.join(str(error).split())[:200]}")
        with _without_xet():
            return _commit(hub, repo, uploads, message, revision, pull_request, show_bars=show_bars)


def _commit(
    hub: Hub,
    repo: str,
    uploads: Sequence[Upload],
    message: str,
    revision: str,
    pull_request: bool,
    *,
    show_bars: bool,
) -> str:
    from huggingface_hub import CommitOperationAdd

    api = hub.api
    with warnings.catch_warnings(), _bars(shown=show_bars):
        # how huggingface_hub 2.4 calls its HTTP client is deprecated there
        warnings.filterwarnings("ignore", "Use 'content=", DeprecationWarning)
        done = api.create_commit(
            repo,
            [
                CommitOperationAdd(
                    upload.path, upload.source if isinstance(upload.source, bytes) else str(upload.source)
                )
                for upload in uploads
            ],
            commit_message=message,
            revision=revision or None,
            create_pr=pull_request or None,
        )
    return str(done.pr_url or done.commit_url)


@contextmanager
def _bars(*, shown: bool) -> Iterator[None]:
    from huggingface_hub.utils.tqdm import disable_progress_bars, enable_progress_bars

    if shown:
        enable_progress_bars()
    try:
        yield
    finally:
        disable_progress_bars()


@contextmanager
def _without_xet() -> Iterator[None]:
    from huggingface_hub import constants

    before = constants.HF_HUB_DISABLE_XET
    constants.HF_HUB_DISABLE_XET = True
    try:
        yield
    finally:
        constants.HF_HUB_DISABLE_XET = before
