"""A chat template as Hugging Face transformers, vLLM and SGLang render it: by jinja2, in its sandbox.

It is the second opinion: what works there need not work in llama-server, and the other way round. Messages go to the template
as its authors think of them: arguments of calls are objects, reasoning is ``reasoning_content`` (and ``thinking``, which gpt-oss
reads), tools are those of the request.

Source: Hugging Face transformers, utils/chat_template_utils.py (``render_jinja_template``); jinja2, sandbox.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from modelsmith.errors import TemplateRenderError, TemplateSyntaxError
from modelsmith.template.allowance import check_tags
from modelsmith.template.jinja.transformers.limits import Budget, LimitReached, Limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    import jinja2

    from modelsmith.template.conversation.conversation import Conversation

LONGEST = 1_000_000
"""A longer text (in characters) is not taken for a chat template."""

_LINE_END = re.compile(r"\r\n|\r|\n")
_LIMITS = Limits()
_MARK = "CONTINUE_FINAL_MESSAGE_TAG "
"""What transformers writes behind the text of a message that is continued; it cuts the prompt there."""


@dataclass(frozen=True)
class TransformersTemplate:
    """A chat template for jinja2; immutable, ``str()`` is its text."""

    text: str

    def __str__(self) -> str:
        return self.text

    @classmethod
    def parse(cls, text: str) -> TransformersTemplate:
        """Return the template, compiled; raises TemplateSyntaxError with the line where jinja2 refuses it."""
        check_tags(text)
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
        now: datetime | None = None,
        variables: Mapping[str, Any] | None = None,
        limits: Limits = _LIMITS,
    ) -> str:
        """Return the prompt; ``think`` sets ``enable_thinking`` (a level also ``reasoning_effort``), unset sets neither.

        A last message of the assistant is continued, as with ``continue_final_message``. Raises TemplateRenderError where
        the template fails, refuses the conversation, tries to leave the sandbox or reaches a limit.
        """
        shape = conversation.to_dict()
        if shape.get("suffix") and shape.get("prompt"):
            raise TemplateRenderError(
                "a Jinja template cannot fill in between prompt and suffix", hint="a Go TEMPLATE that uses .Suffix can"
            )
        messages = [_message(message) for message in shape.get("messages") or []]
        if not messages and shape.get("prompt"):
            messages = [{"role": "user", "content": shape["prompt"]}]
        begun = messages[-1]["content"] if messages and messages[-1]["role"] == "assistant" else None
        if begun is not None:
            messages[-1]["content"] = self._marked(begun)
        values: dict[str, Any] = {
            "messages": messages,
            "tools": shape.get("tools") or None,
            "documents": None,
            "add_generation_prompt": begun is None,
            "bos_token": bos_token,
            "eos_token": eos_token,
            **_thinking(think),
            **_clock(now),
            **(variables or {}),
        }
        from modelsmith.template.jinja.transformers.run import run

        prompt = run(self._compiled, values, Budget(limits))
        return prompt if begun is None else _up_to_mark(prompt, begun)

    def _marked(self, content: Any) -> Any:
        """Return the content of the message that is continued with a mark behind its last text."""
        if "content" not in self.text:
            raise TemplateRenderError(
                "transformers refuses to continue the last message: the template reads no content of messages"
            )
        if isinstance(content, str):
            return content + _MARK
        last = next((place for place in reversed(range(len(content))) if "text" in content[place]), None)
        if last is None:
            raise TemplateRenderError("transformers refuses to continue the last message: it has no text")
        part = {**content[last], "text": content[last]["text"] + _MARK}
        return [*content[:last], part, *content[last + 1 :]]

    @cached_property
    def _compiled(self) -> jinja2.Template:
        if len(self.text) > LONGEST:
            raise TemplateSyntaxError(
                f"a chat template of {len(self.text):,} characters is too long (limit {LONGEST:,})"
            )
        from jinja2.exceptions import TemplateSyntaxError as JinjaSyntaxError

        from modelsmith.template.jinja.transformers.sandbox import compile_template

        try:
            return compile_template(self.text)
        except JinjaSyntaxError as error:
            ends = [0, *(match.end() for match in _LINE_END.finditer(self.text))]
            message = f"{error.message} (line {error.lineno})"
            offset = ends[min(error.lineno, len(ends)) - 1]
            raise TemplateSyntaxError(message, line=error.lineno, offset=offset) from None
        except (SyntaxError, RecursionError, MemoryError):
            raise TemplateSyntaxError("the template nests too deeply to be compiled") from None


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    content: Any = message.get("content") or ""
    if message.get("images"):
        texts = [{"type": "text", "text": content}] if content else []
        content = [*texts, *({"type": "image"} for _ in message["images"])]
    reasoning = message.get("thinking")
    built: dict[str, Any] = {"thinking": reasoning} if reasoning else {}
    built |= {"role": message.get("role", ""), "content": content}
    for key, source in (("name", "tool_name"), ("tool_call_id", "tool_call_id")):
        if message.get(source):
            built[key] = message[source]
    if message.get("tool_calls"):
        built["tool_calls"] = [_call(call) for call in message["tool_calls"]]
    return {**built, "reasoning_content": reasoning} if reasoning else built


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    function = call.get("function") or {}
    named = {"name": function.get("name", ""), "arguments": function.get("arguments") or {}}
    return {"type": "function", "function": named, **({"id": call["id"]} if call.get("id") else {})}


def _thinking(think: bool | str | None) -> dict[str, Any]:
    level = {"reasoning_effort": think} if isinstance(think, str) and think else {}
    return {} if think is None else {"enable_thinking": bool(think), **level}


def _clock(now: datetime | None) -> dict[str, Any]:
    moment = now or datetime.now().astimezone()

    def strftime_now(form: str) -> str:
        if len(form) > 200:
            raise LimitReached("it formats the date with more than 200 characters")
        return moment.strftime(form)

    return {"strftime_now": strftime_now}


def _up_to_mark(prompt: str, content: Any) -> str:
    """Cut a prompt at the mark; without the blank space before it where the template trims the message."""
    text = content if isinstance(content, str) else next(part["text"] for part in reversed(content) if "text" in part)
    place = prompt.rfind(_MARK.strip())
    if place < 0 or text.strip() not in prompt:
        raise TemplateRenderError(
            "transformers refuses to continue the last message: the template changes it, and it is not in the prompt"
        )
    return prompt[:place] if prompt.startswith(_MARK, place) else prompt[:place].rstrip()
