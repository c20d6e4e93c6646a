"""How a template opens the reasoning of the next answer, and whether Ollama can tell the reasoning from the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from modelsmith.lint.templates.effective import names
from modelsmith.lint.templates.probe import probes
from modelsmith.lint.templates.template import heading, used
from modelsmith.patterns import regex

if TYPE_CHECKING:
    from modelsmith.lint.document import Document, EmbeddedTemplate
    from modelsmith.source import Span
    from modelsmith.template.go.template import Template

OPENING = regex(
    r"(<(?:seed:)?(?:think|thinking|thought|reason|reasoning|scratch_pad)>|<\|(?:think|thinking|thought|begin_of_thought)\|>"
    r"|\[THINK\]|◁think▷|<\|START_THINKING\|>)\s*\Z"
)
"""A prompt that ends so has begun to think for the model."""


class Prefill(NamedTuple):
    """A template whose prompts end with an opening tag.

    ``at`` is where the tag stands in the template (-1 where it does not stand there as it is), ``place`` where in the file;
    ``when_off`` says that prompts end with it even for ``think: false``.
    """

    embedded: EmbeddedTemplate
    template: Template
    tag: str
    at: int
    place: Span
    when_off: bool


def prefill(document: Document) -> Prefill | None:
    """Return how the template opens the reasoning itself, None where it does not."""
    found = used(document)
    if found is None:
        return None
    embedded, template = found
    opened = OPENING.search(probes(template).prompt("user"))
    if opened is None:
        return None
    off = OPENING.search(probes(template).prompt("user", think=False))
    tag, at = opened[1], _place(template, opened[1])
    place = embedded.span(at, at + len(tag)) if at >= 0 else heading(embedded)
    return Prefill(embedded, template, tag, at, place, off is not None)


def parser(document: Document) -> str:
    """Return the name of the parser that reads the answers, as far as is known."""
    return names(document)[1]


def _place(template: Template, tag: str) -> int:
    """Return where the template writes the tag that the prompt ends with, -1 where it does not write it as it is."""
    for piece in reversed(probes(template).pieces("user")):
        if tag in piece.text and piece.node_span is not None:
            return template.text.rfind(tag, piece.node_span.start, piece.node_span.end)
    return -1
