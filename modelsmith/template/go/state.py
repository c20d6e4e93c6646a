"""What a running template carries along, and how it stops.

Source of the messages: Go, ``text/template/exec.go`` (state.errorf) and ``parse.go`` (ErrorContext).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.errors import TemplateRenderError
from modelsmith.records import dataclass
from modelsmith.syntax.gotemplate.literals import encode, quote, visible
from modelsmith.syntax.gotemplate.printed import go_text
from modelsmith.template.go.hints import hint_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.syntax.gotemplate.nodes import Node

MAX_STEPS = 1_000_000  # about a second of work; a long conversation in a large template takes some ten thousand
MAX_TEXT = 16 * 1024 * 1024  # characters, of the prompt and of all texts made on the way to it
MAX_CALLS = 60  # templates that call templates; Go stops at 100000
_STRETCH = 2_000  # steps between two looks at what the command has left: some milliseconds


class OutOfBudget(TemplateRenderError):
    """The template makes too much text or takes too many steps for us; Ollama would go on."""


class CallError(Exception):
    """What a template function has to say against its arguments."""


@dataclass(frozen=True, slots=True)
class Site:
    """A node in a template of some name: where an error is."""

    node: Node
    name: str
    text: str

    def error(self, message: str) -> TemplateRenderError:
        """Return the error in Go's words; the column counts bytes from 0."""
        offset = self.node.position
        line = 1 + self.text.count("\n", 0, offset)
        column = len(encode(self.text[self.text.rfind("\n", 0, offset) + 1 : offset]))
        where = f"template: :{line}:{column}: executing {quote(self.name)} at <{go_text(self.node)}>"
        return TemplateRenderError(visible(f"{where}: {message}"), hint=hint_for(message))


class State:
    """One execution: the variables in sight, the output, and what is left of the budgets.

    A variable is a list of one value, so that a scope can be left by putting the old lists back. ``last`` is where the
    last ``and`` or ``or`` stopped: Go reports some errors at the node it looked at last. ``evaluated`` is what deep
    parentheses gave, ahead of what they stand in. ``look`` is called every few
    thousand steps and may end the execution by an error.
    """

    __slots__ = ("_later", "_look", "calls", "evaluated", "last", "room", "steps", "variables", "write")

    def __init__(
        self,
        write: Callable[[Any], None],
        data: Any,
        *,
        steps: int | None = None,
        room: int | None = None,
        look: Callable[[], None] | None = None,
    ) -> None:
        self.write = write
        self.variables: dict[str, list[Any]] = {"$": [data]}
        steps = MAX_STEPS if steps is None else steps
        self.steps = min(_STRETCH, steps)  # of this stretch; there are more later
        self._later = steps - self.steps
        self._look = look
        self.room = MAX_TEXT if room is None else room
        self.calls = 0
        self.last: Site | None = None
        self.evaluated: dict[int, tuple[Any, TemplateRenderError | None, Site | None]] = {}

    def begin(self, data: Any) -> None:
        """Start over with other data; the budgets go on."""
        self.variables = {"$": [data]}

    def spend(self, steps: int, text: int) -> None:
        """Charge a round of a loop or a call: how many nodes it runs, and how much text they hold."""
        self.steps -= steps
        self.room -= text
        if self.steps < 0 or self.room < 0:
            self.go_on()

    def go_on(self) -> None:
        """Begin the next stretch of steps; raises the error of the budget that is spent, if one is."""
        if self._look is not None:
            self._look()
        more = min(max(_STRETCH, -self.steps), self._later)
        self._later -= more
        self.steps += more
        if self.steps < 0:
            raise too_many_steps()
        if self.room < 0:
            raise too_long()

    def made(self, text: str) -> str:
        """Charge a text that was made on the way."""
        self.room -= len(text)
        if self.room < 0:
            raise too_long()
        return text


def too_long() -> TemplateRenderError:
    """Return the error of a template that makes too much text."""
    return OutOfBudget(
        f"the template makes more than {MAX_TEXT} characters", hint="Ollama would go on until its memory is full"
    )


def too_many_steps() -> TemplateRenderError:
    """Return the error of a template that does not come to an end."""
    return OutOfBudget(
        f"the template does not end within {MAX_STEPS} steps", hint="Ollama would go on, and the request would hang"
    )
