"""The JSON Schema of recipes, for editors: made from the models, with what they cannot say.

A key outside the head may hold ``${input}`` instead of its value, and a recipe that extends another one may leave out any key.
"""

from __future__ import annotations

from typing import Any

from modelsmith.parameters import PARAMETERS, ParameterKind
from modelsmith.recipe.format.schema import Document, Head
from modelsmith.recipe.steps import STEPS

_REFERENCE = {"type": "string", "pattern": r"\$\{", "description": "An input of the recipe, as `${name}`."}
_SCALAR = {"type": ["string", "number", "boolean"]}
_INCLUDE: dict[str, Any] = {
    "title": "include",
    "description": "The items of a list in a file of its own.",
    "type": "object",
    "properties": {
        "include": {
            "title": "include",
            "description": "A YAML file with a list: a path relative to this file, or an address as in `extends`.",
            "type": "string",
            "minLength": 1,
        }
    },
    "required": ["include"],
    "additionalProperties": False,
}
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def recipe_schema() -> dict[str, Any]:
    """Return the schema; every key has a title and a description."""
    schema = Document.model_json_schema()
    definitions = {_short(name): _open(body, name) for name, body in schema.pop("$defs").items()}
    head = set(Head.model_json_schema()["properties"])
    keys = schema.pop("properties")
    keys["parameters"] |= _parameters()
    definitions["ParametersAre"]["properties"]["parameters"] |= _parameters()
    definitions["Ask"]["properties"]["options"] |= _parameters()
    definitions["Profile"]["properties"]["parameters"] |= _parameters()
    profile = definitions["Profile"]["properties"]
    definitions["Profile"]["properties"] = {key: {"title": key, **body} for key, body in profile.items()}
    definitions["Include"] = _INCLUDE
    for key in ("template", "expect"):
        _let_include(keys[key])
        _let_include(definitions["Profile"]["properties"][key])
    properties = {key: body if key in head else _with_reference(body) for key, body in keys.items()}
    needed = schema.pop("required")
    schema = {
        "$schema": _DIALECT,
        "title": "modelsmith recipe",
        "description": schema["description"],
        "type": "object",
        "properties": {
            key: {"title": key, **_or_null(body, is_needed=key in needed)} for key, body in properties.items()
        },
        "additionalProperties": False,
        "anyOf": [{"required": needed}, {"required": ["extends"]}],
        "$defs": definitions,
    }
    return {key: _renamed(value) for key, value in schema.items()}


def _let_include(body: dict[str, Any]) -> None:
    """Let the items of the lists of a key be included from a file."""
    for branch in (body, *body.get("anyOf", ()), *body.get("oneOf", ())):
        if branch.get("type") == "array":
            branch["items"] = {"anyOf": [branch["items"], {"$ref": "#/$defs/Include"}]}
        elif branch is not body:
            _let_include(branch)


def _parameters() -> dict[str, Any]:
    """Return what the table of PARAMETERs says about the keys of a mapping of them."""
    words = {ParameterKind.INT: "integer", ParameterKind.FLOAT: "number", ParameterKind.BOOL: "boolean"}
    properties: dict[str, Any] = {}
    for name, row in PARAMETERS.items():
        if row.is_list:
            value: dict[str, Any] = {"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR}]}
        else:
            value = {"anyOf": [{"type": words[row.kind]}, _REFERENCE]}
        value["anyOf"].append({"type": "null"})
        default = "" if row.default is None else f" (default {row.default})"
        properties[name] = {"title": name, "description": f"{row.meaning}{default}", **value}
    return {"properties": properties, "additionalProperties": False}


def _short(name: str) -> str:
    """Return the name of a definition: the options of a step go by its key."""
    for kind, module in STEPS.items():
        if name == module.__name__.replace(".", "__") + "__Options":
            return kind
    return name


def _renamed(node: Any) -> Any:
    if isinstance(node, list):
        return [_renamed(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: _renamed(item) for key, item in node.items()}
    if isinstance(node.get("$ref"), str):
        node["$ref"] = "#/$defs/" + _short(node["$ref"].rpartition("/")[2])
    return node


def _open(body: dict[str, Any], name: str) -> dict[str, Any]:
    """Let the values of a definition be references, but for those of inputs, which are taken literally."""
    if name == "Input" or "properties" not in body:
        return body
    title = _short(name)
    properties = {key: _with_reference(value) for key, value in body["properties"].items()}
    return body | {"title": title, "properties": properties}


def _with_reference(body: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that also takes ``${input}`` wherever it takes a scalar that is not any text."""
    if "items" in body:
        return body | {"items": _with_reference(body["items"])}
    if "prefixItems" in body:
        return body | {"prefixItems": [_with_reference(item) for item in body["prefixItems"]]}
    if isinstance(body.get("additionalProperties"), dict):
        return body | {"additionalProperties": _with_reference(body["additionalProperties"])}
    for word in ("anyOf", "oneOf"):
        if word in body:
            return body | {word: [_with_reference(one) for one in body[word]]}
    is_text = body.get("type") == "string" or (isinstance(body.get("type"), list) and "string" in body["type"])
    is_free = is_text and not body.keys() & {"enum", "const", "pattern"}
    if is_free or "$ref" in body or body.get("type") in {"object", "array", "null"}:
        return body
    about = {word: body[word] for word in ("title", "description", "default") if word in body}
    narrow = {word: value for word, value in body.items() if word not in about}
    return about | {"anyOf": [narrow, _REFERENCE]}


def _or_null(body: dict[str, Any], *, is_needed: bool) -> dict[str, Any]:
    """Let a key that may be left out say nothing; null is how an extending recipe drops it."""
    if is_needed or {"type": "null"} in body.get("anyOf", ()):
        return body
    about = {word: body[word] for word in ("title", "description", "default") if word in body}
    return about | {"anyOf": [{word: value for word, value in body.items() if word not in about}, {"type": "null"}]}
