"""What pydantic found, as sentences at places of the YAML."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from modelsmith.diagnostic import did_you_mean
from modelsmith.parameters import PARAMETERS
from modelsmith.patterns import regex
from modelsmith.recipe.format.schema import Document, Head
from modelsmith.recipe.parts.choice import kinds_by_option
from modelsmith.recipe.parts.fields import EXPECTED
from modelsmith.recipe.read.advice.forms import as_form, as_typed, foreign_blank, glued, placeholder
from modelsmith.recipe.read.nodes import ListNode, MapNode, Node, ScalarNode
from modelsmith.recipe.read.references import refers, written_as
from modelsmith.recipe.steps import STEPS
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pydantic_core import ErrorDetails

    from modelsmith.recipe.read.report import Report

STATIC = frozenset(Head.model_fields)
"""Keys that mean what they say: nothing in them is replaced."""

_PLAIN_KEY = regex(r"[A-Za-z0-9_-]+")
_NO_MERGE = "there are no merge keys; a recipe can extend another one"
_NO_EFFECT = "Ollama takes an empty text for none, and keeps what the base has; leave the key out"
_CODES = {
    "dict_type": "type",
    "literal_error": "choice",
    "missing": "missing-key",
    "model_attributes_type": "type",
    "model_type": "type",
    "not_a_mapping": "type",
    "parameter_value": "type",
    "scalar_value": "type",
    "string_pattern_mismatch": "form",
    "string_too_short": "empty-value",
    "string_type": "type",
    "too_short": "empty-value",
    "tuple_type": "type",
}
"""How diagnostics are called where pydantic has a name of its own."""

_NUMBERS = {
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a number",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
}
"""What is expected where a number, or true or false, is not one."""

_OWN_WORDS = {
    *("not_a_mapping", "no_kind", "two_kinds", "unknown_kind", "scalar_value", "parameter_value", "model_name"),
    *("quantization", "tensor_rule", "answer_pattern", "tools", "json_shape", "no_promise"),
    "think_value",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where an error is: the path for people, the node, its key, and what the path names but the file does not have."""

    path: str
    node: Node
    key: ScalarNode | None = None
    missing: str | int | None = None

    def __str__(self) -> str:
        return f"{self.path}: " if self.path else ""


def locate(root: Node, location: tuple[str | int, ...]) -> Place:
    """Follow a pydantic location; parts in <> and [] are marks of its own, not keys."""
    place, above = Place("", root), Place("", root)
    for part in location:
        node = place.node
        if isinstance(node, MapNode) and part in node.items:
            key = str(part)
            above, place = place, Place(place.path + _dotted(key, place.path), node.items[key], node.keys[key])
        elif isinstance(node, ListNode) and isinstance(part, int) and part < len(node.items):
            above, place = place, Place(f"{place.path}[{part}]", node.items[part])
        elif isinstance(node, ScalarNode) and part == 0:
            continue  # one value where a list could stand
        elif part == "[key]" and place.key is not None:
            return Place(above.path, place.key, place.key)
        elif not (isinstance(part, str) and part.startswith("<")):
            return Place(place.path, node, place.key, part)
    return place


def _dotted(key: str, before: str) -> str:
    return f"{'.' if before else ''}{key}" if _PLAIN_KEY.fullmatch(key) else f'["{key:.60}"]'


def explain(errors: list[ErrorDetails], root: Node, report: Report, *, complete: bool, filled: bool) -> None:
    """Report the errors of a validation.

    ``complete`` False: other files bring the missing keys. ``filled`` False: what refers to an input is judged when it is known.
    """
    meant = {}
    for error in errors:
        if error["type"] == "extra_forbidden":
            meant[error["loc"]] = _unknown_key(error["loc"], root, report)
    for error in errors:
        place = locate(root, error["loc"])
        if not filled and place.missing is None and refers(place.node) and error["loc"][0] not in STATIC:
            continue
        if error["type"] == "missing" and not complete and (len(error["loc"]) == 1):
            continue
        if error["type"] == "missing" and any(
            keys[:-1] == error["loc"][:-1] and one in {place.missing, "*"} for keys, one in meant.items()
        ):
            continue  # it is there, under another name
        if error["type"] == "too_short" and isinstance(place.node, ListNode) and place.node.items:
            continue  # pydantic counts only the items without errors, and those have their own
        if error["type"] != "extra_forbidden":
            message, hint = _sentence(error, place)
            code = _CODES.get(error["type"], error["type"].replace("_", "-"))
            report.add(code, f"{place}{message}", _at(error, place), hint)


def _at(error: ErrorDetails, place: Place) -> Node:
    key: object = error.get("ctx", {}).get("key")
    if isinstance(key, str) and isinstance(place.node, MapNode) and key in place.node.keys:
        return place.node.keys[key]
    return place.key if error["type"] == "missing" and place.key is not None else place.node


def _sentence(error: ErrorDetails, place: Place) -> tuple[str, str]:
    """Return the message without its place, and a way out."""
    from modelsmith.recipe.read.advice.other_words import meant_value
    from modelsmith.recipe.read.advice.shapes import as_list, as_mapping, as_text

    context: dict[str, Any] = error.get("ctx", {})
    where, node = error["loc"], place.node
    match error["type"]:
        case "missing" if isinstance(place.missing, int):
            return f"{place.missing + 1} items are needed", ""
        case "missing":
            both = place.missing in {"role", "content"}
            hint = "role and content stand in one item: - {role: user, content: Hi}" if both else ""
            return f'the key "{place.missing}" is missing', hint
        case "string_type":
            return f"expected text, found {found(node)}", as_text(where, node)
        case "tuple_type" if place.path == "template":
            return f"expected text or a list of steps, found {found(node)}", as_list(where, node)
        case "tuple_type":
            return f"expected a list, found {found(node)}", as_list(where, node)
        case "dict_type" | "model_type" | "model_attributes_type":
            return f"expected a mapping, found {found(node)}", as_mapping(where, node)
        case "string_too_short":
            return "must not be empty", _NO_EFFECT if place.path in {"system", "template"} else ""
        case "too_short":
            return "must not be empty", ""
        case "too_long":
            return f"at most {context['max_length']} items, found {context['actual_length']}", ""
        case "literal_error":
            known = re.findall(r"'([^']*)'", context["expected"])
            expected = f"one of {', '.join(known)}" if len(known) > 1 else known[0] if known else "true"
            meant = meant_value(where, node)
            value = written_as(node.value) if isinstance(node, ScalarNode) else ""
            close = f'; did you mean "{meant}"?' if meant in known else did_you_mean(value, known)
            return f"expected {expected}, found {found(node)}{close}", "" if known else _leave_out(place, node)
        case "string_pattern_mismatch":
            expected = EXPECTED.get(context["pattern"], context["pattern"])
            return f"expected {expected}, found {found(node)}", as_form(context["pattern"], node)
        case "model_name" if hint := placeholder(node):
            return error["msg"], hint
        case "parameter_value" if where[-1:] == ("<<",):
            return error["msg"], _NO_MERGE
        case kind if kind in _OWN_WORDS:
            return _named(error["msg"], context), context.get("hint", "")
        case kind if kind in _NUMBERS:
            return f"expected {_NUMBERS[kind].format(**context)}, found {found(node)}", as_typed(kind, node)
    return error["msg"], ""


def _leave_out(place: Place, node: Node) -> str:
    return f"leave {place.path.rpartition('.')[2]} out" if isinstance(node, ScalarNode) and node.value is False else ""


def _named(message: str, context: dict[str, Any]) -> str:
    return message if "key" not in context or context["key"] in message else f'"{context["key"]:.60}": {message}'


def found(node: Node) -> str:
    """Say what stands at a node."""
    match node:
        case MapNode():
            return "a mapping"
        case ListNode():
            return "a list"
        case ScalarNode(value=None):
            return "nothing"
    value = written_as(node.value) if "${" in node.text else node.text
    if isinstance(node.value, str):
        shown = value[:80].replace("\n", "\\n")
        return f'"{shown}"'
    return value if isinstance(node.value, bool) else f"the number {value:.60}"


def _unknown_key(location: tuple[str | int, ...], root: Node, report: Report) -> str:
    """Report a key that is not known; returns the one that is meant ("": none is known, "*": all that the item needs)."""
    from modelsmith.recipe.read.advice.other_words import meant_key

    key, above = str(location[-1]), location[:-1]
    place = locate(root, (*location, "[key]"))
    kind = str(above[-1])[1:-1] if above and isinstance(above[-1], str) and above[-1][:1] == "<" else ""
    if kind in STEPS and key in kinds_by_option({kind: STEPS[kind].Options}):
        message = f'"{key}" stands beside {kind}, and is one of its options'
        report.add("unknown-key", f"{place}{message}", place.node, f"indent it further than {kind}")
        return ""
    known = sorted(set(_known_keys(above)))
    message = f'{place}unknown key "{key:.60}"'
    if hint := _belongs_elsewhere(key, above, root):
        report.add("unknown-key", message, place.node, hint)
        return "*" if above[:1] == ("messages",) else ""
    meant, hint = meant_key(above, key)
    meant = meant if meant in known else ""
    close = f'; did you mean "{meant}"?' if meant else "" if hint else did_you_mean(key, known)
    hint = hint or (f"known keys: {', '.join(known)}" if known else "")
    report.add("unknown-key", f"{message}{close}", place.node, hint)
    return meant or next((candidate for candidate in known if f'"{candidate}"' in close), "")


def _belongs_elsewhere(key: str, above: tuple[str | int, ...], root: Node) -> str:
    """Return where a key that is known elsewhere, or that is no key at all, belongs; "" where that is not known."""
    from modelsmith.recipe.read.advice.other_words import as_message, pattern_of

    top = pattern_of(above) == ""
    if hint := glued(key) or foreign_blank(key):
        return hint
    if _cut_by_comma(key, locate(root, above).node):
        return "a comma ends a value between { and }: quote text that has one"
    if top and key in PARAMETERS:
        return f"{key} is a PARAMETER: put it under parameters"
    if top and key in STEPS:
        return f"{key} is a step: make it an item of the list under template"
    if top and len(above) == 2 and key in _inputs(root):
        return f"{key} is an input: put it under set, as in set: {{{key}: …}}"
    if above[-1:] == ("gguf",) and "." in key:
        return f"put it under set, as in set: {{{key:.60}: …}}"
    if above[:1] == ("messages",) and (message := as_message(locate(root, above).node)):
        return f"write {message}"
    return _NO_MERGE if key == "<<" else ""


def _cut_by_comma(key: str, node: Node) -> bool:
    """Say whether a key is the rest of a text that a comma cut: it has no value, and stands between braces behind a value."""
    if not isinstance(node, MapNode) or not node.span.of(node.source.text).startswith("{"):
        return False
    value = node.items.get(key)
    return isinstance(value, ScalarNode) and value.span == node.keys[key].span and next(iter(node.items)) != key


def _inputs(root: Node) -> Collection[str]:
    declared = root.items.get("inputs") if isinstance(root, MapNode) else None
    return declared.items if isinstance(declared, MapNode) else ()


@cache
def _schema() -> dict[str, Any]:
    return Document.model_json_schema()


def _known_keys(location: tuple[str | int, ...]) -> Iterator[str]:
    """Yield the keys that the schema has at a location."""
    branches = list(_branches(_schema()))
    for part in location:
        if isinstance(part, str) and part.startswith("<"):  # the mark of a kind, which is often called by its key
            branches = [branch for branch in branches if part[1:-1] in branch.get("properties", ())] or branches
            continue
        branches = [inner for branch in branches for child in _children(branch, part) for inner in _branches(child)]
    for branch in branches:
        yield from branch.get("properties", ())


def _branches(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the alternatives of a schema, references followed."""
    if "$ref" in schema:
        yield from _branches(_schema()["$defs"][schema["$ref"].rpartition("/")[2]])
    else:
        yield schema
        for alternative in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
            yield from _branches(alternative)


def _children(schema: dict[str, Any], part: str | int) -> Iterator[dict[str, Any]]:
    if isinstance(part, int):
        yield from filter(None, [schema.get("items")])
    elif part in schema.get("properties", ()):
        yield schema["properties"][part]
    else:
        yield from schema.get("patternProperties", {}).values()
        yield from filter(lambda rest: isinstance(rest, dict), [schema.get("additionalProperties")])
