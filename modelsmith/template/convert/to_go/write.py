"""Write Go template text: literal texts to the byte, actions on lines of their own where no trim marker can harm.

``{{-`` takes the white space in front of it away, so an action stands on a new line only where the text before it does
not end with white space. Source: Go text/template (trim markers).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.template.convert.json_code import JsonCode
from modelsmith.template.convert.to_go.orders import (
    CALLS,
    CONTENT,
    INLINE,
    ISO_DATE,
    KEPT,
    LONG_DATE,
    QUOTED,
    SHORT_DATE,
    SYSTEM,
    THINKING,
    TOOLS,
)
from modelsmith.template.convert.to_go.questions import holds, negated, question
from modelsmith.template.convert.to_go.tree import Branch, common_end, common_start, leaves, trimmed

if TYPE_CHECKING:
    from modelsmith.template.convert.to_go.tools import ToolFormat
    from modelsmith.template.convert.to_go.tree import Tree

_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October")
MONTHS = (*_MONTHS, "November", "December")
_VALUES = {
    THINKING: ".Thinking",
    CONTENT: ".Content",
    QUOTED: 'printf "%q" .Content',
    ISO_DATE: "currentDate",
    SHORT_DATE: "slice currentDate 8 10}} {{slice $month 0 3}} {{slice currentDate 0 4",
    LONG_DATE: "$month}} {{slice currentDate 8 10}}, {{slice currentDate 0 4",
}
_ENDS = "\n\t >]"
_STARTS = "\n\t <["


class Writer:
    """Collects texts and actions; ``str()`` is the template."""

    def __init__(self, placement: str, opening: str, tool_format: ToolFormat | None = None) -> None:
        self._format = tool_format
        self._definitions: dict[str, str] = {}
        self._kept = placement in KEPT or placement == INLINE
        self._opening = opening.strip()
        self._parts: list[str] = []
        self._text = ""

    def __str__(self) -> str:
        return "".join(self._parts)

    def text(self, text: str) -> None:
        """Write a text; the characters that stand for values become actions."""
        for char in _pieces(text):
            if char in _VALUES:
                self.value(_VALUES[char].replace("{{", "{{ ").replace("}}", " }}"))
            elif char == SYSTEM:
                self.value("$system" if self._kept else "$.System")
            elif char == TOOLS:
                self._tools()
            elif char == CALLS:
                self._calls()
            elif char == "{":
                self.value('"{"')
            else:
                self._parts.append(char)
                self._text = char

    def value(self, expression: str) -> None:
        """Write an action that prints, in the line."""
        self._parts.append(f"{{{{ {expression} }}}}")
        self._text = ""

    def control(self, action: str) -> None:
        """Write an action that prints nothing, on a new line if it can be."""
        inline = self._text[-1:].isspace()
        self._parts.append(f"{{{{ {action} }}}}" if inline else f"{chr(10) if self._parts else ''}{{{{- {action} }}}}")
        self._text = ""

    def definitions(self, other: Writer) -> str:
        """Return the named templates that this and another one call; both are written by then."""
        return "\n".join((self._definitions | other._definitions).values())

    def _code(self, code: str) -> None:
        self._parts.append(code)
        self._text = ""

    def _tools(self) -> None:
        """Write the loop over the tools of the request."""
        listed = self._format.tools if self._format else None
        if listed is None:
            return
        json = JsonCode(listed.layout, self._definitions)
        code = json.tool(listed.depth) if listed.part == "tool" else json.function(listed.depth)
        self.control("range $number, $_ := $.Tools" if listed.between else "range $.Tools")
        if listed.between:
            self.control("if $number")
            self.text(listed.between)
            self.control("end")
        self._code(code)
        self.control("end")

    def _calls(self) -> None:
        """Write the loop over the calls of a message; what opens the first stands right behind ``if .ToolCalls``."""
        made = self._format.calls if self._format else None
        if made is None:
            return
        joint = made.closing + made.between + made.opening
        self.control("if .ToolCalls")
        self.text(made.opening)
        self.control("range $number, $_ := .ToolCalls" if joint else "range .ToolCalls")
        if joint:
            self.control("if $number")
            self.text(joint)
            self.control("end")
        self.value(".Function.Name")
        self.text(made.middle)
        if made.layout is None:
            self.value(".Function.Arguments")
        else:
            self._code(JsonCode(made.layout, self._definitions).arguments())
        self.control("end")
        self.text(made.closing)
        self.control("end")

    def tree(self, tree: Tree) -> None:
        """Write what a tree decides; what all of its texts have in common stands outside."""
        start, end = self._shared(leaves(tree))
        first = leaves(tree)[0]
        self.text(first[:start])
        tree = trimmed(tree, start, end)
        if isinstance(tree, Branch):
            self._branch(tree)
        self.text(first[len(first) - end :])

    def shown(self, tree: Branch) -> None:
        """Open the condition under which a message is printed at all; the caller closes it with one ``end``."""
        self.control(f"if {holds(tree, kept=self._kept)}")

    def _branch(self, tree: Branch) -> None:
        asked, yes, no = question(tree.test, kept=self._kept), tree.yes, tree.no
        if (tree.test, yes, no) == (("system", "yes"), SYSTEM, ""):
            self.text(SYSTEM)  # an empty text prints nothing
            return
        if yes == "":
            asked, yes, no = negated(asked), no, yes
        self.control(f"if {asked}")
        self.tree(yes)
        while isinstance(no, Branch) and self._shared(leaves(no)) == (0, 0) and no.yes != "":
            self.control(f"else if {question(no.test, kept=self._kept)}")
            self.tree(no.yes)
            no = no.no
        if no != "":
            self.control("else")
            self.tree(no)
        self.control("end")

    def _shared(self, texts: list[str]) -> tuple[int, int]:
        """Return how long a beginning and an end all texts share, no token cut in two, no thinking tag taken away."""
        if len(texts) == 1:
            return len(texts[0]), 0
        shared = common_start(texts)
        thinks = any(THINKING in text for text in texts)
        if thinks:
            shared = shared.partition(self._opening)[0] if self._opening else ""
            shared = shared.partition(THINKING)[0]
        while (
            shared
            and shared[-1] not in _ENDS
            and not all(text[len(shared) : len(shared) + 1] in _STARTS for text in texts)
        ):
            shared = shared[:-1]
        start = len(shared)
        if thinks:
            return start, 0
        shared = common_end([text[start:] for text in texts])
        while (
            shared
            and shared[0] not in _STARTS
            and not all(text[: len(text) - len(shared)][-1:] in _ENDS for text in texts)
        ):
            shared = shared[1:]
        return start, len(shared)


def month(writer: Writer) -> None:
    """Write what sets ``$month`` to the name of this month: Ollama knows the date as YYYY-MM-DD only."""
    writer.control('$month := "December"')
    for number, name in enumerate(MONTHS[:-1], 1):
        writer.control(f'{"else " if number > 1 else ""}if eq (slice currentDate 5 7) "{number:02}"')
        writer.control(f'$month = "{name}"')
    writer.control("end")


def _pieces(text: str) -> list[str]:
    """Cut a text at the characters that stand for values, and at each brace that would open an action."""
    special = re.escape("".join({*_VALUES, SYSTEM, TOOLS, CALLS}))
    return [piece for piece in re.split(rf"([{special}]|{{(?=[{{{special}]|\Z))", text) if piece]
