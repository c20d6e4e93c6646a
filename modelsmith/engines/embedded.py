"""A model that runs here, without any server: llama.cpp in a child process (extra ``[run]``), asked as Ollama asks it.

Where the Jinja template runs, llama-server renders, and separates reasoning and calls; where the Go template runs, the prompt
is rendered here, and the answer is read as Ollama reads it.
Source: Ollama ``server/routes.go`` (ChatHandler), llama.cpp ``tools/server/README.md`` (/completion).
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any

from modelsmith.engines.child import Child, Job
from modelsmith.engines.cut import fitted
from modelsmith.engines.go_answer import PASSTHROUGH, GoAnswer
from modelsmith.engines.known import runnable
from modelsmith.engines.openai import NAMES, OpenAIEngine
from modelsmith.engines.protocol import SECONDS, Finished, Identity, Prompt, Request, Usage
from modelsmith.engines.reading import count_of, object_of, seconds_of, text_of
from modelsmith.errors import EngineError, ServerError, Unsupported
from modelsmith.parameters import PARAMETERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.engines.known import KnownModel
    from modelsmith.engines.protocol import AnswerPiece
    from modelsmith.models.served import PromptRenderer

DEFAULT_CONTEXT = 4096
"""What Ollama takes where nothing else is said and there is no large graphics card."""

_MILLI = 1e-3


class EmbeddedEngine:
    """A model in a child process, loaded at the first question. ``options`` are PARAMETERs that win over the model's own when it is loaded."""

    def __init__(
        self, known: KnownModel, options: Mapping[str, Any] | None = None, *, seconds: float = SECONDS
    ) -> None:
        self._known = known
        self._weights = runnable(known)
        self._options = {**known.parameters, **(options or {})}
        self._seconds = seconds
        self._child: Child | None = None
        self._server: OpenAIEngine | None = None
        self._loading: float | None = None

    @property
    def location(self) -> str:
        """What runs the model."""
        return "the embedded engine"

    @property
    def identity(self) -> Identity:
        """The model and the digest of its file."""
        return Identity(self._known.spec, self._known.digest)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is otherwise here than in Ollama, in sentences."""
        if self._known.renders is None:
            return (
                f"{self._known.unrendered}; that is code inside Ollama, so the Jinja template inside the GGUF renders here",
            )
        parser = self._known.draft.parser
        if self._known.renders.name == "parser" and parser != PASSTHROUGH:
            return (f"PARSER {parser} is code inside Ollama, so the answer is read here by the tags of TEMPLATE",)
        return ()

    @property
    def renders(self) -> PromptRenderer:
        """What renders the prompts; raises Unsupported where that is code inside Ollama and the GGUF has no template."""
        if self._known.renders is not None:
            return self._known.renders
        from modelsmith.models.served import served_by

        if self._known.draft.chat_template is None:
            raise Unsupported(self._known.unrendered, hint="run it with --on ollama")
        return served_by(self._known.draft, self._known.spec, engine="jinja")

    def context(self) -> int:
        """Return the size of the context: num_ctx, else Ollama's default."""
        wanted = self._options.get("num_ctx")
        return wanted if isinstance(wanted, int) and wanted > 0 else DEFAULT_CONTEXT

    def prompt(self, request: Request) -> Prompt:
        """Return the whole prompt, counted by the model's own vocabulary."""
        with self._explained():
            if self.renders.name == "jinja":
                return self._running().prompt(self._served(request))
            text = self.renders.render(request.conversation, request.think)
            return Prompt(text, self._running().tokens(text))

    def stream(self, request: Request) -> Iterator[AnswerPiece | Finished]:
        """Yield the answer. A prompt that is too long loses its oldest messages first, as with Ollama."""
        if refusal := self.renders.refusal(request.conversation, request.think):
            raise Unsupported(
                f"{self._known.spec}: {refusal}",
                hint=f"`modelsmith explain {self._known.spec}` says why; the recipe force-think makes a model think",
            )
        with self._explained():
            found = fitted(request, self.context(), self.prompt)
            if found.too_long:
                raise EngineError(
                    f"the prompt has {found.whole:,} tokens, and without all messages that can be left out {found.left:,}: the context "
                    f"has {self.context():,}",
                    hint="give it a larger context with num_ctx, or ask for less",
                )
            request = found.request
            server = self._running()
            is_jinja = self.renders.name == "jinja"
            for item in server.stream(self._served(request)) if is_jinja else self._completed(request, server):
                if isinstance(item, Finished):
                    item = replace(item, usage=replace(item.usage, load_seconds=self._loading))  # noqa: PLW2901
                    self._loading = None
                yield item

    def close(self) -> None:
        """End the process."""
        if self._server is not None:
            self._server.close()
        if self._child is not None:
            self._child.close()
        self._server = self._child = None

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Say what became of the process where its server does not answer as it should; one that is no good any more is ended."""
        try:
            yield
        except (ServerError, EngineError) as error:
            if self._child is not None and (ended := self._child.how_it_ended()):
                self.close()
                raise EngineError(
                    f"{self._known.spec}: {ended}", hint="the file, or this version of llama.cpp, is broken for it"
                ) from error
            if isinstance(error, ServerError) and "did not finish" in error.message:
                self.close()  # it may hang for ever
                raise EngineError(
                    f"{self._known.spec} did not finish its answer within {self._seconds:g} s",
                    hint="limit the answer with num_predict, or give it more time with --timeout",
                ) from error
            raise

    def _running(self) -> OpenAIEngine:
        if self._server is None or self._child is None:
            draft, options = self._known.draft, self._options
            edited = draft.gguf.get("tokenizer.chat_template")
            threads, layers = options.get("num_thread", 0), options.get("num_gpu", -1)
            job = Job(
                self._weights,
                self.context(),
                edited if isinstance(edited, str) else None,
                threads,
                layers if layers >= 0 else None,
            )
            began = monotonic()
            self._child = Child.start(job, self._seconds)
            self._loading = monotonic() - began
            self._server = OpenAIEngine(
                self._child.url, "model", api_key=self._child.key, seconds=self._seconds, label=self.location
            )
        return self._server

    def _served(self, request: Request) -> Request:
        """Return the request as llama-server gets it from Ollama: with the model's own messages, parameters and think."""
        served = self.renders.served(request.conversation)
        return Request(served, self.renders.think(request.think), self._sampling(request), request.format)

    def _sampling(self, request: Request) -> dict[str, Any]:
        defaults = {name: row.default for name, row in PARAMETERS.items() if row.default is not None}
        chosen = {**defaults, **self._options, **request.options}
        return {name: value for name, value in chosen.items() if name in NAMES}

    def _completed(self, request: Request, server: OpenAIEngine) -> Iterator[AnswerPiece | Finished]:
        prompt = self.renders.render(request.conversation, request.think)
        body: dict[str, Any] = {NAMES[name]: value for name, value in self._sampling(request).items()}
        body["n_predict"] = body.pop("max_tokens")
        body |= {"prompt": prompt, "stream": True, "cache_prompt": True}
        if request.format:
            body["json_schema"] = {} if request.format == "json" else request.format
        reader = GoAnswer.of(self._known.draft, self.renders, request, prompt)
        for event in server.events("/completion", body):
            if error := event.get("error"):
                raise EngineError(f"{self.location} failed while it answered: {error!s:.1000}")
            yield from reader.feed(text_of(event, "content", self.location))
            if event.get("stop") is True:
                pieces, calls = reader.end()
                yield from pieces
                reason = "length" if event.get("stop_type") == "limit" else "stop"
                yield Finished(reason, calls, _usage(event))
                return


def _usage(event: Mapping[str, Any]) -> Usage:
    timings = object_of(event, "timings", "the embedded engine")
    return Usage(
        prompt_tokens=count_of(event, "tokens_evaluated", "the embedded engine"),
        cached_tokens=count_of(timings, "cache_n", "the embedded engine"),
        answer_tokens=count_of(timings, "predicted_n", "the embedded engine"),
        prompt_seconds=seconds_of(timings, "prompt_ms", _MILLI, "the embedded engine"),
        answer_seconds=seconds_of(timings, "predicted_ms", _MILLI, "the embedded engine"),
    )
