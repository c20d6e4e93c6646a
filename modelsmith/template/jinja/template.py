"""A Jinja chat template: what a GGUF carries as ``tokenizer.chat_template``.

It is rendered as llama-server renders it for Ollama: messages as ``jinja_messages`` builds them, bent as
``jinja_accepts`` says, in the dialect of transformers (``jinja_sandbox``). A last assistant message is left open: the
prompt is that of the messages before it, what opens the assistant's turn (reasoning closed), then its text.

Source: llama.cpp common/chat.cpp and tools/server/server-common.cpp; Ollama llm/llama_server.go.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from modelsmith.errors import TemplateRenderError, TemplateSyntaxError
from modelsmith.template.jinja.accepts import Accepts, bend, try_out
from modelsmith.template.jinja.limits import Budget, LimitReached, Limits
from modelsmith.template.jinja.messages import Message, messages_for, tools_for, with_text_content
from modelsmith.template.jinja.reasoning import Reasoning, find_reasoning, shared_start

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import jinja2

    from modelsmith.template.conversation.conversation import Conversation

LONGEST = 1_000_000
"""A longer text (in characters) is not taken for a chat template."""

_LINE_END = re.compile(r"\r\n|\r|\n")
_LIMITS = Limits()
_TRIALS = Limits(seconds=2.0, size=1_000_000)


@dataclass(frozen=True)
class ChatTemplate:
    """A Jinja chat template; immutable, ``str()`` is its text."""

    text: str

    def __str__(self) -> str:
        return self.text

    @classmethod
    def parse(cls, text: str) -> ChatTemplate:
        """Return the template, compiled; raises TemplateSyntaxError with the line where Jinja refuses it."""
        template = cls(text)
        template._compiled  # noqa: B018 - computed once, here, so that a bad template fails early
        return template

    def render(
        self,
        conversation: Conversation,
        think: bool | str | None = None,
        *,
        bos_token: str = "",
        eos_token: str = "",
        add_generation_prompt: bool = True,
        reasoning_content: bool = False,
        now: datetime | None = None,
        variables: Mapping[str, Any] | None = None,
        limits: Limits = _LIMITS,
    ) -> str:
        """Return the prompt that the model would see.

        ``think`` sets ``enable_thinking`` (a level also ``reasoning_effort``); unset is on where :attr:`reasoning` is found.
        ``reasoning_content`` passes thinking on under that name, which Ollama does not do. ``now`` is the clock for
        ``strftime_now`` and ``date_string``; ``variables`` are further ones. Raises TemplateRenderError where the
        template fails, refuses the conversation, tries to leave its sandbox or reaches a limit, and where llama-server
        refuses the request.
        """
        shape = conversation.to_dict()
        if shape.get("suffix") and shape.get("prompt"):
            raise TemplateRenderError(
                "a Jinja template cannot fill in between prompt and suffix", hint="a Go TEMPLATE that uses .Suffix can"
            )
        thinks = self.reasoning.found if think is None else bool(think)
        level = {"reasoning_effort": think} if isinstance(think, str) and think else {}
        values = {"bos_token": bos_token, "eos_token": eos_token, **_clock(now), "enable_thinking": thinks, **level}
        messages, tools = messages_for(shape, reasoning=reasoning_content), tools_for(shape)

        def prompt(said: Sequence[Message], *, answer: bool) -> str:
            bent = bend(said, self.accepts, developer="<|channel|>" in self.text)
            return self._run(bent, tools, {**values, **(variables or {})}, answer, Budget(limits))

        if not add_generation_prompt or not messages or messages[-1]["role"] != "assistant":
            return prompt(messages, answer=add_generation_prompt)
        *before, last = messages
        if before and before[-1]["role"] == "assistant":
            raise TemplateRenderError(
                "llama-server refuses this conversation: Cannot have 2 or more assistant messages at the end of the list.",
                hint="join them, or let a user speak last",
            )
        history = prompt(before, answer=False)
        return history + self._begun(last, history, prompt(before, answer=True))

    def _begun(self, message: Message, history: str, asking: str) -> str:
        """Return what opens the assistant's turn and what it said so far, its reasoning closed."""
        content: str = with_text_content(message)["content"]
        thought: str = message.get("reasoning_content", "")
        if not content and not thought and "tool_calls" not in message:
            return ""
        opened = asking[shared_start(history, asking) :]
        if self.reasoning.opening:
            opened = opened.partition(self.reasoning.opening)[0] + self.reasoning.opening + thought
            opened += self.reasoning.closing if content or not thought else ""
        return opened + content

    @property
    def accepts(self) -> Accepts:
        """What this template can take; found by trying it out."""
        return self._trials[0]

    @property
    def reasoning(self) -> Reasoning:
        """Where llama-server sees reasoning in this template; found by trying it out."""
        return self._trials[1]

    @cached_property
    def _trials(self) -> tuple[Accepts, Reasoning]:
        budget = Budget(_TRIALS)

        def attempt(
            messages: Sequence[Message], tools: Sequence[Message] = (), thinks: bool = True, answer: bool = True
        ) -> str | None:
            values = {"bos_token": "", "eos_token": "", **_clock(None), "enable_thinking": thinks}
            try:
                return self._run(messages, tools, values, answer, budget)
            except TemplateRenderError:
                return None

        accepts = try_out(attempt)
        return accepts, find_reasoning(
            self.text, lambda said, thinks, answer: attempt(bend(said, accepts, developer=True), (), thinks, answer)
        )

    def _run(
        self,
        messages: Sequence[Message],
        tools: Sequence[Message],
        variables: Mapping[str, Any],
        answer: bool,
        budget: Budget,
    ) -> str:
        from modelsmith.template.jinja.run import run

        asked: dict[str, Any] = {"tools": list(tools)} if tools else {}
        asked |= {"add_generation_prompt": True} if answer else {}
        return run(self._compiled, {"messages": list(messages), **asked, **variables}, budget)

    @cached_property
    def _compiled(self) -> jinja2.Template:
        if len(self.text) > LONGEST:
            raise TemplateSyntaxError(
                f"a chat template of {len(self.text):,} characters is too long (limit {LONGEST:,})"
            )
        from jinja2.exceptions import TemplateSyntaxError as JinjaSyntaxError

        from modelsmith.template.jinja.sandbox import compile_template

        try:
            return compile_template(self.text)
        except JinjaSyntaxError as error:
            offset = _line_start(self.text, error.lineno)
            message = f"{error.message} (line {error.lineno})"
            raise TemplateSyntaxError(message, line=error.lineno, offset=offset) from None
        except (SyntaxError, RecursionError, MemoryError):
            raise TemplateSyntaxError("the template nests too deeply to be compiled") from None


def _clock(now: datetime | None) -> dict[str, Any]:
    moment = now or datetime.now().astimezone()

    def strftime_now(form: str) -> str:
        if len(form) > 200:
            raise LimitReached("it formats the date with more than 200 characters")
        return moment.strftime(form)

    return {"strftime_now": strftime_now, "date_string": f"{moment:%d %b %Y}", "datetime": f"{moment:%b %d %Y}"}


def _line_start(text: str, line: int) -> int:
    ends = [0, *(match.end() for match in _LINE_END.finditer(text))]
    return ends[min(line, len(ends)) - 1]
