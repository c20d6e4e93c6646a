"""The HTTP client: what it sends, and what it says when things go wrong."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import MappingProxyType

import pytest
from ports import free_port

from modelsmith.errors import ServerError, StoreError, UsageError
from modelsmith.http import client as http
from modelsmith.http.client import HttpClient
from modelsmith.http.urls import is_loopback, proxy_for, redacted

Answer = bytes | Callable[[socket.socket], None]
PATIENCE = 600.0


@contextmanager
def answering(*answers: Answer) -> Iterator[tuple[str, list[bytes]]]:
    """Serve one connection an answer; yield the URL and the requests that came."""
    requests: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)

        def serve() -> None:
            for answer in answers:
                connection, _ = listener.accept()
                with connection, suppress(OSError):
                    connection.settimeout(PATIENCE)
                    requests.append(read_request(connection))
                    if isinstance(answer, bytes):
                        connection.sendall(answer)
                    else:
                        answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", requests
        thread.join(PATIENCE)


def read_request(connection: socket.socket) -> bytes:
    data = chunk = connection.recv(65536)
    if data.startswith(b"\x16"):
        return data  # the hello of TLS, which a plain server answers at once
    while chunk and b"\r\n\r\n" not in data:
        data += (chunk := connection.recv(65536))
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while chunk and len(body) < length:
        body += (chunk := connection.recv(65536))
    return head + b"\r\n\r\n" + body


def reply(body: bytes | str, status: str = "200 OK", kind: str = "application/json", extra: str = "") -> bytes:
    data = body.encode() if isinstance(body, str) else body
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\nConnection: close\r\n{extra}\r\n"
    )
    return head.encode() + data


def chunked(*parts: bytes, end: bool = True) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in parts)
    return head + body + (b"0\r\n\r\n" if end else b"")


def test_a_question_and_its_answer() -> None:
    with answering(reply('{"version": "0.33.0"}')) as (url, requests), HttpClient(url) as client:
        assert client.ask("GET", "/api/version") == {"version": "0.33.0"}
    assert b"user-agent: modelsmith/" in requests[0].lower()
    assert b"accept-encoding: identity" in requests[0].lower()


def test_a_body_is_json() -> None:
    with answering(reply("")) as (url, requests), HttpClient(url) as client:
        assert client.ask("DELETE", "/api/delete", {"model": "a"}) == {}
    head, _, body = requests[0].partition(b"\r\n\r\n")
    assert json.loads(body) == {"model": "a"}
    assert b"content-type: application/json" in head.lower()


def test_a_base_path_is_kept() -> None:
    with answering(reply("{}")) as (url, requests), HttpClient(url + "/ollama/") as client:
        client.ask("GET", "/api/tags")
    assert requests[0].startswith(b"GET /ollama/api/tags ")


def test_lines_come_one_by_one_over_any_cut() -> None:
    with answering(chunked(b'{"a":', b'1}\n\n{"b"', b":2}\n", b'{"c":3}')) as (url, _), HttpClient(url) as client:
        assert list(client.lines("POST", "/x", {})) == [{"a": 1}, {"b": 2}, {"c": 3}]


def test_a_stream_that_breaks_says_so_after_what_came() -> None:
    seen = []
    with answering(chunked(b'{"a":1}\n', end=False)) as (url, _), HttpClient(url) as client:
        with pytest.raises(ServerError, match="broke in the middle") as caught:
            seen.extend(iter(client.lines("POST", "/api/create", {})))
        assert caught.value.request == f"POST {url}/api/create"


def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_LINE", 1000)
    with (
        answering(chunked(b"x" * 600, b"x" * 600)) as (url, _),
        HttpClient(url) as client,
        pytest.raises(ServerError, match="more than 1000 bytes"),
    ):
        list(client.lines("POST", "/x", {}))


def test_silence_is_reported_and_survived(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "STALL_SECONDS", 0.05)
    heard = threading.Event()

    def slowly(connection: socket.socket) -> None:
        connection.sendall(chunked(b'{"a":1}\n', end=False))
        assert heard.wait(PATIENCE)
        connection.sendall(b'8\r\n{"b":2}\n\r\n0\r\n\r\n')

    with answering(slowly) as (url, _), HttpClient(url) as client:
        lines = list(client.lines("POST", "/x", {}, stalled=lambda seconds: heard.set()))
    assert lines == [{"a": 1}, {"b": 2}]
    assert not [thread for thread in threading.enumerate() if thread.name == "modelsmith-stall"]


def test_an_upload_streams_with_its_length() -> None:
    with answering(reply("", "201 Created")) as (url, requests), HttpClient(url) as client:
        assert client.upload("/api/blobs/x", iter([b"abc", memoryview(b"def")]), 6) == 201
    head, _, body = requests[0].partition(b"\r\n\r\n")
    assert body == b"abcdef"
    assert b"content-length: 6" in head.lower()
    assert b"transfer-encoding" not in head.lower()


@pytest.mark.parametrize("size", [600_000, 2])
def test_an_upload_of_another_length_than_announced(size: int) -> None:
    with (
        answering(reply("", "201 Created")) as (url, _),
        HttpClient(url) as client,
        pytest.raises(StoreError, match=f"instead of the announced {size}") as caught,
    ):
        client.upload("/api/blobs/x", iter([b"abc"]), size)
    assert "did the file change" in caught.value.hint


def test_head_returns_the_status() -> None:
    head = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with answering(head) as (url, _), HttpClient(url) as client:
        assert client.status("/api/blobs/x") == 404


@pytest.mark.parametrize(
    ("answer", "message", "hint"),
    [
        (reply('{"error": "invalid model name"}', "400 Bad Request"), "400 invalid model name", ""),
        (reply('{"error": {"message": "nope"}}', "400 Bad Request"), "400 nope", ""),
        (reply("404 page not found", "404 Not Found", "text/plain"), "404 404 page not found", ""),
        (reply("", "500 Internal Server Error"), "500 Internal Server Error", ""),
        (reply("", "403 Forbidden"), "403 Forbidden", "refuses other host names"),
        (reply("", "401 Unauthorized"), "401 Unauthorized", "user:password@host"),
        (
            reply("<html><body>oh</body></html>", "502 Bad Gateway", "text/html"),
            "502 Bad Gateway (an HTML page)",
            "is perhaps no Ollama server",
        ),
        (
            reply("<html>", kind="text/html; charset=utf-8"),
            "the server answered with an HTML page",
            "is perhaps no Ollama server",
        ),
        (
            reply("SSH-2.0", kind="text/plain"),
            "did not answer with a JSON object (text/plain)",
            "is perhaps no Ollama server",
        ),
        (reply("[1]"), "did not answer with a JSON object", "is perhaps no Ollama server"),
        (reply("[" * 100_000), "did not answer with a JSON object", "is perhaps no Ollama server"),
        (
            reply("", "301 Moved", extra="Location: https://u:p@x.org/api\r\n"),
            "redirects to https://x.org/api",
            "use the URL",
        ),
        (b"SSH-2.0-OpenSSH_9\r\n\r\n", "illegal", ""),
        (b"", "the connection was closed without an answer", "its log says more"),
    ],
)
def test_what_is_wrong_is_said(answer: bytes, message: str, hint: str) -> None:
    with (
        answering(answer) as (url, _),
        HttpClient(url, peer="Ollama server") as client,
        pytest.raises(ServerError) as caught,
    ):
        client.ask("GET", "/api/version")
    assert message.lower() in str(caught.value).lower()
    assert f"GET {url}/api/version" in str(caught.value)
    assert hint in caught.value.hint


def test_bodies_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_BODY", 1000)
    with (
        answering(reply("x" * 2000)) as (url, _),
        HttpClient(url) as client,
        pytest.raises(ServerError, match="more than 1000 bytes"),
    ):
        client.ask("GET", "/x")


def test_a_long_error_page_is_cut() -> None:
    with (
        answering(reply("y" * 500_000, "500 Oops", "text/plain")) as (url, _),
        HttpClient(url) as client,
        pytest.raises(ServerError) as caught,
    ):
        client.ask("GET", "/x")
    assert len(str(caught.value)) < 2000
    assert caught.value.status == 500


def test_nobody_there() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with HttpClient(url, peer="Ollama server", absent="start it") as client:
        assert not client.is_listening(0.5)
        with pytest.raises(ServerError, match=f"no Ollama server answers at {url}") as caught:
            client.ask("GET", "/x")
    assert caught.value.hint == "start it"
    assert caught.value.status == 0


def test_a_name_that_does_not_exist() -> None:
    with HttpClient("http://no-such-host.invalid:1") as client:
        assert not client.is_listening(0.5)
        with pytest.raises(ServerError, match="no server answers at"):
            client.ask("GET", "/x")


def test_a_server_without_tls() -> None:
    with (
        answering(reply("{}")) as (url, _),
        HttpClient(url.replace("http:", "https:")) as client,
        pytest.raises(ServerError, match="does not speak TLS") as caught,
    ):
        client.ask("GET", "/x")
    assert "http:// instead" in caught.value.hint


def test_head_that_fails_on_the_server() -> None:
    head = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with answering(head) as (url, _), HttpClient(url) as client, pytest.raises(ServerError, match="503 Service"):
        client.status("/api/blobs/x")


def test_a_server_that_is_slow_to_answer() -> None:
    waiting = threading.Event()
    with answering(lambda connection: waiting.wait(PATIENCE) and None) as (url, _), HttpClient(url) as client:
        with pytest.raises(ServerError, match="no answer in time"):
            client.ask("GET", "/x", seconds=0.05)
        waiting.set()


def test_credentials_are_sent_and_never_shown() -> None:
    with (
        answering(reply("", "500 Oops")) as (url, requests),
        HttpClient(url.replace("//", "//me:secret@")) as client,
        pytest.raises(ServerError) as caught,
    ):
        client.ask("GET", "/x")
    assert b"authorization: basic bWU6c2VjcmV0".lower() in requests[0].lower()
    assert "secret" not in f"{client.url} {caught.value} {caught.value.hint} {caught.value.request}"


@pytest.mark.parametrize(
    "url", ["ftp://x", "http://", "http://x:99999", "http://x:0", "nonsense", "http://u:p@x:port", "http://[::1"]
)
def test_what_is_not_a_url(url: str) -> None:
    with pytest.raises(UsageError, match="is not the URL") as caught:
        HttpClient(url)
    assert "u:p" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://\u2603..b", "http://a..b", "http://a\x00b", f"http://{'a' * 300}"])
def test_a_host_that_no_name_can_be(url: str) -> None:
    with HttpClient(url) as client:
        assert not client.is_listening(0.1)
        with pytest.raises(UsageError, match="is not the URL"):
            client.ask("GET", "/x")


@pytest.mark.parametrize("body", [{"a": float("inf")}, {"a": object()}])
def test_a_body_that_is_no_json(body: object) -> None:
    with HttpClient("http://127.0.0.1:1") as client, pytest.raises(UsageError, match="json: unsupported"):
        client.ask("POST", "/x", body)


def test_a_body_may_hold_what_utf8_cannot() -> None:
    with answering(reply("{}")) as (url, requests), HttpClient(url) as client:
        client.ask("POST", "/x", {"a": "\ud800<é>", "b": MappingProxyType({"c": (1, 2.0)})})
    assert json.loads(requests[0].partition(b"\r\n\r\n")[2]) == {"a": "\ufffd<é>", "b": {"c": [1, 2]}}


def test_a_proxy_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "gopher://me:secret@proxy.example")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with HttpClient("http://ollama.example") as client, pytest.raises(UsageError, match="gopher://proxy") as caught:
        client.ask("GET", "/x")
    assert "secret" not in str(caught.value)
    assert "NO_PROXY" in caught.value.hint


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("LOCALHOST.", True),
        ("a.localhost", True),
        ("10.0.0.1", False),
        ("localhost.evil.com", False),
        ("", False),
    ],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_proxies_come_from_the_environment_but_not_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    assert proxy_for("http://example.com:11434") is None
    monkeypatch.setenv("http_proxy", "proxy.example:3128")
    monkeypatch.setenv("no_proxy", "inside.example")
    assert proxy_for("http://example.com:11434") == "http://proxy.example:3128"
    assert proxy_for("https://example.com") is None
    assert proxy_for("http://inside.example:11434") is None
    assert proxy_for("http://me:pw@a.inside.example:11434") is None
    assert proxy_for("http://127.0.0.1:11434") is None
    assert proxy_for("http://localhost") is None
    monkeypatch.setenv("all_proxy", "http://all.example:1")
    assert proxy_for("https://example.com") == "http://all.example:1"


def test_a_request_goes_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(reply('{"a": 1}')) as (url, requests):
        monkeypatch.setenv("http_proxy", url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        with HttpClient("http://ollama.example:11434") as client:
            assert client.ask("GET", "/api/version") == {"a": 1}
    assert requests[0].startswith(b"GET http://ollama.example:11434/api/version ")


def test_redacted() -> None:
    assert redacted("https://me:p%40w@host:1/x?y") == "https://host:1/x?y"
    assert redacted("http://host") == "http://host"
    assert redacted("http://host/a@b") == "http://host/a@b"
    assert redacted("https://me:secret@[::1/x") == "https://[::1/x"
