"""What pydantic found, as sentences at places of the YAML."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from modelsmith.diagnostic import did_you_mean
from modelsmith.parameters import PARAMETERS
from modelsmith.patterns import regex
from modelsmith.recipe.format.schema import Document, Head
from modelsmith.recipe.parts.fields import EXPECTED
from modelsmith.recipe.read.nodes import ListNode, MapNode, Node, ScalarNode
from modelsmith.recipe.read.references import refers, written_as
from modelsmith.recipe.steps import STEPS
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic_core import ErrorDetails

    from modelsmith.recipe.read.report import Report

STATIC = frozenset(Head.model_fields)
"""Keys that mean what they say: nothing in them is replaced."""

_OTHER_WORDS = {
    "adapter": "adapters",
    "assert": "expect",
    "base": "from",
    "edit": "template",
    "edits": "template",
    "instructions": "system",
    "lora": "adapters",
    "loras": "adapters",
    "model": "from",
    "options": "parameters",
    "output": "create",
    "params": "parameters",
    "parent": "extends",
    "promises": "expect",
    "prompt": "system",
    "quant": "quantize",
    "quantization": "quantize",
    "set": "parameters",
    "steps": "template",
    "target": "create",
    "test": "expect",
    "tests": "expect",
    "to": "create",
    "variables": "inputs",
    "vars": "inputs",
    "version": "requires",
}
"""What people call a key of a recipe who have not read its reference, and what it is called."""

_PLAIN_KEY = regex(r"[A-Za-z0-9_-]+")
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
    for error in errors:
        place = locate(root, error["loc"])
        if not filled and place.missing is None and refers(place.node) and error["loc"][0] not in STATIC:
            continue
        if error["type"] == "missing" and not complete and (len(error["loc"]) == 1):
            continue
        if error["type"] == "too_short" and isinstance(place.node, ListNode) and place.node.items:
            continue  # pydantic counts only the items without errors, and those have their own
        if error["type"] == "extra_forbidden":
            _unknown_key(error["loc"], root, report)
        else:
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
    context: dict[str, Any] = error.get("ctx", {})
    match error["type"]:
        case "missing" if isinstance(place.missing, int):
            return f"{place.missing + 1} items are needed", ""
        case "missing":
            return f'the key "{place.missing}" is missing', ""
        case "string_type":
            return f"expected text, found {found(place.node)}", _quoted(place.node)
        case "tuple_type" if place.path == "template":
            return f"expected text or a list of steps, found {found(place.node)}", ""
        case "tuple_type":
            return f"expected a list, found {found(place.node)}", ""
        case "dict_type" | "model_type" | "model_attributes_type":
            return f"expected a mapping, found {found(place.node)}", ""
        case "string_too_short":
            return "must not be empty", _NO_EFFECT if place.path in {"system", "template"} else ""
        case "too_short":
            return "must not be empty", ""
        case "too_long":
            return f"at most {context['max_length']} items, found {context['actual_length']}", ""
        case "literal_error":
            known = re.findall(r"'([^']*)'", context["expected"])
            expected = f"one of {', '.join(known)}" if len(known) > 1 else known[0] if known else "true"
            value = written_as(place.node.value) if isinstance(place.node, ScalarNode) else ""
            return f"expected {expected}, found {found(place.node)}{did_you_mean(value, known)}", ""
        case "string_pattern_mismatch":
            expected = EXPECTED.get(context["pattern"], context["pattern"])
            return f"expected {expected}, found {found(place.node)}", ""
        case kind if kind in _OWN_WORDS:
            return _named(error["msg"], context), context.get("hint", "")
    return error["msg"], ""


def _named(message: str, context: dict[str, Any]) -> str:
    return message if "key" not in context or context["key"] in message else f'"{context["key"]:.60}": {message}'


def _quoted(node: Node) -> str:
    if isinstance(node, ScalarNode) and "${" in node.text:
        return f"{node.text:.60} takes the type of its input: declare that as text"
    if isinstance(node, ScalarNode) and node.value is not None:
        return f'quote it: "{node.text:.60}"'
    return (
        "quote text that starts with { or [, or write it as a block after |-"
        if not isinstance(node, ScalarNode)
        else ""
    )


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
        return f'"{value:.80}"'
    return value if isinstance(node.value, bool) else f"the number {value:.60}"


def _unknown_key(location: tuple[str | int, ...], root: Node, report: Report) -> None:
    key = str(location[-1])
    known = sorted(set(_known_keys(location[:-1])))
    hint = f"known keys: {', '.join(known)}" if known else ""
    if len(location) == 1 and key in PARAMETERS:
        hint = f"{key} is a PARAMETER: put it under parameters"
    elif key == "<<":
        hint = "there are no merge keys; a recipe can extend another one"
    elif len(location) == 1 and key in STEPS:
        hint = f"{key} is a step: make it an item of the list under template"
    elif len(location) == 1 and key.casefold() in {"think", "thinking", "reasoning"}:
        hint = (
            "whether a model reasons is in its template: extends: force-think, no-think or declare-thinking changes it"
        )
    place = locate(root, (*location, "[key]"))
    other = _OTHER_WORDS.get(key.casefold(), "") if len(location) == 1 else ""
    meant = f'; did you mean "{other}"?' if other else did_you_mean(key, known)
    report.add("unknown-key", f'{place}unknown key "{key:.60}"{meant}', place.node, hint)


@cache
def _schema() -> dict[str, Any]:
    return Document.model_json_schema()


def _known_keys(location: tuple[str | int, ...]) -> Iterator[str]:
    """Yield the keys that the schema has at a location."""
    branches = list(_branches(_schema()))
    for part in location:
        if isinstance(part, str) and part.startswith("<"):  # the mark of a kind, which is often called by its key
            branches = [each for each in branches if part[1:-1] in each.get("properties", ())] or branches
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
