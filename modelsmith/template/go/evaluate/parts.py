"""What compiled parts of a template are: closures of the state and the dot, and the site at which Go is after them.

Go reports some errors at the node it looked at last; a site of None stands for ``state.last``, which ``and`` and ``or`` set
when they run.
"""

from __future__ import annotations

import operator
from dataclasses import field
from typing import TYPE_CHECKING, Any, NamedTuple

from modelsmith.records import dataclass
from modelsmith.syntax.gotemplate.printed import go_text
from modelsmith.template.go.deep import walked
from modelsmith.template.go.state import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from modelsmith.syntax.gotemplate.nodes import Node
    from modelsmith.template.go.deep import Walk
    from modelsmith.template.go.functions.functions import Builtin
    from modelsmith.template.go.state import State

    Run = Callable[[State, Any], Any]
    RunFinal = Callable[[State, Any, Any], Any]
    Deep = Callable[[State, Any], Walk]


class Part(NamedTuple):
    """A closure, and the site at which Go is after it."""

    run: Run
    site: Site | None


class Code(NamedTuple):
    """Compiled nodes: the closure, how many nodes it runs at most outside of loops, how much text they hold, its jumps.

    ``height`` counts the lists in one another; from some dozen on, ``deep`` is the same as a walk.
    """

    run: Run
    steps: int = 1
    text: int = 0
    breaks: bool = False
    continues: bool = False
    height: int = 0
    deep: Deep | None = None

    @classmethod
    def of_deep(cls, deep: Deep, code: Code) -> Code:
        """Return code that is run as a walk."""
        return code._replace(run=lambda state, dot: walked(deep(state, dot)), deep=deep)


class Stage(NamedTuple):
    """A command that takes the value of the one before it."""

    run: RunFinal
    site: Site | None


@dataclass(frozen=True, slots=True)
class Scope:
    """What the parts of one template share: its name and text, the functions, what a map without a key gives.

    ``depth`` counts the parentheses that are being compiled, one in the other, and ``evaluated`` has those that are evaluated
    ahead of what they stand in, by the identity of their nodes.
    """

    name: str
    text: str
    functions: Mapping[str, Builtin]
    missing: Any
    depth: list[None] = field(default_factory=list)
    evaluated: dict[int, Part] = field(default_factory=dict)

    def site(self, node: Node) -> Site:
        """Return the site of a node."""
        return Site(node, self.name, self.text)


def at(site: Site | None) -> Callable[[State], Site]:
    """Return how to find a site when an error has to be reported."""
    if site is None:
        return operator.attrgetter("last")

    def known(_state: State) -> Site:
        return site

    return known


def constant(value: Any) -> Run:
    """Return the closure of a literal."""
    return lambda _state, _dot: value


def fail(site: Site | None, message: str, shown: Node | None = None) -> Run:
    """Return a closure that is an error whenever it runs; it ends with the text of ``shown``, which may be long."""
    where = at(site)

    def run(state: State, _dot: Any) -> Any:
        raise where(state).error(message + (go_text(shown) if shown else ""))

    return run
