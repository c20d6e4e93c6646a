"""MSD07: addresses that a client of Ollama's API is given: without ``/v1`` for OpenAI's clients, or with an endpoint.

Sources: Ollama ``server/routes.go`` and ``openai/openai.go``; openai-python and openai-node (``base_url`` is what the client
appends ``/chat/completions`` to). Other clients, such as ollama-python or LangChain's ChatOllama, want no ``/v1``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.doctor.findings import finding
from modelsmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.diagnostic import Diagnostic

_ADDRESS = re.compile(
    r"\b(?P<name>base_?url|api_?base|host|OPENAI_(?:BASE_URL|API_BASE(?:_URL)?|HOST)|OLLAMA_(?:BASE_URL|API_BASE|HOST))\b[\"']?[ \t]{0,8}(?:=|:)[ \t]{0,8}[\"'`]?"
    r"(?P<url>https?://(?P<host>[\w.-]{1,253}(?::\d{1,5})?)(?P<path>/[^\s\"'`,)}>]{0,200})?)",
    re.IGNORECASE,
)
_OLLAMA = re.compile(r":11434$|^ollama$", re.IGNORECASE)
_MADE = re.compile(r"\b(?P<client>(?:create)?[A-Z]\w*)\s*\(")
_OLLAMA_CLIENT = re.compile(r"(?:Chat)?Ollama(?:LLM|Embeddings?|Client|API)?")
_V1 = re.compile(r"/v1/?")
_ENDPOINT = re.compile(
    r"/(?:api/(?:generate|chat|embed|embeddings|tags|show|ps)|v1/(?:chat/completions|completions|embeddings|models|responses))/?$"
)
_BEFORE = 200


def check_addresses(text: str) -> Iterator[Diagnostic]:
    """Yield the base addresses of Ollama that a client cannot use as they are written."""
    for match in _ADDRESS.finditer(text):
        if not _OLLAMA.search(match["host"]):
            continue
        name, path, span = match["name"], match["path"] or "", Span(*match.span("url"))
        root = match["url"][: len(match["url"]) - len(path)]
        before = text[max(0, match.start() - _BEFORE) : match.start()]
        if _V1.fullmatch(path) and _is_for_ollama(name, before):
            message = f"Ollama's clients put /api behind {name}: with {path} they find nothing"
            yield finding("MSD07", message, span, f"write {root}; /v1 is for OpenAI's clients")
            continue
        if name.lower() == "host" or name.upper().startswith("OLLAMA_"):
            continue
        is_openai = name.upper().startswith("OPENAI_") or _is_for_openai(before)
        if _ENDPOINT.search(path):
            wanted = f"{root}/v1" if is_openai or path.startswith("/v1/") else root
            yield finding(
                "MSD07", f"{name} is what the client puts its paths behind, not an endpoint", span, f"write {wanted}"
            )
        elif is_openai and path.rstrip("/") in {"", "/api"}:
            yield finding(
                "MSD07",
                f"OpenAI's clients find Ollama's answers below /v1, and {name} lacks it",
                span,
                f"write {root}/v1",
            )


def _is_for_ollama(name: str, before: str) -> bool:
    """Whether an address is one of a client of Ollama's own API: by the variable's name, or by the client that is made."""
    made = [match["client"] for match in _MADE.finditer(before)]
    ours = bool(made) and (_OLLAMA_CLIENT.fullmatch(made[-1]) or (name == "host" and made[-1].endswith("Client")))
    return name.upper().startswith("OLLAMA_") or bool(ours)


def _is_for_openai(before: str) -> bool:
    """Whether the text before an address makes a client of OpenAI; the last one that is made counts."""
    made = [match["client"] for match in _MADE.finditer(before)]
    return "openai" in made[-1].lower() if made else before.endswith("openai.")
