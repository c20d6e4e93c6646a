"""What the dot and the variables are where somebody types: read from tokens, so that a template may be unfinished.

Source of the types: ``modelsmith.template.go.values.types``; of the scopes: Go ``text/template/exec.go``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from modelsmith.lint.templates.types import ROOT, field_names
from modelsmith.syntax.gotemplate.lexer import Lexeme, lex
from modelsmith.template.go.values.values import ANY, INT, GoType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_OPENING = frozenset(("IF", "WITH", "RANGE", "DEFINE", "BLOCK"))


@dataclass(frozen=True, slots=True)
class CursorScope:
    """What is in sight: the type of the dot (None: not known), the variables, and the token that the action begins with."""

    dot: GoType | None
    variables: Mapping[str, GoType | None]
    action: tuple[Lexeme, ...] = ()


@dataclass(slots=True)
class _Frame:
    tag: str
    dot: GoType | None
    variables: dict[str, GoType | None] = field(default_factory=dict)


def scope_at(text: str, offset: int) -> CursorScope | None:
    """Return what is in sight at an offset of a template, None outside of actions and inside of texts and comments."""
    frames = [_Frame("", ROOT, {"$": ROOT})]
    action: list[Lexeme] | None = None
    for token in lex(text[:offset]):
        if token.kind == "OPEN":
            action = []
        elif token.kind == "CLOSE" and action is not None:
            _close(text, frames, action)
            action = None
        elif token.kind == "ERROR":
            if token.start < offset and not token.error.startswith("unclosed action"):
                return None
        elif action is not None:
            action.append(token)
    if action is None:
        return None
    return CursorScope(frames[-1].dot, frames[-1].variables, tuple(action))


def definitions(text: str) -> tuple[str, ...]:
    """Return the names that a template defines, in order, as far as it can be cut into tokens."""
    names = []
    before = ""
    for token in lex(text):
        if token.kind == "STRING" and before in ("DEFINE", "BLOCK"):
            names.append(text[token.start + 1 : token.end - 1])
        before = token.kind
    return tuple(dict.fromkeys(names))


def of_path(scope: CursorScope, path: str) -> GoType | None:
    """Return the type of ``.A.B`` or ``$x.A``; an empty path is the dot."""
    first, *names = path.split(".")
    value = scope.variables.get(first) if first else scope.dot
    return follow(value, [name for name in names if name])


def follow(value: GoType | None, names: Iterable[str]) -> GoType | None:
    """Return the type of a field of a field of a value; None where it is not known."""
    for name in names:
        if value is None:
            return None
        part = fields_of(value).get(name)
        value = part if part is not None else value.element if value.kind == "map" else None
        if value is ANY:
            return None
    return value


def fields_of(value: GoType) -> Mapping[str, GoType]:
    """Return the fields of a value with their types."""
    return {name: part.type for name, part in field_names(value).items() if name[:1].isupper()}


def _close(text: str, frames: list[_Frame], action: Sequence[Lexeme]) -> None:
    """Take note of what a whole action does to what is in sight."""
    if not action:
        return
    here = frames[-1]
    tag = action[0].kind
    if tag in _OPENING:
        declared, value = _declared(text, here, action[1:])
        dot, variables = here.dot, dict(here.variables)
        if tag == "RANGE":
            dot = _element(value)
            variables.update(zip(reversed(declared), (dot, INT), strict=False))
        else:
            variables.update(dict.fromkeys(declared, value))
        if tag in ("WITH", "BLOCK"):
            dot = value
        if tag == "DEFINE":
            dot, variables = None, {"$": None}
        frames.append(_Frame(tag, dot, variables))
    elif tag == "ELSE" and len(frames) > 1:
        outer = frames[-2]
        inner = _Frame(here.tag, outer.dot, dict(outer.variables))
        if len(action) > 2:
            declared, value = _declared(text, outer, action[2:])
            inner.variables.update(dict.fromkeys(declared, value))
            inner.dot = value if action[1].kind == "WITH" else outer.dot
        frames[-1] = inner
    elif tag == "END" and len(frames) > 1:
        frames.pop()
    else:
        declared, value = _declared(text, here, action)
        here.variables.update(dict.fromkeys(declared, value))


def _declared(text: str, frame: _Frame, tokens: Sequence[Lexeme]) -> tuple[list[str], GoType | None]:
    """Return the variables that a pipeline declares, and the type of its value."""
    place = next((number for number, token in enumerate(tokens) if token.kind == "DECLARE"), None)
    if place is None:
        return [], _value(text, frame, tokens)
    names = [text[token.start : token.end] for token in tokens[:place] if token.kind == "VARIABLE"]
    return names, _value(text, frame, tokens[place + 1 :])


def _value(text: str, frame: _Frame, tokens: Sequence[Lexeme]) -> GoType | None:
    """Return the type of a pipeline where it is a field, a variable, or an element or part of one."""
    while tokens and tokens[0].kind == "STRING":  # the name of a block
        tokens = tokens[1:]
    scope = CursorScope(frame.dot, frame.variables)
    if len(tokens) == 1 and tokens[0].kind in ("FIELD", "VARIABLE", "DOT"):
        return of_path(scope, text[tokens[0].start : tokens[0].end])
    if len(tokens) > 1 and tokens[0].kind == "IDENTIFIER" and tokens[1].kind in ("FIELD", "VARIABLE"):
        function = text[tokens[0].start : tokens[0].end]
        value = of_path(scope, text[tokens[1].start : tokens[1].end])
        if function == "slice" and "PIPE" not in {token.kind for token in tokens}:
            return value
        return _element(value) if function == "index" and len(tokens) == 3 else None
    return None


def _element(value: GoType | None) -> GoType | None:
    if value is None or value.kind not in ("slice", "map") or value.element is ANY:
        return None
    return value.element
