"""Answers to 401: basic, a token of docker's kind, or one that is asked for with Ollama's key.

A login and a signature go to the registry's own host only, unless the user named another token server: a registry could
have them sent anywhere otherwise (CVE-2025-51471). Sources: distribution ``docs/spec/auth/token.md``, ``oauth.md``;
Ollama ``server/auth.go``.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from modelsmith.errors import ServerError
from modelsmith.fields import Fields
from modelsmith.records import dataclass
from modelsmith.registry.ollama_key import default_key, signature
from modelsmith.registry.reference import DOCKER_HUB

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from modelsmith.http.wire import Wire
    from modelsmith.registry.credentials import Login

_MAX_TOKEN = 256 << 10
_MAX_CHALLENGE = 8 << 10
_CHALLENGE = re.compile(r"(?:^|,)\s*([A-Za-z][A-Za-z0-9-]*)\s+(?=[A-Za-z])")
_PARAMETER = re.compile(r'([A-Za-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_TOKEN = re.compile(r"[\x21-\x7e]{1,65536}")
_CLIENT = "modelsmith"
KNOWN_TOKEN_HOSTS = {DOCKER_HUB: "auth.docker.io", "hf.co": "huggingface.co"}
"""Token servers that are known to belong to a registry of another name."""
SIGNING_HOSTS = frozenset(("registry.ollama.ai", "ollama.com", "hf.co", "huggingface.co"))
"""Registries that know Ollama's keys."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a registry wants to see: its ``realm``, ``service`` and ``scope`` ("" where it does not say)."""

    scheme: str
    realm: str = ""
    service: str = ""
    scope: str = ""


def parse_challenges(text: str) -> tuple[Challenge, ...]:
    """Read the value of ``WWW-Authenticate``; what cannot be read is left out."""
    text = text[:_MAX_CHALLENGE]
    starts = list(_CHALLENGE.finditer(text))
    found = []
    for number, start in enumerate(starts):
        end = starts[number + 1].start() if number + 1 < len(starts) else len(text)
        values = {
            match[1].lower(): re.sub(r"\\(.)", r"\1", match[2]) if match[2] is not None else match[3]
            for match in _PARAMETER.finditer(text[start.end() : end])
        }
        known = {key: values[key] for key in ("realm", "service", "scope") if key in values}
        found.append(Challenge(start[1].lower(), **known))
    return tuple(found)


class Authenticator:
    """Says who asks at one registry; what it learned is used for the next requests."""

    def __init__(
        self,
        root: str,
        wire: Wire,
        login: Login | None,
        *,
        token_hosts: tuple[str, ...] = (),
        key_file: Path | None = None,
    ) -> None:
        self._root = urlsplit(root)
        self._wire = wire
        self._login = login
        self._token_hosts = token_hosts
        self._key_file = key_file
        self._lock = threading.Lock()
        self._headers: dict[str, str] = {}

    def header(self, scope: str) -> str | None:
        """Return what is known to be right for a scope already."""
        return self._headers.get(scope) or self._headers.get("")

    def answer(self, headers: Mapping[str, str], scope: str, refused: str | None) -> str:
        """Return the ``Authorization`` for a refused request; ``refused`` is what it had. Raises ServerError."""
        with self._lock:
            known = self.header(scope)
            if known is not None and known != refused:  # another thread has asked meanwhile
                return known
            challenges = parse_challenges(headers.get("www-authenticate", ""))
            for challenge in challenges:
                if challenge.scheme == "bearer":
                    self._headers[scope] = value = f"Bearer {self._token(challenge, scope)}"
                    return value
            if any(challenge.scheme == "basic" for challenge in challenges) and self._login and self._login.user:
                value = self._login.basic
                if value != refused:
                    self._headers[""] = value
                    return value
            raise self.denied()

    def denied(self, text: str = "") -> ServerError:
        """Return the error for a login that is missing or wrong."""
        host = self._root.netloc
        who = f"as {self._login.user or 'the user of the token'}" if self._login else "without a login"
        hint = f"modelsmith login {host}" if not self._login else f"log in again: modelsmith login {host}"
        return ServerError(
            f"{host} does not let us in {who}{f': {text}' if text else ''}", status=401, text=text, hint=hint
        )

    def _token(self, challenge: Challenge, scope: str) -> str:
        self._check_realm(challenge.realm)
        scopes = (challenge.scope or scope).split()[:16]
        login = self._login
        if login is not None and not login.user:
            body = {"grant_type": "refresh_token", "service": challenge.service, "client_id": _CLIENT}
            body |= {"scope": " ".join(scopes), "refresh_token": login.secret}
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            return self._ask("POST", challenge.realm, form, urlencode(body).encode())
        query = [("service", challenge.service)] if challenge.service else []
        query += [("scope", one) for one in scopes]
        headers = {}
        if login is not None:
            headers["Authorization"] = login.basic
        elif (key := self._key()) is not None:
            nonce = base64.urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode()
            query = sorted([*query, ("ts", str(int(time.time()))), ("nonce", nonce)], key=lambda pair: pair[0])
            url = _with_query(challenge.realm, query)
            return self._ask("GET", url, {"Authorization": signature(key, "GET", url)})
        return self._ask("GET", _with_query(challenge.realm, query), headers)

    def _key(self) -> Path | None:
        if self._key_file is not None:
            return self._key_file
        return default_key() if self._root.netloc in SIGNING_HOSTS else None

    def _check_realm(self, realm: str) -> None:
        try:
            parts = urlsplit(realm)
            host = parts.netloc.lower()
            well_formed = bool(parts.hostname) and parts.scheme in {"http", "https"} and "@" not in host
        except ValueError:
            well_formed = False
        if not well_formed:
            raise ServerError(f"{self._root.netloc} names a token server that is no URL: {realm!r:.120}")
        own = self._root.netloc.lower()
        if parts.scheme == "http" and self._root.scheme == "https":
            raise ServerError(f"{own} wants the login sent without TLS, to {realm:.120}: refused")
        if host not in {own, KNOWN_TOKEN_HOSTS.get(own, own), *self._token_hosts}:
            raise ServerError(
                f"{own} wants the login sent to another host, {host:.120}: refused",
                hint=f"if it is the token server of {own}, say so with --token-host {host:.120}",
            )

    def _ask(self, method: str, url: str, headers: dict[str, str], body: bytes | None = None) -> str:
        with self._wire.exchange(method, url, headers, body) as response:
            if response.status in {400, 401, 403}:
                raise self.denied(f"its token server answers {response.status}")
            if response.status != 200:
                raise ServerError(
                    f"{method} {url.partition('?')[0]}: the token server answers {response.status}",
                    status=response.status,
                )
            data = response.read(_MAX_TOKEN)
        where = f"{url.partition('?')[0]}: the answer of the token server"
        try:
            answer = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise ServerError(f"{where} is not JSON: {error}") from error
        said = Fields.of(answer, where, ServerError)
        token = said.text("token") or said.text("access_token")
        if not _TOKEN.fullmatch(token):
            raise ServerError(f"{where} has no token")
        return token


def _with_query(url: str, query: list[tuple[str, str]]) -> str:
    joint = "&" if urlsplit(url).query else "?"
    return url + joint + urlencode(query) if query else url
