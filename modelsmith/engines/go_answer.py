"""What Ollama makes of an answer to a prompt of a Go template: reasoning by the tags, calls behind the template's tag.

Source: Ollama ``server/routes.go`` (ChatHandler), with ``thinking/parser.go`` and :mod:`modelsmith.engines.go_calls`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.engines.go_calls import GoCalls
from modelsmith.engines.protocol import AnswerPiece
from modelsmith.template.conversation.thinking_split import ThinkingSplitter, is_primed
from modelsmith.template.effective.think_rules import think_semantics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.engines.protocol import Request, ToolCall
    from modelsmith.models.draft import Draft
    from modelsmith.models.served import PromptRenderer

PASSTHROUGH = "passthrough"
"""The PARSER that reads nothing out of an answer: reasoning and calls stay in it."""


class GoAnswer:
    """Takes an answer piece by piece, as the model gives it. ``calls`` reads the calls of tools, None where no tool is offered."""

    def __init__(self, splitter: ThinkingSplitter | None, calls: GoCalls | None = None) -> None:
        self._splitter = splitter
        self._calls = calls
        self._found: list[ToolCall] = []

    @classmethod
    def of(cls, draft: Draft, renders: PromptRenderer, request: Request, prompt: str) -> GoAnswer:
        """Return what reads the answer to this prompt."""
        if draft.parser == PASSTHROUGH:
            return cls(None)
        thinks = think_semantics(draft.version, "thinking" in renders.capabilities, request.think).splits
        opening, closing = renders.thinking_tags
        splitter = None
        if thinks and opening and closing:
            splitter = ThinkingSplitter(opening, closing, primed=is_primed(prompt, opening))
        tools = request.conversation.tools if request.conversation.messages else ()
        names = tuple(str(tool.get("function", {}).get("name", "")) for tool in tools)
        return cls(splitter, GoCalls(_tag_of(draft), names) if names else None)

    def feed(self, text: str) -> Iterator[AnswerPiece]:
        """Take the next part of the answer; yield what Ollama would send on at once."""
        thinking, content = self._splitter.feed(text) if self._splitter else ("", text)
        if thinking:
            yield AnswerPiece(thinking, is_reasoning=True)
        if self._calls is not None:
            shown, calls = self._calls.feed(content)
            if shown or calls or not thinking:
                content = shown
            # Ollama sends the text of a piece or its calls, not both
            self._found += calls if not shown else ()
        if content:
            yield AnswerPiece(content)

    def end(self) -> tuple[tuple[AnswerPiece, ...], tuple[ToolCall, ...]]:
        """Return what was held back, and the calls. Held text that is no call is shown only where no tag began it."""
        rest = self._calls.rest if self._calls is not None else ""
        return ((AnswerPiece(rest),) if rest else ()), tuple(self._found)


def _tag_of(draft: Draft) -> str:
    from modelsmith.template.go.tool_tag import tool_call_tag

    return tool_call_tag(draft.template.tree) if draft.template is not None else "{"
