"""A chat template as llama-server has loaded it, and how it applies it to messages.

Source: llama.cpp, common/chat.cpp (``common_chat_templates_init``, ``common_chat_template_direct_apply_impl``).
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from modelsmith.errors import TemplateRenderError
from modelsmith.memo import is_remembering, remembered
from modelsmith.records import dataclass
from modelsmith.template.jinja.engine.budget import Limits
from modelsmith.template.jinja.engine.program import Program
from modelsmith.template.jinja.engine.server.contents import with_fitting_contents
from modelsmith.template.jinja.engine.server.probe import Capabilities, probe, reasoning_kept
from modelsmith.template.jinja.engine.server.safe_ends import ends_safely
from modelsmith.template.jinja.engine.values.texts import shared_start

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from modelsmith.template.jinja.engine.server.contents import Message

_LIMITS = Limits()
_PATCHES = (
    (
        "<|channel|>",
        "in message.content or",
        '{%- if "<|channel|>analysis<|message|>" in message.content or "<|channel|>final<|message|>" in message.content %}',
    ),
    (
        "[TOOL_CALLS]",
        "if (message['content'] is none or",
        (
            "{%- if (message['content'] is none or message['content'] == '' or message['content']|length == 0) and "
            "(message['tool_calls'] is not defined or message['tool_calls'] is none or "
            "message['tool_calls']|length == 0) %}"
        ),
    ),
)
"""Refusals that llama.cpp takes out of templates: two texts by which it knows one, and the statement that goes."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a template is applied to: messages and tools as JSON, and what llama-server adds to them.

    ``add_bos`` and ``add_eos`` say that the tokenizer adds these tokens by itself: the prompt goes without them.
    ``extra`` are further variables (``chat_template_kwargs`` and what llama-server supplies); they win over all others.
    """

    messages: Sequence[Message]
    tools: Sequence[Mapping[str, Any]] = ()
    add_generation_prompt: bool = True
    enable_thinking: bool = True
    bos_token: str = ""
    eos_token: str = ""
    add_bos: bool = False
    add_eos: bool = False
    extra: Mapping[str, Any] | None = None
    now: datetime | None = None
    limits: Limits = _LIMITS

    def changed(self, **changes: Any) -> Inputs:
        """Return the same inputs but for these fields."""
        return replace(self, **changes)


@dataclass(frozen=True)
class ServerTemplate:
    """A chat template that llama-server has loaded; ``source`` is its text after llama.cpp's own changes."""

    source: str

    @classmethod
    def load(cls, text: str) -> ServerTemplate:
        """Read a template; raises TemplateSyntaxError where llama.cpp cannot."""
        program = Program.parse(text)
        for known, other, statement in _PATCHES:
            if known in text and other in text and statement in text:
                program = Program.parse(text.replace(statement, "{%- if false %}"))
                text = text.replace(statement, "{%- if false %}")
        template = cls(text)
        template.__dict__["program"] = program
        return template

    @cached_property
    def program(self) -> Program:
        """The template, read."""
        return Program.parse(self.source)

    @cached_property
    def ends_safely(self) -> bool:
        """Whether it cannot fail without the prompt for an answer where it does not fail with it."""
        return ends_safely(self.program)

    @cached_property
    def capabilities(self) -> Capabilities:
        """What the template takes."""
        return probe(self.program)

    def apply(self, inputs: Inputs, *, messages: Sequence[Message] | None = None) -> str:
        """Return what the template makes of the inputs (``common_chat_template_direct_apply``).

        ``messages`` are rendered as they are; those of the inputs become what the template takes first: texts or lists of parts.
        Raises TemplateRenderError where the template fails or refuses.
        """
        if messages is None:
            messages = with_fitting_contents(inputs.messages, self.capabilities)
        variables: dict[str, Any] = {
            "messages": list(messages),
            "bos_token": inputs.bos_token,
            "eos_token": inputs.eos_token,
            "enable_thinking": inputs.enable_thinking,
        }
        if inputs.tools:
            variables["tools"] = list(inputs.tools)
        variables |= inputs.extra or {}
        if inputs.add_generation_prompt:
            variables["add_generation_prompt"] = True
        implied: dict[str, Any] = {}
        if isinstance(variables.get("preserve_reasoning"), bool):
            implied |= reasoning_kept(variables["preserve_reasoning"])
        effort = variables.get("reasoning_effort")
        if isinstance(effort, str):
            implied |= {"reasoning_effort": effort, "reasoning_strength": effort}
        prompt = self._run({**implied, **variables}, inputs)
        if inputs.add_bos:
            prompt = prompt.removeprefix(inputs.bos_token)
        return prompt.removesuffix(inputs.eos_token) if inputs.add_eos else prompt

    def _run(self, variables: dict[str, Any], inputs: Inputs) -> str:
        """Run the program, once a command on the same values of the variables that the template names."""

        def run() -> str:
            return self.program.run(variables, now=inputs.now, limits=inputs.limits)

        if not is_remembering():
            return run()
        seen = {name: value for name, value in variables.items() if name in self.source}
        try:
            values = json.dumps(seen)
        except (TypeError, ValueError, RecursionError):
            return run()
        clock = inputs.now if "strftime_now" in self.source else None
        return remembered(
            ("Jinja", self.source, values, clock, inputs.limits), run, size=len, refusals=TemplateRenderError
        )

    def generation_prompt(self, inputs: Inputs, *, messages: Sequence[Message] | None = None) -> str:
        """Return what the template adds to open the assistant's turn (``common_chat_template_generation_prompt``)."""
        closed = self.apply(inputs.changed(add_generation_prompt=False), messages=messages)
        opened = self.apply(inputs.changed(add_generation_prompt=True), messages=messages)
        return opened[shared_start(closed, opened) :]
