"""Gather everything that is wrong with a recipe before refusing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Diagnostic
from modelsmith.errors import RecipeError, UnreadableRecipe

if TYPE_CHECKING:
    from modelsmith.recipe.read.nodes import Node
    from modelsmith.source import Source, Span


class Report:
    """Diagnostics of a recipe and of those it extends."""

    def __init__(self) -> None:
        self._found: dict[Source, dict[Diagnostic, None]] = {}
        self._unreadable = False

    def add(self, code: str, message: str, node: Node, hint: str = "") -> None:
        """Add a diagnostic at a node."""
        self.add_at(code, message, node.span, node.source, hint)

    def add_unreadable(self, code: str, message: str, node: Node, hint: str = "") -> None:
        """Add a diagnostic about another recipe that could not be read: that is a failure, no mistake of this one."""
        self._unreadable = True
        self.add(code, message, node, hint)

    def add_at(self, code: str, message: str, span: Span, source: Source, hint: str = "") -> None:
        """Add a diagnostic at a span of a source."""
        self._found.setdefault(source, {})[Diagnostic(code, message, span, hint=hint)] = None

    def __bool__(self) -> bool:
        return bool(self._found)

    def check(self) -> None:
        """Raise RecipeError when there is a diagnostic."""
        if self._found:
            raise self.error()

    def error(self) -> RecipeError:
        """Return the error that holds what was found.

        An error knows one source: of several files with errors, it tells about the one that was found first.
        """
        source, found = next(iter(self._found.items()))
        diagnostics = tuple(sorted(found, key=lambda diagnostic: (diagnostic.span, diagnostic.message)))
        line, column = source.position(diagnostics[0].span.start)
        more = f" (and {len(diagnostics) - 1} more)" if len(diagnostics) > 1 else ""
        kind = UnreadableRecipe if self._unreadable else RecipeError
        return kind(f"{source.name}:{line}:{column}: {diagnostics[0].message}{more}", diagnostics, source)
