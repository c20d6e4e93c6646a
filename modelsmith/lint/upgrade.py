"""What another version of Ollama changes for a file: findings that come and go, and things it does otherwise.

Source: the release tags of Ollama, see ``modelsmith.versions.FACTS``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from modelsmith.diagnostic import Diagnostic, Severity
from modelsmith.lint.run.engine import check
from modelsmith.parameters import DEPRECATED_SINCE
from modelsmith.syntax.gotemplate.nodes import Action, Field, Variable
from modelsmith.syntax.gotemplate.tree import walk
from modelsmith.versions import FACTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from modelsmith.lint.document import Document
    from modelsmith.source import Span
    from modelsmith.syntax.gotemplate.nodes import Node
    from modelsmith.template.go.template import Template
    from modelsmith.versions import Version


class Change(NamedTuple):
    """One change: the version that brings it, whom it concerns, and what it means for that file."""

    code: str
    since: str
    concerns: Callable[[Document], Span | None]
    message: str
    hint: str
    severity: Severity = Severity.WARNING


def changes(document: Document, before: Version, after: Version) -> tuple[Diagnostic, ...]:
    """Return what changes for a document between two versions, in the order of the text."""
    old, new = (_found(document, version) for version in (before, after))
    come = [diagnostic for key, diagnostic in new.items() if key not in old]
    gone = [
        Diagnostic(diagnostic.code, f"no longer found: {diagnostic.message}", diagnostic.span, Severity.INFO)
        for key, diagnostic in old.items()
        if key not in new
    ]
    return tuple(sorted((*come, *gone, *_facts(document, before, after)), key=lambda diagnostic: diagnostic.span))


def _found(document: Document, version: Version) -> dict[tuple[str, Span], Diagnostic]:
    there = replace(document, settings=replace(document.settings, target=version))
    return {(diagnostic.code, diagnostic.span): diagnostic for diagnostic in check(there)}


def _facts(document: Document, before: Version, after: Version) -> Iterator[Diagnostic]:
    for change in CHANGES:
        if after.has(change.since) and not before.has(change.since) and (span := change.concerns(document)) is not None:
            message = f"since {change.since}: {change.message}"
            yield Diagnostic(change.code, message, span, change.severity, change.hint)


def _keyword(document: Document, keyword: str, name: str | None = None) -> Span | None:
    found = document.find(keyword, name)
    return found[-1].keyword_span if found else None


def _template(document: Document) -> Span | None:
    embedded = document.template
    if embedded is None:
        return None
    return embedded.instruction.keyword_span if embedded.instruction else embedded.span(0, 0)


def _own_template(document: Document) -> Span | None:
    """Return the file's own TEMPLATE, where no RENDERER or PARSER of the file takes its place anyway."""
    return None if document.find("RENDERER") or document.find("PARSER") else _template(document)


def _thinks(document: Document) -> Span | None:
    embedded = document.template
    template = embedded.template if embedded else None
    return _template(document) if template and "thinking" in template.variables else None


def _prints_whole(document: Document) -> Span | None:
    """Return where a template prints tools or arguments without ``json``: as Go prints their types."""
    embedded = document.template
    if embedded is None or embedded.template is None:
        return None
    node = prints_without_json(embedded.template)
    return embedded.of(node) if node else None


def _ignored(document: Document) -> Span | None:
    return next(
        (instruction.name_span for instruction in document.find("PARAMETER") if instruction.name in DEPRECATED_SINCE),
        None,
    )


CHANGES = (
    Change(
        "deprecated-parameters",
        "0.6.9",
        _ignored,
        "mirostat and eight other parameters are ignored",
        "remove them; repeat_penalty and min_p are what is left against repetition",
    ),
    Change(
        "thinking",
        FACTS["thinking"].since,
        _thinks,
        "the text between the template's thinking tags arrives in message.thinking, no longer in content",
        "clients that cut it out of the content must read the other field",
    ),
    Change(
        "renderer-parser",
        FACTS["renderer-parser"].since,
        lambda document: _keyword(document, "RENDERER") or _keyword(document, "PARSER"),
        "RENDERER and PARSER are known",
        "add REQUIRES 0.14.0 or later, so that an older Ollama says why it refuses the model",
        Severity.INFO,
    ),
    Change(
        "think-by-default",
        FACTS["think-by-default"].since,
        _thinks,
        "a request that leaves `think` unset lets this model think",
        "clients that do not want it must send think: false; `modelsmith apply no-think` makes a model that does not",
    ),
    Change(
        "template-types",
        FACTS["template-types"].since,
        _prints_whole,
        "tools, tool calls and their arguments reach the template as types of their own, and print otherwise",
        "print them with json: {{ json .Tools }}",
    ),
    Change(
        "native-jinja",
        FACTS["native-jinja"].since,
        _own_template,
        "the Jinja template inside the GGUF is used instead of TEMPLATE where it can do more",
        "`modelsmith explain` says which one runs, and how to make yours run",
    ),
    Change(
        "native-generate",
        FACTS["native-generate"].since,
        _own_template,
        "/api/generate follows the choice of the template too, and equal abilities are decided by a round trip",
        "compare with `modelsmith explain FILE --target-ollama VERSION`",
    ),
)
"""In the order of versions."""


_WHOLE = {"Tools", "ToolCalls", "Arguments", "Function", "Parameters", "Properties"}


def prints_without_json(template: Template) -> Node | None:
    """Return the first action that prints tools or their parts without the function json; None where there is none."""
    for body in template.tree.templates.values():
        for node in walk(body):
            if isinstance(node, Action) and not node.pipeline.declared and len(node.pipeline.commands) == 1:
                operands = node.pipeline.commands[0].operands
                first = operands[0]
                if len(operands) == 1 and isinstance(first, Field | Variable) and first.names[-1] in _WHOLE:
                    return node
    return None
