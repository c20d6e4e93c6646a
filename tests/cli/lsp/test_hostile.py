"""The language server goes on, whatever it is sent; and it comes and goes as editors expect."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lsp_client import Client, ServerAnswersError

pytest.importorskip("pygls")

BOMB = "{{ range $.Messages }}" * 40 + "x" + "{{ end }}" * 40


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    client = Client(tmp_path_factory.mktemp("lsp")).start({"textOnly": True})
    yield client
    assert client.stop() == 0


def is_alive(client: Client) -> bool:
    uri = f"untitled:alive{len(client.transcript)}"
    return "MS201" in {each["code"] for each in client.open(uri, "FROM x:1\nPARAMETER num_ctxx 1\n")}


def frame(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


@pytest.mark.parametrize(
    "data",
    [
        frame(b"{not json"),
        frame(b"[]"),
        frame(b"{}"),
        frame(b'"text"'),
        frame(b"\xff\xfe\xfa"),
        frame(b'{"jsonrpc": "2.0"}'),
        frame(b'{"jsonrpc": "1.0", "method": "initialized"}'),
        frame(b'{"jsonrpc": "2.0", "method": "no/such/notification", "params": {}}'),
        frame(b'{"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument": 5}}'),
        frame(b'{"jsonrpc": "2.0", "method": "textDocument/didChange", "params": {}}'),
        frame(b'{"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 4711}}'),
        frame(b'{"jsonrpc": "2.0", "id": 4711, "result": null}'),
        frame(b"[" * 100_000),
        b"Content-Length: x\r\n\r\n",
        b"Nonsense: 5\r\n\r\n",
        b"\r\n\r\n\r\n",
    ],
    ids=lambda data: repr(data[-40:]),
)
def test_malformed_messages(client: Client, data: bytes) -> None:
    client.send_bytes(data)
    assert is_alive(client)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("no/such/request", {}),
        ("textDocument/hover", {"textDocument": {"uri": "untitled:alive"}, "position": {"line": "one"}}),
        ("textDocument/hover", {"textDocument": {"uri": "untitled:alive"}, "position": {"line": -1, "character": -5}}),
        ("textDocument/completion", 5),
        ("workspace/executeCommand", {"command": "no-such-command"}),
    ],
)
def test_wrong_requests_are_answered_with_an_error_and_logged(client: Client, method: str, params: Any) -> None:
    client.logged.clear()
    with pytest.raises(ServerAnswersError):
        client.request(method, params)
    assert is_alive(client)
    assert client.logged


def test_texts_that_were_never_opened(client: Client) -> None:
    uri = "untitled:never"
    client.notify(
        "textDocument/didChange",
        {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [{"text": "FROM x"}]},
    )
    for method in ("hover", "completion"):
        assert client.at(method, uri, 0, 0) is None
    for method in ("documentSymbol", "foldingRange", "semanticTokens/full"):
        assert client.of(method, uri) is None
    assert client.of("formatting", uri, options={"tabSize": 1, "insertSpaces": True}) is None
    client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    assert any("never opened" in line for line in client.logged)
    assert is_alive(client)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0\1\2\x7f\ufeff\ufffe",
        "FROM \ud83d\nSYSTEM \udc00",
        "\ufeffFROM x\r\rPARAMETER\u2028",
        'TEMPLATE """' + "{{ if .X }}" * 300,
        'TEMPLATE """{{ ' + "(" * 2000,
        "SYSTEM " + "😀" * 50_000,
        'TEMPLATE """' + BOMB + '"""',
        'TEMPLATE """{{ define "a" }}{{ template "a" . }}{{ template "a" . }}{{ end }}{{ template "a" . }}"""',
        'TEMPLATE """{{ printf "%999999999d" 1 }}"""',
    ],
    ids=lambda text: repr(text[-20:]),
)
def test_texts_of_any_kind(client: Client, text: str) -> None:
    uri = "untitled:any"
    client.open(uri, text)
    for line, character in ((0, 0), (0, 14), (0, len(text)), (1, 3), (5_000_000, 7)):
        client.at("hover", uri, line, character)
        client.at("completion", uri, line, character)
    for method in ("documentSymbol", "foldingRange", "semanticTokens/full"):
        client.of(method, uri)
    client.of("formatting", uri, options={"tabSize": 1, "insertSpaces": True})
    whole = {"start": {"line": 0, "character": 0}, "end": {"line": 999, "character": 0}}
    client.of("codeAction", uri, range=whole, context={"diagnostics": []})
    backwards = {"start": {"line": 3, "character": 9}, "end": {"line": 0, "character": 1}}
    client.change(uri, 2, {"range": backwards, "text": "x"}, {"range": whole, "text": ""}, {"text": "FROM x:1"})
    assert is_alive(client)


def test_work_that_takes_too_long_is_stopped_and_the_server_answers_meanwhile(tmp_path: Path) -> None:
    client = Client(tmp_path).start({"timeLimit": 60})
    assert is_alive(client)
    client.notify("workspace/didChangeConfiguration", {"settings": {"timeLimit": 0.001}})
    uri = "untitled:slow"
    (found,) = client.open(uri, 'FROM x:1\nTEMPLATE """' + "{{ .Prompt }}" * 9_000 + '"""\n')
    assert found["code"] == "not-linted"
    assert "0.001 seconds" in found["message"]
    assert client.at("hover", uri, 0, 1)["contents"]["value"].startswith("`FROM")
    client.notify("workspace/didChangeConfiguration", {"settings": {"timeLimit": 60}})
    while "not-linted" in {each["code"] for each in client.diagnostics(uri)}:
        pass
    assert is_alive(client)
    assert any("was stopped" in line for line in client.logged)
    assert client.stop() == 0


def test_a_worker_that_is_killed_is_started_again(client: Client) -> None:
    assert is_alive(client)
    pid = client.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children")
    if not children.exists():
        pytest.skip("this kernel does not list children")
    (worker,) = map(int, children.read_text().split())
    os.kill(worker, signal.SIGKILL)
    found = client.open("untitled:killed", "FRMO x")
    assert {each["code"] for each in found} & {"not-linted", "MS101"}
    assert is_alive(client)


def test_exit_codes(tmp_path: Path) -> None:
    rude = Client(tmp_path).start()
    rude.notify("exit")
    assert rude.process.wait(timeout=600) == 1, "an exit without a shutdown"
    rude.close()
    lost = Client(tmp_path)
    assert lost.process.stdin is not None
    lost.process.stdin.close()
    assert lost.process.wait(timeout=600) == 1, "the editor is gone"
    lost._thread.join()
    for pipe in (lost.process.stdout, lost.process.stderr):
        assert pipe is not None
        pipe.close()


@pytest.mark.parametrize("steps", range(12))
def test_an_editor_that_leaves_while_the_worker_starts(steps: int) -> None:
    code = f"""
import asyncio
from modelsmith.cli.lsp.worker import Worker

async def leave():
    starting = asyncio.ensure_future(Worker().start())
    for _ in range({steps}):
        await asyncio.sleep(0)
    raise SystemExit(7)

asyncio.run(leave())
"""
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=600).returncode == 7


def test_after_the_goodbye_requests_are_refused(tmp_path: Path) -> None:
    client = Client(tmp_path).start()
    client.request("shutdown")
    with pytest.raises(ServerAnswersError, match="shutting down"):
        client.request("textDocument/hover", {"textDocument": {"uri": "x:y"}, "position": {"line": 0, "character": 0}})
    client.notify("exit")
    assert client.process.wait(timeout=600) == 0
    client.close()


def test_nothing_of_the_folder_that_is_open_is_run(tmp_path: Path) -> None:
    for name in ("modelsmith", "pickle", "lark", "pygls"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('taken over')\n")
    start = "import sys; sys.path.pop(0); from modelsmith.cli import main; main(['lsp'])"
    server = subprocess.Popen(
        [sys.executable, "-c", start], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    messages: list[dict[str, Any]] = [
        {"id": 1, "method": "initialize", "params": {"processId": None, "rootUri": None, "capabilities": {}}},
        {"method": "initialized", "params": {}},
        {
            "method": "textDocument/didOpen",
            "params": {"textDocument": {"uri": "x:y", "languageId": "", "version": 1, "text": "FRMO x"}},
        },
    ]
    assert server.stdin is not None
    assert server.stdout is not None
    for message in messages:
        server.stdin.write(frame(json.dumps({"jsonrpc": "2.0", **message}).encode()))
    server.stdin.flush()
    answers = b""
    while b"publishDiagnostics" not in answers:
        length = int(server.stdout.readline().split(b":")[1])
        while server.stdout.readline().strip():
            pass
        answers += server.stdout.read(length)
    server.stdin.close()
    server.wait(timeout=600)
    server.stdout.close()
    assert b"MS101" in answers


def test_without_pygls_the_error_names_the_way_out(tmp_path: Path) -> None:
    code = "import sys; sys.modules['pygls'] = None; from modelsmith.cli import run; sys.exit(run(['lsp']))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert result.returncode == 2
    assert 'pip install "modelsmith[lsp]"' in result.stderr
    assert "Traceback" not in result.stderr
