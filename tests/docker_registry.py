"""Debian's docker-registry, started for a test: plain, with htpasswd, with a token server, on S3 (moto).

apt-get install docker-registry apache2-utils skopeo; pip install oras 'moto[server]'
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from ports import free_port

PACKAGES = {"docker-registry": "docker-registry", "htpasswd": "apache2-utils", "skopeo": "skopeo"}


def needs(program: str) -> str:
    """Return where a program is; skips the test where it is not installed."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed: apt-get install {PACKAGES[program]}")
    return found


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(12_000):
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, log.read_text()
        time.sleep(0.05)
    raise AssertionError(log.read_text())


@contextmanager
def running(command: list[str], port: int, folder: Path) -> Iterator[None]:
    """Run a server until the end of the ``with``."""
    environment = {key: value for key, value in os.environ.items() if key != "AWS_CA_BUNDLE"}
    log = folder / f"{port}.log"
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output, env=environment) as process:
        try:
            wait_for(port, process, log)
            yield
        finally:
            process.terminate()


@contextmanager
def docker_registry(folder: Path, storage: str = "", auth: str = "", tls: str = "") -> Iterator[str]:
    """Run a registry; yields ``host:port``. ``tls`` is what ``self_signed`` returns."""
    program, port = needs("docker-registry"), free_port()
    storage = storage or f"filesystem: {{rootdirectory: {folder / 'registry'}}}"
    config = folder / f"registry-{port}.yml"
    config.write_text(
        f"version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n"
        f"storage: {{{storage}, maintenance: {{uploadpurging: {{enabled: false}}}}}}\n{auth}"
        f"http: {{addr: '127.0.0.1:{port}', secret: test{tls}}}\n"
    )
    with running([program, "serve", str(config)], port, folder):
        yield f"127.0.0.1:{port}"


def htpasswd(folder: Path, user: str, password: str) -> str:
    """Return the lines of a registry's config for one user."""
    program = needs("htpasswd")
    line = subprocess.run([program, "-Bbn", user, password], capture_output=True, text=True, check=True).stdout
    (folder / "htpasswd").write_text(line)
    return f"auth: {{htpasswd: {{realm: test, path: {folder / 'htpasswd'}}}}}\n"


def self_signed(folder: Path) -> str:
    """Write ``ca.pem``, a certificate for localhost and 127.0.0.1; return how a registry's config names it."""
    key, certificate = _certificate()
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return f", tls: {{certificate: {folder / 'ca.pem'}, key: {folder / 'key.pem'}}}"


def _certificate() -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + dt.timedelta(days=1))
    return key, builder.add_extension(names, critical=False).sign(key, hashes.SHA256())


@contextmanager
def moto(folder: Path) -> Iterator[str]:
    """Run S3 in memory; yields the storage line of a registry's config for it. Blobs are redirected to with 307."""
    pytest.importorskip("moto.server", reason="moto is not installed: pip install 'moto[server]'")
    port = free_port()
    command = [sys.executable, "-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", str(port)]
    with running(command, port, folder):
        import urllib.request

        with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/bucket", method="PUT")):
            pass
        yield (
            f"s3: {{region: us-east-1, regionendpoint: 'http://localhost:{port}', bucket: bucket, accesskey: t, "
            "secretkey: t, secure: false, v4auth: true, rootdirectory: /registry}"
        )


class TokenServer:
    """A token server as docker's: it knows one user, and signs what may be done (RS256, certificate in the header)."""

    def __init__(self, folder: Path, user: str, password: str) -> None:
        key, certificate = _certificate()
        (folder / "token.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        chain = [base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()]
        basic = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

        def token(scopes: list[str]) -> str:
            access = [
                {"type": kind, "name": place, "actions": actions.split(",")}
                for kind, place, actions in (scope.split(":") for scope in scopes if scope)
            ]
            seconds = int(time.time())
            claims = {
                "iss": "test",
                "sub": user,
                "aud": "test",
                "exp": seconds + 300,
                "nbf": seconds - 10,
                "iat": seconds,
            }
            parts = [{"typ": "JWT", "alg": "RS256", "x5c": chain}, {**claims, "jti": "1", "access": access}]
            text = ".".join(_base64(json.dumps(part).encode()) for part in parts)
            return f"{text}.{_base64(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                allowed = self.headers.get("Authorization") == basic
                scopes = parse_qs(urlsplit(self.path).query).get("scope", [])
                data = json.dumps({"token": token(scopes)} if allowed else {"details": "no"}).encode()
                self.send_response(200 if allowed else 401)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self.auth = (
            f"auth: {{token: {{realm: 'http://{self.host}/token', service: test, issuer: test, "
            f"rootcertbundle: {folder / 'token.pem'}}}}}\n"
        )
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self) -> TokenServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
