"""Which tools llama-server refuses: it makes a grammar of their schemas, and does not know every type.

Source: llama.cpp, common/json-schema-to-grammar.cpp (``visit``, ``resolve_refs``, ``resolves_to_string``).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from modelsmith.errors import TemplateRenderError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_KNOWN = frozenset(
    {
        *("boolean", "number", "integer", "string", "null", "object", "array"),
        *("decimal-part", "integral-part", "value", "uuid", "char"),
    }
)
_FORMATS = frozenset({"date", "time", "date-time", "uri", "email", "hostname", "ipv4", "ipv6"})
_DEEPEST = 60
_LONGEST = 200


def check_tools(tools: Sequence[Mapping[str, Any]], *, whole: bool) -> None:
    """Raise TemplateRenderError for tools that llama-server refuses.

    ``whole``: the format's grammar holds the arguments of a call as one object; else it holds each argument that is no text.
    """
    for tool in tools:
        function = tool["function"]
        schema = function.get("parameters") or {}
        problem = next(_problems(schema, whole=whole), None)
        if problem is not None:
            raise TemplateRenderError(
                f'llama-server refuses the tool "{function.get("name", "")}": {problem}',
                hint='give its parameters types that JSON Schema knows, such as {"type": "object", "properties": {}}',
            )


def _problems(schema: Mapping[str, Any], *, whole: bool) -> Iterator[str]:
    yield from _bad_references(schema, schema, 0)
    properties = schema.get("properties")
    arguments = (
        [argument for argument in properties.values() if not is_text(argument)] if isinstance(properties, dict) else []
    )
    for part in [schema] if whole else arguments:
        yield from _unknown(part, schema, 0)


def is_text(schema: Any, depth: int = 0) -> bool:
    """Say whether an argument of this schema may be a text, and is written without quotes."""
    if not isinstance(schema, dict) or depth > _DEEPEST or "$ref" in schema:
        return False
    kind = schema.get("type")
    if "string" in (kind if isinstance(kind, list) else [kind]):
        return True
    if any(is_text(choice, depth + 1) for key in ("oneOf", "anyOf") for choice in _list(schema.get(key))):
        return True
    if "allOf" in schema and all(is_text(part, depth + 1) for part in _list(schema["allOf"])):
        return True
    if any(isinstance(constant, str) for constant in (schema.get("const"), *_list(schema.get("enum")))):
        return True
    form = schema.get("format")
    is_form = isinstance(form, str) and (form in _FORMATS or form.startswith("uuid"))
    return is_form or any(key in schema for key in ("pattern", "minLength", "maxLength"))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _bad_references(value: Any, root: Mapping[str, Any], depth: int) -> Iterator[str]:
    if depth > _DEEPEST or not isinstance(value, (dict, list)):
        return
    reference = value.get("$ref") if isinstance(value, dict) else None
    if isinstance(reference, str):
        if not reference.startswith(("#/", "https://")):
            yield f"Unsupported ref: {reference}"
        elif reference.startswith("#/") and _target(root, reference) is None:
            yield f"Error resolving ref {reference}"
        return
    for item in value.values() if isinstance(value, dict) else value:
        yield from _bad_references(item, root, depth + 1)


def _target(root: Mapping[str, Any], reference: str) -> Any:
    """Return the part of a schema that a reference means; None where there is none."""
    found: Any = root
    for key in reference.split("/")[1:]:
        if isinstance(found, dict) and key in found:
            found = found[key]
        elif isinstance(found, list) and key.isdecimal() and int(key) < len(found):
            found = found[int(key)]
        else:
            return None
    return found


def _unknown(schema: Any, root: Mapping[str, Any], depth: int) -> Iterator[str]:
    """Yield what is wrong with the parts of a schema whose type the grammar does not know."""
    if depth > _DEEPEST:
        return
    parts = _parts(schema, root) if isinstance(schema, dict) else None
    if parts is not None:
        for part in parts:
            yield from _unknown(part, root, depth + 1)
        return
    kind = schema.get("type") if isinstance(schema, dict) else None
    is_free = schema is None or (isinstance(schema, (dict, list)) and not schema)
    if (
        not is_free
        and not (isinstance(schema, dict) and kind is None)
        and not (isinstance(kind, str) and kind in _KNOWN)
    ):
        yield f"Unrecognized schema: {json.dumps(schema, ensure_ascii=False)[:_LONGEST]}"


def _parts(schema: dict[str, Any], root: Mapping[str, Any]) -> list[Any] | None:
    """Return the schemas that one consists of; None where it is one of the simple ones."""
    kind = schema.get("type")
    if "$ref" in schema:
        target = _target(root, schema["$ref"]) if isinstance(schema["$ref"], str) else None
        return [] if target is None else [target]
    for key in ("oneOf", "anyOf"):
        if key in schema:
            return _list(schema[key])
    if isinstance(kind, list):
        return [{**schema, "type": name} for name in kind]
    if "const" in schema or "enum" in schema:
        return []
    more = schema.get("additionalProperties")
    if kind in {None, "object"} and ("properties" in schema or ("additionalProperties" in schema and more is not True)):
        return [*_values(schema.get("properties")), *([more] if isinstance(more, dict) else [])]
    if kind in {None, "object", "string"} and "allOf" in schema:
        chosen = [choice for part in _list(schema["allOf"]) for choice in _list(part.get("anyOf")) or [part]]
        return [value for part in chosen if "$ref" not in part for value in _values(part.get("properties"))]
    if kind in {None, "array"} and ("items" in schema or "prefixItems" in schema):
        items = schema["items"] if "items" in schema else schema["prefixItems"]
        return items if isinstance(items, list) else [items]
    return None


def _values(properties: Any) -> list[Any]:
    return list(properties.values()) if isinstance(properties, dict) else []
