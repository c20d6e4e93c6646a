"""An Ollama server that is a LocalStore behind HTTP: the same code that is tested, so it cannot drift from it.

It answers as the real one does where that can surprise a client: errors as the last line of a stream that began with
200, a POST of a known blob answered before its body is read, `template` replaced by the Jinja text that wins.
Faults are switched on by a test: `server.faults["/api/create"] = Fault.die(after=1)`.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from fakes.show import details, now, rendered, shown

from modelsmith.engines.protocol import Finished, InferenceEngine, Request
from modelsmith.errors import DigestMismatch, ModelNotFound, ModelsmithError, TemplateError
from modelsmith.manifest import Digest
from modelsmith.name import ModelName
from modelsmith.progress import Progress
from modelsmith.registry.access import Access
from modelsmith.registry.moving import Mover
from modelsmith.registry.reference import Reference
from modelsmith.store.local.local import LocalStore
from modelsmith.template.conversation.conversation import Conversation


class Died(Exception):
    """The fault that ends a connection without a word."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one path: ``kind`` and its detail."""

    kind: str
    after: int = 0
    text: str = ""
    until: threading.Event | None = None
    status: int = 0

    @classmethod
    def die(cls, after: int = 0) -> Fault:
        """Close the connection after so many lines of the stream (0: before any answer)."""
        return cls("die", after=after)

    @classmethod
    def error_line(cls, text: str, after: int = 1) -> Fault:
        """End the stream with an error line after so many lines."""
        return cls("error", after=after, text=text)

    @classmethod
    def held(cls, until: threading.Event) -> Fault:
        """Say nothing until something has happened."""
        return cls("held", until=until)

    @classmethod
    def html(cls, status: int = 200) -> Fault:
        """Answer with a web page, as another program or a proxy would."""
        return cls("raw", text="<html><title>It works!</title></html>", status=status)

    @classmethod
    def raw(cls, text: str, status: int = 200) -> Fault:
        """Answer with this text."""
        return cls("raw", text=text, status=status)

    @classmethod
    def corrupt(cls) -> Fault:
        """Lose the last byte of what is uploaded."""
        return cls("corrupt")


@dataclass
class FakeOllama:
    """The server; a context manager. ``requests`` records (method, path) of every request.

    ``engine`` answers its chats for real. ``go_template_env`` is its OLLAMA_GO_TEMPLATE. ``hides_files``: name paths that do not exist here, as a server on another machine does.
    """

    folder: Path
    version: str = "0.33.0"
    go_template_env: str = ""
    hides_files: bool = False
    faults: dict[str, Fault] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    created: list[dict[str, Any]] = field(default_factory=list)
    engine: InferenceEngine | None = None

    def __post_init__(self) -> None:
        self.store = LocalStore(self.folder)
        fake = self

        class Handler(_Handler):
            server_state = fake

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop listening; may be called twice."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def blob(self, digest: str) -> Path:
        return self.folder / "blobs" / digest.replace(":", "-")

    @staticmethod
    def parent_in(folder: Path, name: ModelName) -> str:
        """Return the name that the weights of a model were taken from."""
        layers = json.loads((folder / "manifests" / name.path).read_bytes())["layers"]
        return next((layer.get("from", "") for layer in layers if layer["mediaType"].endswith("image.model")), "")

    def find(self, text: str) -> ModelName:
        """Return the stored name that ``text`` means; raises ModelNotFound as the real one words it."""
        wanted = ModelName.parse(text)
        for name in self.store.models():
            if name.same_as(wanted):
                return name
        raise ModelNotFound(f"model '{wanted.short}' not found")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server_state: FakeOllama
    streaming = False
    lines = 0

    def log_message(self, *_: object) -> None:
        """Be quiet."""

    def do_GET(self) -> None:
        self._serve()

    do_HEAD = do_POST = do_DELETE = do_GET

    def _serve(self) -> None:
        state, path = self.server_state, self.path
        state.requests.append((self.command, path))
        state.headers.append(dict(self.headers))
        self.streaming, self.lines = False, 0
        self.fault = state.faults.get(path) or state.faults.get(path.rpartition("/")[0] + "/*") or Fault("none")
        try:
            if self.fault.until is not None:
                self.fault.until.wait()
            if self.fault.kind == "die" and not self.fault.after:
                self._reset()
            elif self.fault.kind == "raw":
                self._read_body()
                kind = "text/html; charset=utf-8" if self.fault.text.startswith("<") else "text/plain"
                self._send(self.fault.status, self.fault.text.encode(), kind)
            else:
                self._route(path)
        except Died:
            self._reset()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        except ModelNotFound as error:
            self._fail(404, str(error))
        except ModelsmithError as error:
            self._fail(500, str(error))

    def _route(self, path: str) -> None:
        if found := re.fullmatch(r"/api/blobs/(.*)", path):
            self._blob(found[1])
            return
        table: dict[tuple[str, str], Callable[[], None]] = {
            ("GET", "/"): lambda: self._send(200, b"Ollama is running", "text/plain; charset=utf-8"),
            ("HEAD", "/"): lambda: self._send(200, b"", "text/plain; charset=utf-8"),
            ("GET", "/api/version"): lambda: self._json(200, {"version": self.server_state.version}),
            ("GET", "/api/tags"): self._tags,
            ("GET", "/api/ps"): self._loaded,
            ("POST", "/api/show"): self._show,
            ("POST", "/api/create"): self._create,
            ("POST", "/api/copy"): self._copy,
            ("POST", "/api/pull"): self._pull,
            ("POST", "/api/push"): self._push,
            ("DELETE", "/api/delete"): self._delete,
            ("POST", "/api/chat"): self._chat,
            ("POST", "/api/generate"): self._chat,
        }
        action = table.get((self.command, path))
        if action is None:
            self._send(404, b"404 page not found", "text/plain")
        else:
            action()

    # the endpoints

    def _tags(self) -> None:
        entries = []
        for name in self.server_state.store.models():
            model = self.server_state.store.show(name)
            digest = model.digest.removeprefix("sha256:")
            entries.append(
                {"name": name.short, "model": name.short, "modified_at": now(), "size": model.size, "digest": digest}
                | {"details": details(model, "")}
            )
        self._json(200, {"models": entries})

    def _loaded(self) -> None:
        """Answer that every model is loaded, where something answers chats."""
        engine = self.server_state.engine
        names = [name.short for name in self.server_state.store.models()] if engine else []
        size = engine.context() if engine else None
        self._json(200, {"models": [{"name": name, "model": name, "context_length": size} for name in names]})

    def _show(self) -> None:
        body = self._body()
        model = self.server_state.store.show(self.server_state.find(body.get("model") or body.get("name", "")))
        parent = self.server_state.parent_in(self.server_state.folder, model.name)
        self._json(
            200,
            shown(
                model, parent=parent, hides_files=self.server_state.hides_files, env=self.server_state.go_template_env
            ),
        )

    def _blob(self, digest: str) -> None:
        if not re.fullmatch(r"sha256[:-][0-9a-fA-F]{64}", digest):
            self._fail(400, "invalid digest format")
            return
        path = self.server_state.blob(digest)
        if self.command == "HEAD":
            self._send(200 if path.is_file() else 404, b"", "application/json")
            return
        if path.is_file():
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            self._reset()
            return
        data = self._read_body()
        if self.fault.kind == "corrupt":
            data = data[:-1]
        found = str(Digest.of(data))
        target = self.server_state.blob(found)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        if found == digest:
            self._send(201, b"", "application/json")
        else:
            self._fail(400, f'digest mismatch, expected "{digest}", got "{found}"')

    def _create(self) -> None:
        body, state = self._body(), self.server_state
        state.created.append(body)
        name = ModelName.parse(body.pop("model", "") or body.pop("name", ""))
        stream = body.pop("stream", True)
        if not name.is_valid:
            self._fail(400, "invalid model name")
            return
        if not body.get("from") and not body.get("files"):
            self._fail(400, "neither 'from' or 'files' was specified")
            return
        digests = [digest for key in ("files", "draft_files", "adapters") for digest in body.get(key, {}).values()]
        blobs = {digest: state.blob(digest) for digest in digests}
        with suppress(ModelNotFound):
            name = state.find(str(name))

        def report(progress: Progress) -> None:
            line = {"status": progress.status, "digest": progress.digest}
            line |= {"completed": progress.completed, "total": progress.total}
            if stream:
                self._line({key: value for key, value in line.items() if value})

        try:
            if (base := body.get("from")) and ModelName.parse(base) not in state.store.models():
                raise ModelNotFound(base)  # noqa: TRY301 - letter case counts here, and nowhere else
            state.store.create(name, body, blobs=blobs, progress=report)
        except ModelNotFound:
            report(Progress("pulling manifest"))
            self._fail(500, "pull model manifest: file does not exist")
        except DigestMismatch as error:
            self._fail(400, str(error))
        except TemplateError as error:
            report(Progress("parsing GGUF"))
            self._fail(400, f"template error: template: :{getattr(error, 'line', None) or 1}: {error}")
        else:
            report(Progress("success"))
            self._end() if stream else self._json(200, {"status": "success"})

    def _copy(self) -> None:
        body = self._body()
        source, target = (ModelName.parse(body.get(key, "")) for key in ("source", "destination"))
        for role, name in (("source", source), ("destination", target)):
            if not name.is_valid:
                self._fail(400, f'{role} "{body.get(role)}" is invalid')
                return
        try:
            self.server_state.store.copy(self.server_state.find(str(source)), target)
        except ModelNotFound:
            self._fail(404, f'model "{body["source"]}" not found')
            return
        self._send(200, b"", "application/json")

    def _pull(self) -> None:
        self._move(lambda mover, name: mover.pull(Reference.of_name(name), self.server_state.store, name))

    def _push(self) -> None:
        self._move(lambda mover, name: mover.push(self.server_state.store, name, Reference.of_name(name)))

    def _move(self, act: Callable[[Mover, ModelName], object]) -> None:
        """Pull or push by our own client, without logins, as the real one."""
        body = self._body()
        self._line({"status": "pulling manifest"})
        try:
            with Mover(Access(insecure=bool(body.get("insecure")))) as mover:
                act(mover, ModelName.strict(body["model"]))
        except ModelsmithError as error:
            self._line({"error": str(error)})
        else:
            self._line({"status": "success"})
        self._end()

    def _delete(self) -> None:
        body = self._body()
        name = body.get("model") or body.get("name", "")
        if not ModelName.parse(name).is_valid:
            self._fail(400, f'name "{name}" is invalid')
            return
        self.server_state.store.delete(self.server_state.find(name))
        self._send(200, b"", "application/json")

    def _chat(self) -> None:
        body = self._body()
        if self.server_state.engine is not None:
            self._answer(self.server_state.engine, body)
            return
        model = self.server_state.store.show(self.server_state.find(body["model"]))
        thinks = "thinking" in model.capabilities
        think = body.get("think")
        if think and not thinks:
            self._fail(400, f'"{body["model"]}" does not support thinking')
            return
        if body.get("_debug_render_only"):
            prompt = rendered(
                model, body, True if thinks and think is None else think, self.server_state.go_template_env
            )
            self._json(200, {"model": body["model"], "created_at": now(), "_debug_info": {"rendered_template": prompt}})
        else:
            self._fail(500, "llama runner process has terminated")

    def _answer(self, engine: InferenceEngine, body: dict[str, Any]) -> None:
        """Answer a chat: in lines as they come, or as one object that has all of it."""
        talk = Conversation.from_dict({key: body[key] for key in ("messages", "tools") if body.get(key)})
        request = Request(talk, body.get("think"), body.get("options") or {}, body.get("format") or "")
        start = {"model": body["model"], "created_at": now()}
        whole: dict[str, Any] = {"role": "assistant", "content": "", "thinking": ""}
        for item in engine.stream(request):
            if isinstance(item, Finished):
                usage = item.usage
                end = {"done": True, "done_reason": item.reason, "prompt_eval_count": usage.prompt_tokens}
                end |= {"eval_count": usage.answer_tokens, "eval_duration": int((usage.answer_seconds or 0) * 1e9)}
                end |= {"prompt_eval_duration": int((usage.prompt_seconds or 0) * 1e9)}
                end |= {"load_duration": int((usage.load_seconds or 0) * 1e9)}
                calls = [{"function": {"name": each.name, "arguments": each.arguments}} for each in item.tool_calls]
                whole |= {"tool_calls": calls} if calls else {}
                if body.get("stream", True):
                    self._line({**start, "message": {**whole, "content": "", "thinking": ""}, **end})
                    self._end()
                else:
                    message = {key: value for key, value in whole.items() if value or key != "thinking"}
                    self._json(200, {**start, "message": message, **end})
                return
            key = "thinking" if item.is_reasoning else "content"
            whole[key] += item.text
            if body.get("stream", True):
                self._line({**start, "message": {"role": "assistant", "content": "", key: item.text}, "done": False})

    # the wire

    def _read_body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _body(self) -> dict[str, Any]:
        value = json.loads(self._read_body() or b"{}")
        assert isinstance(value, dict)
        return value

    def _send(self, status: int, data: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if self.fault.text and status in {301, 302, 307, 308}:
            self.send_header("Location", self.fault.text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _json(self, status: int, value: object) -> None:
        self._send(status, json.dumps(value).encode(), "application/json; charset=utf-8")

    def _fail(self, status: int, text: str) -> None:
        """Answer an error: by status while nothing was sent, else as the last line of the stream."""
        if self.streaming:
            self._write_line({"error": text})
            self._end()
        else:
            self._json(status, {"error": text})

    def _line(self, value: object) -> None:
        if not self.streaming:
            self.streaming = True
            self.send_response(200)
            self.send_header("Content-Type", "application/x-ndjson")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
        self._write_line(value)
        self.lines += 1
        if self.fault.kind == "die" and self.lines >= self.fault.after:
            raise Died
        if self.fault.kind == "error" and self.lines >= self.fault.after:
            raise ModelsmithError(self.fault.text)

    def _write_line(self, value: object) -> None:
        data = json.dumps(value).encode() + b"\n"
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def _end(self) -> None:
        self.wfile.write(b"0\r\n\r\n")

    def _reset(self) -> None:
        """Close with unread data: the client sees a reset connection."""
        self.close_connection = True
        with suppress(OSError):
            self.wfile.flush()
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.shutdown(socket.SHUT_RD)
            self.connection.close()
