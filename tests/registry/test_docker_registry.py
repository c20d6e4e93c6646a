"""Against a real registry, in all its ways to let us in, with other programs as readers of what we wrote."""

from __future__ import annotations

import contextlib
import io
import json
import socket
import socketserver
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import pytest
from docker_registry import TokenServer, docker_registry, htpasswd, moto, needs, self_signed
from fakes.registry import FakeRegistry
from registry_models import NAME, access, files, offer, store_with

from modelsmith.cli import run
from modelsmith.manifest import MANIFEST_TYPE, Digest
from modelsmith.registry.moving import Mover
from modelsmith.registry.reference import Folder, Reference
from modelsmith.store.local.local import LocalStore

PASSWORD = "s3cret & more"


@pytest.fixture(autouse=True)
def _own_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))


def log_in(host: str, monkeypatch: pytest.MonkeyPatch, *more: str, password: str = PASSWORD) -> int:
    monkeypatch.setattr(sys, "stdin", io.StringIO(password + "\n"))
    return run(["login", host, "-u", "alice", "--password-stdin", "--insecure", *more])


def round_trip(host: str, tmp_path: Path, *more: str, with_empty: bool = True) -> None:
    """Push, pull into another store, and compare every byte."""
    source = store_with(tmp_path / "a", size=3 << 20, with_empty=with_empty)
    place = f"oci://{host}/team/toy:v1"
    assert run(["push", "toy", place, "--insecure", "--store", str(tmp_path / "a"), *more]) == 0
    assert run(["pull", place, "--as", "toy", "--insecure", "--store", str(tmp_path / "b"), *more]) == 0
    assert files(tmp_path / "b") == files(source.layout.folder)


def test_plain(tmp_path: Path) -> None:
    with docker_registry(tmp_path) as host:
        round_trip(host, tmp_path)
        with Mover(access()) as mover:
            moved = mover.copy(Reference(host, "team/toy", "v1"), Reference(host, "other/toy"))
            assert len(moved.mounted) == 5
            assert moved.received == moved.sent == 0


def test_htpasswd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with docker_registry(tmp_path, auth=htpasswd(tmp_path, "alice", PASSWORD)) as host:
        store_with(tmp_path / "x")
        assert run(["push", "toy", f"oci://{host}/a/b", "--insecure", "--store", str(tmp_path / "x")]) == 3
        assert "without a login" in capsys.readouterr().err
        assert log_in(host, monkeypatch, password="wrong") == 3
        assert "as alice" in capsys.readouterr().err
        assert log_in(host, monkeypatch) == 0
        round_trip(host, tmp_path)
        assert run(["logout", host]) == 0
        assert run(["logout", host]) == 1
    out, err = capsys.readouterr()
    assert PASSWORD not in out + err
    assert json.loads((tmp_path / "docker" / "config.json").read_text()) == {"auths": {}}
    assert (tmp_path / "docker" / "config.json").stat().st_mode & 0o777 == 0o600


def test_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with TokenServer(tmp_path, "alice", PASSWORD) as tokens, docker_registry(tmp_path, auth=tokens.auth) as host:
        assert log_in(host, monkeypatch) == 3
        assert f"--token-host {tokens.host}" in capsys.readouterr().err
        assert log_in(host, monkeypatch, "--token-host", tokens.host) == 0
        round_trip(host, tmp_path, "--token-host", tokens.host)
        places = [f"oci://{host}/{name}/toy:v1" for name in ("team", "other")]
        assert run(["copy", *places, "--insecure", "--token-host", tokens.host]) == 0
        assert "5 blobs mounted" in capsys.readouterr().out


def test_s3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with moto(tmp_path) as storage, docker_registry(tmp_path, storage) as host:
        round_trip(host, tmp_path, with_empty=False)  # this registry cannot put an empty blob into S3
        place = f"oci://{host}/team/toy:v1"
        capsys.readouterr()
        assert run(["pull", place, "--insecure", "--print-urls", "--store", str(tmp_path / "c")]) == 0
        urls = capsys.readouterr().out.split()
        assert len(urls) == 4
        assert all(url.startswith("http://localhost:") and "X-Amz-Signature" in url for url in urls)
        assert not (tmp_path / "c").exists()


def test_tls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with docker_registry(tmp_path, tls=self_signed(tmp_path)) as address:
        store_with(tmp_path / "x")
        port = address.rpartition(":")[2]
        for host in (address, f"localhost:{port}"):
            words = ["push", "toy", f"oci://{host}/team/toy", "--store", str(tmp_path / "x")]
            assert run(words) == 3
            assert "is not trusted" in capsys.readouterr().err
            assert run([*words, "--ca-file", str(tmp_path / "ca.pem")]) == 0
        assert run([*words, "--insecure"]) == 3
        assert "leave --insecure out" in capsys.readouterr().err


def test_tls_through_a_proxy_that_wants_a_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_with(tmp_path / "a")
    with docker_registry(tmp_path, tls=self_signed(tmp_path)) as address, Tunnel(address) as proxy:
        monkeypatch.setenv("https_proxy", f"http://alice:pa%3Ass@{proxy.host}")
        monkeypatch.setattr("modelsmith.http.urls.is_loopback", lambda host: False)
        port = address.rpartition(":")[2]
        with Mover(access(insecure=False, ca_file=tmp_path / "ca.pem")) as mover:
            mover.push(store, NAME, Reference(f"localhost:{port}", "team/toy"))
    assert proxy.seen
    assert all(f"CONNECT localhost:{port} " in head and "Basic YWxpY2U6cGE6c3M=" in head for head in proxy.seen)


def test_plain_http_through_a_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeRegistry() as registry:
        manifest = offer(registry)
        monkeypatch.setenv("http_proxy", f"http://{registry.host}")
        with Mover(access()) as mover:
            mover.pull(Reference("registry.example.com:5000", "team/toy"), LocalStore(tmp_path / "b"), NAME)
        assert all(line.split()[1].startswith("http://registry.example.com:5000/v2/") for line in registry.log)
    assert LocalStore(tmp_path / "b").layout.manifest(NAME).raw == manifest.raw


class Tunnel:
    """A proxy that knows CONNECT; whatever is asked for, it connects to ``address``."""

    def __init__(self, address: str) -> None:
        self.seen: list[str] = []
        host, _, port = address.partition(":")
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    head += self.rfile.readline()
                outer.seen.append(head.decode())
                self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
                with socket.create_connection((host, int(port))) as there:
                    pump = threading.Thread(target=_pump, args=(there, self.connection), daemon=True)
                    pump.start()
                    _pump(self.connection, there)
                    pump.join(600)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self) -> Tunnel:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def test_skopeo_reads_and_copies(tmp_path: Path) -> None:
    skopeo = needs("skopeo")
    store = store_with(tmp_path / "a")
    with docker_registry(tmp_path) as host, Mover(access()) as mover:
        mover.push(store, NAME, Reference(host, "team/toy", "oci"), oci=True)
        mover.push(store, NAME, Reference(host, "team/toy", "own"))
        plain = ["--src-tls-verify=false", "--dest-tls-verify=false"]
        source = f"docker://{host}/team/toy:oci"
        subprocess.run(
            [skopeo, "copy", *plain, source, f"docker://{host}/other/toy:1"], check=True, capture_output=True
        )
        subprocess.run([skopeo, "copy", *plain, source, f"dir:{tmp_path / 'dir'}"], check=True, capture_output=True)
        raw = [skopeo, "inspect", "--raw", "--tls-verify=false", f"docker://{host}/team/toy:own"]
        assert subprocess.run(raw, check=True, capture_output=True).stdout == store.layout.manifest(NAME).raw
        mover.pull(Reference(host, "other/toy", "1"), LocalStore(tmp_path / "b"), NAME)
        mover.pull(Folder(tmp_path / "dir"), LocalStore(tmp_path / "c"), NAME)
    assert files(tmp_path / "a") == files(tmp_path / "b") == files(tmp_path / "c")


def test_oras_reads_what_we_push(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = pytest.importorskip("oras.client", reason="oras is not installed: pip install oras")
    store = store_with(tmp_path / "a")
    with docker_registry(tmp_path) as host, Mover(access()) as mover:
        mover.push(store, NAME, Reference(host, "team/toy"))
        oras = client.OrasClient(hostname=host, insecure=True)
        found = oras.get_manifest(f"{host}/team/toy:latest", allowed_media_type=[MANIFEST_TYPE])
        blob = oras.get_blob(f"{host}/team/toy:latest", found["layers"][0]["digest"])
        digest = Digest.of(blob.content)
        blob.close()
        oras.session.close()
    assert found == json.loads(store.layout.manifest(NAME).raw)
    assert str(digest) == found["layers"][0]["digest"]


def test_pull_edit_push_and_load_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a team does: pull a model, change it by a recipe, push it to a private registry, load it on another machine."""
    store = str(tmp_path / "a")
    with docker_registry(tmp_path, auth=htpasswd(tmp_path, "alice", PASSWORD)) as host:
        assert log_in(host, monkeypatch) == 0
        assert (
            run(["apply", "force-think", "--set", "base=sample:deepseek-r1", "--set", "name=first", "--store", store])
            == 0
        )
        assert run(["push", "first", f"oci://{host}/team/first", "--insecure", "--store", store]) == 0
        here = str(tmp_path / "b")
        assert run(["pull", f"oci://{host}/team/first", "--as", "base", "--insecure", "--store", here]) == 0
        options = ["--set", "base=base", "--set", "name=calm", "--store", here]
        assert run(["apply", "no-think", *options]) == 0
        capsys.readouterr()
        assert run(["push", "calm", f"oci://{host}/team/calm", "--insecure", "--store", here, "--json"]) == 0
        pushed = json.loads(capsys.readouterr().out)
        elsewhere = LocalStore(tmp_path / "c")
        assert run(["pull", f"oci://{host}/team/calm", "--insecure", "--store", str(tmp_path / "c")]) == 0
        (name,) = elsewhere.models()
        assert name.short == f"{host}/team/calm:latest"
        assert f"sha256:{elsewhere.show(name).digest.removeprefix('sha256:')}" == pushed["manifest"]
