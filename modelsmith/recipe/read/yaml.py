"""Read YAML into nodes; every error with its place.

Nothing is constructed from tags, and nothing is resolved but the core schema of YAML 1.2 (section 10.3.2): ``yes`` and
``on`` are text, and there are no dates and no merge keys. Files come from anybody, so size, depth and the number of
values after expanding aliases are limited.
"""

from __future__ import annotations

import math
import re
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from modelsmith.patterns import regex
from modelsmith.recipe.read.advice.quoting import QUOTE_TEMPLATES
from modelsmith.recipe.read.nodes import ListNode, MapNode, Node, ScalarNode, Value
from modelsmith.recipe.read.report import Report
from modelsmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.recipe.read.nodes import RecipeSource

MAX_CHARACTERS: Final = 256 << 10
MAX_DEPTH: Final = 40
MAX_NODES: Final = 20_000

_INT = regex(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = regex(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NO_CHARACTER = re.compile(r"\\U(?!000[0-9a-fA-F]|0010)[0-9a-fA-F]{8}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LONGEST_INT = 19
_PLACEHOLDER = regex(r"\{\{ *(?:inputs\.|values\.)?([A-Za-z_][\w-]*) *\}\}", re.IGNORECASE)


def parse_yaml(source: RecipeSource) -> Node:
    """Return the one document of ``source``; raises RecipeError with every place that is wrong."""
    return _Reader(source).read()


class _Stop(Exception):
    """The rest cannot be read; the reason is in the report."""


class _Reader:
    """One pass over the events of a document."""

    def __init__(self, source: RecipeSource) -> None:
        self.source = source
        self.report = Report()
        self.anchors: dict[str, tuple[Node, int]] = {}
        self.nodes = 0
        self.braces = False
        self.events = self._events()

    def read(self) -> Node:
        """Return the root node."""
        root = None
        with suppress(_Stop):
            root = self._document()
        self.report.check()
        if root is None:
            raise AssertionError("reading stopped without a reason")
        return root

    def _document(self) -> Node:
        if len(self.source.text) > MAX_CHARACTERS:
            size = f"the file has {len(self.source.text):,} characters"
            self._stop("too-large", f"{size}, at most {MAX_CHARACTERS:,} are read")
        root = None
        for event in self.events:
            if isinstance(event, DocumentStartEvent) and root is not None:
                message = "a second document starts here; a recipe is one"
                self._stop("two-documents", message, self._span(event), "give each recipe a file of its own")
            if isinstance(event, NodeEvent):
                root = self._node(event, 1)
        if root is None:
            self._stop("empty", "the file is empty", hint="`modelsmith recipes new FILE` writes a recipe to start from")
        return root

    def _events(self) -> Iterator[Any]:
        try:
            yield from YAML(typ="safe", pure=True).parse(self.source.text)
        except MarkedYAMLError as error:
            from modelsmith.recipe.read.advice.scanner import told
            from modelsmith.recipe.read.indentation import misplaced

            mark = error.problem_mark or error.context_mark
            problem = ", ".join(part for part in (error.context, error.problem) if part)
            if self.braces:
                raise _Stop from error  # text with {{ }}, which is reported: what follows is no YAML for that reason
            found = (misplaced(self.source.text, mark.index, problem) if mark else None) or told(
                self.source.text, error
            )
            if found is not None:
                self._stop("yaml", found.message, self._here(found.offset), found.hint)
            self._stop("yaml", f"not YAML: {problem}", self._here(mark.index if mark else 0), QUOTE_TEMPLATES)
        except ReaderError as error:
            code = error.character if isinstance(error.character, int) else ord(error.character)
            self._stop("yaml", f"not YAML: the character U+{code:04X} is not allowed", self._here(error.position))
        except YAMLError as error:
            self._stop("yaml", f"not YAML: {error}")
        except (ValueError, OverflowError):
            # chr() of the reader: nothing tells the place
            escape = _NO_CHARACTER.search(self.source.text)
            self._stop("yaml", "not YAML: the escape names no character", self._here(escape.start() if escape else 0))

    def _node(self, event: Any, depth: int) -> Node:
        self._count(1, event)
        if depth > MAX_DEPTH:
            self._stop("too-deep", f"nested more than {MAX_DEPTH} levels deep", self._span(event))
        if isinstance(event, AliasEvent):
            return self._alias(event)
        before = self.nodes
        node: Node
        if isinstance(event, ScalarEvent):
            node = self._scalar(event)
        elif isinstance(event, SequenceStartEvent):
            node = self._list(event, depth)
        else:
            node = self._map(event, depth)
        if event.anchor:
            self.anchors[event.anchor] = (node, self.nodes - before)
        return node

    def _alias(self, event: Any) -> Node:
        if event.anchor not in self.anchors:
            message = f"*{event.anchor} refers to an anchor &{event.anchor}, and there is none before it"
            self._stop("unknown-alias", message, self._span(event), "quote text that starts with *")
        node, size = self.anchors[event.anchor]
        self._count(size, event)
        return node

    def _count(self, nodes: int, event: Any) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            self._stop("too-many-values", f"more than {MAX_NODES:,} values, aliases expanded", self._span(event))

    def _list(self, start: Any, depth: int) -> Node:
        self._refuse_tag(start)
        items = []
        while not isinstance(event := next(self.events), SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return ListNode(tuple(items), self._span(start, event), self.source)

    def _map(self, start: Any, depth: int) -> Node:
        self._refuse_tag(start)
        items: dict[str, Node] = {}
        keys: dict[str, ScalarNode] = {}
        while not isinstance(event := next(self.events), MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(next(self.events), depth + 1)
            if isinstance(value, ScalarNode) and value.span.start == value.span.end:
                value = replace(value, span=key.span)  # nothing stands nowhere: the next token is far away
            if not isinstance(key, ScalarNode):
                self._no_key(key)
            elif key.text in keys:
                line, _ = self.source.position(keys[key.text].span.start)
                self.report.add("duplicate-key", f'duplicate key "{key.text}"; it is already on line {line}', key)
            else:
                items[key.text], keys[key.text] = value, key
        return MapNode(items, keys, self._span(start, event), self.source)

    def _no_key(self, key: Node) -> None:
        """Report a key that is no text; where it comes of {{ }}, that is text which lacks its quotes."""
        text, start = self.source.text, key.span.start - 1
        if text[start : start + 2] != "{{":
            self.report.add("key-type", f"a key must be text, not {key.span.of(text):.60}", key, QUOTE_TEMPLATES)
            return
        self.braces = True
        name = _PLACEHOLDER.match(text, start)
        hint = f"an input is written ${{{name[1]}}}; {QUOTE_TEMPLATES}" if name else QUOTE_TEMPLATES
        message = "YAML takes {{ }} for a mapping in a mapping, not for text"
        self.report.add_at("key-type", message, self._here(start), self.source, hint)

    def _scalar(self, event: Any) -> ScalarNode:
        span = self._span(event)
        self._refuse_tag(event, "tag:yaml.org,2002:str", "!")
        if _SURROGATE.search(event.value):
            message = "half of a surrogate pair is no character"
            self.report.add_at(
                "surrogate", message, span, self.source, "write the character itself, or \\U and its number"
            )
        is_plain = event.implicit[0] and not event.tag and not event.style
        value = self._resolve(event.value, span) if is_plain else event.value
        return ScalarNode(value, event.value, span, self.source)

    def _resolve(self, text: str, span: Span) -> Value:
        if text in _NULL:
            return None
        if text in _BOOL:
            return _BOOL[text]
        number: int | float = math.inf
        if _INT.fullmatch(text):
            if len(text) <= _LONGEST_INT:
                number = int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
        elif _FLOAT.fullmatch(text):
            number = float(text)
        elif not _NO_NUMBER.fullmatch(text):
            return text
        if math.isfinite(number):
            return number
        message = f"{text:.40} is beyond the numbers that can be used"
        self.report.add_at("number", message, span, self.source, "quote it if it is meant as text")
        return 0

    def _refuse_tag(self, event: Any, *allowed: str) -> None:
        if event.tag and event.tag not in allowed:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            message = f"the tag {tag:.60} has no meaning in a recipe"
            hint = "remove it; quote text that starts with !"
            self.report.add_at("tag", message, self._span(event), self.source, hint)

    def _here(self, offset: int) -> Span:
        offset = max(0, min(offset, len(self.source.text)))
        return Span(offset, offset)

    def _span(self, start: Any, end: Any | None = None) -> Span:
        first = self._here(start.start_mark.index).start
        last = max(first, self._here((end or start).end_mark.index).end)
        return Span(first, first + len(self.source.text[first:last].rstrip()))

    def _stop(self, code: str, message: str, span: Span | None = None, hint: str = "") -> NoReturn:
        self.report.add_at(code, message, span or Span(0, 0), self.source, hint)
        raise _Stop
