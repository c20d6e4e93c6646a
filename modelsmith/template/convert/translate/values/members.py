"""What messages, calls and tools have, as templates get them: which Go field each member is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelsmith.template.convert.translate.code.go_code import field as go_field
from modelsmith.template.convert.translate.code.go_code import (
    operand,
)
from modelsmith.template.convert.translate.values.values import MISSING, TEXTS, Go, Known, Pick, Thing, Value, pick

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a thing: its kind, its Go field, and the field that is empty where the member is missing."""

    kind: str
    name: str = ""
    present: str = ""
    constant: Any = None


MEMBERS: Mapping[str, Mapping[str, Member]] = {
    "message": {
        "role": Member("role", "Role"),
        "content": Member("text", "Content"),
        "reasoning_content": Member("text", "Thinking", "Thinking"),
        "name": Member("text", "ToolName", "ToolName"),
        "tool_call_id": Member("text", "ToolCallID", "ToolCallID"),
        "tool_calls": Member("calls", "ToolCalls", "ToolCalls"),
    },
    "call": {
        "type": Member("constant", constant="function"),
        "function": Member("called"),
        "id": Member("text", "ID", "ID"),
    },
    "called": {"name": Member("text", "Function.Name"), "arguments": Member("arguments", "Function.Arguments")},
    "tool": {"type": Member("constant", constant="function"), "function": Member("function")},
    "function": {
        "name": Member("text", "Function.Name"),
        "description": Member("text", "Function.Description"),
        "parameters": Member("parameters", "Function.Parameters"),
    },
    "parameters": {
        "type": Member("type", "Type"),
        "$defs": Member("json", "Defs", "Defs"),
        "items": Member("json", "Items", "Items"),
        "required": Member("texts", "Required", "Required"),
        "properties": Member("properties", "Properties"),
    },
    "property": {
        "anyOf": Member("properties list", "AnyOf", "AnyOf"),
        "type": Member("kind", "Type", "Type"),
        "items": Member("json", "Items", "Items"),
        "description": Member("text", "Description", "Description"),
        "enum": Member("values", "Enum", "Enum"),
        "properties": Member("inner properties", "Properties.All", "Properties"),
        "required": Member("texts", "Required", "Required"),
    },
}


def member_of(thing: Thing, name: str) -> Value:
    """Return a member of a thing."""
    member = MEMBERS[thing.kind].get(name)
    if member is None:
        return MISSING
    found = _member(thing, member)
    return pick(go_field(thing.expression, member.present), found, MISSING) if member.present else found


def _member(thing: Thing, member: Member) -> Value:
    if member.kind == "constant":
        return Known(member.constant)
    expression = go_field(thing.expression, member.name) if member.name else thing.expression
    if member.kind == "kind":
        one = Go(f"index {operand(expression)} 0", "type")
        return Pick(f"eq (len {operand(expression)}) 1", one, Thing("kinds", expression))
    if member.kind in TEXTS or member.kind == "json":
        return Go(expression, member.kind)
    return Thing(member.kind, expression)
