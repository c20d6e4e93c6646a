"""Ollama's TEMPLATE: a Go template, and what it makes the model see.

Source of the rules: Ollama, ``template/template.go`` (Parse, Vars, Execute).
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from modelsmith.errors import TemplateRenderError, TemplateSyntaxError, UsageError
from modelsmith.memo import Same, remembered
from modelsmith.records import dataclass
from modelsmith.syntax.gotemplate.tree import parse as parse_tree
from modelsmith.template.allowance import check_tags
from modelsmith.template.go.reading import thinking_tags, variables

if TYPE_CHECKING:
    from modelsmith.syntax.gotemplate.tree import Tree
    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.go.render import OutputPiece, Renderer

_THINK_VARIABLES = frozenset({"think", "thinklevel", "isthinkset"})
THINK_LEVELS = ("low", "medium", "high", "max")


@dataclass(frozen=True)
class Template:
    """A Go template as Ollama's TEMPLATE instruction takes it; ``str(template)`` is its text."""

    text: str
    tree: Tree
    variables: tuple[str, ...]
    adds_response: bool  # Ollama adds {{ .Response }} to a template that names neither .Messages nor .Response

    @classmethod
    def parse(cls, text: str) -> Template:
        """Read a template; raise TemplateSyntaxError where Go or Ollama refuses it when a model is created."""
        return _parse(text)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Template({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    @property
    def sees_think(self) -> bool:
        """Whether the template looks at what a request says about thinking."""
        return not _THINK_VARIABLES.isdisjoint(self.variables)

    @property
    def is_legacy(self) -> bool:
        """Whether Ollama renders it once a turn with ``.System``, ``.Prompt`` and ``.Response``: it has no ``.Messages``."""
        return "messages" not in self.variables

    @cached_property
    def thinking_tags(self) -> tuple[str, str]:
        """The texts that open and close thinking as Ollama infers them, ``""`` where it finds none."""
        return thinking_tags(self.tree)

    def render(self, conversation: Conversation, think: bool | str | None = None) -> str:
        """Return the prompt for a conversation.

        ``think`` is None (unset), True, False, or one of the levels low, medium, high and max. Raises TemplateRenderError
        where Ollama answers with an error.
        """
        seen = check_think(think)
        if "currentDate" in self.text:  # the clock goes on
            return self._renderer.render(conversation, seen)
        return remembered(
            ("Go", self.text, Same(conversation), seen if self.sees_think else None),
            lambda: self._renderer.render(conversation, seen),
            size=len,
            refusals=TemplateRenderError,
        )

    def trace(self, conversation: Conversation, think: bool | str | None = None) -> tuple[OutputPiece, ...]:
        """Render, and tell for every piece of output which node printed it and in which rendering.

        The texts joined are what ``render`` returns, bytes that are no UTF-8 aside.
        """
        return self._tracer.trace(conversation, check_think(think))

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return type(self).parse, (self.text,)

    def renderer(self, *, traced: bool = False, steps: int | None = None, room: int | None = None) -> Renderer:
        """Return the template made ready to run, within its own bounds of steps and characters (None: the usual ones)."""
        from modelsmith.template.go.render import Renderer
        from modelsmith.template.go.state import MAX_STEPS, MAX_TEXT

        return Renderer(
            self.tree,
            self.variables,
            adds_response=self.adds_response,
            traced=traced,
            steps=MAX_STEPS if steps is None else steps,
            room=MAX_TEXT if room is None else room,
        )

    @cached_property
    def _tracer(self) -> Renderer:
        check_tags(self.text)
        return self.renderer(traced=True)

    @cached_property
    def _renderer(self) -> Renderer:
        check_tags(self.text)
        return self.renderer()


def check_think(think: bool | str | None) -> bool | str | None:
    """Return ``think`` if it is one of the values that Ollama takes, else raise UsageError."""
    if think is None or isinstance(think, bool) or think in THINK_LEVELS:
        return think
    raise UsageError(f'think is "{think}", not true, false or one of {", ".join(THINK_LEVELS)}')


@lru_cache(maxsize=512)
def _parse(text: str) -> Template:
    try:
        tree = parse_tree(text)
        names = variables(tree)
    except RecursionError:
        raise TemplateSyntaxError("the template is nested too deep") from None
    adds_response = "messages" not in names and "response" not in names
    return Template(text, tree, tuple(sorted((*names, "response"))) if adds_response else names, adds_response)
