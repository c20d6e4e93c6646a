"""How registries are to be reached: what the user said, and the connections that follow from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from modelsmith.errors import UsageError
from modelsmith.http.addresses import resolve
from modelsmith.http.response import Limits
from modelsmith.http.urls import is_loopback
from modelsmith.http.wire import Wire, trusted
from modelsmith.registry.auth import Authenticator
from modelsmith.registry.client import Registry
from modelsmith.registry.credentials import Credentials, Login

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from modelsmith.http.addresses import Resolver


@dataclass(frozen=True, slots=True)
class Access:
    """What the user said about registries.

    ``insecure`` means plain http. ``mirrors`` are URLs that are asked before the registry itself; ``token_hosts`` are
    the token servers of other names that may see the login; ``key_file`` is Ollama's key, for registries that know it
    (default: ``~/.ollama/id_ed25519`` for Ollama's own). ``connections`` is how many blobs or parts move at once.
    """

    insecure: bool = False
    ca_file: Path | None = None
    mirrors: tuple[str, ...] = ()
    token_hosts: tuple[str, ...] = ()
    key_file: Path | None = None
    connections: int = 4
    limits: Limits = field(default_factory=Limits)
    resolver: Resolver = resolve

    @classmethod
    def of_host(cls, host: str) -> Self:
        """Return what holds where the user said nothing: a registry on this machine is asked by plain http, as docker does."""
        return cls(insecure=is_loopback(urlsplit(f"//{host}").hostname or ""))


class Session:
    """The registries that one command talks to. Close it, or use it in a ``with``."""

    def __init__(self, access: Access | None = None) -> None:
        self.access = access or Access()
        self._registries: dict[str, Registry] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.wire.close()

    @cached_property
    def wire(self) -> Wire:
        """The connections; raises UsageError for a file of certificates that cannot be used."""
        trust = cache(partial(trusted, self.access.ca_file))
        if (
            self.access.ca_file is not None
        ):  # said before anything is moved; the system's take their time and are read when needed
            trust()
        return Wire(trust, self.access.limits, self.access.resolver)

    def registry(self, host: str, login: Login | None = None) -> Registry:
        """Return the registry at ``host[:port]``; its login comes from docker's config unless it is given."""
        root = f"{'http' if self.access.insecure else 'https'}://{host}"
        return self._at(root, host, login)

    def mirror(self, url: str) -> Registry:
        """Return the registry at a mirror's URL; it says itself whether it is plain http."""
        scheme, _, host = url.rstrip("/").partition("://")
        if scheme not in {"http", "https"} or not host or "/" in host or "@" in host:
            raise UsageError(f"{url!r:.200} is no mirror", hint="write it as https://HOST[:PORT]")
        return self._at(f"{scheme}://{host}", host, None)

    def _at(self, root: str, host: str, login: Login | None) -> Registry:
        if root not in self._registries or login is not None:
            access = self.access
            known = login or Credentials().find(host)
            who = Authenticator(root, self.wire, known, token_hosts=access.token_hosts, key_file=access.key_file)
            self._registries[root] = Registry(root, self.wire, who)
        return self._registries[root]
