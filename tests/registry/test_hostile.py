"""Registries that lie, stall, flood or send us elsewhere: refused in one line, and nothing is written."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.registry import FakeRegistry, Handler
from ports import free_port
from registry_models import NAME, PATIENT, access, files, offer, toy

from modelsmith.errors import ModelsmithError, ServerError
from modelsmith.http.addresses import Reach, check_redirect, reach
from modelsmith.manifest import MANIFEST_TYPE
from modelsmith.registry.client import Registry
from modelsmith.registry.moving import Mover
from modelsmith.registry.reference import Reference
from modelsmith.store.local.local import LocalStore

Twist = Callable[[Handler], bool]


def on(part: str, act: Callable[[Handler], None]) -> Twist:
    """Act on GETs of paths with ``part`` in them."""

    def twist(handler: Handler) -> bool:
        if part not in handler.path or handler.command != "GET":
            return False
        act(handler)
        return True

    return twist


def manifest_of(change: Callable[[dict], object]) -> Callable[[Handler], None]:  # type: ignore[type-arg]
    body = json.loads(toy()[0].raw)
    change(body)
    return sends(json.dumps(body).encode())


def sends(data: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Callable[[Handler], None]:
    return lambda handler: handler.answer(status, data, {"Content-Type": MANIFEST_TYPE, **(headers or {})})


def redirect(target: str, status: int = 307) -> Callable[[Handler], None]:
    return lambda handler: handler.answer(status, b"", {"Location": target})


def wrong_bytes(handler: Handler) -> None:
    start, end = map(int, handler.headers["Range"].removeprefix("bytes=").split("-"))
    handler.answer(206, b"x" * (end + 1 - start), {"Content-Range": f"bytes {start}-{end}/*"})


def endless(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", MANIFEST_TYPE)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for _ in range(4000):
        handler.wfile.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")


def dripping(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", MANIFEST_TYPE)
    handler.send_header("Content-Length", "300000")
    handler.end_headers()
    drip(handler, itertools.repeat(b" "))


def drip_headers(handler: Handler) -> None:
    drip(handler, itertools.chain([b"HTTP/1.1 200 OK\r\nX-Slow: "], itertools.repeat(b"a")))


def drip(handler: Handler, drops: Iterable[bytes]) -> None:
    """Send a little now and then, until nobody listens any more."""
    with suppress(OSError):
        for drop in drops:
            handler.wfile.write(drop)
            handler.wfile.flush()
            time.sleep(0.02)


def silent(handler: Handler) -> None:
    handler.rfile.read()  # until the other side gives up


def short(handler: Handler) -> None:
    handler.send_response(206)
    start, end = map(int, handler.headers["Range"].removeprefix("bytes=").split("-"))
    handler.send_header("Content-Length", str(end + 1 - start))
    handler.send_header("Content-Range", f"bytes {start}-{end}/*")
    handler.end_headers()
    handler.close_connection = True


def longer(handler: Handler) -> None:
    start, end = map(int, handler.headers["Range"].removeprefix("bytes=").split("-"))
    handler.answer(206, b"x" * (end + 100 - start), {"Content-Range": f"bytes {start}-{end}/*"})


def many_headers(handler: Handler) -> None:
    handler.answer(200, b"{}", {f"X-{number}": "a" for number in range(500)})


def garbage(handler: Handler) -> None:
    handler.wfile.write(b"\x00\xff" * 200 + b"\r\n\r\n")
    handler.close_connection = True


def bad_digest(text: str) -> Callable[[Handler], None]:
    return manifest_of(lambda body: body["layers"][0].update(digest=text))


HEX = "a" * 64
CASES: dict[str, tuple[Twist, str]] = {
    "wrong bytes": (on("/blobs/", wrong_bytes), "has the digest"),
    "short body": (on("/blobs/", short), "too early"),
    "longer body": (on("/blobs/", longer), "has the digest"),
    "another range": (on("/blobs/", sends(b"x", 206, {"Content-Range": "bytes 7-8/9"})), "were wanted"),
    "no range": (on("/blobs/", sends(b"x", 206)), "were wanted"),
    "another size": (on("/blobs/", sends(b"x")), "bytes in the manifest"),
    "blob missing": (on("/blobs/", sends(b"", 404)), "does not have blob"),
    "slow body": (on("/blobs/", dripping), "bytes came in|bytes in the manifest"),
    "silent": (on("/manifests/", silent), "no answer in time|without an answer"),
    "slow headers": (on("/manifests/", drip_headers), "no answer in time"),
    "slow manifest": (on("/manifests/", dripping), "bytes came in|larger than"),
    "endless manifest": (on("/manifests/", endless), "larger than"),
    "manifest of 100 MB": (on("/manifests/", sends(b" " * 100_000_000)), "larger than"),
    "too many headers": (on("/manifests/", many_headers), "no HTTP"),
    "no HTTP": (on("/manifests/", garbage), "no HTTP"),
    "traversal in a digest": (on("/manifests/", bad_digest("sha256:../../../../etc/passwd")), "not a digest"),
    "upper-case digest": (on("/manifests/", bad_digest("sha256:" + "A" * 64)), "not a digest"),
    "short digest": (on("/manifests/", bad_digest("sha256:ab")), "not a digest"),
    "line feed in a digest": (on("/manifests/", bad_digest(f"sha256:{HEX}\n")), "not a digest"),
    "digest that is a number": (
        on("/manifests/", manifest_of(lambda body: body["config"].update(digest=1))),
        "not a digest",
    ),
    "negative size": (
        on("/manifests/", manifest_of(lambda body: body["layers"][0].update(size=-1))),
        "whole number of 0 or more",
    ),
    "huge size": (
        on("/manifests/", manifest_of(lambda body: body["layers"][0].update(size=1 << 60))),
        "which cannot be",
    ),
    "more than the disk": (
        on("/manifests/", manifest_of(lambda body: body["layers"][0].update(size=1 << 49))),
        "are needed and",
    ),
    "two sizes": (
        on("/manifests/", manifest_of(lambda body: body["layers"].append({**body["layers"][0], "size": 5}))),
        "two sizes",
    ),
    "too many layers": (on("/manifests/", manifest_of(lambda body: body.update(layers=[{}] * 20_000))), "layers"),
    "duplicate keys": (
        on("/manifests/", sends(b'{"schemaVersion":2,"config":{},"config":{},"layers":[]}')),
        "occurs twice",
    ),
    "many duplicate keys": (
        on("/manifests/", sends(b"{" + b",".join(b'"k%d":1' % n for n in range(200_000)) + b',"k0":1}')),
        "occurs twice",
    ),
    "nesting": (on("/manifests/", sends(b"[" * 1_000_000)), "not JSON"),
    "huge number": (on("/manifests/", sends(b'{"schemaVersion":' + b"9" * 1_000_000 + b"}")), "not JSON"),
    "no JSON": (on("/manifests/", sends(b"<html>")), "not JSON"),
    "list of manifests": (on("/manifests/", sends(b'{"schemaVersion":2,"manifests":[]}')), "a list of manifests"),
    "schema 1": (on("/manifests/", sends(b'{"schemaVersion":1}')), "schemaVersion"),
    "no model": (
        on("/manifests/", manifest_of(lambda body: [one.update(mediaType="text/x") for one in body["layers"]])),
        "no model for Ollama",
    ),
    "digest header": (
        on("/manifests/", sends(toy()[0].raw, 200, {"Docker-Content-Digest": f"sha256:{HEX}"})),
        "and sent sha256",
    ),
    "redirect to a file": (on("/blobs/", redirect("file:///etc/passwd")), "no URL|file URL"),
    "redirect to ftp": (on("/blobs/", redirect("ftp://127.0.0.1/x")), "ftp URL"),
    "redirect to link-local": (on("/blobs/", redirect("http://169.254.169.254/latest/meta-data")), "link-local"),
    "redirect to link-local v6": (on("/blobs/", redirect("http://[fe80::1]/")), "link-local"),
    "redirect to a mapped address": (on("/blobs/", redirect("http://[::ffff:169.254.169.254]/")), "link-local"),
    "redirect to nowhere": (on("/blobs/", redirect("http://0.0.0.0/")), "an address that is none"),
    "redirect without a place": (on("/blobs/", lambda handler: handler.answer(307)), "no URL"),
    "redirect with control characters": (on("/blobs/", redirect("http://127.0.0.1/\x01")), "no URL"),
    "redirect of a manifest": (on("/manifests/", redirect("http://127.0.0.1:1/")), "307"),
    "token at another host": (
        on("/", sends(b"", 401, {"WWW-Authenticate": 'Bearer realm="http://evil.example/token"'})),
        "to another host, evil.example: refused",
    ),
    "token at another port": (
        on("/", sends(b"", 401, {"WWW-Authenticate": 'Bearer realm="http://127.0.0.1:1/token"'})),
        "to another host",
    ),
    "token realm with a user": (
        on("/", sends(b"", 401, {"WWW-Authenticate": 'Bearer realm="http://127.0.0.1@evil.example/"'})),
        "no URL",
    ),
    "token realm of another scheme": (
        on("/", sends(b"", 401, {"WWW-Authenticate": 'Bearer realm="file:///etc/passwd"'})),
        "no URL",
    ),
    "401 for ever": (on("/v2/", sends(b"", 401, {"WWW-Authenticate": 'Basic realm="x"'})), "does not let us in"),
    "401 without a challenge": (on("/v2/", sends(b"", 401)), "does not let us in"),
    "challenge of a megabyte": (
        on("/v2/", sends(b"", 401, {"WWW-Authenticate": "Bearer " + 'a="b",' * 9000})),
        "does not let us in|no URL",
    ),
}


IMPATIENT = {
    "slow body": replace(PATIENT, rate_seconds=0.2),
    "silent": replace(PATIENT, answer_seconds=0.2),
    "slow headers": replace(PATIENT, answer_seconds=0.2),
    "slow manifest": replace(PATIENT, rate_seconds=0.2),
}
"""How long is waited where nothing else ends the case; all others would end on a machine of any speed."""


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_in_one_line_and_nothing_is_written(case: str, tmp_path: Path) -> None:
    twist, message = CASES[case]
    with FakeRegistry() as registry:
        offer(registry)
        registry.twist = twist
        limits = IMPATIENT.get(case, PATIENT)
        with Mover(access(limits=limits)) as mover, pytest.raises(ModelsmithError, match=message) as caught:
            mover.pull(Reference(registry.host, "team/toy"), LocalStore(tmp_path / "store"), NAME)
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 1000
    assert files(tmp_path / "store") == {}
    assert sorted(path.name for path in tmp_path.iterdir()) in ([], ["store"])


def test_a_token_loop_ends(tmp_path: Path) -> None:
    with FakeRegistry(login="a:b") as registry:
        registry.token_realm = f"http://{registry.host}/token"
        registry.login = ""
        registry.token = "other"

        def twist(handler: Handler) -> bool:
            handler.registry.token = f"{handler.registry.token}x"[-40:]  # each token is wrong by the time it is used
            return False

        registry.twist = twist
        with Mover(access()) as mover, pytest.raises(ServerError, match="does not let us in"):
            mover.pull(Reference(registry.host, "team/toy"), LocalStore(tmp_path), NAME)
        assert len(registry.log) == 3


def test_redirects_drop_the_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    with FakeRegistry(login="alice:secret") as registry, FakeRegistry() as elsewhere:
        offer(registry)
        offer(elsewhere)
        (tmp_path / "docker").mkdir()
        auth = {"auths": {registry.host: {"auth": "YWxpY2U6c2VjcmV0"}}}
        (tmp_path / "docker" / "config.json").write_text(json.dumps(auth))

        def twist(handler: Handler) -> bool:
            if "/blobs/" in handler.path and handler.headers.get("Authorization"):
                handler.answer(307, b"", {"Location": f"http://{elsewhere.host}{handler.path}"})
                return True
            return False

        registry.twist = twist
        with Mover(access()) as mover:
            mover.pull(Reference(registry.host, "team/toy"), LocalStore(tmp_path / "b"), NAME)
        assert elsewhere.headers
        assert not any("Authorization" in headers for headers in elsewhere.headers)


def test_an_upload_is_not_sent_where_it_must_not_go(tmp_path: Path) -> None:
    from registry_models import store_with

    store = store_with(tmp_path / "a")
    with FakeRegistry() as registry:

        def twist(handler: Handler) -> bool:
            if handler.command == "POST":
                handler.answer(202, b"", {"Location": "http://169.254.169.254/steal"})
                return True
            return False

        registry.twist = twist
        with Mover(access()) as mover, pytest.raises(ServerError, match="link-local"):
            mover.push(store, NAME, Reference(registry.host, "team/toy"))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("8.8.8.8", Reach.EVERYBODY),
        ("10.1.2.3", Reach.SITE),
        ("192.168.0.1", Reach.SITE),
        ("100.64.0.1", Reach.SITE),
        ("127.0.0.2", Reach.MACHINE),
        ("::1", Reach.MACHINE),
        ("::ffff:127.0.0.1", Reach.MACHINE),
        ("2002:7f00:1::", Reach.MACHINE),
        ("169.254.169.254", Reach.LINK),
        ("fe80::1%eth0", Reach.LINK),
        ("fd00::1", Reach.SITE),
        ("0.0.0.0", Reach.NOBODY),
        ("224.0.0.1", Reach.NOBODY),
    ],
)
def test_who_reaches_an_address(address: str, expected: Reach) -> None:
    assert reach(address) is expected


@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "0.0.0.0"])
def test_a_public_registry_does_not_send_us_home(address: str) -> None:
    with pytest.raises(ServerError, match="refused"):
        check_redirect("x.example", ("8.8.8.8", address), Reach.EVERYBODY)


def test_a_private_registry_may_use_private_addresses_and_public_ones() -> None:
    check_redirect("x", ("10.0.0.1", "8.8.8.8"), Reach.SITE)
    with pytest.raises(ServerError):
        check_redirect("x", ("127.0.0.1",), Reach.SITE)


def test_a_public_registry_that_redirects_to_loopback(tmp_path: Path) -> None:
    """The address is the one that is connected to: names are looked up once."""
    with FakeRegistry() as registry:
        offer(registry)
        port = registry.host.rpartition(":")[2]
        registry.twist = on("/blobs/", redirect(f"http://localhost:{port}/secret"))

        def resolver(host: str, _port: int) -> tuple[str, ...]:
            return ("127.0.0.1",) if host == "localhost" else ("93.184.216.34",)

        with Mover(access(resolver=resolver)) as mover:
            found = mover.session.registry(f"localhost:{port}")
            found._reach = Reach.EVERYBODY  # as if it were out there; the test cannot be
            with pytest.raises(ServerError, match="this machine: refused"):
                mover.pull(Reference(f"localhost:{port}", "team/toy"), LocalStore(tmp_path), NAME)
        assert not registry.count("GET", "/secret")


def test_https_is_not_left(tmp_path: Path) -> None:
    with Mover(access(insecure=False)) as mover:
        registry = mover.session.registry("registry.example.com")
        assert isinstance(registry, Registry)
        from types import SimpleNamespace

        answer = SimpleNamespace(headers={"location": "http://registry.example.com/x"})
        with pytest.raises(ServerError, match="plain http"):
            registry._target("https://registry.example.com/v2/", answer)  # type: ignore[arg-type]


def test_a_plain_registry_needs_a_word(tmp_path: Path) -> None:
    with FakeRegistry() as registry, Mover(access(insecure=False)) as mover:
        with pytest.raises(ServerError, match="does not speak TLS") as caught:
            mover.pull(Reference(registry.host, "team/toy"), LocalStore(tmp_path), NAME)
        assert "--insecure" in caught.value.hint


def test_nobody_there(tmp_path: Path) -> None:
    with Mover(access()) as mover, pytest.raises(ServerError, match="no registry answers"):
        mover.pull(Reference(f"127.0.0.1:{free_port()}", "team/toy"), LocalStore(tmp_path), NAME)
