"""What the YAML scanner complains about, in words of people: what stands at the place, why it cannot, and how to write it.

The scanner tells where it gave up, which is often behind the mistake: behind a quote that closed too early, or a line after one
without a colon. The tokens in front of that place tell the rest.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.tokens import (
    FlowMappingEndToken,
    FlowMappingStartToken,
    FlowSequenceEndToken,
    FlowSequenceStartToken,
    KeyToken,
    ScalarToken,
)

from modelsmith.patterns import regex
from modelsmith.recipe.read.advice.quoting import QUOTE_TEMPLATES, quoted

if TYPE_CHECKING:
    from ruamel.yaml.error import MarkedYAMLError

_BLOCK = regex(r"(?:^|[:-]) *[|>][-+0-9]{0,2}(?: +#.*)?$")
_GLUED = regex(r"[A-Za-z_][\w.-]*:\S")
_CLOSES = {"{": "}", "[": "]"}
_DIRECTIVE = regex(r"^%", re.MULTILINE)
_BEFORE_VALUE = regex(r" *(?:- +)*(?:[\w.-]+: +)?")


class Told(NamedTuple):
    """Where the mistake is, what is wrong there, and the way out."""

    offset: int
    message: str
    hint: str


class _Scanned(NamedTuple):
    """What was read before a place: the last token, and how many brackets are open."""

    last: Any | None
    depth: int


def told(text: str, error: MarkedYAMLError) -> Told | None:
    """Return what a complaint of the scanner means; None where nothing better is known than its own words."""
    problem, context = error.problem or "", error.context or ""
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return None
    at = mark.index
    begun = error.context_mark.index if error.context_mark is not None else at
    if "cannot start any token" in problem:
        return _first_character(text, at)
    if "escape" in problem:
        return _escape(text, begun, at)
    if "unexpected end of stream" in problem:
        return Told(begun, "this quote is never closed", _closing(text[begun : begun + 1]))
    if "could not find expected ':'" in problem:
        return _no_key(text, begun)
    if "mapping values are not allowed" in problem:
        return _second_colon(text, at)
    if "sequence entries are not allowed" in problem:
        return Told(at, "a list cannot begin behind its key", "write the items below the key, one a line, or as [a, b]")
    if "block scalar" in context:
        return _beside_block(text, begun)
    if "anchor" in context or "alias" in context or "tag" in context or "tag handle" in problem:
        return _begins_with(text, begun)
    if "mapping keys are not allowed" in problem or "expected the node content" in problem:
        return _begins_with(text, at)
    if "parsing a flow" in context:
        return _in_brackets(text, begun, at, problem)
    if "expected <block end>" in problem:
        return _more_text(text, at)
    if directive := _DIRECTIVE.search(text):
        return _begins_with(text, directive.start())
    return None


def _first_character(text: str, at: int) -> Told:
    if text[at] == "\t":
        return Told(at, "a tab stands here, and YAML takes blanks only", "put blanks in place of tabs")
    line = _line(text, at)
    if line.startswith("```"):
        return Told(at, "``` is Markdown, not YAML", "leave out the lines with ```")
    if text[at - 1 : at + 1] == "{%":
        return Told(at - 1, "YAML takes the { of {% for the start of a mapping", QUOTE_TEMPLATES)
    return _begins_with(text, at)


def _begins_with(text: str, at: int) -> Told:
    if text.startswith("...", at):
        return Told(at, "... at the start of a line ends the document in YAML", "leave it out, or quote it")
    value = _value(text, at)
    message = f"text cannot begin with {text[at : at + 1]} in YAML" if value else "a value is missing here"
    return Told(at, message, f"quote it: {quoted(value)}" if value else "")


def _escape(text: str, begun: int, at: int) -> Told:
    place = text.rfind("\\", begun, at + 1)
    place = place if place >= 0 else at
    escape = text[place : place + 2].rstrip("\0\n") or "\\"
    value = _line(text, begun + 1)
    inner = value[: value.rfind('"')] if '"' in value else value
    way = f"; single quotes take it as it is: '{inner:.60}'" if inner and "'" not in inner else ""
    return Told(place, f"{escape} stands for nothing in double quotes", f"write \\\\ for a backslash{way}")


def _closing(quote: str) -> str:
    inside = "''" if quote == "'" else '\\"'
    return f"close it with {quote}; a {quote} inside of it is written {inside}"


def _no_key(text: str, at: int) -> Told:
    start = text.rfind("\n", 0, at) + 1
    line = _line(text, start)
    above = next((part for part in reversed(text[:start].split("\n")) if part.strip()), "")
    if _BLOCK.search(above.rstrip()):
        return Told(
            start,
            f'this line is no further in than "{above.strip():.60}", whose text it looks like',
            "indent every line of the text further than its key",
        )
    place = start + len(line) - len(line.lstrip())
    if line.lstrip().startswith(("//", "/*")):
        return Told(place, f"{line.lstrip()[:2]} begins no comment in YAML", "a comment begins with #")
    if _GLUED.match(line.strip()):
        key, _, value = line.strip().partition(":")
        return Told(place, "a blank is missing behind the colon", f"write {key:.40}: {value:.40}")
    return Told(
        place,
        f'"{line.strip():.60}" has no colon, so it is neither a key nor a value',
        "write KEY: VALUE; text of several lines stands below its key, indented, after |-",
    )


def _second_colon(text: str, at: int) -> Told:
    last = _before(text, at).last
    start = text.rfind("\n", 0, at) + 1
    if isinstance(last, ScalarToken) and last.start_mark.index < start:
        return _no_key(text, last.start_mark.index)
    if isinstance(last, ScalarToken) and last.style in {"'", '"'}:
        return _behind_quote(text, last)
    if text.startswith("---", start):
        return Told(start, "--- stands on a line of its own", "begin the next line behind it")
    if not isinstance(last, ScalarToken):
        return _begins_with(text, at)
    value = _value(text, last.start_mark.index)
    return Told(
        at,
        "a second colon in one line: YAML takes what is before it for a key",
        f"quote the text: {quoted(value)}" if value else "",
    )


def _beside_block(text: str, at: int) -> Told:
    value = _value(text, at)
    return Told(
        at,
        f"behind {text[at]} nothing else stands in its line: the text begins on the next one",
        f"write the text below, indented, or quote it: {quoted(value)}",
    )


def _in_brackets(text: str, begun: int, at: int, problem: str) -> Told:
    opening = text[begun : begun + 1]
    closing = _CLOSES.get(opening, "]")
    line = text.count("\n", 0, begun) + 1
    start = text.rfind("\n", 0, at) + 1
    further_left = begun < start and _indent(text, start) <= _indent(text, text.rfind("\n", 0, begun) + 1)
    if "stream end" in problem or (further_left and text[at : at + 1] not in "]}"):
        return Told(
            begun, f"this {opening} is never closed", f"close it with {closing}; text with brackets needs quotes"
        )
    if text[at : at + 1] in {"]", "}"}:
        return Told(
            at, f"{closing} is expected here: {opening} of line {line} is open", "text with brackets needs quotes"
        )
    if "//" in text[begun:at].replace("://", ""):
        comment = text.index("//", begun)
        return Told(comment, "// begins no comment in YAML", "a comment begins with #")
    return Told(
        at,
        f"a comma or {closing} is expected here",
        "put a comma between items; text with a colon or a comma needs quotes",
    )


def _more_text(text: str, at: int) -> Told | None:
    last = _before(text, at).last
    if text[at : at + 1] in {"]", "}"}:
        return Told(at, f"nothing is open that {text[at]} could close", f"quote text with {text[at]}, or leave it out")
    if last is None or last.end_mark.line != text.count("\n", 0, at):
        return None
    if isinstance(last, ScalarToken) and last.style in {"'", '"'}:
        return _behind_quote(text, last)
    if isinstance(last, FlowMappingEndToken | FlowSequenceEndToken):
        start = text.rfind("\n", 0, at) + 1
        value = text[_value_start(text, start) : at] + _line(text, at)
        if "{{" in value:
            return Told(at, "YAML takes {{ }} for a mapping, and more text follows", QUOTE_TEMPLATES)
        return Told(at, "more text follows behind the bracket", f"quote the whole: {quoted(value.strip())}")
    return _begins_with(text, last.start_mark.index)


def _behind_quote(text: str, token: Any) -> Told:
    """Explain text behind a quoted one: most often a quote inside of it closed it."""
    start, end = token.start_mark.index, token.end_mark.index
    quote = token.style
    if "\n" in text[start:end]:
        line = text.count("\n", 0, end) + 1
        return Told(start, f"this quote is not closed in its line, but on line {line}", _closing(quote))
    inside = "''" if quote == "'" else '\\"'
    whole = _line(text, start).rstrip()
    if _line(text, end).lstrip().startswith(","):
        return Told(end, "a comma separates texts only in brackets", f"write the list as [{whole:.80}]")
    hint = f"a {quote} inside of the quotes is written {inside}"
    if len(whole) > 1 and whole.endswith(quote) and "\\" not in whole:
        inner = whole[1:-1]
        written = (
            quoted(inner)
            if quote == "'" or "'" not in inner
            else f'"{inner}"'.replace(inner, inner.replace('"', '\\"'))
        )
        hint += f": {written:.80}"
    else:
        hint = f"quote the whole text; {hint}"
    return Told(end, f"text follows behind the closing {quote}", hint)


def _before(text: str, at: int) -> _Scanned:
    last, depth = None, 0
    try:
        for token in YAML(typ="safe", pure=True).scan(text):
            if token.end_mark.index > at:
                break
            if isinstance(token, FlowMappingStartToken | FlowSequenceStartToken):
                depth += 1
            elif isinstance(token, FlowMappingEndToken | FlowSequenceEndToken):
                depth -= 1
            if token.end_mark.index > token.start_mark.index and not isinstance(token, KeyToken):
                last = token
    except (YAMLError, ValueError, OverflowError):
        pass  # that is what is being explained
    return _Scanned(last, depth)


def _value(text: str, at: int) -> str:
    """Return the text of a value that begins at ``at``, as it was probably meant: to the end of its line, or of its item."""
    line = _line(text, at).partition(" #")[0].rstrip()
    if _before(text, at).depth > 0:
        line = re.split(r"[,\]}]", line, maxsplit=1)[0].rstrip()
    return line


def _value_start(text: str, start: int) -> int:
    """Return where the value of the line that starts at ``start`` begins: behind its dashes and its key."""
    line = _line(text, start)
    before = _BEFORE_VALUE.match(line)
    return start + (before.end() if before else 0)


def _line(text: str, at: int) -> str:
    return text[at:].split("\n", 1)[0].rstrip("\r")


def _indent(text: str, start: int) -> int:
    line = _line(text, start)
    return len(line) - len(line.lstrip(" "))
