"""What Ollama hands to a template on the messages path: messages and tools as Go values.

Source of the rules: Ollama, ``template/template.go`` (convertMessagesForTemplate, convertToolsForTemplate).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from modelsmith.template.go.values.to_json import Ordered
from modelsmith.template.go.values.types import (
    ARGUMENTS,
    CALL,
    CALL_FUNCTION,
    CALLS,
    FUNCTION,
    IMAGE,
    IMAGES,
    MESSAGE,
    MESSAGE_POINTER,
    MESSAGES,
    PARAMETERS,
    PROPERTIES,
    PROPERTIES_STRUCT,
    PROPERTY_MAP,
    PROPERTY_TYPE,
    TEMPLATE_PROPERTIES,
    TOOL,
    TOOL_PROPERTIES,
    TOOL_PROPERTY,
    TOOLS,
)
from modelsmith.template.go.values.values import ANYS, MAP, NIL, STRINGS, GoType, Map, Pointer, Slice, Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from modelsmith.template.conversation.message import Message, ToolCall

_FIRST_ADDRESS: Final = 0xC000100000  # a pointer prints as a number; which one, nobody can rely on


def _grown(kind: GoType, items: Iterable[Any] | None) -> Slice:
    """Return a slice that was built by appending: Go doubles its capacity when it is full."""
    items = None if items is None else list(items)
    length = len(items or ())
    return Slice(kind, items, capacity=1 << (length - 1).bit_length() if length else 0)


_NO_IMAGES: Final = _grown(IMAGES, None)
_NO_CALLS: Final = _grown(CALLS, None)


def json_value(value: Any) -> Any:
    """Return decoded JSON as Go decodes it into an interface: numbers are float64s."""
    if value is None:
        return NIL
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, list):
        return _grown(ANYS, map(json_value, value))
    return Map(MAP, {key: json_value(item) for key, item in value.items()})


def messages_value(messages: Sequence[Message]) -> Slice:
    """Return the messages as templates see them: a list of pointers to structs."""
    pointers = [
        Pointer(MESSAGE_POINTER, _message(message), _FIRST_ADDRESS + 0x90 * number)
        for number, message in enumerate(messages)
    ]
    return Slice(MESSAGES, pointers or None)


def _message(message: Message) -> Struct:
    images, calls = message.images, message.tool_calls
    return Struct(
        MESSAGE,
        {
            "Role": message.role,
            "Content": message.content,
            "Thinking": message.thinking,
            "Images": _NO_IMAGES if images is None else _grown(IMAGES, map(_image, images)),
            "ToolCalls": _grown(CALLS, map(_call, calls)) if calls else _NO_CALLS,
            "ToolName": message.tool_name,
            "ToolCallID": message.tool_call_id,
        },
    )


def _image(image: bytes | None) -> Slice:
    # the decoder of base64 has room for the padding too
    return Slice(IMAGE, image, capacity=-(-len(image or b"") // 3) * 3)


def _call(call: ToolCall) -> Struct:
    arguments = None if call.arguments is None else {key: json_value(item) for key, item in call.arguments.items()}
    function = {"Index": call.index, "Name": call.name, "Arguments": Map(ARGUMENTS, arguments)}
    return Struct(CALL, {"ID": call.id, "Function": Struct(CALL_FUNCTION, function)})


def tools_value(tools: Sequence[Mapping[str, Any]] | None) -> Slice:
    """Return the tools as templates see them."""
    return Slice(TOOLS, None if tools is None else [_tool(tool) for tool in tools])


def _tool(tool: Mapping[str, Any]) -> Struct:
    function = tool["function"]
    given = function["parameters"]
    required, properties = given.get("required"), given.get("properties")
    parameters = {
        "Type": given.get("type", ""),
        "Defs": json_value(given.get("$defs")),
        "Items": json_value(given.get("items")),
        "Required": _grown(STRINGS, required),
        "Properties": Map(
            TEMPLATE_PROPERTIES,
            None if properties is None else {name: _property(prop) for name, prop in properties.items()},
        ),
    }
    described = {
        "Name": function["name"],
        "Description": function["description"],
        "Parameters": Struct(PARAMETERS, parameters),
    }
    return Struct(
        TOOL, {"Type": tool["type"], "Items": json_value(tool.get("items")), "Function": Struct(FUNCTION, described)}
    )


def _property(prop: Mapping[str, Any]) -> Struct:
    types, nested = prop.get("type"), prop.get("properties")
    any_of, enum = prop.get("anyOf"), prop.get("enum")
    ordered = (
        None if nested is None else Ordered(PROPERTY_MAP, {name: _property(item) for name, item in nested.items()})
    )
    return Struct(
        TOOL_PROPERTY,
        {
            "AnyOf": _grown(PROPERTIES, None if any_of is None else map(_property, any_of)),
            "Type": _grown(PROPERTY_TYPE, [types] if isinstance(types, str) else types),
            "Items": json_value(prop.get("items")),
            "Description": prop.get("description", ""),
            "Enum": _grown(ANYS, None if enum is None else map(json_value, enum)),
            "Properties": Pointer(
                TOOL_PROPERTIES,
                None if ordered is None else Struct(PROPERTIES_STRUCT, {"om": ordered}),
                _FIRST_ADDRESS + 0x100000,
            ),
            "Required": _grown(STRINGS, prop.get("required")),
        },
    )
