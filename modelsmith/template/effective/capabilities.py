"""What a model can do, as far as its templates tell Ollama: ``tools``, ``thinking``, ``insert``.

Ollama asks a Go template for its variables and inferred tags, and a Jinja template for substrings of its text; the rest
of a model's capabilities (``completion``, ``embedding``, ``vision`` …) comes from its weights.

Source: Ollama server/images.go (goTemplateCapabilities, chatTemplateCapabilities, shouldPreferChatTemplate).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.versions import resolve

if TYPE_CHECKING:
    from modelsmith.template.go.template import Template
    from modelsmith.template.jinja.template import ChatTemplate
    from modelsmith.versions import Version

_CALLS = ("tool_calls", "assistant_tool_call")
_RESULTS = (
    "tool_response",
    "tool_results",
    """role'] == 'tool'""",
    """role'] == "tool\"""",
    """role"] == 'tool'""",
    """role"] == "tool\"""",
    """message.role == 'tool'""",
    """message.role == "tool\"""",
    "ipython",
)
_SPLITS = ("content.split('</think>')", 'content.split("</think>")')
_NO_SPLIT = ("reasoning_content", "<SPECIAL_12>")
_GO_RESULTS = ('eq .Role "tool"', "tool_response", "TOOL_RESULTS")


def capabilities(
    go_template: Template | str | None = None,
    chat_template: ChatTemplate | str | None = None,
    *,
    version: str | Version | None = None,
) -> frozenset[str]:
    """Return the capabilities that the templates of a model give it.

    With one of the two, that one's; with both, those of the one that Ollama uses (see :func:`prefer_chat_template`).
    Raises TemplateSyntaxError where Ollama could not load the Go template.
    """
    if go_template is None:
        return frozenset() if chat_template is None else chat_capabilities(chat_template)
    if chat_template is None or not prefer_chat_template(go_template, chat_template, version=version):
        return go_capabilities(go_template)
    return chat_capabilities(chat_template)


def go_capabilities(template: Template | str) -> frozenset[str]:
    """Return what a Go template gives: ``.Tools`` tools, ``.Suffix`` insert, tags around ``.Thinking`` thinking."""
    parsed = as_template(template)
    found = {name for variable, name in (("tools", "tools"), ("suffix", "insert")) if variable in parsed.variables}
    return frozenset(found | {"thinking"} if all(parsed.thinking_tags) else found)


def chat_capabilities(template: ChatTemplate | str) -> frozenset[str]:
    """Return what a Jinja template gives: its text mentions tools, and both ``<think>`` tags."""
    text = _text(template)
    found = {"tools"} if "tools" in text or "tool_call" in text else set()
    return frozenset(found | {"thinking"} if _mentions_thinking(text) else found)


def go_tool_round_trip(template: Template | str) -> bool:
    """Say whether a Go template shows the model its tools, its calls, and (by the text) their results."""
    parsed = as_template(template)
    return {"tools", "toolcalls"} <= set(parsed.variables) and _any(_GO_RESULTS, parsed.text)


def chat_tool_round_trip(template: ChatTemplate | str) -> bool:
    """Say whether a Jinja template mentions tools, tool calls and tool results."""
    text = _text(template)
    return "tools" in chat_capabilities(text) and _any(_CALLS, text) and _any(_RESULTS, text)


def prefer_chat_template(
    go_template: Template | str, chat_template: ChatTemplate | str, *, version: str | Version | None = None
) -> bool:
    """Say whether Ollama drops the Go template for the Jinja one, nothing else deciding.

    The Jinja template wins with more capabilities, unless only the Go template handles a whole tool round trip; since
    0.30.11 also with equal ones where only the Jinja template handles it. Before 0.30 it never does.
    """
    ollama = resolve(version)
    text = _text(chat_template)
    if not ollama.has("0.30.0") or not text:
        return False
    go_template = as_template(go_template)
    go, chat = go_capabilities(go_template), chat_capabilities(text)
    if len(chat) > len(go):
        return not go_tool_round_trip(go_template) or chat_tool_round_trip(text)
    if go != chat or "tools" not in go or not ollama.has("0.30.11"):
        return False
    return chat_tool_round_trip(text) and not go_tool_round_trip(go_template)


def as_template(template: Template | str) -> Template:
    """Return the Go template, parsed where it is a text; raises TemplateSyntaxError where Ollama could not load it."""
    if not isinstance(template, str):
        return template
    from modelsmith.template.go.template import Template

    return Template.parse(template)


def _mentions_thinking(text: str) -> bool:
    if "<think>" in text and "</think>" in text:
        return True
    return _any(_SPLITS, text) and not _any(_NO_SPLIT, text)


def _any(needles: tuple[str, ...], text: str) -> bool:
    return any(needle in text for needle in needles)


def _text(template: ChatTemplate | str) -> str:
    return template if isinstance(template, str) else template.text
