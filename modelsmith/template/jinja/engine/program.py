"""A chat template that can be run: the door to the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from modelsmith.errors import TemplateRenderError, TemplateSyntaxError
from modelsmith.patterns import regex
from modelsmith.records import dataclass
from modelsmith.template.allowance import Use
from modelsmith.template.jinja.engine.budget import Limits, Run
from modelsmith.template.jinja.engine.compile.compiler import compile_program
from modelsmith.template.jinja.engine.failures import Failure, Leave, LimitReached, Raised, Stopped
from modelsmith.template.jinja.engine.tree import parser
from modelsmith.template.jinja.engine.tree.lexer import Unreadable
from modelsmith.template.jinja.engine.values.model import Value, WatchedArray, WatchedObject, WatchedText
from modelsmith.template.jinja.engine.values.texts import from_bytes, to_bytes, with_plain_line_ends

if TYPE_CHECKING:
    from datetime import datetime

    from modelsmith.template.jinja.engine.compile.code import Code
    from modelsmith.template.jinja.engine.tree.nodes import Node

LONGEST = 1_000_000
"""A longer text (in characters) is not taken for a chat template."""

_LIMITS = Limits()
_LARGEST = 2**63
_LINE_END = regex(r"\r\n")
_WORDS = {"true": True, "True": True, "false": False, "False": False, "none": None, "None": None}


@dataclass(frozen=True)
class Program:
    """A chat template, read; ``source`` is its text as llama.cpp keeps it: line ends plain, the last one dropped.

    ``words`` are the names and strings in its statements and expressions.
    """

    source: str
    body: tuple[Node, ...]
    words: frozenset[str]

    @classmethod
    def parse(cls, text: str) -> Program:
        """Read a template; raises TemplateSyntaxError with line and offset where llama.cpp cannot load it."""
        if len(text) > LONGEST:
            raise TemplateSyntaxError(
                f"a chat template of {len(text):,} characters is too long (limit {LONGEST:,})", line=1, offset=0
            )
        source = with_plain_line_ends(to_bytes(text))
        source = source.removesuffix("\n") if text.endswith("\n") else source
        try:
            return cls(source, *parser.parse(source))
        except Unreadable as problem:
            line, column = _place(source, problem.position)
            offset = _offset(text, source, problem.position)
            message = f"{from_bytes(problem.message)} (line {line}, column {column})"
            raise TemplateSyntaxError(message, line=line, offset=offset) from None
        except RecursionError:
            raise TemplateSyntaxError("the template nests too deeply to be read", line=1, offset=0) from None

    def run(
        self,
        variables: Mapping[str, Any],
        *,
        now: datetime | None = None,
        limits: Limits = _LIMITS,
    ) -> str:
        """Return what the template prints for JSON values; raises TemplateRenderError where it fails or refuses."""
        values = {to_bytes(key): plain(value) for key, value in variables.items()}
        run = Run(limits, now)
        return from_bytes(self._result(self._code, values, run))

    def watch(self, variables: Mapping[str, Value], *, now: datetime | None = None, limits: Limits = _LIMITS) -> str:
        """Run it on values that were made by :func:`watched`, which then know how they were used."""
        run = Run(limits, now, watching=True)
        return from_bytes(self._result(self._watching_code, dict(variables), run))

    def _result(self, code: Code, values: dict[str, Value], run: Run) -> str:
        use = Use()
        run.look = use.look
        try:
            return str(code(_WORDS | values, run))
        except Failure as failure:
            reason = from_bytes(failure.message.removeprefix("Jinja Exception: "))
            where = ""
            if failure.node is not None:
                where = " (line {}, column {})".format(*_place(self.source, failure.node.start))
            verb = "refuses this conversation" if isinstance(failure, Raised) else "fails"
            raise TemplateRenderError(f"the template {verb}: {reason}{where}") from None
        except Leave as signal:
            raise TemplateRenderError(f"the template fails: {signal.message} outside of a loop") from None
        except LimitReached as error:
            raise Stopped(f"the template was stopped: {error}") from None
        except (RecursionError, MemoryError):
            raise Stopped("the template was stopped: it calls itself without end") from None
        finally:
            use.charge(run.limits.size - run.left)

    @cached_property
    def _code(self) -> Code:
        return self._compiled(watching=False)

    @cached_property
    def _watching_code(self) -> Code:
        return self._compiled(watching=True)

    def _compiled(self, *, watching: bool) -> Code:
        try:
            return compile_program(self.words, self.body, watching=watching)
        except RecursionError:
            raise Stopped("the template was stopped: it nests too deeply") from None


def plain(value: Any) -> Value:
    """Return a JSON value as the engine holds it; lists and mappings are copied, for a template can change them."""
    kind = type(value)
    if kind is str:
        return value if value.isascii() else to_bytes(value)
    if kind is dict:
        copied: dict[Value, Value] = value.copy()  # faster than to build it anew: most members stay as they are
        for key, item in value.items():
            if not key.isascii():
                return {to_bytes(name): plain(member) for name, member in value.items()}
            if type(item) is not str or not item.isascii():
                copied[key] = plain(item)
        return copied
    if kind is list or kind is tuple:
        return [plain(item) for item in value]
    return _plain_of_another(value)


def _plain_of_another(value: Any) -> Value:
    if isinstance(value, str):
        return to_bytes(str(value))
    if isinstance(value, Mapping):
        return plain(dict(value))
    if isinstance(value, Sequence):
        return plain(list(value))
    if isinstance(value, int) and not isinstance(value, bool) and not -_LARGEST <= value < _LARGEST:
        return float(value) if not 0 < value < 2 * _LARGEST else value - 2 * _LARGEST
    return value


def watched(value: Any) -> Value:
    """Return a JSON value that notices what a template does with it."""
    if isinstance(value, str):
        return WatchedText(to_bytes(value))
    if isinstance(value, dict):
        return WatchedObject((to_bytes(key), watched(item)) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return WatchedArray(watched(item) for item in value)
    return value


def _place(source: str, position: int) -> tuple[int, int]:
    """Return line and column (in bytes) of a byte, as llama.cpp counts them."""
    before = source[:position]
    return before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1


def _offset(text: str, source: str, position: int) -> int:
    """Return the character of the text itself that a byte of the source belongs to."""
    offset = len(source[:position].encode("latin-1").decode("utf-8", "ignore"))
    for match in _LINE_END.finditer(text):
        if match.start() >= offset:
            break
        offset += 1
    return min(offset, len(text))
