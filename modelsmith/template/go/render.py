"""Render a template for a conversation, on the path that Ollama takes, and say which node printed what.

Source of the rules: Ollama, ``template/template.go`` (Execute).
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from modelsmith.errors import TemplateRenderError
from modelsmith.syntax.gotemplate.literals import visible
from modelsmith.syntax.gotemplate.nodes import Action, Body, Command, Field, Pipeline
from modelsmith.template.allowance import Use
from modelsmith.template.go.evaluate.program import Program
from modelsmith.template.go.functions.functions import BUILTINS, OLLAMA
from modelsmith.template.go.state import MAX_STEPS, MAX_TEXT, State
from modelsmith.template.go.values.values import MAP, NO_VALUE, Map

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from modelsmith.source import Span
    from modelsmith.syntax.gotemplate.nodes import ListItem, Node
    from modelsmith.syntax.gotemplate.tree import Tree
    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.go.legacy import ServerPanic


class OutputPiece(NamedTuple):
    """A piece of output: which node printed it (None for the ``.Response`` that Ollama adds), and in which rendering.

    A legacy template is rendered once a turn, so ``pass_index`` counts; the other paths have only 0.
    """

    text: str
    node: Node | None
    pass_index: int

    @property
    def node_span(self) -> Span | None:
        """Where in the template's text the node is."""
        return self.node.span if self.node else None


class _Marked(NamedTuple):
    text: str
    node: ListItem


# appended to templates that name neither .Messages nor .Response; it has no place in the text
_RESPONSE = Action(0, 0, Pipeline(0, 0, (), False, (Command(0, 0, (Field(0, 0, ("Response",)),)),)))


class Renderer:
    """A template made ready to run; what is not needed for a conversation is not compiled."""

    def __init__(
        self,
        tree: Tree,
        variables: Sequence[str],
        *,
        adds_response: bool = False,
        traced: bool = False,
        steps: int = MAX_STEPS,
        room: int = MAX_TEXT,
    ) -> None:
        self._budget = {"steps": steps, "room": room}
        self._tree = tree
        self._mark = _Marked if traced else None
        self._has_messages = "messages" in variables
        root = self._tree.templates[""]
        if adds_response:
            root = Body(root.start, root.end, (*root.nodes, _RESPONSE))
        self._templates: Mapping[str, Body] = {**self._tree.templates, "": root}

    @cached_property
    def _program(self) -> Program:
        return Program(self._tree.text, self._templates, {**BUILTINS, **OLLAMA}, mark=self._mark)

    @cached_property
    def _last_program(self) -> Program | ServerPanic:
        """The last turn's: a new template, without Ollama's functions, definitions and way with missing keys."""
        from modelsmith.template.go.legacy import ServerPanic, cut

        try:
            root = cut(self._templates[""])
        except ServerPanic as panic:
            return panic
        return Program(self._tree.text, {"": root}, BUILTINS, missing=NO_VALUE, mark=self._mark)

    def render(self, conversation: Conversation, think: bool | str | None) -> str:
        """Return the prompt; raise TemplateRenderError where Ollama fails."""
        out: list[str] = []
        for _ in self._run(conversation, think, out):
            pass
        return visible("".join(out))

    def trace(self, conversation: Conversation, think: bool | str | None) -> tuple[OutputPiece, ...]:
        """Return the pieces of the prompt; only for a renderer that was made ``traced``."""
        return tuple(
            OutputPiece(visible(marked.text), None if marked.node is _RESPONSE else marked.node, index)
            for index, marks in enumerate(self.passes(conversation, think))
            for marked in marks
        )

    def passes(self, conversation: Conversation, think: bool | str | None) -> Iterator[list[Any]]:
        """Yield what is printed, execution by execution."""
        out: list[Any] = []
        known = 0
        for _ in self._run(conversation, think, out):
            yield out[known:]
            known = len(out)

    def _run(self, conversation: Conversation, think: bool | str | None, out: list[Any]) -> Iterator[None]:
        """Let ``out`` grow by what one execution after the other prints, and pause behind each."""
        use = Use()
        state = State(out.append, NO_VALUE, **self._budget, look=use.look)
        room = state.room
        try:
            for program, data in self._executions(conversation, think):
                state.begin(Map(MAP, data))
                program.run(state)
                yield
        except RecursionError:
            raise TemplateRenderError("the template is nested too deep") from None
        finally:
            use.charge(room - state.room)

    def _executions(
        self, conversation: Conversation, think: bool | str | None
    ) -> Iterator[tuple[Program, dict[str, Any]]]:
        """Yield what is run, and with which data."""
        level = "medium" if think is True else think or ""
        common: dict[str, Any] = {"Think": bool(think), "ThinkLevel": level, "IsThinkSet": think is not None}
        if conversation.prompt and conversation.suffix:
            texts = {"Prompt": conversation.prompt, "Suffix": conversation.suffix, "Response": ""}
            yield self._program, texts | common
        elif self._has_messages:
            messages = {"System": conversation.collated[0], "Messages": conversation.message_values}
            yield self._program, messages | {"Tools": conversation.tool_values, "Response": ""} | common
        else:
            from modelsmith.template.go.legacy import ServerPanic, turns

            for turn, is_last in turns(conversation.collated[1]):
                program = self._last_program if is_last else self._program
                if isinstance(program, ServerPanic):
                    raise TemplateRenderError(
                        f"the server panics: {program}",
                        hint="an if, with or range that holds .Response must have no else",
                    )
                yield program, turn | common
