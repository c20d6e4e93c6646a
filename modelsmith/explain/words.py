"""The words for what an explanation says in names: the template that runs, states of reasoning, what a broken cache costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelsmith.explain.stops import EndToken

SOURCES = {
    "go": "the Go TEMPLATE runs",
    "jinja": "the Jinja template inside the GGUF runs, in llama-server",
    "renderer": "code inside Ollama renders (RENDERER)",
    "parser": "the Go TEMPLATE runs, because PARSER is set",
    "harmony": "the Go TEMPLATE runs, as gpt-oss's harmony",
    "default": "there is no template: a fallback runs",
}
SHORT = {
    "go": "Go TEMPLATE",
    "jinja": "Jinja in the GGUF",
    "renderer": "RENDERER",
    "parser": "Go TEMPLATE (PARSER)",
    "harmony": "Go TEMPLATE (harmony)",
    "default": "{{ .Prompt }}",
    "chatml": "ChatML fallback",
    "": "–",
}
STATES = {
    "opens": "opens it",
    "closes": "closes it",
    "free": "leaves it to the model",
    "none": "does nothing about it",
    "refused": "is refused",
}
COST = {
    "date": "everything behind it, once a day",
    "history": "everything behind it, on every turn",
    "generation-prompt": "the last answer, on every turn",
    "answer": "the last answer, on every turn",
}


def about_token(token: EndToken) -> str:
    """Say what a token that ends answers is, in words."""
    words = [role if role != "template" else "closes the turn in the template" for role in token.roles]
    if token.one_token is not None:
        words.append("one token" if token.one_token else "not one token")
    if token.ends:
        words.append("ends the answer by itself")
    if token.stop:
        words.append("a stop string")
    return ", ".join(words)
