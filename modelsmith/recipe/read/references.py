"""``${name}``: where a recipe refers to its inputs.

A scalar that is exactly one reference takes the input's value and type; inside other text the value is written out.
``${name.stem}`` is the value made fit for the name of a model; ``$${`` is a literal ``${``. Nothing else means anything:
no shell, no environment, and Go's ``{{ }}`` is plain text.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from modelsmith.diagnostic import did_you_mean
from modelsmith.errors import UsageError
from modelsmith.patterns import regex
from modelsmith.recipe.read.nodes import ListNode, MapNode, Node, ScalarNode, Value, scalars
from modelsmith.records import dataclass
from modelsmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from modelsmith.recipe.read.report import Report

_REFERENCE = regex(r"(?P<escape>\$\$\{)|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_-]*)(?:\.(?P<filter>[A-Za-z_-]*))?\}|\$\{")
_FORMS = "write ${name} for an input, $${ for a literal ${"
_OTHER = regex(
    r"\$\{(?:\{? *env[:.] *(?P<variable>[A-Za-z_]\w*)|(?P<name>[A-Za-z_]\w*):?[-?=](?P<default>[^}]*)\}"
    r"|(?:(?:inputs?|vars?|values|matrix|params|args|parameters)\.|\{ *\.?(?:[A-Za-z]+\.)?| +)(?P<inner>[A-Za-z_][\w-]*) *\})"
)
"""References of shells, docker compose, GitHub Actions, terraform and helm."""
NO_ORIGINS: Mapping[str, ScalarNode] = MappingProxyType({})
_UNSAFE = regex(r"[^A-Za-z0-9_.]+")
_LONGEST_STEM = 60
"""Leaves 20 of the 80 characters of a model's name for what a recipe adds."""


class MissingValue(LookupError):
    """Text needs the value of an input that has none."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


MOST_FILLED = 4 << 20
"""Characters that the inputs of a recipe may put into its texts, all together: a few lines can ask for terabytes."""


class TooMuchText(UsageError):
    """Inputs put more into the texts of a recipe than ``MOST_FILLED``."""

    def __init__(self, name: str) -> None:
        message = f"the recipe has more than {MOST_FILLED >> 20} MB of text when its inputs are filled in"
        super().__init__(message, hint=f"${{{name}}} is too long, or is there too often")


class Room:
    """How much the inputs may still put into texts."""

    def __init__(self) -> None:
        self._left = MOST_FILLED

    def take(self, name: str, written: str) -> str:
        """Return what an input puts into a text; raises TooMuchText."""
        self._left -= len(written)
        if self._left < 0:
            raise TooMuchText(name)
        return written


@dataclass(frozen=True, slots=True)
class Reference:
    """One ``${name.filter}``; ``name`` is "" where it is malformed. ``start`` is its place in the text."""

    name: str
    filter: str
    text: str
    start: int


def references(text: str) -> Iterator[Reference]:
    """Yield the references in a text, in order."""
    for match in _REFERENCE.finditer(text):
        if not match["escape"]:
            yield Reference(match["name"] or "", match["filter"] or "", match[0], match.start())


def first_reference(text: str) -> str:
    """Return the input that a text starts with, "" when it starts otherwise."""
    found = next(references(text), None)
    return found.name if found and found.start == 0 else ""


def refers(node: Node) -> bool:
    """Say whether a node is a scalar that holds a reference."""
    return isinstance(node, ScalarNode) and isinstance(node.value, str) and any(references(node.value))


def check_references(root: Node, inputs: Collection[str], report: Report) -> None:
    """Report every reference that is malformed or not to a declared input."""
    for node in scalars(root):
        if not isinstance(node.value, str):
            continue
        for reference in references(node.value):
            span = _place(node, node.value, reference)
            other = _other_language(node.value[reference.start :], inputs)
            if not reference.name:
                message = "${ starts no reference to an input"
                report.add_at("reference", message, span, node.source, other or _FORMS)
            elif reference.name not in inputs:
                close = "" if other else did_you_mean(reference.name, inputs)
                hint = other or "declare it under inputs, or write $${ for a literal ${"
                if not other and reference.name.isupper():
                    hint += f"; a variable is read where an input says env: {reference.name}"
                message = f'undeclared input "{reference.name}"{close}'
                report.add_at("undeclared-input", message, span, node.source, hint)
            elif reference.text.endswith(".}") or reference.filter not in {"", "stem"}:
                message = (
                    f'"{reference.text}": the only form besides ${{{reference.name}}} is ${{{reference.name}.stem}}'
                )
                report.add_at("reference", message, span, node.source)


def _other_language(text: str, inputs: Collection[str]) -> str:
    """Return how a reference of another language, with which ``text`` begins, is written here; "" where it is none."""
    match = _OTHER.match(text)
    if match is None:
        return ""
    if match["variable"]:
        name = match["variable"]
        return f"an input reads a variable: inputs: {{{name.lower()}: {{env: {name}}}}}, then ${{{name.lower()}}}"
    if match["default"] is not None:
        return f"a default stands with its input: inputs: {{{match['name']}: {{default: {match['default']:.60}}}}}"
    name = match["inner"]
    return f"write ${{{name}}}" + ("" if name in inputs else ", and declare it under inputs")


def _place(node: ScalarNode, value: str, reference: Reference) -> Span:
    """Find a reference inside its scalar as it is written: folding and escapes of YAML leave every ``${`` in its order."""
    written = node.span.of(node.source.text)
    places = [match.start() for match in re.finditer(r"\$\{", written)]
    index = value.count("${", 0, reference.start)
    if len(places) != value.count("${"):
        return node.span
    start = node.span.start + places[index]
    return Span(start, min(start + len(reference.text), node.span.end))


def expand(text: str, value_of: Callable[[str], Value], room: Room | None = None) -> Value:
    """Return ``text`` with its references replaced; a text that is one reference becomes the value as it is.

    Raises MissingValue where text needs the value of an input that has none, TooMuchText where there is no ``room`` for it.
    """
    room = room or Room()
    match = _REFERENCE.fullmatch(text)
    if match and match["name"] and not match["filter"]:
        return value_of(match["name"])

    def replace(match: re.Match[str]) -> str:
        if match["escape"]:
            return "${"
        value = value_of(match["name"])
        if value is None:
            raise MissingValue(match["name"])
        written = written_as(value)
        return room.take(match["name"], stem(written) if match["filter"] else written)

    return _REFERENCE.sub(replace, text)


def written_as(value: Value) -> str:
    """Return a value as YAML writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def stem(text: str) -> str:
    """Return what names a model in a name or a path, fit to be the start of a model's name.

    The last part without ``:latest`` or the ending of a file, other tags after a dash: ``hf.co/org/r1:8b`` is ``r1-8b``,
    ``/models/R1 distill.gguf`` is ``R1-distill``, and a file called Modelfile is known by its folder.
    """
    parts = text.rstrip("/").split("/")
    last = parts[-1]
    if last.lower() == "modelfile" and parts[-2:-1] not in ([], [""], ["."], [".."], ["~"]):
        last = parts[-2]
    last = re.sub(r"(?i)^modelfile\.(?=.)|:latest$|\.(gguf|safetensors|modelfile)$", "", last)
    safe = _UNSAFE.sub("-", last).lstrip("-.")[:_LONGEST_STEM].rstrip("-.")
    return safe or "model"


def substitute(
    node: Node,
    value_of: Callable[[str], Value],
    report: Report,
    room: Room,
    origins: Mapping[str, ScalarNode] = NO_ORIGINS,
) -> Node | None:
    """Return the node with every reference replaced; None where an input without a value leaves nothing.

    Keys and items that are exactly one such input are left out. Raises RecipeError where there is no ``room`` for the text.
    ``origins`` are inputs whose value stands elsewhere in the file, as in a matrix: what is exactly one of them has its place.
    """
    match node:
        case ScalarNode(value=str(text)) if "${" in text:
            try:
                value = expand(text, value_of, room)
            except MissingValue as error:
                message = f'input "{error.name}" has no value, and this text needs one'
                report.add("no-value", message, node, f"give one with --set {error.name}=…")
                return node
            except TooMuchText as error:
                report.add("too-large", error.message, node, error.hint)
                raise report.error() from error
            place = origins.get(first_reference(text), node) if _REFERENCE.fullmatch(text) else node
            return None if value is None else ScalarNode(value, node.text, place.span, place.source)
        case ScalarNode():
            return node
        case ListNode():
            items = (substitute(item, value_of, report, room, origins) for item in node.items)
            return ListNode(tuple(item for item in items if item is not None), node.span, node.source)
        case MapNode():
            values = {key: substitute(item, value_of, report, room, origins) for key, item in node.items.items()}
            kept = {key: item for key, item in values.items() if item is not None}
            return MapNode(kept, node.keys, node.span, node.source)
