"""Read the tools of a request, each with the fields that Ollama knows. Source of the shapes: Ollama, ``api/types.go``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelsmith.errors import ModelsmithError
from modelsmith.template.conversation.shapes import MAX_DEPTH, Given, any_value, as_list, as_text, refuse


def read_tools(value: object) -> list[dict[str, Any]] | None:
    """Read ``tools``, None if it is null or missing: each with the fields that Ollama knows, in its order."""
    tools = as_list(value, "tools")
    return None if tools is None else [_tool(Given.of(tool, f"tools[{index}]")) for index, tool in enumerate(tools)]


def _tool(given: Given) -> dict[str, Any]:
    function = given.object("function")
    parameters = function.object("parameters")
    described = {
        "type": parameters.text("type"),
        "$defs": any_value(parameters.get("$defs"), parameters.at("$defs")),
        "items": any_value(parameters.get("items"), parameters.at("items")),
        "required": parameters.texts("required"),
        "properties": _properties(parameters),
    }
    items = any_value(given.get("items"), given.at("items"))
    return {
        "type": given.text("type"),
        **({} if items is None else {"items": items}),
        "function": {
            "name": function.text("name"),
            "description": function.text("description"),
            "parameters": {key: item for key, item in described.items() if item is not None},
        },
    }


def _properties(given: Given, depth: int = 0) -> dict[str, Any] | None:
    value = given.get("properties")
    if value is None:
        return None
    path = given.at("properties")
    if not isinstance(value, Mapping):
        refuse(path, value, "an object")
    return {as_text(name, path): _property(Given.of(item, f"{path}.{name}"), depth + 1) for name, item in value.items()}


def _property(given: Given, depth: int) -> dict[str, Any]:
    if depth > MAX_DEPTH:
        raise ModelsmithError(f"{given.path} is nested more than {MAX_DEPTH} levels deep")
    any_of, enum = given.items("anyOf"), given.items("enum")
    fields = {
        "anyOf": any_of
        and [
            _property(Given.of(item, f"{given.at('anyOf')}[{index}]"), depth + 1) for index, item in enumerate(any_of)
        ],
        "type": _types(given),
        "items": any_value(given.get("items"), given.at("items")),
        "description": given.text("description") or None,
        "enum": enum and [any_value(item, f"{given.at('enum')}[{index}]") for index, item in enumerate(enum)],
        "properties": _properties(given, depth),
        "required": given.texts("required"),
    }
    return {key: item for key, item in fields.items() if item is not None}


def _types(given: Given) -> str | list[str] | None:
    """Read a property's type, one or several; Ollama reads null as one that is empty."""
    if "type" not in given.entries:
        return None
    value = given.get("type")
    return given.text("type") if value is None or isinstance(value, str) else given.texts("type")
