"""A client of the language server over stdio: just enough of JSON-RPC to test with."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

SECONDS = 600.0  # how long a test waits for what should come at once, on a machine that has much else to do


class ServerAnswersError(Exception):
    """The server answered with an error."""


class Client:
    """One server process. What it sends is read by a thread; notifications are kept in ``notes``."""

    def __init__(self, folder: Path, **environment: str) -> None:
        models = str(folder / "no-models")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "modelsmith", "lsp"],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "OLLAMA_MODELS": models, **environment},
        )
        self.notes: queue.Queue[dict[str, Any]] = queue.Queue()
        self.logged: list[str] = []
        self.capabilities: dict[str, Any] = {}
        self.transcript: list[tuple[str, dict[str, Any]]] = []
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._number = 0
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        out = self.process.stdout
        assert out is not None
        while True:
            length = 0
            while (line := out.readline().strip()) != b"":
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if not length:
                return
            message = json.loads(out.read(length))
            self.transcript.append(("server", message))
            if "id" in message and "method" not in message:
                self._answers.put(message)
            elif message.get("method") == "window/logMessage":
                self.logged.append(message["params"]["message"])
            else:
                self.notes.put(message)

    def send_bytes(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, message: dict[str, Any]) -> None:
        self.transcript.append(("client", message))
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.send_bytes(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def notify(self, method: str, params: Any = None) -> None:
        self.send({"method": method, "params": params if params is not None else {}})

    def request(self, method: str, params: Any = None) -> Any:
        self._number += 1
        self.send({"id": self._number, "method": method, **({"params": params} if params is not None else {})})
        answer = self._answers.get(timeout=SECONDS)
        assert answer["id"] == self._number, answer
        if "error" in answer:
            raise ServerAnswersError(answer["error"]["message"])
        return answer["result"]

    def start(self, options: Any = None, **capabilities: Any) -> Client:
        result = self.request(
            "initialize",
            {"processId": os.getpid(), "rootUri": None, "capabilities": capabilities, "initializationOptions": options},
        )
        self.capabilities = result["capabilities"]
        self.notify("initialized")
        return self

    def stop(self) -> int:
        if self.process.poll() is None:
            self.request("shutdown")
            self.notify("exit")
        code = self.process.wait(timeout=SECONDS)
        self.close()
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._thread.join(timeout=SECONDS)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()

    # --- documents

    def open(self, uri: str, text: str, language: str = "modelfile") -> list[dict[str, Any]]:
        self.notify(
            "textDocument/didOpen",
            {"textDocument": {"uri": uri, "languageId": language, "version": 1, "text": text}},
        )
        return self.diagnostics(uri, 1)

    def change(self, uri: str, version: int, *changes: dict[str, Any]) -> list[dict[str, Any]]:
        document = {"uri": uri, "version": version}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": list(changes)})
        return self.diagnostics(uri, version)

    def diagnostics(self, uri: str, version: int | None = None) -> list[dict[str, Any]]:
        while True:
            note = self.notes.get(timeout=SECONDS)
            params = note.get("params", {})
            is_wanted = note["method"] == "textDocument/publishDiagnostics" and params["uri"] == uri
            if is_wanted and version in (None, params.get("version")):
                found: list[dict[str, Any]] = params["diagnostics"]
                return found

    def at(self, method: str, uri: str, line: int, character: int, **more: Any) -> Any:
        position = {"line": line, "character": character}
        return self.request(f"textDocument/{method}", {"textDocument": {"uri": uri}, "position": position, **more})

    def of(self, method: str, uri: str, **more: Any) -> Any:
        return self.request(f"textDocument/{method}", {"textDocument": {"uri": uri}, **more})


def applied(text: str, edits: list[dict[str, Any]]) -> str:
    """Apply an editor's edits to a text; columns are UTF-16 units."""
    lines = text.replace("\r\n", "\n").split("\n")

    def offset(position: dict[str, int]) -> int:
        line = lines[position["line"]].encode("utf-16-le")[: 2 * position["character"]].decode("utf-16-le")
        return sum(len(each) + 1 for each in lines[: position["line"]]) + len(line)

    spans = sorted(
        ((offset(each["range"]["start"]), offset(each["range"]["end"]), each["newText"]) for each in edits),
        reverse=True,
    )
    for start, end, new in spans:
        text = text[:start] + new + text[end:]
    return text
