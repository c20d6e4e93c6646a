"""How each kind of value prints under each verb. Source of the rules: Go, ``fmt/print.go``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.template.go.functions.printf_flags import Flags
from modelsmith.template.go.state import too_long
from modelsmith.template.go.values.values import (
    BYTES,
    NIL,
    NO_VALUE,
    Byte,
    Function,
    Map,
    Pointer,
    Slice,
    Struct,
    type_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

_STRINGABLE = "vsxXq"


class Printer:
    """Collects text; ``limit`` bounds its length."""

    def __init__(self, limit: int) -> None:
        self.parts: list[str] = []
        self.flags = Flags()
        self._left = limit
        self._explaining = False

    def write(self, text: str) -> None:
        """Add text as it is."""
        self._left -= len(text)
        if self._left < 0:
            raise too_long()
        self.parts.append(text)

    def reset(self) -> Flags:
        """Forget the flags of the verb before."""
        self.flags = Flags()
        return self.flags

    def argument(self, value: Any, verb: str) -> None:
        """Print a value that was handed to print or printf."""
        if value is NIL or value is NO_VALUE:
            if verb in ("T", "v"):
                self.write(self.flags.pad("<nil>"))
            else:
                self._bad(verb, None)
        elif verb == "T":
            self.write(self.flags.pad(self.flags.cut(type_of(value).name)))
        elif verb == "p":
            self._pointer(value, verb)
        elif isinstance(value, Slice) and value.type is BYTES:
            self._bytes(value, verb, "[]byte")
        elif not self._method(value, verb):
            self._value(value, verb, 0)

    def _bad(self, verb: str, value: Any) -> None:
        explaining, self._explaining = self._explaining, True
        self.write(f"%!{verb}(")
        if value is None:
            self.write("<nil>")
        else:
            self.write(f"{type_of(value).name}=")
            # it prints as the value itself, its String method left out
            if isinstance(value, Slice) and value.type is BYTES:
                self._bytes(value, "v", "[]byte")
            else:
                self._value(value, "v", 0)
        self.write(")")
        self._explaining = explaining

    def _method(self, value: Any, verb: str) -> bool:
        """Print by the value's String method, if it has one and the verb takes strings."""
        if self._explaining:
            return False
        if verb == "w":
            self._bad(verb, value)
            return True
        kind = getattr(value, "type", None)
        if kind is None or kind.string is None or verb not in _STRINGABLE or self.flags.sharp_v:
            return False
        self.write(self.flags.string(kind.string(value), verb) or "")
        return True

    def _value(self, value: Any, verb: str, depth: int) -> None:
        """Print a value, or an element of one."""
        if value is NIL:
            self.write("interface {}(nil)" if self.flags.sharp_v else "<nil>")
            return
        if depth and self._method(value, verb):
            return
        kind = type(value)
        if kind is Map:
            self._map(value, verb, depth)
        elif kind is Struct:
            self._struct(value, verb, depth)
        elif kind is Slice:
            self._slice(value, verb, depth)
        elif kind is Pointer and not depth and value.target is not None:
            self.write("&")
            self._value(value.target, verb, 1)
        elif kind is Pointer or kind is Function or isinstance(value, Map):
            self._pointer(value, verb)
        else:
            self._simple(value, verb)

    def _simple(self, value: Any, verb: str) -> None:
        kind, flags = type(value), self.flags
        text: str | None
        if kind is str:
            text = flags.string(value, verb)
        elif kind is bool:
            text = flags.pad("true" if value else "false") if verb in ("t", "v") else None
        elif kind is complex:
            text = self._complex(value, verb)
        elif kind is float:
            text = flags.float(value, verb)
        else:
            text = flags.integer(int(value), verb, signed=kind is not Byte)
        if text is None:
            self._bad(verb, value)
        else:
            self.write(text)

    def _complex(self, value: complex, verb: str) -> str | None:
        real = self.flags.float(value.real, verb)
        plus, self.flags.plus = self.flags.plus, True
        imaginary = self.flags.float(value.imag, verb)
        self.flags.plus = plus
        return None if real is None else f"({real}{imaginary}i)"

    def _list(self, items: Iterable[Any], verb: str, depth: int, marks: str) -> None:
        self.write(marks[0])
        for number, item in enumerate(items):
            if number:
                self.write(", " if self.flags.sharp_v else " ")
            self._value(item, verb, depth + 1)
        self.write(marks[1])

    def _map(self, value: Map, verb: str, depth: int) -> None:
        if self.flags.sharp_v:
            self.write(value.type.name + ("(nil)" if value.is_nil else "{"))
            if value.is_nil:
                return
        else:
            self.write("map[")
        for number, (key, item) in enumerate(value.items()):
            if number:
                self.write(", " if self.flags.sharp_v else " ")
            self._value(key, verb, depth + 1)
            self.write(":")
            self._value(item, verb, depth + 1)
        self.write("}" if self.flags.sharp_v else "]")

    def _struct(self, value: Struct, verb: str, depth: int) -> None:
        if self.flags.sharp_v:
            self.write(value.type.name)
        self.write("{")
        for number, (name, item) in enumerate(value.fields.items()):
            if number:
                self.write(", " if self.flags.sharp_v else " ")
            if self.flags.plus_v or self.flags.sharp_v:
                self.write(f"{name}:")
            self._value(item, verb, depth + 1)
        self.write("}")

    def _slice(self, value: Slice, verb: str, depth: int) -> None:
        if verb in "sqxX" and value.type.element is not None and value.type.element.kind == "uint8":
            self._bytes(value, verb, value.type.name)
            return
        if self.flags.sharp_v:
            self.write(value.type.name)
            if value.is_nil:
                self.write("(nil)")
                return
        self._list(
            map(Byte, value) if isinstance(value.items, bytes) else value,
            verb,
            depth,
            "{}" if self.flags.sharp_v else "[]",
        )

    def _bytes(self, value: Slice, verb: str, name: str) -> None:
        data, flags = bytes(value), self.flags
        if verb in "vd":
            if flags.sharp_v:
                self.write(name)
                self.write(
                    "(nil)" if value.is_nil else "{" + ", ".join(flags.unsigned_hexadecimal(one) for one in data) + "}"
                )
            else:
                self.write("[" + " ".join(flags.integer(one, verb, signed=False) or "" for one in data) + "]")
        elif verb in "sqxX":
            text = data.decode("utf-8", "surrogateescape")
            self.write(flags.hexadecimal(data, verb) if verb in "xX" else flags.string(text, verb) or "")
        else:
            self._list(map(Byte, data), verb, 0, "[]")

    def _pointer(self, value: Any, verb: str) -> None:
        if not isinstance(value, Pointer | Function | Map | Slice):
            self._bad(verb, value)
            return
        address = 0xC000200000 if not isinstance(value, Pointer) else value.address if value.target is not None else 0
        if isinstance(value, Map | Slice) and value.is_nil:
            address = 0
        flags = self.flags
        if verb == "v" and flags.sharp_v:
            shown = flags.unsigned_hexadecimal(address) if address else "nil"
            self.write(f"({value.type.name})({shown})")
        elif verb == "v" and not address:
            self.write(flags.pad("<nil>"))
        elif verb in "vp":
            self.write(flags.unsigned_hexadecimal(address, prefix=not flags.sharp))
        elif verb in "bodxX":
            self.write(flags.integer(address, verb, signed=False) or "")
        else:
            self._bad(verb, value)
