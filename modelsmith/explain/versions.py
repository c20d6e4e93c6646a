"""What becomes of a model from one version of Ollama to the next: only the versions that change something for it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from modelsmith.template.effective.renderers import PARSERS, RENDERERS
from modelsmith.template.effective.think_rules import think_semantics
from modelsmith.versions import FACTS, NEWEST, Version, resolve

if TYPE_CHECKING:
    from modelsmith.models.draft import Draft

OLDEST = "0.8.0"
"""Stands for every version before the first that knows thinking."""

_FUNCTIONS = {"currentDate": "0.11.0", "toTypeScriptType": "0.11.3", "yesterdayDate": "0.13.3"}


@dataclass(frozen=True, slots=True)
class VersionRow:
    """What happens from ``since`` on (``""``: from the beginning), until the next row.

    ``source`` is as in EffectiveTemplate, or ``chatml`` for llama-server's fallback; ``generate`` is the same for
    /api/generate; ``think_unset`` says what a request without ``think`` means (``""``: the version knows no ``think``).
    Where chats fail, or the model cannot even be created, ``fails`` says why and the rest is empty.
    """

    since: str
    source: str
    generate: str
    capabilities: frozenset[str]
    think_unset: str
    fails: str = ""
    is_target: bool = False


def version_rows(draft: Draft) -> tuple[VersionRow, ...]:
    """Return the versions that change something for this model, oldest first; the one in use is marked."""
    rows: list[VersionRow] = []
    target = resolve(draft.version)
    for version in _candidates(draft):
        row = _row(draft, version)
        if rows and replace(row, since="", is_target=False) == replace(rows[-1], since="", is_target=False):
            continue
        rows.append(row)
    last = max((number for number, row in enumerate(rows) if not row.since or target.has(row.since)), default=0)
    return tuple(replace(row, is_target=number == last) for number, row in enumerate(rows))


def _candidates(draft: Draft) -> list[str]:
    names = {fact.since for fact in FACTS.values()} | set(_FUNCTIONS.values())
    if known := RENDERERS.get(draft.renderer):
        names.add(known.since)
    if parser := PARSERS.get(draft.parser):
        names.add(parser.since)
    return [OLDEST, *sorted((name for name in names if NEWEST.has(name)), key=Version.parse)]


def _row(draft: Draft, version: str) -> VersionRow:
    there = replace(draft, version=version)
    effective, ollama = there.effective, resolve(version)
    since = "" if version == OLDEST else version
    if failure := _failure(there, version):
        return VersionRow(since, "", "", frozenset(), "", failure)
    source = "chatml" if effective.source == "default" and ollama.has("0.30.0") else effective.source
    generate = effective.source
    if effective.source == "jinja" and not ollama.has("0.30.11"):
        generate = "go" if draft.template_text is not None else "default"
    unset = ""
    if ollama.has("0.9.0"):
        means = think_semantics(version, "thinking" in effective.capabilities, None).value
        unset = "unset" if means is None else "on"
    return VersionRow(since, source, generate, effective.capabilities, unset)


def _failure(draft: Draft, version: str) -> str:
    ollama = resolve(version)
    if draft.effective.source == "renderer":
        known = RENDERERS.get(draft.renderer)
        return "" if known and ollama.has(known.since) else f"unknown renderer {draft.renderer}"
    for keyword, value in (("RENDERER", draft.modelfile.renderer), ("PARSER", draft.modelfile.parser)):
        if value and not ollama.has("0.12.0"):
            return f"the Modelfile is refused: {keyword} came with 0.12.0"
    for name, since in _FUNCTIONS.items():
        if not ollama.has(since) and re.search(rf"\{{\{{[^}}]*\b{name}\b", draft.template_text or ""):
            return f"the TEMPLATE is refused: {name} came with {since}"
    return ""
