"""What turns a conversation into a prompt for a model: its Go template, its Jinja template, or code inside Ollama.

Source of the fallback: llama.cpp common/chat.cpp (a model without any template gets ChatML).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import TYPE_CHECKING

from modelsmith.models.draft import DEFAULT_TEMPLATE
from modelsmith.template.go.functions.ollama import today_is
from modelsmith.template.go.template import Template
from modelsmith.template.jinja.ends import NO_ENDS, TextEnds
from modelsmith.template.jinja.template import ChatTemplate
from modelsmith.versions import resolve

if TYPE_CHECKING:
    from modelsmith.models.draft import Draft
    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.conversation.think import Think

CHATML = """\
{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{% endfor -%}
{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"""
"""What llama-server renders where a model has no template at all, in our own words."""


@dataclass(frozen=True, slots=True)
class ChatRenderer:
    """What renders: ``go`` or ``jinja``, or none of the two where code inside Ollama builds the prompt."""

    name: str
    go: Template | None = None
    jinja: ChatTemplate | None = None
    ends: TextEnds = field(default_factory=lambda: NO_ENDS)

    @property
    def renders(self) -> bool:
        """Whether prompts can be rendered here."""
        return self.go is not None or self.jinja is not None

    @property
    def text(self) -> str:
        """The text of the template that runs, ``""`` for code inside Ollama."""
        return str(self.go or self.jinja or "")

    @property
    def tags(self) -> tuple[str, str]:
        """The texts that open and close reasoning, as the server that renders finds them in its template."""
        if self.go is not None:
            return self.go.thinking_tags
        if self.jinja is None:
            return "", ""
        reasoning = self.jinja.reasoning
        return reasoning.opening.strip(), reasoning.closing.strip()

    def render(self, conversation: Conversation, think: Think, day: date | None = None) -> str:
        """Return the prompt as of noon on ``day`` (now); raises TemplateRenderError, and ValueError for code inside Ollama."""
        if self.go is not None:
            if day is None:
                return self.go.render(conversation, think)
            with today_is(day):
                return self.go.render(conversation, think)
        if self.jinja is None:
            raise ValueError(f"{self.name} is code inside Ollama")
        now = datetime.combine(day, time(12)).astimezone() if day else None
        return self.jinja.render(conversation, think, now=now, **self.ends)


def chat_renderer_of(draft: Draft) -> ChatRenderer:
    """Return what renders chats for a draft on its version of Ollama; raises TemplateSyntaxError for a broken template."""
    source = draft.effective.source
    if source == "renderer":
        return ChatRenderer(source)
    if source == "jinja" and draft.chat_template is not None:
        return ChatRenderer(source, jinja=draft.chat_template, ends=draft.inherited.ends)
    if source == "default" and resolve(draft.version).has("0.30.0"):
        return ChatRenderer(source, jinja=ChatTemplate.parse(CHATML))
    return ChatRenderer(source, go=Template.parse(draft.template_text or DEFAULT_TEMPLATE))


def tags_in_use(engine: ChatRenderer, prompt: str = "") -> tuple[str, str]:
    """Return the engine's tags, or the usual ones where a prompt ends with the usual opening tag, or its closed block."""
    tags = engine.tags
    return tags if all(tags) or "<think>" not in prompt[-64:] else ("<think>", "</think>")
