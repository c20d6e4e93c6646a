"""The way out of the errors that templates make most often when they are rendered."""

from __future__ import annotations

import re

_HINTS = (
    (
        r'"(json|currentDate|yesterdayDate|toTypeScriptType)" is not a defined function',
        "the last turn of a template without .Messages has none of Ollama's functions: range over .Messages instead",
    ),
    (
        r'template "(.*)" not defined',
        "nothing in sight defines it; a template without .Messages loses its definitions in its last turn",
    ),
    (
        r"nil pointer evaluating interface \{\}\.(\w+)",
        "what is before .{1} may be missing: ask for it with if or with first",
    ),
    (
        r"can't evaluate field (Tools|Think|ThinkLevel|IsThinkSet|System|Messages|Response) in",
        "write $.{1}: here the dot is not the data",
    ),
    (r"can't evaluate field (\w+) in type (?:string|bool|int|float64)", "the value before .{1} has no fields"),
    (
        r"incompatible types for comparison: api\.PropertyType",
        "a property may have several types: compare its .Type.String",
    ),
    (
        r"incompatible types for comparison: (\w+) and (\w+)",
        "Go compares only values of one kind; make a text of it with {{ print … }}",
    ),
    (r"undefined variable: (\S+)", "{1} is declared in a branch that did not run; declare it before the if"),
    (r"index out of range", "ask for the length first: {{ if gt (len .A) 0 }}"),
    (
        r"slice of untyped nil|index of untyped nil|len of nil pointer",
        "the value is missing in this conversation: ask for it with if first",
    ),
)


def hint_for(message: str) -> str:
    """Return the way out of one of Go's messages, ``""`` where there is nothing to add."""
    for pattern, hint in _HINTS:
        found = re.search(pattern, message)
        if found:
            return hint.replace("{1}", found[1]) if found.re.groups else hint
    return ""
