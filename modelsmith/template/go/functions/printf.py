"""``print``, ``println`` and ``printf``: values as Go's package fmt writes them. Source of the rules: Go, ``fmt/print.go``."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from modelsmith.patterns import regex
from modelsmith.syntax.gotemplate.literals import normal, quote
from modelsmith.template.go.values.values import NIL, NO_VALUE, type_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_TOO_LARGE = 1_000_000  # a width or precision beyond it is none
_PLAIN_VERB = regex("%([dqsv])")
_FLAGS = {"-": "minus", "+": "plus", "#": "sharp", " ": "space", "0": "zero"}


def sprint(values: Sequence[Any], limit: int) -> str:
    """Return the values one behind the other, with a space where neither neighbour is a string."""
    parts = []
    was_string = True
    for value in values:
        is_string = type(value) is str
        if not is_string and not was_string:
            parts.append(" ")
        parts.append(value if is_string else text_of(value, limit))
        was_string = is_string
    return "".join(parts)


def sprintln(values: Sequence[Any], limit: int) -> str:
    """Return the values with a space between them and a line break behind."""
    return " ".join(text_of(value, limit) for value in values) + "\n"


def text_of(value: Any, limit: int) -> str:
    """Return a value as ``%v`` writes it."""
    kind = type(value)
    if kind is str:
        text: str = value
        return text
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(value)
    from modelsmith.template.go.functions.printf_values import Printer

    printer = Printer(limit)
    printer.argument(value, "v")
    return "".join(printer.parts)


def sprintf(layout: str, values: Sequence[Any], limit: int) -> str:
    """Return the values under the verbs of ``layout``; what does not fit is shown, not an error."""
    text = _plainly(layout, values, limit)
    return _Layout(layout, values, limit).run() if text is None else text


@lru_cache(maxsize=256)
def _plain(layout: str) -> tuple[str, tuple[tuple[str, str], ...]] | None:
    """Return a layout's first text, and each verb with the text behind it, if all verbs are common and without flags."""
    first, *rest = _PLAIN_VERB.split(normal(layout))
    pairs = tuple(zip(rest[::2], rest[1::2], strict=True))
    return None if "%" in first or any("%" in text for _, text in pairs) else (first, pairs)


def _plainly(layout: str, values: Sequence[Any], limit: int) -> str | None:
    """Write strings and ints under as many common verbs, which is most of what templates do; else return None."""
    plain = _plain(layout)
    if plain is None or len(plain[1]) != len(values):
        return None
    written, pairs = [plain[0]], plain[1]
    for value, (verb, text) in zip(values, pairs, strict=True):
        kind = type(value)
        if kind is str and verb != "d" and len(value) <= limit:
            limit -= len(value)
            written.append(quote(value) if verb == "q" else value)
        elif kind is int and verb in {"d", "v"}:
            written.append(str(value))
        else:
            return None
        written.append(text)
    return "".join(written)


class _Layout:
    """One walk over a layout."""

    def __init__(self, layout: str, values: Sequence[Any], limit: int) -> None:
        from modelsmith.template.go.functions.printf_values import Printer

        self.layout = normal(layout)
        self.values = values
        self.printer = Printer(limit)
        self.position = 0
        self.next = 0
        self.reordered = False
        self.is_good = True

    def run(self) -> str:
        layout, printer = self.layout, self.printer
        while True:
            percent = layout.find("%", self.position)
            if percent < 0:
                printer.write(layout[self.position :])
                break
            printer.write(layout[self.position : percent])
            self.position = percent + 1
            self.is_good = True
            if not self._verb():
                break
        if not self.reordered and self.next < len(self.values):
            self._extra()
        return "".join(printer.parts)

    def _verb(self) -> bool:
        """Print one verb; return whether the layout goes on."""
        layout, printer = self.layout, self.printer
        flags = printer.reset()
        while (flag := _FLAGS.get(layout[self.position : self.position + 1])) is not None:
            setattr(flags, flag, True)
            self.position += 1
        verb = layout[self.position : self.position + 1]
        # a plain verb needs no more; Go takes only small letters this way, and the difference shows in odd layouts
        if not ("a" <= verb <= "z" and self.next < len(self.values)):
            self._width_and_precision()
            verb = layout[self.position : self.position + 1]
            if not verb:
                printer.write("%!(NOVERB)")
                return False
        self.position += 1
        if verb == "%":
            printer.write("%")
        elif not self.is_good:
            printer.write(f"%!{_shown(verb)}(BADINDEX)")
        elif self.next >= len(self.values):
            printer.write(f"%!{_shown(verb)}(MISSING)")
        else:
            if verb in "vw":
                flags.sharp_v, flags.sharp = flags.sharp, False
                flags.plus_v, flags.plus = flags.plus, False
            printer.argument(self.values[self.next], _shown(verb))
            self.next += 1
        return True

    def _width_and_precision(self) -> None:
        flags, printer = self.printer.flags, self.printer
        after_index = self._index()
        if self._take("*"):
            flags.width = self._from_values()
            if flags.width is None:
                printer.write("%!(BADWIDTH)")
            elif flags.width < 0:
                flags.width, flags.minus, flags.zero = -flags.width, True, False
            after_index = False
        else:
            flags.width = self._number()
            if after_index and flags.width is not None:
                self.is_good = False
        if self.position + 1 < len(self.layout) and self._take("."):
            if after_index:
                self.is_good = False
            after_index = self._index()
            if self._take("*"):
                flags.precision = self._from_values()
                if flags.precision is not None and flags.precision < 0:
                    flags.precision = None
                if flags.precision is None:
                    printer.write("%!(BADPREC)")
                after_index = False
            else:
                flags.precision = self._number() or 0
        if not after_index:
            self._index()

    def _take(self, char: str) -> bool:
        found = self.layout.startswith(char, self.position)
        self.position += found
        return found

    def _number(self) -> int | None:
        """Read digits; a number that is too large ends the layout, as in Go."""
        start = self.position
        value = 0
        while "0" <= self.layout[self.position : self.position + 1] <= "9":
            if value > _TOO_LARGE:
                self.position = len(self.layout)
                return None
            value = value * 10 + int(self.layout[self.position])
            self.position += 1
        return value if self.position > start else None

    def _index(self) -> bool:
        """Read ``[n]``, which chooses the value for what follows."""
        if not self.layout.startswith("[", self.position):
            return False
        self.reordered = True
        closing = self.layout.find("]", self.position)
        if closing < 0:
            self.position += 1
            self.is_good = False
            return False
        digits = self.layout[self.position + 1 : closing]
        self.position = closing + 1
        is_number = digits.isascii() and digits.isdecimal() and len(digits.lstrip("0")) <= 7
        if is_number and 1 <= int(digits) <= len(self.values):
            self.next = int(digits) - 1
            return True
        self.is_good = False
        return is_number

    def _from_values(self) -> int | None:
        if self.next >= len(self.values):
            return None
        value = self.values[self.next]
        self.next += 1
        if isinstance(value, int) and not isinstance(value, bool) and -_TOO_LARGE <= value <= _TOO_LARGE:
            return int(value)
        return None

    def _extra(self) -> None:
        self.printer.reset()
        self.printer.write("%!(EXTRA ")
        for number, value in enumerate(self.values[self.next :]):
            self.printer.write(", " if number else "")
            if value is NIL or value is NO_VALUE:
                self.printer.write("<nil>")
            else:
                self.printer.write(f"{type_of(value).name}=")
                self.printer.argument(value, "v")
        self.printer.write(")")


def _shown(verb: str) -> str:
    return "\ufffd" if "\ud800" <= verb <= "\udfff" else verb
