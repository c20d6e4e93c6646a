"""The tree of a Go template: typed, immutable nodes that know where they stand.

``start`` and ``end`` count code points of the template's text. What stands outside of actions, the actions and the tags of
the control structures tile the text (see ``tiles``). Source of the shapes: Go, ``text/template/parse/node.go``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeAlias

from modelsmith.records import dataclass
from modelsmith.source import Span

if TYPE_CHECKING:
    from modelsmith.syntax.gotemplate.literals import Number as NumberValue


@dataclass(frozen=True, slots=True)
class Node:
    """A part of the template's text, from ``start`` up to ``end``."""

    type: ClassVar[str] = ""  # the terminal of the grammar, for nodes that the scanner makes

    start: int
    end: int

    @property
    def span(self) -> Span:
        """The place in the template's text."""
        return Span(self.start, self.end)

    @property
    def position(self) -> int:
        """Where Go says the node is, in its error messages."""
        return self.start


# --- what stands in a list -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Text(Node):
    """Text outside of actions: the span covers what is written, ``value`` is what the trim markers leave of it.

    Where they leave nothing, Go has no node at all.
    """

    type: ClassVar[str] = "TEXT"
    value: str


@dataclass(frozen=True, slots=True)
class Comment(Node):
    """``{{/* text */}}``, which Go drops."""

    type: ClassVar[str] = "COMMENT"


@dataclass(frozen=True, slots=True)
class Break(Node):
    """``{{break}}``."""

    type: ClassVar[str] = "BREAK"


@dataclass(frozen=True, slots=True)
class Continue(Node):
    """``{{continue}}``."""

    type: ClassVar[str] = "CONTINUE"


@dataclass(frozen=True, slots=True)
class Body(Node):
    """A list of nodes: a whole template, or what stands between two tags."""

    nodes: tuple[ListItem, ...]

    @property
    def for_go(self) -> tuple[ListItem, ...]:
        """The nodes that Go has: no comments, no text that was trimmed away, no definitions."""
        return tuple(
            node
            for node in self.nodes
            if not isinstance(node, Comment | Define) and not (isinstance(node, Text) and not node.value)
        )


@dataclass(frozen=True, slots=True)
class Action(Node):
    """``{{pipeline}}``: print a value, or declare or assign variables."""

    pipeline: Pipeline

    @property
    def position(self) -> int:
        """Go points behind the delimiter."""
        return self.pipeline.start


@dataclass(frozen=True, slots=True)
class Branch(Node):
    """What ``if``, ``with`` and ``range`` have in common.

    ``opening``, ``else_tag`` and ``closing`` are the tags. ``{{else if x}}`` is an else without a tag whose body holds one
    If, which begins with that tag and has no closing of its own.
    """

    opening: Span
    pipeline: Pipeline
    body: Body
    else_tag: Span | None
    otherwise: Body | None
    closing: Span | None

    @property
    def position(self) -> int:
        """Go points at the pipeline."""
        return self.pipeline.start


class If(Branch):
    """``{{if pipeline}} … {{else}} … {{end}}``."""

    __slots__ = ()


class With(Branch):
    """``{{with pipeline}} … {{else}} … {{end}}``: the dot is the pipeline's value."""

    __slots__ = ()


class Range(Branch):
    """``{{range pipeline}} … {{else}} … {{end}}``."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Define(Node):
    """``{{define "name"}} … {{end}}``: a template of its own, not part of the list it stands in."""

    opening: Span
    name: str
    body: Body
    closing: Span


@dataclass(frozen=True, slots=True)
class Block(Node):
    """``{{block "name" pipeline}} … {{end}}``: a definition and its call in one."""

    opening: Span
    name: str
    name_start: int
    pipeline: Pipeline
    body: Body
    closing: Span

    @property
    def position(self) -> int:
        """Go points at the name."""
        return self.name_start


@dataclass(frozen=True, slots=True)
class TemplateCall(Node):
    """``{{template "name" pipeline}}``; Ollama refuses it without a pipeline."""

    name: str
    name_start: int
    pipeline: Pipeline | None

    @property
    def position(self) -> int:
        """Go points at the name."""
        return self.name_start


# --- what stands in an action ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dot(Node):
    """``.``."""

    type: ClassVar[str] = "DOT"


@dataclass(frozen=True, slots=True)
class Nil(Node):
    """``nil``."""

    type: ClassVar[str] = "NIL"


@dataclass(frozen=True, slots=True)
class Bool(Node):
    """``true`` or ``false``."""

    type: ClassVar[str] = "BOOL"
    value: bool


@dataclass(frozen=True, slots=True)
class Number(Node):
    """A number or character constant; ``value`` is None for an integer that fits 64 bits but not a signed one."""

    type: ClassVar[str] = "NUMBER"
    text: str
    value: NumberValue | None


@dataclass(frozen=True, slots=True)
class String(Node):
    """A string literal, as written and what it means."""

    type: ClassVar[str] = "STRING"
    quoted: str
    value: str


@dataclass(frozen=True, slots=True)
class Identifier(Node):
    """The name of a function."""

    type: ClassVar[str] = "IDENTIFIER"
    name: str


@dataclass(frozen=True, slots=True)
class Field(Node):
    """``.A.B.C``: the fields, one in the other, of the dot."""

    type: ClassVar[str] = "FIELD"
    names: tuple[str, ...]

    @property
    def position(self) -> int:
        """Of ``.A.B`` Go remembers where ``.B`` is."""
        return self.start if len(self.names) == 1 else self.start + 1 + len(self.names[0])


@dataclass(frozen=True, slots=True)
class Variable(Node):
    """``$x.A.B``: a variable (with its ``$``) and the fields, one in the other, of its value."""

    type: ClassVar[str] = "VARIABLE"
    names: tuple[str, ...]

    @property
    def position(self) -> int:
        """Of ``$x.A`` Go remembers where ``.A`` is."""
        return self.start if len(self.names) == 1 else self.start + len(self.names[0])


@dataclass(frozen=True, slots=True)
class Parenthesized(Node):
    """``(pipeline)``."""

    pipeline: Pipeline

    @property
    def position(self) -> int:
        """Go has only the pipeline."""
        return self.pipeline.start


@dataclass(frozen=True, slots=True)
class Chain(Node):
    """``(pipeline).A.B``: the fields, one in the other, of an operand's value."""

    operand: Identifier | Parenthesized
    names: tuple[str, ...]

    @property
    def position(self) -> int:
        """Go remembers where the first field is."""
        return self.operand.end


@dataclass(frozen=True, slots=True)
class Command(Node):
    """``operand operand …``: a value, or a function or method and its arguments."""

    operands: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Pipeline(Node):
    """``command | command …``, with the variables it declares (or, if ``assigns``, sets)."""

    declared: tuple[Variable, ...]
    assigns: bool
    commands: tuple[Command, ...]


ListItem: TypeAlias = Text | Comment | Action | If | With | Range | Define | Block | TemplateCall | Break | Continue
Operand: TypeAlias = Identifier | Field | Variable | Chain | Parenthesized | String | Number | Bool | Nil | Dot
