"""What a server says about what builds the prompt of a model, in our words.

Source: Ollama's documentation of ``/api/show`` (``template_source``, ``renderer``, ``parser``), second hand; envconfig/config.go
(OLLAMA_GO_TEMPLATE), by which a server prefers one of two templates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelsmith.store.model import ServerSays

SOURCES = {
    "renderer_parser": "renderer",
    "renderer": "renderer",
    "parser": "parser",
    "harmony": "harmony",
    "go_template": "go",
    "gguf_chat_template": "jinja",
    "none": "default",
}
"""The server's word for what builds the prompt -> ours."""


def facts_of(said: ServerSays) -> dict[str, str]:
    """Return with which facts our rules come to what the server says: a preference for one template, a renderer, a parser."""
    preferred = {"go": "1", "jinja": "0"}.get(SOURCES.get(said.template_source, ""), "")
    facts = {"go_template_env": preferred}
    if SOURCES.get(said.template_source) == "renderer":
        facts["renderer"] = said.renderer
    if said.template_source in {"renderer_parser", "parser"}:
        facts["parser"] = said.parser
    return {key: value for key, value in facts.items() if value}


def reason_of(said: ServerSays) -> str:
    """Return why this builds the prompt, where it is the server's word and not our rules."""
    if not said.is_shown:
        return f"the server says that this is what builds the prompt: {said.template_source} (template_source)"
    which = "every TEMPLATE win" if SOURCES[said.template_source] == "go" else "every Jinja template win"
    return f"the server shows this one as the model's template: a setting of it (OLLAMA_GO_TEMPLATE) makes {which}"
