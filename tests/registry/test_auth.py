"""Logins: where they are found and kept, what is answered to a challenge, and what never leaves."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path

import pytest
from fakes.registry import FakeRegistry, Handler
from registry_models import NAME, access, offer

from modelsmith.errors import ModelsmithError, ServerError, StoreError, Unsupported, UsageError
from modelsmith.registry.access import Session
from modelsmith.registry.auth import Challenge, parse_challenges
from modelsmith.registry.credentials import Credentials, Login
from modelsmith.registry.moving import Mover
from modelsmith.registry.ollama_key import signature
from modelsmith.registry.reference import Reference
from modelsmith.store.local.local import LocalStore

HELPER = """#!/bin/sh
cd "$(dirname "$0")"
read -r line
echo "$1 $line" >> calls
case "$1" in
  get) if [ -f kept ]; then cat kept; else echo "credentials not found in native keychain"; exit 1; fi ;;
  store) echo "$line" > kept ;;
  erase) rm -f kept ;;
esac
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "docker").mkdir()
    return tmp_path / "docker" / "config.json"


@pytest.fixture
def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "docker-credential-test").write_text(HELPER)
    (folder / "docker-credential-test").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def test_the_config_keeps_and_forgets(config: Path) -> None:
    config.write_text('{"auths": {"other": {"auth": "eDp5"}}, "HttpHeaders": {"a": "b"}}')
    Credentials().store("r.example:5000", Login("alice", "pass:word"))
    assert Credentials().find("r.example:5000") == Login("alice", "pass:word")
    assert Credentials().find("r.example") is None
    assert json.loads(config.read_text())["HttpHeaders"] == {"a": "b"}
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert Credentials().erase("r.example:5000")
    assert not Credentials().erase("r.example:5000")
    assert Credentials().find("other") == Login("x", "y")


@pytest.mark.parametrize("how", ["credsStore", "credHelpers"])
def test_a_credential_helper(config: Path, helper: Path, how: str) -> None:
    config.write_text(json.dumps({how: "test" if how == "credsStore" else {"r.example": "test"}}))
    assert Credentials().find("r.example") is None
    assert Credentials().store("r.example", Login("alice", "secret")) == "docker-credential-test"
    assert Credentials().find("r.example") == Login("alice", "secret")
    assert "secret" not in config.read_text()
    assert Credentials().erase("r.example")
    assert Credentials().find("r.example") is None
    assert "erase r.example" in (helper / "calls").read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "no config of docker"),
        ('{"auths": []}', "no config of docker"),
        ('{"auths": {"r": {"auth": "%%%"}}}', "cannot be read"),
        ('{"auths": {"r": {"auth": 7}}}', "cannot be read"),
        ('{"credsStore": "../../bin/sh"}', "cannot be one"),
        ('{"credsStore": "not-there"}', "cannot be run"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_a_broken_config(config: Path, text: str, message: str) -> None:
    config.write_text(text)
    with pytest.raises(ModelsmithError, match=message):
        Credentials().find("r")


def test_a_config_that_is_a_folder(config: Path) -> None:
    config.mkdir()
    with pytest.raises(StoreError, match="cannot be read"):
        Credentials().find("r")


def test_a_login_is_never_shown() -> None:
    assert "secret" not in repr(Login("alice", "secret"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'Bearer realm="https://a/token",service="s",scope="repository:a/b:pull,push"',
            (Challenge("bearer", "https://a/token", "s", "repository:a/b:pull,push"),),
        ),
        ('Basic realm="x", Bearer realm="y"', (Challenge("basic", "x"), Challenge("bearer", "y"))),
        ("Bearer realm=https://a", (Challenge("bearer", "https://a"),)),
        ('BEARER REALM="q\\"uote"', (Challenge("bearer", 'q"uote'),)),
        ("", ()),
        ("nonsense", ()),
        (",,,=,", ()),
    ],
)
def test_challenges(text: str, expected: tuple[Challenge, ...]) -> None:
    assert parse_challenges(text) == expected


@pytest.mark.parametrize("kind", ["basic", "token", "identity token"])
def test_pull_with_a_login(config: Path, tmp_path: Path, kind: str) -> None:
    with FakeRegistry(login="alice:secret") as registry:
        offer(registry)
        entry = {"auth": base64.b64encode(b"alice:secret").decode()}
        if kind != "basic":
            registry.token_realm = f"http://{registry.host}/token"
        if kind == "identity token":
            entry = {"identitytoken": "refresh-me"}

            def twist(handler: Handler) -> bool:
                if handler.path == "/token" and handler.command == "POST":
                    form = handler.body()
                    assert b"refresh_token=refresh-me" in form
                    handler.answer(200, json.dumps({"access_token": handler.registry.token}).encode())
                    return True
                return False

            registry.twist = twist
        config.write_text(json.dumps({"auths": {registry.host: entry}}))
        with Mover(access()) as mover:
            mover.pull(Reference(registry.host, "team/toy"), LocalStore(tmp_path / "b"), NAME)
        assert registry.count("GET", "/token") + registry.count("POST", "/token") == (kind != "basic")


def test_a_login_does_not_go_to_another_host_unless_named(config: Path, tmp_path: Path) -> None:
    with FakeRegistry() as registry, FakeRegistry(login="alice:secret") as tokens:
        offer(registry)
        registry.token_realm = f"http://{tokens.host}/token"
        auth = {"auths": {registry.host: {"auth": base64.b64encode(b"alice:secret").decode()}}}
        config.write_text(json.dumps(auth))
        with Mover(access()) as mover, pytest.raises(ServerError, match="to another host"):
            mover.pull(Reference(registry.host, "team/toy"), LocalStore(tmp_path / "b"), NAME)
        assert tokens.log == []
        with Mover(access(token_hosts=(tokens.host,))) as mover:
            mover.pull(Reference(registry.host, "team/toy"), LocalStore(tmp_path / "b"), NAME)


def test_ollamas_key_signs_the_request_for_a_token(config: Path, tmp_path: Path) -> None:
    ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
    from cryptography.hazmat.primitives import serialization

    key = ed25519.Ed25519PrivateKey.generate()
    form = serialization.PrivateFormat.OpenSSH
    path = tmp_path / "id_ed25519"
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    with FakeRegistry() as registry:
        offer(registry)
        registry.token_realm = f"http://{registry.host}/token"
        seen: list[str] = []

        def twist(handler: Handler) -> bool:
            if not handler.path.startswith("/token"):
                return False
            public, signed = map(base64.b64decode, handler.headers["Authorization"].split(":"))
            url = f"http://{handler.registry.host}{handler.path}"
            text = f"GET,{url},ZTNiMGM0NDI5OGZjMWMxNDlhZmJmNGM4OTk2ZmI5MjQyN2FlNDFlNDY0OWI5MzRjYTQ5NTk5MWI3ODUyYjg1NQ=="
            key.public_key().verify(signed, text.encode())  # raises where it is not signed by this key
            assert public.endswith(key.public_key().public_bytes_raw())
            seen.append(handler.path)
            handler.answer(200, json.dumps({"token": handler.registry.token}).encode())
            return True

        registry.twist = twist
        with Mover(access(key_file=path)) as mover:
            mover.pull(Reference(registry.host, "team/toy"), LocalStore(tmp_path / "b"), NAME)
    names = [pair.partition("=")[0] for pair in seen[0].partition("?")[2].split("&")]
    assert names == ["nonce", "scope", "service", "ts"]


def test_a_key_that_is_none(tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    (tmp_path / "key").write_text("hello")
    with pytest.raises(UsageError, match="cannot be used as Ollama's key"):
        signature(tmp_path / "key", "GET", "http://x")


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.ed25519", None)
    with pytest.raises(Unsupported, match="not installed"):
        signature(tmp_path / "key", "GET", "http://x")


def test_certificates_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("hello")
    with (
        pytest.raises(UsageError, match="certificates to trust"),
        Session(access(ca_file=tmp_path / "ca.pem")) as session,
    ):
        session.registry("x.example")


@pytest.mark.parametrize("url", ["mirror.example", "ftp://x", "https://", "https://user:p@x", "https://x/path"])
def test_mirrors_that_are_none(url: str) -> None:
    with Session(access()) as session, pytest.raises(UsageError, match="is no mirror"):
        session.mirror(url)
