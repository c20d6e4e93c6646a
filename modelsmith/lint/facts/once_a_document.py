"""Analyses that several rules share run once for a document."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.lint.document import Document

_Result = TypeVar("_Result")


def once_a_document(analyse: Callable[[Document], _Result]) -> Callable[[Document], _Result]:
    """Keep what an analysis finds with the document that it looked at; its result must be immutable."""
    name = f"{analyse.__module__}.{analyse.__qualname__}"

    @wraps(analyse)
    def remembered(document: Document) -> _Result:
        memory = vars(document)
        if name not in memory:
            memory[name] = analyse(document)
        result: _Result = memory[name]
        return result

    return remembered
