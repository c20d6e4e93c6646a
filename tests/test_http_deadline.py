"""A server that sends a byte now and then does not keep anybody waiting."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from modelsmith.errors import ServerError
from modelsmith.http import client as http
from modelsmith.http.client import HttpClient

PATIENCE = 600.0
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class Timers:
    """What stands in for ``threading.Timer``: the time of a timer is over when a test says so."""

    def __init__(self) -> None:
        self.running: list[Timer] = []

    def __call__(self, seconds: float, function: Callable[[], None]) -> Timer:
        return Timer(self, seconds, function)

    def run_out(self) -> None:
        for timer in tuple(self.running):
            timer.function()


class Timer:
    daemon = False

    def __init__(self, timers: Timers, seconds: float, function: Callable[[], None]) -> None:
        self.timers, self.seconds, self.function = timers, seconds, function

    def start(self) -> None:
        self.timers.running.append(self)

    def cancel(self) -> None:
        self.timers.running.remove(self)


@pytest.fixture
def timers(monkeypatch: pytest.MonkeyPatch) -> Timers:
    found = Timers()
    monkeypatch.setattr("modelsmith.http.deadline.threading.Timer", found)
    return found


@contextmanager
def dripping(start: bytes, drop: bytes, timers: Timers | None = None) -> Iterator[str]:
    """Answer with ``start``, then with ``drop`` again and again; with ``timers`` the time is over after some of it."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.recv(65536)
                connection.sendall(start)
                drops = 0
                while not ended.wait(0.02):
                    connection.sendall(drop)
                    drops += 1
                    if timers is not None and drops >= 5:
                        timers.run_out()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        ended.set()
        thread.join(PATIENCE)


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
def test_a_drip_has_an_end(start: bytes, drop: bytes, timers: Timers) -> None:
    with dripping(start, drop, timers) as url, HttpClient(url) as client:
        with pytest.raises(ServerError) as raised:
            client.ask("GET", "/api/version", seconds=PATIENCE)
        assert "GET " in raised.value.message
        if drop != b"H":
            assert "did not finish its answer within" in raised.value.message
            assert raised.value.hint
    assert not timers.running


@pytest.mark.parametrize("ask", ["fetch", "status"])
def test_other_questions_have_their_time_too(ask: str, timers: Timers) -> None:
    with dripping(HEAD, b"X", timers) as url, HttpClient(url) as client:
        call = {
            "fetch": lambda: client.fetch("/x", {}, 1000, seconds=PATIENCE),
            "status": lambda: client.status("/x", seconds=PATIENCE),
        }
        with pytest.raises(ServerError, match="did not finish"):
            call[ask]()
    assert not timers.running


def test_the_time_of_a_body_begins_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BODY_SECONDS", 0.1)
    with (
        dripping(HEAD + b"Content-Length: 100000\r\n\r\n{", b" ") as url,
        HttpClient(url) as client,
        pytest.raises(ServerError, match=r"did not finish its answer within 0\.1 s"),
    ):
        client.ask("GET", "/api/version", seconds=PATIENCE)


def test_a_line_of_a_stream_has_its_time_and_the_stream_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BODY_SECONDS", 0.1)
    start = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    with (
        dripping(start, b"1\r\nx\r\n") as url,
        HttpClient(url) as client,
        pytest.raises(ServerError, match=r"did not end a line within 0\.1 s"),
    ):
        list(client.lines("POST", "/api/create", {}))
    with dripping(start, b"3\r\n{}\n\r\n") as url, HttpClient(url) as client:
        lines = client.lines("POST", "/api/create", {})
        assert [next(lines) for _ in range(10)] == [{}] * 10
        lines.close()  # type: ignore[attr-defined]


def test_the_next_request_is_not_disturbed(timers: Timers) -> None:
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
            assert not timers.running, "nothing breaks off the connection that is kept"
            assert client.ask("GET", "/b") == {"version": "1"}
        thread.join(PATIENCE)
