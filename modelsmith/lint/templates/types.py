"""The types of what a template is given, and what fields, loops and functions make of them.

None stands for what is not known: a value that may be several things, or whatever a user put into it.

Source: Ollama template/template.go (Execute and the types whose names begin with "template"); Go, text/template/funcs.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.template.go.values.types import CALLS, FUNCTION, MESSAGE, MESSAGES, PARAMETERS, TOOLS
from modelsmith.template.go.values.values import ANY, BOOL, INT, STRING, Field, GoType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = GoType("the data", "root")
"""What a template is executed with: a map, of which every field may be asked for."""

for _name, _type in (
    ("System", STRING),
    ("Prompt", STRING),
    ("Suffix", STRING),
    ("Response", STRING),
    ("Messages", MESSAGES),
    ("Tools", TOOLS),
    ("Think", BOOL),
    ("ThinkLevel", STRING),
    ("IsThinkSet", BOOL),
):
    ROOT.fields[_name] = Field(_type, "")

_TEXTS = frozenset(
    ("print", "printf", "println", "html", "js", "urlquery", "json", "currentDate", "yesterdayDate", "toTypeScriptType")
)
_TRUTHS = frozenset(("eq", "ne", "lt", "le", "gt", "ge", "not"))
_SCALARS = frozenset(("string", "bool", "int", "float64", "uint8"))
STRUCTS: tuple[GoType | None, ...] = (FUNCTION, PARAMETERS, MESSAGE, MESSAGES.element, MESSAGES, CALLS, CALLS.element)
"""What prints as Go writes its structures."""


def field(owner: GoType, name: str) -> tuple[bool, GoType | None]:
    """Return whether a value has a field, and its type where that is known."""
    if owner.kind == "pointer" and owner.element and name not in owner.methods:
        owner = owner.element
    if name in owner.methods or owner is ANY:
        return True, None
    if name in owner.fields:
        kind = owner.fields[name].type
        return True, None if kind is ANY else kind
    if owner.kind == "map":
        return True, None if owner.element is ANY else owner.element
    return owner.kind not in ("root", "struct", "slice", *_SCALARS), None


def element(value: GoType | None) -> GoType | None:
    """Return what a loop over a value gives."""
    if value is None or value.kind not in ("slice", "map"):
        return None
    return None if value.element is ANY else value.element


def is_list(value: GoType | None) -> bool:
    """Say whether a value is a list for certain."""
    return value is not None and value.kind == "slice"


def called(function: str, given: Sequence[GoType | None]) -> GoType | None:
    """Return what a function gives."""
    if function in _TEXTS:
        return STRING
    if function in _TRUTHS:
        return BOOL
    if function == "len":
        return INT
    value = given[0] if given else None
    if function == "slice":
        return value
    if function == "index":
        for _ in given[1:]:
            value = element(value)
        return value
    return None


def field_names(owner: GoType) -> Mapping[str, Field]:
    """Return what may stand behind a dot that is such a value."""
    return (owner.element or owner).fields if owner.kind == "pointer" else owner.fields
