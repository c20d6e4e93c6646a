"""How a template ends before its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import TemplateRenderError

if TYPE_CHECKING:
    from modelsmith.template.jinja.engine.tree.nodes import Node


class Failure(Exception):
    """What llama.cpp refuses while a template runs; ``node`` is the innermost one that was being run."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.node: Node | None = None

    def at(self, node: Node) -> None:
        """Note the node in which it happened, unless one within it is known."""
        self.node = self.node or node


class Raised(Failure):
    """The template itself refused the conversation, by ``raise_exception``."""


class Unimplemented(Failure):
    """Something that llama.cpp knows and has not built; its error names no place."""

    def __init__(self, message: str) -> None:
        super().__init__(f"NotImplemented: {message}")

    def at(self, node: Node) -> None:
        """Keep no place, as llama.cpp keeps none."""


class Leave(Exception):
    """``break`` and ``continue``: they end all statements up to the nearest loop that runs, even out of a macro."""

    message = ""


class Breaking(Leave):
    """``{% break %}``."""

    message = "Break statement executed"


class Continuing(Leave):
    """``{% continue %}``."""

    message = "Continue statement executed"


class LimitReached(Exception):
    """A rendering wanted more than its limits allow; the text says what."""


class Stopped(TemplateRenderError):
    """A rendering that reached a limit: llama-server has none, and would run out of memory, or never answer."""
