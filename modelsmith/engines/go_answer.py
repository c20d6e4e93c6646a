"""What Ollama makes of an answer to a prompt of a Go template: reasoning by the tags, calls behind the template's tag.

Sources: Ollama ``thinking/parser.go``, ``tools/tools.go`` (Parser: a call is a JSON object with the name of a tool that was offered
and ``arguments`` or ``parameters``).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from modelsmith.engines.protocol import AnswerPiece, ToolCall
from modelsmith.engines.reading import call_of
from modelsmith.template.conversation.thinking_split import ThinkingSplitter, is_primed
from modelsmith.template.effective.think_rules import think_semantics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.engines.protocol import Request
    from modelsmith.models.draft import Draft
    from modelsmith.models.served import PromptRenderer

_KEYS = ("arguments", "parameters")
_MOST_TRIES = 200
"""Braces in a row that may begin a call: each may have to be read to the end of the answer."""


class GoAnswer:
    """Takes an answer piece by piece. ``tag`` begins a call, "" where no tool is offered; ``names`` are those of the tools."""

    def __init__(self, splitter: ThinkingSplitter | None, tag: str = "", names: frozenset[str] = frozenset()) -> None:
        self._splitter = splitter
        self._tag = tag
        self._names = names
        self._held = ""
        self._in_call = False

    @classmethod
    def of(cls, draft: Draft, renders: PromptRenderer, request: Request, prompt: str) -> GoAnswer:
        """Return what reads the answer to this prompt."""
        thinks = think_semantics(draft.version, "thinking" in renders.capabilities, request.think).splits
        opening, closing = renders.thinking_tags
        splitter = None
        if thinks and opening and closing:
            splitter = ThinkingSplitter(opening, closing, primed=is_primed(prompt, opening))
        tools = request.conversation.tools if request.conversation.messages else ()
        names = frozenset(str(tool.get("function", {}).get("name", "")) for tool in tools)
        return cls(splitter, _tag_of(draft) if names else "", names)

    def feed(self, text: str) -> Iterator[AnswerPiece]:
        """Take the next part of the answer; yield what is certain now."""
        thinking, content = self._splitter.feed(text) if self._splitter else ("", text)
        if thinking:
            yield AnswerPiece(thinking, is_reasoning=True)
        if content and (shown := self._shown(content)):
            yield AnswerPiece(shown)

    def end(self) -> tuple[tuple[AnswerPiece, ...], tuple[ToolCall, ...]]:
        """Return what was held back, and the calls."""
        rest = self._held
        calls = tuple(_calls(rest.removeprefix(self._tag) if self._tag != "{" else rest, self._names)) if rest else ()
        return ((AnswerPiece(rest),) if rest and not calls else ()), calls

    def _shown(self, content: str) -> str:
        """Return what of the answer can be no call."""
        if not self._tag:
            return content
        text, self._held = self._held + content, ""
        if self._in_call:
            self._held = text
            return ""
        before, tag, after = text.partition(self._tag)
        if tag:
            self._in_call = True
            self._held = tag + after
            return before
        for size in range(min(len(self._tag) - 1, len(text)), 0, -1):
            if text.endswith(self._tag[:size]):
                self._held = text[-size:]
                return text[:-size]
        return text


def _tag_of(draft: Draft) -> str:
    from modelsmith.template.go.tool_tag import tool_call_tag

    return tool_call_tag(draft.template.tree) if draft.template is not None else "{"


def _calls(text: str, names: frozenset[str]) -> Iterator[ToolCall]:
    """Yield the calls in a text: JSON objects, in a list or one after the other, that name a tool and its arguments."""
    place = tries = 0
    while (place := text.find("{", place)) >= 0 and (tries := tries + 1) <= _MOST_TRIES:
        try:
            value, end = json.JSONDecoder().raw_decode(text, place)
        except (ValueError, RecursionError):
            place += 1
            continue
        yield from _calls_in(value, names)
        place = end


def _calls_in(value: Any, names: frozenset[str]) -> Iterator[ToolCall]:
    if not isinstance(value, dict):
        return
    found = value.get("function") if isinstance(value.get("function"), dict) else value
    name = found.get("name") if isinstance(found, dict) else None
    if isinstance(found, dict) and isinstance(name, str) and name in names:
        yield call_of(name, next((found[key] for key in _KEYS if isinstance(found.get(key), dict)), {}))
