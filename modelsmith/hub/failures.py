"""What the Hub answers when it refuses, as errors that say what to do about it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from modelsmith.errors import HubError, ModelsmithError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.hub.settings import HubSettings

_LOGIN = "set HF_TOKEN to a token of yours (https://huggingface.co/settings/tokens), or run `hf auth login`"


@contextmanager
def hub_errors(settings: HubSettings, repo: str, what: str) -> Iterator[None]:
    """Turn what ``huggingface_hub`` raises into HubError; ``what`` is a revision, a file or a deed, for the message."""
    try:
        yield
    except (ModelsmithError, KeyboardInterrupt):
        raise
    except Exception as error:
        found = explained(settings, repo, what, error)
        if found is None:
            raise
        raise found from error


def explained(settings: HubSettings, repo: str, what: str, error: Exception) -> HubError | None:
    """Return the error for the user; None for one that is none of the Hub's."""
    import httpx2
    from huggingface_hub import errors

    page = f"{settings.endpoint}/{repo}"
    status = _status(error)
    if isinstance(error, errors.GatedRepoError):
        hint = f"visit {page} and accept its conditions there"
        hint += "; the token in use must belong to that account and may read gated repositories"
        return HubError(f"{repo} is gated: {_who(settings)} may not read it", status=status, hint=_and(settings, hint))
    if isinstance(error, errors.DisabledRepoError):
        return HubError(f"{repo} was disabled by the Hub", status=status, hint=f"{page} may say why")
    if isinstance(error, errors.RevisionNotFoundError):
        return HubError(
            f"{repo} has no revision {what}", status=status, hint=f"its branches and tags are at {page}/tree/main"
        )
    if isinstance(error, errors.EntryNotFoundError):
        return HubError(f"{repo} has no {what}", status=status, hint=f"its files are at {page}/tree/main")
    if isinstance(error, errors.RepositoryNotFoundError):
        return HubError(
            f"{repo} is not there, or is private: {_who(settings)} does not see it",
            status=status,
            hint=_and(settings, f"check the spelling at {page}"),
        )
    if isinstance(error, errors.HfHubHTTPError):
        return _by_status(settings, repo, what, status, error)
    if isinstance(error, RuntimeError) and isinstance(error.__cause__, Exception):
        return explained(settings, repo, what, error.__cause__)  # "Error while uploading …" says nothing by itself
    if isinstance(error, errors.HFValidationError):
        return HubError(f"{repo}: the Hub does not allow such a name: {_short(error)}", hint="name it as org/repo")
    if isinstance(error, (httpx2.HTTPError, ConnectionError, TimeoutError)):
        return HubError(
            f"{settings.endpoint} does not answer: {_short(error)}",
            hint="check the network and HF_ENDPOINT; HF_HUB_OFFLINE=1 uses what was downloaded before",
        )
    if isinstance(error, (ValueError, KeyError, TypeError, AttributeError)):
        return HubError(
            f"{settings.endpoint} gave an answer for {repo} that is none of a Hub: {_short(error)}",
            hint="is HF_ENDPOINT the address of a Hub or of its mirror?",
        )
    return None


def _by_status(settings: HubSettings, repo: str, what: str, status: int, error: Exception) -> HubError:
    if status == 401:
        return HubError(
            f"{settings.endpoint} does not accept the token in use",
            status=status,
            hint="it may have expired; make a new one at https://huggingface.co/settings/tokens and set HF_TOKEN",
        )
    if status == 403:
        hint = "a token that writes is needed to publish; make one at https://huggingface.co/settings/tokens"
        return HubError(f"{what} of {repo} is forbidden for {_who(settings)}", status=status, hint=_and(settings, hint))
    if status == 429:
        hint = "wait some minutes" if settings.token else f"wait some minutes; with a token more is allowed: {_LOGIN}"
        return HubError(f"{settings.endpoint} says that it was asked too often", status=status, hint=hint)
    if status >= 500:
        return HubError(
            f"{settings.endpoint} is out of order: {status} for {what} of {repo}",
            status=status,
            hint="try again later; https://status.huggingface.co tells more",
        )
    return HubError(f"{settings.endpoint} refused {what} of {repo}: {_short(error)}", status=status)


def came_of_xet(error: Exception) -> bool:
    """Whether an error is none of the Hub's answers: the library for Xet raises what Rust gives it."""
    import httpx2
    from huggingface_hub import errors

    if isinstance(error, (errors.HFValidationError, httpx2.HTTPError)):
        return False
    return isinstance(error, (ConnectionError, RuntimeError, OSError, ValueError))


def _who(settings: HubSettings) -> str:
    return "the token in use" if settings.token else "somebody without a token"


def _and(settings: HubSettings, hint: str) -> str:
    return hint if settings.token else f"{hint}; then {_LOGIN}"


def _status(error: Exception) -> int:
    found = getattr(getattr(error, "response", None), "status_code", 0)
    return found if isinstance(found, int) else 0


def _short(error: Exception) -> str:
    """Return the first lines of a message, on one."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text[:300]
