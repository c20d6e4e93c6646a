"""Any server with OpenAI's ``/v1/chat/completions``: llama-server, vLLM, SGLang, LM Studio, Ollama's own, a cloud.

Reasoning arrives in ``reasoning_content`` (llama-server, vLLM, SGLang, DeepSeek) or in ``reasoning`` (Ollama, newer vLLM,
OpenRouter). Only what a request really sets is sent: strict servers refuse fields that they do not know.
Sources: llama.cpp ``tools/server/README.md``, vLLM's docs (reasoning outputs), Ollama ``openai/openai.go``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from modelsmith.engines.protocol import SECONDS, AnswerPiece, Finished, Identity, Prompt, Usage
from modelsmith.engines.reading import MAX_CALLS, call_of, count_of, garbage, list_of, object_of, seconds_of, text_of
from modelsmith.engines.secret import masked
from modelsmith.errors import EngineError, ServerError, UsageError
from modelsmith.http.client import HttpClient

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.engines.protocol import Request, ToolCall

NAMES = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "min_p": "min_p",
    "typical_p": "typical_p",
    "seed": "seed",
    "stop": "stop",
    "num_predict": "max_tokens",
    "repeat_penalty": "repeat_penalty",
    "repeat_last_n": "repeat_last_n",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
}
"""PARAMETERs that a request can set, and what these servers call them; the others belong to loading the model."""

_MILLI = 1e-3


class OpenAIEngine:
    """A model of such a server. ``url`` is with or without ``/v1``; the model's name may be empty where the server has just one."""

    def __init__(
        self, url: str, model: str = "", *, api_key: str = "", seconds: float = SECONDS, label: str = ""
    ) -> None:
        self._label = label
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else None
        self._http = HttpClient(url.rstrip("/").removesuffix("/v1"), peer="OpenAI-compatible server", headers=headers)
        self._model = model
        self._secret = api_key
        self._seconds = seconds

    @property
    def location(self) -> str:
        """The server's URL, without credentials, or what it is called instead."""
        return self._label or self._http.url

    @property
    def identity(self) -> Identity:
        """The model's name; such a server tells no digest."""
        return Identity(self.model)

    @property
    def model(self) -> str:
        """The model's name: the one that was given, else the server's only one."""
        if not self._model:
            names = [text_of(entry, "id", self.location) for entry in self._models()]
            if len(names) != 1 or not names[0]:
                listed = ", ".join(filter(None, names[:8])) or "it names none"
                raise UsageError(f"{self.location} has not one model: {listed}", hint="name the model before the text")
            self._model = names[0]
        return self._model

    def context(self) -> int | None:
        """Return what ``/props`` says (llama-server), or ``max_model_len`` of the model (vLLM); None where the server says neither."""
        found = object_of(self._told("/props"), "default_generation_settings", self.location)
        if (size := count_of(found, "n_ctx", self.location)) is not None:
            return size
        for entry in list_of(self._told("/v1/models"), "data", self.location):
            if entry.get("id") == self._model:
                return count_of(entry, "max_model_len", self.location)
        return None

    def prompt(self, request: Request) -> Prompt:
        """Return the prompt where the server tells it, as llama-server does."""
        body = {key: value for key, value in self.body(request).items() if key in _RENDERED}
        try:
            text = text_of(self.ask("POST", "/apply-template", body), "prompt", self.location)
            return Prompt(text, self.tokens(text)) if text else Prompt()
        except ServerError as error:
            if error.status == 0:
                raise
            return Prompt()

    def tokens(self, text: str) -> int:
        """Return how many tokens llama-server makes of a prompt."""
        asked = {"content": text, "add_special": True, "parse_special": True}
        tokens = self.ask("POST", "/tokenize", asked).get("tokens")
        if not isinstance(tokens, list):
            raise garbage(self.location, "tokens are no list", tokens)
        return len(tokens)

    def body(self, request: Request) -> dict[str, Any]:
        """Return the body of ``/v1/chat/completions``."""
        conversation = request.conversation
        data = conversation.to_dict()
        if conversation.suffix:
            raise UsageError("/v1/chat/completions has no suffix", hint="use --on ollama or --on embedded")
        messages = data["messages"] or [{"role": "user", "content": conversation.prompt}]
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [_message(message) for message in messages],
            "stream": True,
        }
        body["stream_options"] = {"include_usage": True}
        if data.get("tools"):
            body["tools"] = data["tools"]
        for name, value in request.options.items():
            if name in NAMES and not (name == "num_predict" and value < 0):
                body[NAMES[name]] = value
        if isinstance(request.think, bool):
            body["chat_template_kwargs"] = {"enable_thinking": request.think}
        elif request.think:
            body["chat_template_kwargs"] = {"enable_thinking": True, "reasoning_effort": request.think}
        if request.format == "json":
            body["response_format"] = {"type": "json_object"}
        elif request.format:
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": request.format, "strict": True},
            }
        return body

    def stream(self, request: Request) -> Iterator[AnswerPiece | Finished]:
        """Yield the answer as the server sends it."""
        body, read = self.body(request), _Read(self.location)
        with masked(self._secret):
            for event in self._http.events("/v1/chat/completions", body, seconds=self._seconds):
                yield from read.event(event)
        yield read.finished()

    def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Ask something else of the server."""
        with masked(self._secret):
            return self._http.ask(method, path, body, seconds=self._seconds)

    def events(self, path: str, body: object) -> Iterator[dict[str, Any]]:
        """Yield the events that something else is answered with."""
        with masked(self._secret):
            yield from self._http.events(path, body, seconds=self._seconds)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _told(self, path: str) -> Mapping[str, Any]:
        """Return what a server tells at a path, nothing where it does not know that."""
        try:
            return self.ask("GET", path)
        except ServerError as error:
            if error.status == 0 and "JSON" not in error.message and "HTML" not in error.message:
                raise
            return {}

    def _models(self) -> list[Mapping[str, Any]]:
        return list_of(self.ask("GET", "/v1/models"), "data", self.location)


_RENDERED = frozenset({"messages", "tools", "chat_template_kwargs", "response_format"})


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message as OpenAI's API has it: arguments of calls are texts, a result says whose it is."""
    turned = dict(message)
    if thinking := turned.pop("thinking", ""):
        turned["reasoning_content"] = thinking
    calls = []
    for number, call in enumerate(turned.pop("tool_calls", ())):
        function = call.get("function", {})
        arguments = json.dumps(function.get("arguments", {}), ensure_ascii=False)
        calls.append(
            {
                "id": call.get("id") or f"call_{number}",
                "type": "function",
                "function": {"name": function.get("name", ""), "arguments": arguments},
            }
        )
    if calls:
        turned["tool_calls"] = calls
    if turned.get("role") == "tool":
        turned.setdefault("tool_call_id", "call_0")
        if name := turned.pop("tool_name", ""):
            turned["name"] = name
    return turned


@dataclass
class _Read:
    """What was read of one answer so far: calls come in parts, counts with the last event."""

    location: str
    calls: dict[int, tuple[str, str]] = field(default_factory=dict)
    reason: str = ""
    usage: Usage = field(default_factory=Usage)

    def event(self, event: Mapping[str, Any]) -> Iterator[AnswerPiece]:
        """Take an event, or a whole answer of a server that does not stream; yield what it adds to the answer."""
        error = event.get("error")
        if error or event.get("object") == "error":
            message = error.get("message", error) if isinstance(error, dict) else error or event.get("message")
            raise EngineError(f"{self.location} failed while it answered: {message!s:.1000}")
        for choice in list_of(event, "choices", self.location)[:1]:
            delta = object_of(choice, "delta", self.location) or object_of(choice, "message", self.location)
            if reasoning := text_of(delta, "reasoning_content", self.location) or text_of(
                delta, "reasoning", self.location
            ):
                yield AnswerPiece(reasoning, is_reasoning=True)
            if content := text_of(delta, "content", self.location):
                yield AnswerPiece(content)
            for place, call in enumerate(list_of(delta, "tool_calls", self.location)):
                self._add_call(place, call)
            self.reason = text_of(choice, "finish_reason", self.location) or self.reason
        self._count(event)

    def _add_call(self, place: int, call: Mapping[str, Any]) -> None:
        index = count_of(call, "index", self.location)
        index = place if index is None else index
        if index >= MAX_CALLS:
            raise garbage(self.location, "it makes too many calls", index)
        function = object_of(call, "function", self.location)
        arguments = function.get("arguments")
        more = arguments if isinstance(arguments, str) else json.dumps(arguments) if arguments is not None else ""
        name, text = self.calls.get(index, ("", ""))
        self.calls[index] = (name or text_of(function, "name", self.location), text + more)

    def _count(self, event: Mapping[str, Any]) -> None:
        usage = object_of(event, "usage", self.location)
        if usage:
            details = object_of(usage, "prompt_tokens_details", self.location)
            timings = object_of(event, "timings", self.location)
            self.usage = Usage(
                prompt_tokens=count_of(usage, "prompt_tokens", self.location),
                cached_tokens=count_of(details, "cached_tokens", self.location),
                answer_tokens=count_of(usage, "completion_tokens", self.location),
                prompt_seconds=seconds_of(timings, "prompt_ms", _MILLI, self.location),
                answer_seconds=seconds_of(timings, "predicted_ms", _MILLI, self.location),
            )

    def finished(self) -> Finished:
        """Return the end; raises EngineError where the server never said that it ended."""
        if not self.reason:
            raise EngineError(
                f"{self.location} ended its answer without saying so", hint="was it stopped? its log says more"
            )
        calls: list[ToolCall] = [call_of(name, text) for _, (name, text) in sorted(self.calls.items())]
        return Finished("stop" if self.reason == "tool_calls" else self.reason, tuple(calls), self.usage)
