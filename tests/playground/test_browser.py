"""The page in headless Chromium, from a plain static server, under a path of its own."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import pytest

TESTS = str(Path(__file__).resolve().parent.parent)
if TESTS not in sys.path:
    sys.path.append(TESTS)  # where pytest finds the helpers of tests, also for the program

from docker_registry import self_signed  # noqa: E402 - found where the line above says

from modelsmith.playground.examples import examples  # noqa: E402
from modelsmith.weights.gguf.sample import write_sample  # noqa: E402
from tests.playground.pages import CHROMIUM, PLAYWRIGHT, SITE, no_browser  # noqa: E402

SCRIPT = Path(__file__).with_name("browser.mjs")
PICTURES = sys.argv[1:] if __name__ == "__main__" else []
LARGE = 3 << 30  # a sparse file: its header is at its beginning, the rest is never read


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_words: Any) -> None:
        pass


class _Elsewhere(BaseHTTPRequestHandler):
    reached: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.reached.append(self.path)
        self.send_response(200)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()

    def log_message(self, *_words: Any) -> None:
        pass


@contextmanager
def serving(handler: Any, certificate: Path | None = None) -> Iterator[str]:
    """Serve on loopback; ``certificate`` is a folder with one, for TLS."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate / "ca.pem", certificate / "key.pem")
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http{'s' if certificate else ''}://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def try_page() -> dict[str, Any]:
    """Run the page once, and return what each check found, and figures."""
    with TemporaryDirectory() as folder, serving(_Elsewhere) as other:
        gguf = Path(folder, "sample.gguf")
        write_sample(gguf, chat_template=examples()[-1]["text"])
        os.truncate(gguf, LARGE)
        self_signed(Path(folder))
        site = partial(_Quiet, directory=str(SITE.parent))
        with serving(site) as static, serving(site, Path(folder)) as secure:
            pages = (f"{static}/{SITE.name}/", f"{secure}/{SITE.name}/")
            places = (str(PLAYWRIGHT), str(CHROMIUM), *pages, f"{other}/stolen", str(gguf))
            command = ["node", str(SCRIPT), *places, *PICTURES]
            done = subprocess.run(command, capture_output=True, text=True, timeout=1_800, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.skipif(bool(no_browser()), reason=no_browser())
def test_the_page() -> None:
    found = try_page()
    assert {name: wrong for name, wrong in found["checks"].items() if wrong} == {}
    assert len(found["checks"]) > 20
    assert not _Elsewhere.reached


if (
    __name__ == "__main__"
):  # python -m tests.playground.test_browser [FOLDER]: the figures, and pictures of the page into FOLDER
    print(json.dumps(try_page(), indent=1, ensure_ascii=False))
