"""The small registry: over a store and in front of another one, read by our client, by plain HTTP and by Ollama."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest
from fakes.registry import FakeRegistry
from ports import free_port
from registry_models import NAME, access, files, offer, store_with

from modelsmith.errors import ModelNotFound, UsageError
from modelsmith.manifest import MANIFEST_TYPE
from modelsmith.name import ModelName
from modelsmith.registry.catalog import Upstream
from modelsmith.registry.documents import OCI_TYPE
from modelsmith.registry.moving import Mover
from modelsmith.registry.reference import Reference
from modelsmith.registry.serve import Server
from modelsmith.store.local.local import LocalStore


def ask(
    server: Server, method: str, path: str, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(server.host, timeout=600)
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def test_a_model_comes_out_byte_for_byte(tmp_path: Path) -> None:
    store = store_with(tmp_path / "a", size=20 << 20)
    with Server(store) as server:
        server.start()
        with Mover(access()) as mover:
            mover.pull(Reference(server.host, "library/toy"), LocalStore(tmp_path / "b"), NAME)
            mover.pull(Reference(server.host, "toy"), LocalStore(tmp_path / "c"), NAME)
    assert files(tmp_path / "a") == files(tmp_path / "b") == files(tmp_path / "c")


def test_what_ollama_needs(tmp_path: Path) -> None:
    store = store_with(tmp_path / "a")
    layer = store.layout.manifest(NAME).layers[0]
    path = f"/v2/library/toy/blobs/{layer.digest}"
    with Server(store) as server:
        server.start()
        status, headers, body = ask(server, "HEAD", path)
        assert (status, headers["content-length"], body) == (200, str(layer.size), b"")
        status, headers, body = ask(server, "GET", path)
        assert (status, headers["location"]) == (200, f"http://{server.host}{path}")
        assert body == store.blob_path(layer.digest).read_bytes()
        status, headers, part = ask(server, "GET", path, {"Range": "bytes=10-19"})
        assert (status, part, headers["content-range"]) == (206, body[10:20], f"bytes 10-19/{layer.size}")
        assert ask(server, "GET", path, {"Range": "bytes=-5"})[2] == body[-5:]
        assert ask(server, "GET", path, {"Range": f"bytes={layer.size}-"})[0] == 416
        assert ask(server, "GET", path, {"Range": "lines=1-2"})[0] == 200
        status, headers, body = ask(server, "GET", "/v2/library/toy/manifests/latest", {"Accept": MANIFEST_TYPE})
        assert (status, headers["content-type"], body) == (200, MANIFEST_TYPE, store.layout.manifest(NAME).raw)
        status, headers, _ = ask(server, "GET", "/v2/library/toy/manifests/latest", {"Accept": OCI_TYPE})
        assert headers["content-type"] == OCI_TYPE
        digest = store.layout.manifest(NAME).digest
        assert ask(server, "GET", f"/v2/library/toy/manifests/{digest}")[0] == 200
        assert json.loads(ask(server, "GET", "/v2/library/toy/tags/list")[2])["tags"] == ["latest"]
        assert json.loads(ask(server, "GET", "/v2/_catalog")[2]) == {"repositories": ["library/toy"]}
        assert ask(server, "GET", "/v2/")[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/library/other/manifests/latest", 404),
        ("GET", "/v2/library/toy/manifests/v9", 404),
        ("GET", f"/v2/library/toy/blobs/sha256:{'0' * 64}", 404),
        ("GET", "/v2/library/toy/blobs/sha256:..%2f..%2fsecret", 404),
        ("GET", "/v2/../../etc/passwd", 404),
        ("GET", "/v2/%2e%2e/%2e%2e/manifests/passwd", 404),
        ("GET", "/etc/passwd", 404),
        ("PUT", "/v2/library/toy/manifests/latest", 405),
        ("POST", "/v2/library/toy/blobs/uploads/", 405),
        ("DELETE", "/v2/library/toy/manifests/latest", 405),
    ],
)
def test_what_is_not_there_or_not_allowed(tmp_path: Path, method: str, path: str, status: int) -> None:
    store = store_with(tmp_path / "a")
    before = files(tmp_path / "a")
    with Server(store) as server:
        server.start()
        assert ask(server, method, path)[0] == status
    assert files(tmp_path / "a") == before


def test_a_page_with_another_name_is_refused(tmp_path: Path) -> None:
    with Server(store_with(tmp_path / "a")) as server:
        server.start()
        for host, status in (
            ("evil.example", 403),
            ("localhost:1", 200),
            ("127.0.0.1", 200),
            ("[::1]:5", 200),
            ("", 403),
        ):
            assert ask(server, "GET", "/v2/", {"Host": host})[0] == status, host


def test_a_damaged_blob_is_not_served(tmp_path: Path) -> None:
    store = store_with(tmp_path / "a")
    digest = store.layout.manifest(NAME).layers[0].digest
    store.blob_path(digest).write_bytes(b"x" * 300_000)
    with Server(store) as server:
        server.start()
        assert ask(server, "GET", f"/v2/library/toy/blobs/{digest}")[0] == 404


def test_a_name_that_two_models_could_mean(tmp_path: Path) -> None:
    store = store_with(tmp_path / "a", ModelName.parse("a.example/team/toy"))
    store.copy("a.example/team/toy", "b.example/team/toy")
    with Server(store) as server:
        server.start()
        status, _, body = ask(server, "GET", "/v2/team/toy/manifests/latest")
    assert status == 404
    assert b"2 models could be meant" in body


def test_in_front_of_another_registry(tmp_path: Path) -> None:
    cache = LocalStore(tmp_path / "cache")
    with FakeRegistry() as registry:
        manifest = offer(registry, size=4 << 20)
        with Server(cache, upstream=Upstream(registry.host, access())) as server, Mover(access()) as mover:
            server.start()
            mover.pull(Reference(server.host, "team/toy"), LocalStore(tmp_path / "b"), NAME)
            fetched = registry.sent
            mover.pull(Reference(server.host, "team/toy"), LocalStore(tmp_path / "c"), NAME)
            assert registry.sent == fetched  # the second time from the store
            with pytest.raises(ModelNotFound):
                mover.pull(Reference(server.host, "team/other"), LocalStore(tmp_path / "d"), NAME)
            registry.twist = lambda handler: handler.answer(503) or True
            mover.pull(Reference(server.host, "team/toy"), LocalStore(tmp_path / "e"), NAME)  # the other one is away
    assert [name.short for name in cache.models()] == [f"{registry.host}/team/toy:latest"]
    assert LocalStore(tmp_path / "e").layout.manifest(NAME).raw == manifest.raw
    assert files(tmp_path / "b") == files(tmp_path / "c") == files(tmp_path / "e")


def test_places_that_cannot_be_listened_at(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    with pytest.raises(UsageError, match="no address"):
        Server(store, "nonsense")
    with pytest.raises(UsageError, match="no address"):
        Server(store, "127.0.0.1:99999")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match="cannot be listened at"):
            Server(store, f"127.0.0.1:{taken.getsockname()[1]}")


@pytest.mark.ollama
def test_a_real_ollama_pulls(tmp_path: Path) -> None:
    program = shutil.which("ollama")
    if program is None:
        pytest.skip("there is no ollama on the PATH")
    store, port = store_with(tmp_path / "a"), free_port()
    environment = {
        **os.environ,
        "OLLAMA_HOST": f"127.0.0.1:{port}",
        "OLLAMA_MODELS": str(tmp_path / "o"),
        "HOME": str(tmp_path),
    }
    with (
        Server(store) as server,
        subprocess.Popen([program, "serve"], env=environment, stdout=-3, stderr=-3) as process,
    ):
        server.start()
        try:
            for _ in range(300):
                with socket.socket() as one:
                    if one.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            body = json.dumps({"model": f"{server.host}/library/toy", "insecure": True, "stream": False}).encode()
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/pull", body, timeout=600) as answer:
                assert json.load(answer) == {"status": "success"}
        finally:
            process.terminate()
    name = ModelName.parse(f"{server.host}/library/toy")
    assert LocalStore(tmp_path / "o").layout.manifest(name).raw == store.layout.manifest(NAME).raw
