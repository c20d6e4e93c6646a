"""The outcome of a conversion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.template.go.template import Template

if TYPE_CHECKING:
    from modelsmith.template.convert.proof import Counterexample
    from modelsmith.template.jinja.template import ChatTemplate


@dataclass(frozen=True, slots=True)
class Conversion:
    """A template in the other language, and how far it is proven equal.

    ``proven_chat`` speaks of all conversations without tools, ``proven_tools`` of those with them. ``covered`` names the
    conversations that are equal, ``limits`` says in words what was left out of the comparison, ``unrendered`` names whole kinds
    of conversations that the original does not render, so that nothing is known about them.
    """

    template: Template | ChatTemplate
    proven_chat: bool
    proven_tools: bool
    counterexample: Counterexample | None
    covered: tuple[str, ...]
    limits: tuple[str, ...]
    unrendered: tuple[str, ...] = ()

    @property
    def proven(self) -> bool:
        """Whether all conversations are equal, and no kind of them is left open."""
        return self.proven_chat and self.proven_tools and not self.unrendered

    @property
    def thinking_tags(self) -> tuple[str, str]:
        """The tags around reasoning as the server of the new template finds them, "" for none."""
        if isinstance(self.template, Template):
            return self.template.thinking_tags
        return self.template.reasoning.opening.strip(), self.template.reasoning.closing.strip()
