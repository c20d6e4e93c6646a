"""What can be said of a Jinja template that runs in llama-server: its variables, what it refuses, and who else differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.template.jinja.second_opinion import disagreements, refusals
from modelsmith.template.jinja.variables import template_variables

if TYPE_CHECKING:
    from modelsmith.models.chat_renderer import ChatRenderer
    from modelsmith.template.jinja.second_opinion import Disagreement
    from modelsmith.template.jinja.variables import TemplateVariable


@dataclass(frozen=True, slots=True)
class Refusal:
    """Chats that are refused for one reason: the names of conversations, and the words with their place."""

    conversations: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class JinjaFacts:
    """``variables`` that a request may set, chats that are refused, and where jinja2 (transformers, vLLM) differs."""

    variables: tuple[TemplateVariable, ...]
    refusals: tuple[Refusal, ...]
    disagreements: tuple[Disagreement, ...]


def jinja_facts(engine: ChatRenderer) -> JinjaFacts | None:
    """Return the facts of the template that renders; None where it is no Jinja template."""
    template = engine.jinja
    if template is None:
        return None
    reasons: dict[str, list[str]] = {}
    for name, reason in refusals(template).items():
        reasons.setdefault(reason, []).append(name)
    return JinjaFacts(
        variables=template_variables(template.server.program),
        refusals=tuple(Refusal(tuple(names), reason) for reason, names in reasons.items()),
        disagreements=disagreements(template, bos_token=engine.ends["bos_token"], eos_token=engine.ends["eos_token"]),
    )
