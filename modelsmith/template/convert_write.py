"""Write Go template text: literal texts to the byte, actions on lines of their own where no trim marker can harm.

``{{-`` takes the white space in front of it away, so an action stands on a new line only where the text before it does
not end with white space. Source: Go text/template (trim markers).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import ConversionError
from modelsmith.template.convert_observe import ISO_DATE, KEPT, LONG_DATE, SHORT_DATE, SYSTEM, THINKING
from modelsmith.template.convert_tree import Branch, common_end, common_start, leaves, trimmed

if TYPE_CHECKING:
    from modelsmith.template.convert_tree import Test, Tree

_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October")
MONTHS = (*_MONTHS, "November", "December")
_VALUES = {
    THINKING: ".Thinking",
    ISO_DATE: "currentDate",
    SHORT_DATE: "slice currentDate 8 10}} {{slice $month 0 3}} {{slice currentDate 0 4",
    LONG_DATE: "$month}} {{slice currentDate 8 10}}, {{slice currentDate 0 4",
}
_QUESTIONS = {
    "first": "eq $i 0",
    "last": "$last",
    "last_user": "eq $i $lastUser",
    "after_last_user": "gt $i $lastUser",
    "user": "ge $lastUser 0",
    "thinking": ".Thinking",
    "unsaid": "and $last .Thinking (not .Content)",
}
_ENDS = "\n\t >]"
_STARTS = "\n\t <["


class Writer:
    """Collects texts and actions; ``str()`` is the template."""

    def __init__(self, placement: str, opening: str) -> None:
        self._placement = placement
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
                self.value("$system" if self._placement in KEPT else "$.System")
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
        question = self._question(tree.test)
        if tree.yes == "yes" and tree.no == "":
            self.control(f"if {question}")
        elif tree.yes == "" and tree.no == "yes":
            self.control(f"if {negated(question)}")
        else:
            raise ConversionError("whether a message is printed depends on too much")

    def _branch(self, tree: Branch) -> None:
        question, yes, no = self._question(tree.test), tree.yes, tree.no
        if (tree.test, yes, no) == (("system", "yes"), SYSTEM, ""):
            self.text(SYSTEM)  # an empty text prints nothing
            return
        if yes == "":
            question, yes, no = negated(question), no, yes
        self.control(f"if {question}")
        self.tree(yes)
        while isinstance(no, Branch) and self._shared(leaves(no)) == (0, 0) and no.yes != "":
            self.control(f"else if {self._question(no.test)}")
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

    def _question(self, test: Test) -> str:
        name, value = test
        if name == "think":
            return "$.Think" if value == "on" else "and $.IsThinkSet (not $.Think)"
        if name == "system":
            return "$system" if self._placement in KEPT else "$.System"
        if name == "previous":
            return f'eq $previous "{value}"' if value else "not $previous"
        return f'eq .Role "{value}"' if name == "role" else _QUESTIONS[name]


def negated(question: str) -> str:
    """Return the condition that holds where ``question`` does not."""
    if question.startswith("eq "):
        return f"ne {question[3:]}"
    if question.startswith("not "):
        return question[4:]
    return f"not {question}" if " " not in question else f"not ({question})"


def month(writer: Writer) -> None:
    """Write what sets ``$month`` to the name of this month: Ollama knows the date as YYYY-MM-DD only."""
    writer.control('$month := "December"')
    for number, name in enumerate(MONTHS[:-1], 1):
        writer.control(f'{"else " if number > 1 else ""}if eq (slice currentDate 5 7) "{number:02}"')
        writer.control(f'$month = "{name}"')
    writer.control("end")


def _pieces(text: str) -> list[str]:
    """Cut a text at the characters that stand for values, and at each brace that would open an action."""
    special = {*_VALUES, SYSTEM}
    pieces = [""]
    for number, char in enumerate(text):
        brace = char == "{" and (text[number + 1 : number + 2] in {"{", ""} or text[number + 1] in special)
        if char in special or brace:
            pieces += [char, ""]
        else:
            pieces[-1] += char
    return [piece for piece in pieces if piece]
