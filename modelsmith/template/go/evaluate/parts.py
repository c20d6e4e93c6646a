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
from modelsmith.template.go.deep import Levels, on_fresh_stack
from modelsmith.template.go.state import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from modelsmith.syntax.gotemplate.nodes import Node
    from modelsmith.template.go.functions.functions import Builtin
    from modelsmith.template.go.state import State

    Run = Callable[[State, Any], Any]
    RunFinal = Callable[[State, Any, Any], Any]


class Part(NamedTuple):
    """A closure, and the site at which Go is after it."""

    run: Run
    site: Site | None

    def on_fresh_stack(self) -> Part:
        """Return a part that does the same in a thread of its own."""
        return self._replace(run=moved(self.run))


_STEPS_OF_A_THREAD = 100  # so that a loop around what is moved ends as soon as any other that is as slow


def moved(run: Run) -> Run:
    """Return a closure that runs in a thread of its own, and is charged for it."""

    def run_there(state: State, dot: Any) -> Any:
        state.spend(_STEPS_OF_A_THREAD, 0)
        return on_fresh_stack(run, state, dot)

    return run_there


class Stage(NamedTuple):
    """A command that takes the value of the one before it."""

    run: RunFinal
    site: Site | None


@dataclass(frozen=True, slots=True)
class Scope:
    """What the parts of one template share: its name and text, the functions, what a map without a key gives, how deep we are."""

    name: str
    text: str
    functions: Mapping[str, Builtin]
    missing: Any
    levels: Levels = field(default_factory=Levels)

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
