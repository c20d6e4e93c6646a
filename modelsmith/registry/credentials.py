"""Logins of registries, where docker, podman and skopeo look for them too: docker's config file and credential helpers.

Source: docker/cli ``cli/config/configfile``, docker-credential-helpers ``client/command.go``.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelsmith.errors import StoreError, UsageError
from modelsmith.files.replacing import write
from modelsmith.patterns import regex
from modelsmith.records import dataclass
from modelsmith.registry.reference import DOCKER_HUB

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_CONFIG = 4 << 20
_HELPER_SECONDS = 30
_HELPER = regex(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_DOCKER_HUB_KEY = "https://index.docker.io/v1/"
_TOKEN_USER = "<token>"  # noqa: S105  # the user name by which helpers mark an identity token
_NOT_FOUND = "credentials not found"


@dataclass(frozen=True, slots=True)
class Login:
    """User and password, or an identity token (then ``user`` is "")."""

    user: str
    secret: str

    def __repr__(self) -> str:
        return f"Login({self.user!r}, …)"

    @property
    def basic(self) -> str:
        """Return the value of ``Authorization`` for basic authentication."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.secret}".encode()).decode()


class Credentials:
    """Docker's config file (``$DOCKER_CONFIG/config.json``, ``~/.docker/config.json``) and the helpers that it names."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        folder = environment.get("DOCKER_CONFIG", "")
        self.path = Path(folder) / "config.json" if folder else Path.home() / ".docker" / "config.json"

    def find(self, host: str) -> Login | None:
        """Return the login for a host; None where there is none. Raises StoreError where one cannot be read."""
        config = self._read()
        for key in _keys(host):
            if helper := self._helper(config, key):
                if found := _ask_helper(helper, key):
                    return found
            elif found := self._stored(config, key):
                return found
        return None

    def store(self, host: str, login: Login) -> str:
        """Keep a login; return where, for people. The helper of the config is used if it names one."""
        config, key = self._read(), _keys(host)[0]
        if helper := self._helper(config, key):
            body = {"ServerURL": key, "Username": login.user or _TOKEN_USER, "Secret": login.secret}
            _run_helper(helper, "store", json.dumps(body))
            return f"docker-credential-{helper}"
        entry = {"auth": base64.b64encode(f"{login.user}:{login.secret}".encode()).decode()}
        config.setdefault("auths", {})[key] = entry
        self._write(config)
        return str(self.path)

    def erase(self, host: str) -> bool:
        """Forget the logins of a host; False where there was none."""
        config, found = self._read(), False
        for key in _keys(host):
            if (helper := self._helper(config, key)) and _ask_helper(helper, key):
                _run_helper(helper, "erase", key)
                found = True
            if isinstance(config.get("auths"), dict) and config["auths"].pop(key, None) is not None:
                self._write(config)
                found = True
        return found

    def _helper(self, config: dict[str, Any], key: str) -> str:
        helpers = config.get("credHelpers")
        helper = helpers.get(key) if isinstance(helpers, dict) else None
        helper = helper or config.get("credsStore") or ""
        if not isinstance(helper, str) or (helper and not _HELPER.fullmatch(helper)):
            raise StoreError(f"{self.path} names a credential helper that cannot be one: {helper!r:.80}")
        return helper

    def _stored(self, config: dict[str, Any], key: str) -> Login | None:
        auths = config.get("auths")
        entry = auths.get(key) if isinstance(auths, dict) else None
        if not isinstance(entry, dict):
            return None
        token = entry.get("identitytoken")
        if isinstance(token, str) and token:
            return Login("", token)
        try:
            user, colon, secret = base64.b64decode(entry.get("auth") or "", validate=True).decode().partition(":")
        except (ValueError, TypeError) as error:
            raise StoreError(
                f"the login for {key} in {self.path} cannot be read", hint=f"make it anew: modelsmith login {key}"
            ) from error
        return Login(user, secret) if colon else None

    def _read(self) -> dict[str, Any]:
        try:
            with self.path.open("rb") as file:
                data = file.read(_MAX_CONFIG + 1)
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            raise StoreError(
                f"{self.path} cannot be read: {error.strerror}", hint="it holds docker's logins"
            ) from error
        try:
            config = json.loads(data) if data.strip() else {}
        except (ValueError, RecursionError) as error:
            raise StoreError(f"{self.path} is not JSON: {error}", hint="mend the file, or move it away") from error
        if not isinstance(config, dict) or len(data) > _MAX_CONFIG or not isinstance(config.get("auths", {}), dict):
            raise StoreError(f"{self.path} is no config of docker", hint="mend the file, or move it away")
        return config

    def _write(self, config: dict[str, Any]) -> None:
        """Replace the config in one step, readable by its owner alone."""
        target = self.path.resolve() if self.path.is_symlink() else self.path
        text = json.dumps(config, indent="\t", ensure_ascii=False) + "\n"
        try:
            target.parent.mkdir(0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{target} cannot be written: {error.strerror}", hint="check its permissions") from error
        write(target, [text.encode()], keeps=False, mode=0o600, hint="check its permissions")


def _keys(host: str) -> tuple[str, ...]:
    """Return the names under which a host's login may be kept, the one to write first."""
    if host == DOCKER_HUB:
        return (_DOCKER_HUB_KEY, "docker.io", "index.docker.io", host)
    return (host, f"https://{host}", f"http://{host}", f"https://{host}/", f"https://{host}/v2/")


def _ask_helper(helper: str, key: str) -> Login | None:
    answer = _run_helper(helper, "get", key, may_miss=True)
    if answer is None:
        return None
    try:
        found = json.loads(answer)
        user, secret = found["Username"], found["Secret"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise StoreError(f"docker-credential-{helper} answers what cannot be read for {key}") from error
    if not isinstance(user, str) or not isinstance(secret, str):
        raise StoreError(f"docker-credential-{helper} answers what cannot be read for {key}")
    return Login("" if user == _TOKEN_USER else user, secret)


def _run_helper(helper: str, action: str, text: str, *, may_miss: bool = False) -> str | None:
    """Run a credential helper; what it is to know goes through its standard input, never into the list of processes."""
    program = f"docker-credential-{helper}"
    try:
        result = subprocess.run(
            [program, action], input=text, capture_output=True, text=True, timeout=_HELPER_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError) as error:
        raise UsageError(
            f"the credential helper {program} cannot be run: {error.__class__.__name__}",
            hint="install it, or take it out of docker's config.json",
        ) from error
    if result.returncode == 0:
        return result.stdout
    said = (result.stdout + result.stderr).strip()
    if may_miss and _NOT_FOUND in said.lower():
        return None
    raise StoreError(f"{program} {action} failed: {said[:200] or result.returncode}")
