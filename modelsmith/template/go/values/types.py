"""The Go types of what Ollama hands to a template on the messages path: messages, tool calls and tools.

Source of the rules: Ollama, ``template/template.go`` (the types whose names begin with "template") and ``api/types.go``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from modelsmith.template.go.values.to_json import marshal
from modelsmith.template.go.values.values import (
    ANY,
    ANYS,
    BYTES,
    INT,
    NIL,
    STRING,
    STRINGS,
    UINT8,
    Field,
    Function,
    GoType,
    Map,
    Method,
    Pointer,
    Slice,
    Struct,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


_TYPESCRIPT: Final = {
    "string": "string",
    "number": "number",
    "integer": "number",
    "boolean": "boolean",
    "array": "any[]",
    "object": "Record<string, any>",
    "null": "null",
}


def typescript_type(prop: Struct) -> str:
    """Return a tool property's type in the words of TypeScript."""
    if len(prop.fields["AnyOf"]):
        return " | ".join(typescript_type(one) for one in prop.fields["AnyOf"])
    return " | ".join(_TYPESCRIPT.get(one, "any") for one in prop.fields["Type"]) or "any"


def _type_text(types: Slice) -> str:
    return types[0] if len(types) == 1 else f"[{' '.join(types)}]" if len(types) else ""


def _bytes(text: str) -> Slice:
    data = text.encode()
    return Slice(BYTES, data)


def _stringer(kind: GoType, when_nil: str = "null") -> None:
    """Give a type the String method that Ollama gives it: its JSON."""

    def string(value: Any) -> str:
        return when_nil if isinstance(value, Map) and value.is_nil else marshal(value)

    object.__setattr__(kind, "string", string)
    kind.methods["String"] = Method(string)


PROPERTY_TYPE: Final = GoType(
    "api.PropertyType",
    "slice",
    STRING,
    methods={"String": Method(_type_text), "MarshalJSON": Method(lambda types: _bytes(marshal(types)))},
    string=_type_text,
    in_json=lambda types: types[0] if len(types) == 1 else Slice(STRINGS, None if types.is_nil else list(types)),
)
TOOL_PROPERTY: Final = GoType("api.ToolProperty", "struct", methods={"ToTypeScriptType": Method(typescript_type)})
PROPERTY_MAP: Final = GoType("map[string]api.ToolProperty", "map", TOOL_PROPERTY)
_PROPERTY_ITERATOR: Final = GoType("iter.Seq2[string,github.com/ollama/ollama/api.ToolProperty]", "func", TOOL_PROPERTY)


def _entries(pointer: Pointer) -> Mapping[str, Any]:
    return pointer.target.fields["om"].entries if pointer.target else {}


def _ordered_json(pointer: Pointer) -> Slice:
    if pointer.target is None:
        raise ValueError("value method api.ToolPropertiesMap.MarshalJSON called using nil *ToolPropertiesMap pointer")
    return _bytes(marshal(pointer))


def _unmarshal(_pointer: Pointer, _data: Any) -> Any:
    raise ValueError("unexpected end of JSON input")


PROPERTIES_STRUCT: Final = GoType("api.ToolPropertiesMap", "struct", fields={"om": Field(PROPERTY_MAP, "")})
TOOL_PROPERTIES: Final = GoType(
    "*api.ToolPropertiesMap",
    "pointer",
    PROPERTIES_STRUCT,
    methods={
        "Len": Method(lambda pointer: len(_entries(pointer))),
        "All": Method(lambda pointer: Function(_PROPERTY_ITERATOR, lambda: iter(_entries(pointer).items()))),
        "ToMap": Method(lambda pointer: Map(PROPERTY_MAP, _entries(pointer) if pointer.target else None)),
        "MarshalJSON": Method(_ordered_json),
        "UnmarshalJSON": Method(_unmarshal, 1),
        "Get": Method(
            _unmarshal, 1, "invalid function signature for Get: second return value should be error; is bool"
        ),
        "Set": Method(_unmarshal, 2, "function Set has 0 return values; should be 1 or 2"),
    },
    in_json=lambda pointer: pointer.target.fields["om"] if pointer.target else NIL,
)
PROPERTIES: Final = GoType("[]api.ToolProperty", "slice", TOOL_PROPERTY)
TOOL_PROPERTY.fields.update(
    AnyOf=Field(PROPERTIES, "anyOf", omitted=True),
    Type=Field(PROPERTY_TYPE, "type", omitted=True),
    Items=Field(ANY, "items", omitted=True),
    Description=Field(STRING, "description", omitted=True),
    Enum=Field(ANYS, "enum", omitted=True),
    Properties=Field(TOOL_PROPERTIES, "properties", omitted=True),
    Required=Field(STRINGS, "required", omitted=True),
)
TEMPLATE_PROPERTIES: Final = GoType("template.templateProperties", "map", TOOL_PROPERTY)
PARAMETERS: Final = GoType(
    "template.templateToolFunctionParameters",
    "struct",
    fields={
        "Type": Field(STRING, "type"),
        "Defs": Field(ANY, "$defs", omitted=True),
        "Items": Field(ANY, "items", omitted=True),
        "Required": Field(STRINGS, "required", omitted=True),
        "Properties": Field(TEMPLATE_PROPERTIES, "properties"),
    },
)
FUNCTION: Final = GoType(
    "template.templateToolFunction",
    "struct",
    fields={
        "Name": Field(STRING, "name"),
        "Description": Field(STRING, "description"),
        "Parameters": Field(PARAMETERS, "parameters"),
    },
)
TOOL: Final = GoType(
    "template.templateTool",
    "struct",
    fields={
        "Type": Field(STRING, "type"),
        "Items": Field(ANY, "items", omitted=True),
        "Function": Field(FUNCTION, "function"),
    },
)
TOOLS: Final = GoType("template.templateTools", "slice", TOOL)
ARGUMENTS: Final = GoType("template.templateArgs", "map", ANY)
for _kind in (TOOL, TOOLS):
    _stringer(_kind)
for _kind in (ARGUMENTS, TEMPLATE_PROPERTIES):
    _stringer(_kind, when_nil="{}")

CALL_FUNCTION: Final = GoType(
    "template.templateToolCallFunction",
    "struct",
    fields={"Index": Field(INT, "Index"), "Name": Field(STRING, "Name"), "Arguments": Field(ARGUMENTS, "Arguments")},
)
CALL: Final = GoType(
    "template.templateToolCall",
    "struct",
    fields={"ID": Field(STRING, "ID"), "Function": Field(CALL_FUNCTION, "Function")},
)
CALLS: Final = GoType("[]template.templateToolCall", "slice", CALL)
IMAGE: Final = GoType("api.ImageData", "slice", UINT8)
IMAGES: Final = GoType("[]api.ImageData", "slice", IMAGE)
MESSAGE: Final = GoType(
    "template.templateMessage",
    "struct",
    fields={
        "Role": Field(STRING, "Role"),
        "Content": Field(STRING, "Content"),
        "Thinking": Field(STRING, "Thinking"),
        "Images": Field(IMAGES, "Images"),
        "ToolCalls": Field(CALLS, "ToolCalls"),
        "ToolName": Field(STRING, "ToolName"),
        "ToolCallID": Field(STRING, "ToolCallID"),
    },
)
MESSAGE_POINTER: Final = GoType("*template.templateMessage", "pointer", MESSAGE)
MESSAGES: Final = GoType("[]*template.templateMessage", "slice", MESSAGE_POINTER)
