"""A server that sends a byte now and then does not keep anybody waiting."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from modelsmith.errors import ServerError
from modelsmith.http import client as http
from modelsmith.http.client import HttpClient


@contextmanager
def dripping(start: bytes, drop: bytes) -> Iterator[str]:
    """Answer with ``start``, then with ``drop`` ten times a second, without an end."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.recv(65536)
                connection.sendall(start)
                while not ended.wait(0.1):
                    connection.sendall(drop)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        ended.set()
        thread.join(5)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("start", "drop"),
    [
        (HEAD + b"Content-Length: 100000\r\n\r\n{", b" "),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (HEAD, b"X"),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 100000\r\n\r\n", b"x"),
        (b"", b"H"),
    ],
    ids=["body", "chunks", "headers", "error", "status"],
)
def test_a_drip_has_an_end(start: bytes, drop: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BODY_SECONDS", 0.5)
    with dripping(start, drop) as url, HttpClient(url, connect_seconds=0.5) as client:
        began = time.monotonic()
        with pytest.raises(ServerError) as raised:
            client.ask("GET", "/api/version", seconds=0.5)
        assert time.monotonic() - began < 60
        assert "GET " in raised.value.message
        if drop != b"H":
            assert "did not finish its answer within" in raised.value.message
            assert raised.value.hint


@pytest.mark.parametrize("ask", ["fetch", "status"])
def test_other_questions_have_their_time_too(ask: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BODY_SECONDS", 0.5)
    with dripping(HEAD, b"X") as url, HttpClient(url, connect_seconds=0.2) as client:
        began = time.monotonic()
        call = {
            "fetch": lambda: client.fetch("/x", {}, 1000, seconds=0.5),
            "status": lambda: client.status("/x", seconds=0.5),
        }
        with pytest.raises(ServerError, match="did not finish"):
            call[ask]()
        assert time.monotonic() - began < 60


def test_a_line_of_a_stream_has_its_time_and_the_stream_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BODY_SECONDS", 0.5)
    start = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    with (
        dripping(start, b"1\r\nx\r\n") as url,
        HttpClient(url) as client,
        pytest.raises(ServerError, match=r"did not end a line within 0\.5 s"),
    ):
        list(client.lines("POST", "/api/create", {}))
    with dripping(start, b"3\r\n{}\n\r\n") as url, HttpClient(url) as client:
        lines = client.lines("POST", "/api/create", {})
        assert [next(lines) for _ in range(10)] == [{}] * 10
        lines.close()  # type: ignore[attr-defined]


def test_the_next_request_is_not_disturbed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BODY_SECONDS", 0.2)
    body = b'{"version": "1"}'
    answer = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                for _ in range(2):
                    connection.recv(65536)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with HttpClient(f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
            assert client.ask("GET", "/a") == {"version": "1"}
            time.sleep(0.4)
            assert client.ask("GET", "/b") == {"version": "1"}
        thread.join(5)
