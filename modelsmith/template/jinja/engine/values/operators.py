"""Operators of two operands.

Source: llama.cpp, common/jinja/runtime.cpp (``binary_expression``).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from modelsmith.template.jinja.engine.budget import POINTER
from modelsmith.template.jinja.engine.failures import Failure
from modelsmith.template.jinja.engine.values.compare import equal, is_in
from modelsmith.template.jinja.engine.values.model import (
    Parts,
    Undefined,
    Value,
    as_float,
    as_integer,
    is_integer,
    is_number,
    type_name,
)
from modelsmith.template.jinja.engine.values.printing import to_text

if TYPE_CHECKING:
    from modelsmith.template.jinja.engine.budget import Run

_MISSING = object()


def operate(operator: str, left: Value, right: Value, run: Run, *, in_parts: bool = False) -> Value:
    """Return ``left operator right``, raises Failure where llama.cpp has no such operation; ``in_parts`` keeps the parts."""
    if operator == "==":
        return equal(left, right)
    if operator == "!=":
        return not equal(left, right)
    if isinstance(left, Undefined) or isinstance(right, Undefined):
        if isinstance(right, Undefined) and operator in {"in", "not in"}:
            return operator == "not in"
        text = _text_beside_nothing(operator, left, right)
        if text is None:
            raise Failure(f"Cannot perform operation {operator} on undefined values")
        return text
    if left is None or right is None:
        text = _text_beside_nothing(operator, left, right)
        if text is None:
            raise Failure("Cannot perform operation on null values")
        return text
    result = _of_numbers(operator, left, right) if is_number(left) and is_number(right) else _MISSING
    if result is _MISSING:
        result = _of_others(operator, left, right, run, in_parts=in_parts)
    if result is _MISSING:
        raise Failure(f'Unknown operator "{operator}" between {type_name(left)} and {type_name(right)}')
    return result


def _text_beside_nothing(operator: str, left: Value, right: Value) -> str | None:
    """Return the text that nothing is added to; None where neither is a text."""
    if operator in {"+", "~"}:
        for text, other in ((left, right), (right, left)):
            if isinstance(text, str) and (other is None or isinstance(other, Undefined)):
                return to_text(text)
    return None


def _of_numbers(operator: str, left: float, right: float) -> Value:
    """Calculate in doubles; of two integers the result is one."""
    one, two = as_float(left), as_float(right)
    whole = isinstance(left, int) and isinstance(right, int)
    if operator in {"+", "-", "*"}:
        number = one + two if operator == "+" else one - two if operator == "-" else one * two
        return as_integer(number) if whole else number
    if operator == "/":
        return _divided(one, two)
    if operator == "%":
        number = math.fmod(one, two) if two and not math.isinf(one) and not math.isnan(two) else math.nan
        return as_integer(number) if whole else number
    comparisons = {"<": one < two, ">": one > two, "<=": one <= two, ">=": one >= two}
    return comparisons.get(operator, _MISSING)


def _divided(one: float, two: float) -> float:
    if two:
        return one / two
    if not one or math.isnan(one):
        return math.nan
    return math.copysign(math.inf, one) * math.copysign(1.0, two)


def _of_others(operator: str, left: Value, right: Value, run: Run, *, in_parts: bool) -> Value:
    if isinstance(right, (list, tuple)):
        if isinstance(left, (list, tuple)):
            if operator == "+":
                run.spend((len(left) + len(right)) * POINTER)
                return [*left, *right]
        elif operator in {"in", "not in"}:
            return is_in(left, right) == (operator == "in")
    texts = isinstance(left, str), isinstance(right, str)
    if any(texts) and operator in {"~", "+"}:
        pair = to_text(left), to_text(right)
        run.spend(len(pair[0]) + len(pair[1]))
        return Parts.of(*pair) if in_parts else pair[0] + pair[1]
    if operator == "*" and any(texts) and (is_integer(left) or is_integer(right)):
        text, times = (left, right) if texts[0] else (right, left)
        run.spend(len(text) * max(times, 0))
        return Parts.of(*[text] * times) if in_parts and len(text) * times < run.limits.steps else str(text) * times
    if all(texts) and operator in {"in", "not in"}:
        return is_in(left, right) == (operator == "in")
    if isinstance(right, dict):
        found = is_in(left, right)  # before the operator is looked at: what cannot be a key is refused as one
        return found == (operator == "in") if operator in {"in", "not in"} else _MISSING
    return _MISSING
