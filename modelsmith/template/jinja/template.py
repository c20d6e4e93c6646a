"""A Jinja chat template: what a GGUF carries as ``tokenizer.chat_template``.

It is loaded and rendered as llama-server does it for Ollama: by the engine in ``engine``, on messages as ``messages``
builds them, bent to what the template takes, in the format of its family. A last assistant message is left open: the
prompt is that of the messages before it, what opens the assistant's turn, and what it thought and said so far.

Source: llama.cpp common/chat.cpp and tools/server/server-common.cpp; Ollama llm/llama_server.go.
"""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from modelsmith.errors import TemplateRenderError, TemplateSyntaxError
from modelsmith.memo import Same, remembered
from modelsmith.records import dataclass
from modelsmith.template.allowance import check_tags
from modelsmith.template.chat_formats.chat_format import Split, find_format
from modelsmith.template.chat_formats.tags import ReasoningTags
from modelsmith.template.jinja.ends import TextEnds
from modelsmith.template.jinja.engine.budget import Limits
from modelsmith.template.jinja.engine.failures import Stopped
from modelsmith.template.jinja.engine.server.bend import bent, trimmed
from modelsmith.template.jinja.engine.server.chat import Inputs, ServerTemplate
from modelsmith.template.jinja.engine.server.contents import said
from modelsmith.template.jinja.engine.server.tool_schemas import check_tools
from modelsmith.template.jinja.engine.values.texts import shared_start
from modelsmith.template.jinja.messages import Message, messages_for, tools_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelsmith.template.chat_formats.chat_format import ChatFormat
    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.jinja.engine.server.probe import Capabilities

_TRIAL = Limits(seconds=1.0, steps=50_000, size=5_000_000, largest=2_000_000)
_TEST: list[Message] = [{"role": "user", "content": "test"}]
_DATES = {"datetime": "%b %d %Y", "date_string": "%d %b %Y"}


@dataclass(frozen=True, slots=True)
class _Asked:
    """How a conversation shall be rendered."""

    add_generation_prompt: bool
    reasoning_content: bool
    ends: TextEnds
    now: datetime | None


@dataclass(frozen=True)
class ChatTemplate:
    """A Jinja chat template; immutable, ``str()`` is its text."""

    text: str
    _formats: dict[tuple[str, str], ChatFormat] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __str__(self) -> str:
        return self.text

    @classmethod
    def parse(cls, text: str) -> ChatTemplate:
        """Return the template, loaded; raises TemplateSyntaxError where llama-server does not load it.

        That is where it cannot be read (the error has line and offset), and where it fails on what llama-server tries it with.
        """
        template = cls(text)
        try:
            chat_format = template.format()
            template._prompt(Inputs(template._bent(_TEST), limits=_TRIAL), chat_format)
        except TemplateRenderError as error:
            raise TemplateSyntaxError(
                f"llama-server does not load it: on one message of a user, {error.message}",
                hint="a chat template must take a chat of one user's message",
            ) from None
        return template

    def render(
        self,
        conversation: Conversation,
        think: bool | str | None = None,
        *,
        bos_token: str = "",
        eos_token: str = "",
        add_bos: bool = False,
        add_eos: bool = False,
        add_generation_prompt: bool = True,
        reasoning_content: bool = False,
        now: datetime | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> str:
        """Return the prompt that the model would see: the answer of llama-server's ``/apply-template``.

        ``add_bos`` and ``add_eos``: the tokenizer puts these tokens around the prompt, and the server takes off what the template wrote.
        ``think`` sets ``enable_thinking`` (a level also ``reasoning_effort``); unset is on where the template :attr:`thinks`.
        ``reasoning_content`` passes thinking on under that name, which Ollama does not do. ``now`` is the clock for
        ``strftime_now`` and the dates; ``variables`` are further ones (``chat_template_kwargs``). Raises TemplateRenderError
        where the template fails, refuses the conversation or reaches a limit, and where llama-server refuses the request.
        """
        ends = TextEnds(bos_token=bos_token, eos_token=eos_token, add_bos=add_bos, add_eos=add_eos)

        def render() -> str:
            asked = _Asked(add_generation_prompt, reasoning_content, ends, now or self._clock())
            return self._rendered(conversation, asked, self._given(think, variables))

        if now is not None or variables or "strftime_now" in self.text:
            return render()
        key = (
            Same(conversation),
            think,
            type(think),
            *ends.values(),
            add_generation_prompt,
            reasoning_content,
        )
        return remembered(("chat", self.text, *key), render, size=len, refusals=TemplateRenderError)

    def _rendered(self, conversation: Conversation, asked: _Asked, given: Mapping[str, Any]) -> str:
        shape = conversation.to_dict()
        if shape.get("suffix") and shape.get("prompt"):
            raise TemplateRenderError(
                "a Jinja template cannot fill in between prompt and suffix", hint="a Go TEMPLATE that uses .Suffix can"
            )
        given_messages = messages_for(shape, reasoning=asked.reasoning_content)
        messages = trimmed(given_messages, self.server.source)
        tools = remembered(("tools of a chat", Same(conversation)), lambda: tools_for(shape))
        chat_format = self.format(asked.ends["bos_token"], asked.ends["eos_token"])
        begun: Message | None = None
        if asked.add_generation_prompt and messages and messages[-1]["role"] == "assistant":
            begun = given_messages[-1]
            messages = messages[:-1]
            if messages and messages[-1]["role"] == "assistant":
                raise TemplateRenderError(
                    "llama-server refuses this conversation: Cannot have 2 or more assistant messages at the end of the list.",
                    hint="join them, or let a user speak last",
                )
        inputs = Inputs(
            self._bent(messages),
            tools,
            asked.add_generation_prompt,
            given.get("enable_thinking", chat_format.thinks),
            extra={**self._dates(asked.now), **given},
            now=asked.now,
            **asked.ends,
        )
        if begun is None:
            prompt = self._prompt(inputs, chat_format)
        else:
            history, opening = self._turn(inputs.changed(add_generation_prompt=False), chat_format)
            prompt = history + _begun(begun, chat_format, history, opening)
        grammar = self._tool_grammar(chat_format)
        if tools and grammar != "nothing":
            whole = grammar == "whole"
            key = ("checked tools of a chat", Same(conversation), whole)
            remembered(key, lambda: check_tools(tools, whole=whole), refusals=TemplateRenderError)
        return prompt

    def split(self, answer: str, think: bool | str | None = None) -> Split:
        """Return what llama-server makes of an answer: ``reasoning`` and ``content``, None where it leaves one out.

        It is that to a chat of one message, whose model generates exactly ``answer``. Raises TemplateRenderError where
        the server answers an error.
        """
        chat_format = self.format()
        given = self._given(think, None)
        thinks = given.get("enable_thinking", chat_format.thinks)
        dates = self._dates(self._clock())
        inputs = Inputs(self._bent(_TEST), enable_thinking=thinks, extra={**dates, **given})
        history, opening = self._turn(inputs, chat_format)
        if not history and not opening:
            return Split(None, "")  # the server generates nothing behind an empty prompt
        return chat_format.split(answer, opening, enable_thinking=thinks)

    @cached_property
    def server(self) -> ServerTemplate:
        """The template as llama-server holds it; raises TemplateSyntaxError where it cannot be read."""
        check_tags(self.text)
        return ServerTemplate.load(self.text)

    @property
    def capabilities(self) -> Capabilities:
        """What the template takes; found by trying it out."""
        return self.server.capabilities

    @property
    def thinks(self) -> bool:
        """Whether llama-server sees reasoning in this template, and turns it on where a request does not say."""
        return self.format().thinks

    @property
    def reasoning(self) -> ReasoningTags:
        """The tags around reasoning, as llama-server writes them around thoughts that an answer begins with."""
        chat_format = self.format()
        family = chat_format.family
        if family is None:
            return chat_format.analysis.reasoning
        if not chat_format.thinks:
            return ReasoningTags()
        return ReasoningTags(True, family.opening + family.after_opening, family.closings[0])

    def format(self, bos_token: str = "", eos_token: str = "") -> ChatFormat:
        """Return how answers to this template are read; raises TemplateSyntaxError where that cannot be found out."""
        known = self._formats.get((bos_token, eos_token))
        if known is None:
            server = self.server

            def renders(
                messages: Sequence[Message],
                *,
                tools: Sequence[Message] = (),
                add_generation_prompt: bool = False,
                enable_thinking: bool = True,
            ) -> str:
                inputs = Inputs(
                    messages,
                    tools,
                    add_generation_prompt,
                    enable_thinking,
                    bos_token=bos_token,
                    eos_token=eos_token,
                    limits=_TRIAL,
                )
                try:
                    return server.apply(inputs)
                except Stopped as error:
                    raise TemplateSyntaxError(f"llama-server does not load it: {error.message}") from None

            takes = server.capabilities
            known = find_format(server.source, renders, calls=takes.tool_calls, parallel=takes.parallel_tool_calls)
            self._formats[bos_token, eos_token] = known
        return known

    def _bent(self, messages: Sequence[Message]) -> list[Message]:
        return bent(messages, self.server.source, self.capabilities)

    def _tool_grammar(self, chat_format: ChatFormat) -> str:
        """Say what of the tools llama-server makes a grammar of: ``whole`` schemas, ``arguments``, ``nothing``."""
        if chat_format.family is not None:
            return chat_format.family.tool_grammar
        calls = chat_format.analysis.calls
        if not self.capabilities.tool_calls or not (calls.section[0] or calls.call[0]):
            return "nothing"
        return {"json": "whole", "tag-json": "whole", "tagged": "arguments"}.get(calls.style, "nothing")

    def _prompt(self, inputs: Inputs, chat_format: ChatFormat) -> str:
        """Return the prompt; llama-server renders it without the prompt for an answer too, and refuses where that fails."""
        family, server = chat_format.family, self.server
        messages = family.rewritten(server.source, inputs.messages) if family else inputs.messages
        prompt = server.apply(inputs, messages=messages)
        if not inputs.add_generation_prompt:
            return family.history(prompt) if family else prompt
        if not server.ends_safely:
            server.apply(inputs.changed(add_generation_prompt=False), messages=messages)
        return family.asked(prompt, "")[0] if family else prompt

    def _turn(self, inputs: Inputs, chat_format: ChatFormat) -> tuple[str, str]:
        """Return the prompt that opens no turn of the assistant, and what would open it."""
        family, server = chat_format.family, self.server
        messages = family.rewritten(server.source, inputs.messages) if family else inputs.messages
        history = server.apply(inputs.changed(add_generation_prompt=False), messages=messages)
        asking = server.apply(inputs.changed(add_generation_prompt=True), messages=messages)
        opening = asking[shared_start(history, asking) :]
        if family is None:
            return history, opening
        return family.history(history), family.asked(asking, opening)[1] if inputs.add_generation_prompt else opening

    @cached_property
    def _tells_time(self) -> bool:
        return not self.server.program.words.isdisjoint({"strftime_now", *_DATES})

    def _clock(self) -> datetime | None:
        """Return the time now, None for a template that does not ask for it."""
        return datetime.now().astimezone() if self._tells_time else None

    def _dates(self, now: datetime | None) -> dict[str, str]:
        """Return the dates that llama-server supplies to every template, as far as this one names them."""
        if now is None or not self._tells_time:
            return {}
        words = self.server.program.words
        return {key: f"{now:{form}}" for key, form in _DATES.items() if key in words}

    @staticmethod
    def _given(think: bool | str | None, variables: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the variables that a request sets (``chat_template_kwargs``)."""
        given: dict[str, Any] = {} if think is None else {"enable_thinking": bool(think)}
        if isinstance(think, str) and think:
            given["reasoning_effort"] = think
        given |= variables or {}
        if isinstance(given.get("enable_thinking"), str):
            raise TemplateRenderError(
                'llama-server refuses this request: invalid type for "enable_thinking" (expected boolean, got string)',
                hint="give it true or false",
            )
        return given


def _begun(message: Message, chat_format: ChatFormat, history: str, opening: str) -> str:
    """Return what opens the assistant's turn and what it thought and said so far; nothing where it has not begun at all."""
    thought: str = message.get("reasoning_content", "")
    if not any(message.get(key) for key in ("content", "tool_calls", "reasoning_content", "name", "tool_call_id")):
        return ""
    return chat_format.begun(history, opening, thought, None if thought and not message["content"] else said(message))
