"""Write Go template code out: literal texts to the byte, actions on lines of their own where no trim marker can harm.

``{{-`` takes the white space in front of it away, so an action stands on a new line only where the text before it does
not end with white space. Source: Go text/template (trim markers).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.template.convert.translate.code.go_code import Cond, Do, Lit, Loop, Out, Raw, Use

if TYPE_CHECKING:
    from modelsmith.template.convert.translate.code.go_code import Code


def written(code: Code) -> str:
    """Return the text of a template."""
    writer = _Writer()
    writer.code(code, "")
    return "".join(writer.parts)


class _Writer:
    def __init__(self) -> None:
        self.parts: list[str] = []
        self._free = True
        """Whether the white space before the next action may be taken away: nothing that is printed ends with any."""

    def code(self, code: Code, dot: str) -> None:
        """Write pieces; ``dot`` is the variable that the dot stands for."""
        for piece in code:
            match piece:
                case Lit(text):
                    self._text(text)
                case Out(expression):
                    self._inline(_dotted(expression, dot))
                case Do(action):
                    self._action(_dotted(action, dot))
                case Cond():
                    self._cond(piece, dot)
                case Loop(head, inner, body):
                    self._action(f"range {_dotted(head, dot)}")
                    self.code(body, inner or "$")
                    self._action("end")
                case Raw(raw, owner):
                    owner = _dotted(owner, dot)
                    if owner == ".":
                        self._raw(raw)
                    else:
                        self._inline(f"with {owner}")
                        self._raw(raw)
                        self._inline("end")
                case Use(title, argument):
                    self._inline(f'template "{title}" {_dotted(argument, dot)}')

    def _cond(self, piece: Cond, dot: str) -> None:
        self._action(f"if {_dotted(piece.test, dot)}")
        self.code(piece.yes, dot)
        rest = piece.no
        while len(rest) == 1 and isinstance(rest[0], Cond):
            self._action(f"else if {_dotted(rest[0].test, dot)}")
            self.code(rest[0].yes, dot)
            rest = rest[0].no
        if rest:
            self._action("else")
            self.code(rest, dot)
        self._action("end")

    def _text(self, text: str) -> None:
        if not text:
            return
        for number, part in enumerate(re.split(r"(\{+)", text)):
            if number % 2:
                self._inline(f'"{part}"')
            elif part:
                self.parts.append(part)
                self._free = not part[-1].isspace()

    def _inline(self, action: str) -> None:
        self.parts.append(f"{{{{ {action} }}}}")
        self._free = True

    def _raw(self, code: str) -> None:
        self.parts.append(code)
        self._free = True

    def _action(self, action: str) -> None:
        self.parts.append(
            f"{chr(10) if self.parts else ''}{{{{- {action} }}}}" if self._free else f"{{{{ {action} }}}}"
        )
        self._free = True


def _dotted(expression: str, dot: str) -> str:
    if not dot or dot == "$":
        return expression
    return re.sub(rf"{re.escape(dot)}(?!\w)(\.?)", ".", expression)
