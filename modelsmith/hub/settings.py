"""Which Hub is asked, as whom, and where its files are kept: the variables that ``huggingface_hub`` knows, read when needed.

Source: huggingface_hub ``constants.py``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.errors import UsageError
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

PUBLIC = "https://huggingface.co"
_YES = frozenset(("1", "on", "yes", "true"))


@dataclass(frozen=True, slots=True)
class HubSettings:
    """``endpoint`` is the URL of the Hub or of its mirror; ``token`` is never shown."""

    endpoint: str
    token: str
    cache: Path
    offline: bool
    xet: bool

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> HubSettings:
        """Return what the environment and the login of ``hf auth login`` say; raises UsageError for a broken HF_ENDPOINT."""
        endpoint = environment.get("HF_ENDPOINT", "").strip().rstrip("/") or PUBLIC
        if not endpoint.startswith(("http://", "https://")):
            raise UsageError(
                f"HF_ENDPOINT={endpoint!r} is no URL", hint="write it as https://HOST, or unset it for huggingface.co"
            )
        home = Path(
            environment.get("HF_HOME")
            or Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "huggingface"
        ).expanduser()
        cache = environment.get("HF_HUB_CACHE") or environment.get("HUGGINGFACE_HUB_CACHE") or home / "hub"
        return cls(
            endpoint,
            _token(environment, home),
            Path(cache).expanduser(),
            _is_set(environment, "HF_HUB_OFFLINE") or _is_set(environment, "TRANSFORMERS_OFFLINE"),
            not _is_set(environment, "HF_HUB_DISABLE_XET"),
        )

    def __repr__(self) -> str:
        return f"HubSettings({self.endpoint!r}, token={'set' if self.token else 'not set'})"


def _is_set(environment: Mapping[str, str], name: str) -> bool:
    return environment.get(name, "").strip().lower() in _YES


def _token(environment: Mapping[str, str], home: Path) -> str:
    token = environment.get("HF_TOKEN") or environment.get("HUGGING_FACE_HUB_TOKEN") or ""
    if not token.strip():
        try:
            token = Path(environment.get("HF_TOKEN_PATH") or home / "token").expanduser().read_text()[:1024]
        except (OSError, UnicodeDecodeError):
            return ""
    return token.strip()
