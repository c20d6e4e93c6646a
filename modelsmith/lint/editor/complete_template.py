"""What may be written at a place of a Go template: fields of what the dot is there, functions, keywords, variables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.lint.editor.answers import Item
from modelsmith.lint.editor.hover_template import describe_field, type_name
from modelsmith.lint.editor.scope import CursorScope, definitions, fields_of, of_path, scope_at
from modelsmith.lint.editor.template_docs import FIELD_DOCS, FUNCTION_DOCS, KEYWORD_DOCS, ROOT_DOCS
from modelsmith.lint.templates.types import ROOT
from modelsmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.template.go.values.values import GoType

_BEGUN = re.compile(r"(?P<path>(?:\$\w*)?(?:\.\w*)*)\Z|(?P<word>[A-Za-z_]\w*)\Z")
_NAME = re.compile(r"\btemplate\s+\"(?P<name>[^\"\n]*)\Z")
_WORD = re.compile(r"\w*")
_LEGACY = ("Prompt", "Response", "Suffix")


def complete_template(text: str, offset: int, shift: int) -> tuple[Item, ...]:
    """Return what may be written at an offset of a template's text, which stands at ``shift`` in the file."""
    head = text[:offset]
    if (named := _NAME.search(head)) and head.rfind("{{") > head.rfind("}}"):
        span = Span(shift + named.start("name"), shift + offset)
        return tuple(Item(name, "name", span, detail="defined here") for name in definitions(text))
    begun = _BEGUN.search(head)
    if begun is None:
        return ()
    scope = scope_at(text, begun.start())
    if scope is None:
        return ()
    rest = _WORD.match(text, offset)
    end = shift + (rest.end() if rest else offset)
    path = begun["path"] or ""
    if "." in path:
        start = shift + begun.start() + path.rindex(".") + 1
        is_result = head[: begun.start()].endswith(")")
        owner = None if is_result else _owner(scope, path.rpartition(".")[0])
        return tuple(_fields(owner, Span(start, end), is_known=not is_result and _is_known(scope, path)))
    span = Span(shift + begun.start(), end)
    variables = (Item(name, "variable", span, sort=f"1{name}") for name in scope.variables)
    if path:
        return tuple(variables)
    return (*_dotted(scope, span), *variables, *_words(scope, span))


def _owner(scope: CursorScope, path: str) -> GoType | None:
    return of_path(scope, path) if path else scope.dot


def _is_known(scope: CursorScope, path: str) -> bool:
    """Say whether fields can be told: what a text or number has is known too, none."""
    return _owner(scope, path.rpartition(".")[0]) is not None


def _fields(owner: GoType | None, span: Span, *, is_known: bool, dot: str = "") -> Iterator[Item]:
    if owner is not None and is_known:
        names = {name: type_name(kind) for name, kind in fields_of(owner).items()}
    else:
        names = dict.fromkeys((*ROOT_DOCS, *FIELD_DOCS), "")
    for number, (name, kind) in enumerate(names.items()):
        sort = f"0{int(owner is ROOT and name in _LEGACY)}{number:02}"
        yield Item(f"{dot}{name}", "field", span, detail=kind, doc=describe_field(owner, name), sort=sort)


def _dotted(scope: CursorScope, span: Span) -> Iterator[Item]:
    """Yield the fields of the dot where nothing is written yet."""
    yield from _fields(scope.dot, span, is_known=scope.dot is not None, dot=".")


def _words(scope: CursorScope, span: Span) -> Iterator[Item]:
    for name, (form, doc) in FUNCTION_DOCS.items():
        yield Item(name, "function", span, detail=form, doc=doc, sort=f"2{name}")
    if not scope.action:  # keywords begin an action
        for name, doc in KEYWORD_DOCS.items():
            if name not in ("nil", "true", "false"):
                yield Item(name, "keyword", span, doc=doc, sort=f"3{name}")
