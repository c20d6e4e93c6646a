"""What follows of conditions that are known to hold, or not to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.template.convert.translate.code.go_code import operands

if TYPE_CHECKING:
    from collections.abc import Mapping

_EQUAL = re.compile(r'eq (\S+|\([^()]*\)) ("(?:[^"\\]|\\.)*")')


def bare(expression: str) -> str:
    """Return an expression without the parentheses around it."""
    if expression.startswith("(") and expression.endswith(")"):
        return expression[1:-1]
    return expression


def follows(facts: Mapping[str, bool], test: str) -> bool | None:
    """Return whether a condition holds, None where that does not follow."""
    equal = _by_equality(facts, test)
    return _by_alternatives(facts, test) if equal is None else equal


def _by_equality(facts: Mapping[str, bool], test: str) -> bool | None:
    """Return what follows of a text that is known: it is no other."""
    match = _EQUAL.fullmatch(test)
    if match is None:
        return None
    for fact, holds in facts.items():
        known = _EQUAL.fullmatch(fact) if holds else None
        if known and known[1] == match[1]:
            return known[2] == match[2]
    return None


def _by_alternatives(facts: Mapping[str, bool], test: str) -> bool | None:
    """Return what follows of a conjunction that does not hold, or of an alternative that does, where all else in it is known."""
    for fact, holds in facts.items():
        word = "or" if holds else "and"
        if not fact.startswith(f"{word} ") or test not in fact:
            continue
        found = operands(fact)
        others = [other for other in map(bare, found) if other != test]
        if len(others) < len(found) and all(facts.get(other) is (not holds) for other in others):
            return holds
    return None
