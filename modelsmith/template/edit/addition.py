r"""What an injection adds, and the Go code that adds it.

The text stands in string literals, ``{{ "<think>\n" }}``: no trim marker reaches into them, and a line break typed as
``\n`` is one. ``$.IsThinkSet`` and ``$.Think`` tell what the request said about thinking (Ollama 0.9.0 and later; before,
both are absent, which reads as "nothing said"). Source: Ollama template/template.go (Values).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from modelsmith.records import dataclass
from modelsmith.syntax.gotemplate.literals import quote
from modelsmith.template.conversation.think import Think, When

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


Conjunction: TypeAlias = tuple[str, ...]
"""Expressions that must all hold; an empty one always holds."""

Branch: TypeAlias = tuple[Conjunction, str]
"""A condition and what is printed where it holds."""


@dataclass(frozen=True, slots=True)
class Addition:
    """The text to add where ``think`` is unset, where it is on (true or a level), and where it is false."""

    unset: str
    on: str
    off: str

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Addition:
        """Join (text, when) pairs; where several conditions hold, the texts follow each other in the given order."""
        texts = [(text, When.of(when)) for text, when in pairs]
        unset, on, off = ("".join(text for text, when in texts if when.holds(think)) for think in (None, True, False))
        return cls(unset, on, off)

    def __bool__(self) -> bool:
        return bool(self.unset or self.on or self.off)

    def text(self, think: Think) -> str:
        """Return what is added to the prompt of a request with this ``think``."""
        return self.unset if think is None else self.on if think else self.off

    def branches(self, root: str = "$") -> list[Branch]:
        """Return (condition, text) pairs, the first that holds counts; an empty condition is the else.

        ``root`` is what stands before the names of the root's fields: ``$``, or nothing where the dot is the root.
        """
        think, given = f"{root}.Think", f"{root}.IsThinkSet"
        if self.unset == self.on == self.off:
            return [((), self.on)]
        if self.unset == self.on:
            return _two(((given, f"not {think}"), self.off), ((f"or {think} (not {given})",), self.on))
        if self.on == self.off:
            return _two(((given,), self.on), ((f"not {given}",), self.unset))
        if self.unset == self.off:
            return _two(((think,), self.on), ((f"not {think}",), self.unset))
        if not self.on:
            return [((f"not {given}",), self.unset), ((f"not {think}",), self.off)]
        if not self.off:
            return [((think,), self.on), ((f"not {given}",), self.unset)]
        return [((think,), self.on), ((given,), self.off), *([((), self.unset)] if self.unset else ())]


def _two(first: Branch, second: Branch) -> list[Branch]:
    """Return the branches of two conditions that exclude each other, without one that prints nothing."""
    if first[1] and second[1]:
        return [first, ((), second[1])]
    return [first if first[1] else second]


def literal(text: str) -> str:
    """Return the text as a Go string literal that a Modelfile carries too (nothing unprintable stands in it raw)."""
    return quote(text)


def expression(conditions: Conjunction) -> str:
    """Return one Go expression for all the conditions."""
    if len(conditions) == 1:
        return conditions[0]
    return "and " + " ".join(f"({part})" if " " in part else part for part in conditions)


def role_is(roles: Conjunction, message: str = "") -> str:
    """Return the expression that the role of ``message`` (a variable; nothing: the dot) is one of these."""
    return f"eq {message}.Role " + " ".join(literal(role) for role in roles)


def code(
    addition: Addition,
    turn: Conjunction = (),
    *,
    root: str = "$",
    write: Callable[[str], str] = lambda text: f"{{{{ {literal(text)} }}}}",
) -> str:
    """Return the template code that prints the addition where ``turn`` holds."""
    branches = addition.branches(root)
    if len(branches) == 1:
        condition, text = branches[0]
        return _guarded((*turn, *condition), write(text))
    parts = []
    for number, (condition, text) in enumerate(branches):
        word = "if" if not number else "else if" if condition else "else"
        parts.append(f"{{{{ {word}{' ' if condition else ''}{expression(condition) if condition else ''} }}}}")
        parts.append(write(text) if text else "")
    return _guarded(turn, "".join((*parts, "{{ end }}")))


def _guarded(conditions: Conjunction, body: str) -> str:
    return f"{{{{ if {expression(conditions)} }}}}{body}{{{{ end }}}}" if conditions else body
