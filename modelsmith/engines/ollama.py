"""A running Ollama: ``/api/chat``, and ``/api/generate`` for what is no chat.

Source: Ollama ``api/types.go`` (ChatRequest, ChatResponse, Metrics), ``server/routes.go``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.engines.protocol import SECONDS, AnswerPiece, Finished, Identity, Prompt, ToolCall, Usage
from modelsmith.engines.reading import call_of, count_of, list_of, object_of, seconds_of, text_of
from modelsmith.engines.secret import masked
from modelsmith.errors import EngineError, ModelNotFound, ServerError, Unsupported
from modelsmith.http.client import HttpClient
from modelsmith.name import ModelName
from modelsmith.store.ollama.ollama import OllamaStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.engines.known import KnownModel
    from modelsmith.engines.protocol import Request

ABSENT = "start it with `ollama serve`, or run the model here with --on embedded"
_NANO = 1e-9


class OllamaEngine:
    """A model of an Ollama server. ``known`` is what was found out about the model, for its prompts."""

    def __init__(
        self, url: str, name: str, *, known: KnownModel | None = None, api_key: str = "", seconds: float = SECONDS
    ) -> None:
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else None
        self._http = HttpClient(url, peer="Ollama server", absent=ABSENT, headers=headers)
        self._store = OllamaStore(url, headers=headers)
        self._name = ModelName.strict(name)
        self._known = known
        self._secret = api_key
        self._seconds = seconds

    @property
    def location(self) -> str:
        """The server's URL, without credentials."""
        return self._http.url

    @property
    def identity(self) -> Identity:
        """The model's name and the digest of its weights."""
        with masked(self._secret):
            return Identity(self._name.short, str(self._store.show(self._name).weights_digest or ""))

    def context(self) -> int | None:
        """Return the size with which the server has loaded the model (``/api/ps``, 0.11.9), None where it is not loaded, or the server too old."""
        with masked(self._secret):
            running = list_of(self._http.ask("GET", "/api/ps"), "models", self.location)
        for entry in running:
            if ModelName.parse(text_of(entry, "name", self.location)).same_as(self._name):
                return count_of(entry, "context_length", self.location)
        return None

    def prompt(self, request: Request) -> Prompt:
        """Return the whole prompt, as the template that runs renders it here."""
        return self._known.prompt(request.conversation, request.think) if self._known else Prompt()

    def stream(self, request: Request) -> Iterator[AnswerPiece | Finished]:
        """Yield the answer as the server sends it."""
        path, body = self._body(request)
        calls: list[ToolCall] = []
        try:
            with masked(self._secret):
                for line in self._http.lines("POST", path, body, seconds=self._seconds):
                    if error := line.get("error"):
                        raise EngineError(f"{self.location} failed while it answered: {error!s:.1000}")
                    message = object_of(line, "message", self.location)
                    for call in list_of(message, "tool_calls", self.location):
                        function = object_of(call, "function", self.location)
                        calls.append(call_of(text_of(function, "name", self.location), function.get("arguments")))
                    thinking = text_of(message, "thinking", self.location) or text_of(line, "thinking", self.location)
                    if thinking:
                        yield AnswerPiece(thinking, is_reasoning=True)
                    if content := text_of(message, "content", self.location) or text_of(
                        line, "response", self.location
                    ):
                        yield AnswerPiece(content)
                    if line.get("done") is True:
                        yield Finished(
                            text_of(line, "done_reason", self.location) or "stop",
                            tuple(calls),
                            _usage(line, self.location),
                        )
                        return
        except ServerError as error:
            raise self._explained(error) from error

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
        self._store.close()

    def _body(self, request: Request) -> tuple[str, dict[str, Any]]:
        data = request.conversation.to_dict()
        body: dict[str, Any] = {"model": self._name.short, "stream": True, "options": dict(request.options)}
        if request.think is not None:
            body["think"] = request.think
        if request.format:
            body["format"] = request.format
        if data["messages"]:
            return "/api/chat", body | {"messages": data["messages"], "tools": data.get("tools") or []}
        return "/api/generate", body | {"prompt": data.get("prompt", ""), "suffix": data.get("suffix", "")}

    def _explained(self, error: ServerError) -> Exception:
        if error.status == 404 and "not found" in error.text and "page not found" not in error.text:
            return ModelNotFound(
                f"no model {self._name.short} on {self.location}",
                hint=f"`ollama pull {self._name.short}` may bring it, and `modelsmith create` makes it of a file",
            )
        if error.status == 400 and "does not support thinking" in error.text:
            return Unsupported(
                f"{self._name.short} does not support thinking, says {self.location}",
                hint=f"leave out --think; `modelsmith explain {self._name.short}` says why, the recipe force-think changes it",
            )
        return error


def _usage(line: Mapping[str, Any], where: str) -> Usage:
    return Usage(
        prompt_tokens=count_of(line, "prompt_eval_count", where),
        answer_tokens=count_of(line, "eval_count", where),
        prompt_seconds=seconds_of(line, "prompt_eval_duration", _NANO, where),
        answer_seconds=seconds_of(line, "eval_duration", _NANO, where),
        load_seconds=seconds_of(line, "load_duration", _NANO, where),
    )
