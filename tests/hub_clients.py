"""A fake Hub, and a client of it with a cache of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fakes.hub import FakeHub, FakeRepo, serving_hub

from modelsmith.hub.client import Hub
from modelsmith.hub.settings import HubSettings


def client(fake: FakeHub, cache: Path, *, token: str = "", offline: bool = False, xet: bool = False) -> Hub:
    return Hub(HubSettings(fake.url, token, cache, offline, xet))


@contextmanager
def hub_of(**repos: FakeRepo) -> Iterator[FakeHub]:
    """Serve repositories of the owner ``org``."""
    with serving_hub(FakeHub({f"org/{name}": repo for name, repo in repos.items()})) as fake:
        yield fake
