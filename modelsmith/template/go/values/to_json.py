"""Values as JSON text, as Go's ``encoding/json`` writes them. Source of the rules: Go, ``encoding/json/encode.go``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from modelsmith.gojson import encode_float, encode_string
from modelsmith.syntax.gotemplate.literals import normal
from modelsmith.template.go.values.values import ANY, NIL, NO_VALUE, Interface, Map, Pointer, Slice, Struct, type_of

if TYPE_CHECKING:
    from modelsmith.template.go.values.values import GoType


_WHOLE: Final = 2.0**53


class Unsupported(ValueError):
    """A value that JSON cannot hold, like a function or a complex number."""


def marshal(value: Any) -> str:
    """Return the JSON of a value; raise Unsupported where Go has none."""
    kind = type(value)
    if kind is str:
        return encode_string(value if value.isascii() else normal(value))
    if kind is Struct or kind is Slice or kind is Map or kind is Pointer or kind is Ordered:
        return _composed(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is float:
        # what requests hold are small whole numbers, most of the time
        return str(int(value)) if 1 <= value <= _WHOLE and value.is_integer() else encode_float(value)
    if kind is Interface:
        return marshal(value.value)
    if value is NIL or value is NO_VALUE:
        return "null"
    if isinstance(value, int):
        return str(int(value))
    raise Unsupported(f"json: unsupported type: {type_of(value).name}")


def _composed(value: Any) -> str:
    kind: GoType = value.type
    if kind.in_json is not None:
        return marshal(kind.in_json(value))
    if isinstance(value, Struct):
        return _struct(value)
    if isinstance(value, Pointer):
        return "null" if value.target is None else marshal(value.target)
    if value.is_nil:
        return "null"
    if isinstance(value, Map):
        entries = [f"{encode_string(normal(key))}:{marshal(item)}" for key, item in value.items()]
        return f"{{{','.join(entries)}}}"
    if kind.element is not None and kind.element.kind == "uint8":
        import base64

        return f'"{base64.b64encode(bytes(value)).decode()}"'
    return f"[{','.join([marshal(item) for item in value])}]"


def _struct(value: Struct) -> str:
    fields, entries = value.fields, []
    for name, part in value.type.fields.items():
        item = fields[name]
        if not part.omitted or not _is_empty(item, part.type):
            entries.append(f"{encode_string(part.in_json)}:{marshal(item)}")
    return f"{{{','.join(entries)}}}"


def _is_empty(value: Any, kind: GoType) -> bool:
    if kind is ANY:
        return value is NIL
    if isinstance(value, Slice | Map):
        return not len(value)
    if isinstance(value, Pointer):
        return value.target is None
    return not isinstance(value, Struct) and not value


class Ordered(Map):
    """A map that keeps its order, as Ollama's ordered maps do in JSON."""

    __slots__ = ()

    def items(self) -> list[tuple[str, Any]]:
        """Return the entries in the order in which they came."""
        return list(self.entries.items())
