"""The values that a template computes with, and their Go types.

Strings, booleans, ints, float64s and complex128s are Python's ``str``, ``bool``, ``int``, ``float`` and ``complex``. Everything
else is one of the classes below. They are never changed once they are made.
Source of the rules: Go, ``reflect`` as ``text/template/exec.go`` uses it.
"""

from __future__ import annotations

from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal

from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


@dataclass(frozen=True, eq=False)
class GoType:
    """A type by its name in Go's messages.

    ``element`` is what it holds or points at; ``methods`` are those that a template can reach. ``string`` is its String
    method and ``in_json`` what its MarshalJSON method makes of it.
    """

    name: str
    kind: str
    element: GoType | None = None
    fields: dict[str, Field] = field(default_factory=dict)
    methods: dict[str, Method] = field(default_factory=dict)
    string: Callable[[Any], str] | None = None
    in_json: Callable[[Any], Any] | None = None

    @cached_property
    def plain(self) -> frozenset[str]:
        """The fields that a template gets as they are: exported, not of type any, and not hidden by a method."""
        names = (name for name, part in self.fields.items() if part.in_json and part.type is not ANY)
        return frozenset(names) - self.methods.keys()


@dataclass(frozen=True, slots=True)
class Field:
    """A struct's field: its type, its name in JSON and whether JSON leaves it out when it is empty."""

    type: GoType
    in_json: str
    omitted: bool = False


@dataclass(frozen=True, slots=True)
class Method:
    """A method as Go's template engine sees it: how many arguments it wants, and why it cannot be called, if so."""

    call: Callable[..., Any]
    arguments: int = 0
    refusal: str = ""


STRING: Final = GoType("string", "string")
BOOL: Final = GoType("bool", "bool")
INT: Final = GoType("int", "int")
UINT8: Final = GoType("uint8", "uint8")
FLOAT64: Final = GoType("float64", "float64")
COMPLEX128: Final = GoType("complex128", "complex128")
ANY: Final = GoType("interface {}", "interface")
ANYS: Final = GoType("[]interface {}", "slice", ANY)
STRINGS: Final = GoType("[]string", "slice", STRING)
BYTES: Final = GoType("[]uint8", "slice", UINT8)
MAP: Final = GoType("map[string]interface {}", "map", ANY)


class Byte(int):
    """A uint8, as taken out of a string or of bytes."""

    __slots__ = ()


Keep = Literal["none", "nil", "all"]
"""What whoever asks for a value wants to know of its being an "any": nothing, that it holds nothing, or all."""


class _Nothing:
    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


NO_VALUE: Final = _Nothing("NO_VALUE")  # Go's zero reflect.Value: prints "<no value>"
NIL: Final = _Nothing("NIL")  # an interface that holds nothing


_NO_FIELDS: Final[Mapping[str, Any]] = {}


class Interface:
    """A value that is known to Go as "any", for the few places where that makes a difference."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class Slice:
    """A Go slice: ``items[start:stop]``, which may be sliced again up to ``capacity`` items from ``start``."""

    __slots__ = ("capacity", "is_nil", "items", "start", "stop", "type")

    def __init__(
        self,
        kind: GoType,
        items: Sequence[Any] | None,
        *,
        start: int = 0,
        stop: int | None = None,
        capacity: int | None = None,
    ) -> None:
        self.type = kind
        self.is_nil = items is None
        self.items: Sequence[Any] = items or ()
        self.start = start
        self.stop = len(self.items) if stop is None else stop
        self.capacity = self.stop - start if capacity is None else capacity

    def __len__(self) -> int:
        return self.stop - self.start

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items[self.start : self.stop])

    def __getitem__(self, index: int) -> Any:
        return self.items[self.start + index]

    def behind(self, first: int) -> Slice:
        """Return ``s[first:]``; there must be as many items."""
        rest = Slice.__new__(Slice)
        rest.type = self.type
        rest.is_nil = self.is_nil
        rest.items = self.items
        rest.start = self.start + first
        rest.stop = self.stop
        rest.capacity = self.capacity - first
        return rest


class Map:
    """A Go map with string keys."""

    __slots__ = ("_sorted", "entries", "is_nil", "type")

    def __init__(self, kind: GoType, entries: Mapping[str, Any] | None) -> None:
        self.type = kind
        self.is_nil = entries is None
        self.entries: Mapping[str, Any] = entries or {}
        self._sorted: list[tuple[str, Any]] | None = None

    def __len__(self) -> int:
        return len(self.entries)

    def items(self) -> list[tuple[str, Any]]:
        """Return the entries in the order in which Go prints and ranges: by the bytes of the keys."""
        if self._sorted is None:
            self._sorted = sorted(self.entries.items(), key=lambda entry: entry[0].encode("utf-8", "surrogateescape"))
        return self._sorted


class Struct:
    """A Go struct."""

    __slots__ = ("fields", "type")

    def __init__(self, kind: GoType, fields: Mapping[str, Any]) -> None:
        self.type = kind
        self.fields = fields


class Pointer:
    """A pointer to a struct; ``target`` is None for nil. ``plain`` are the fields to be had without a second look."""

    __slots__ = ("address", "plain", "target", "type")

    def __init__(self, kind: GoType, target: Struct | None, address: int = 0) -> None:
        self.type = kind
        self.target = target
        self.address = address
        # the one type of pointer without methods has no fields of type any, so nothing has to be wrapped
        self.plain: Mapping[str, Any] = _NO_FIELDS if target is None or kind.methods else target.fields


class Function:
    """An iterator function; ``pairs`` yields what it yields."""

    __slots__ = ("pairs", "type")

    def __init__(self, kind: GoType, pairs: Callable[[], Iterator[tuple[str, Any]]]) -> None:
        self.type = kind
        self.pairs = pairs


_SIMPLE: Final[dict[type, GoType]] = {
    str: STRING,
    bool: BOOL,
    int: INT,
    float: FLOAT64,
    complex: COMPLEX128,
    Byte: UINT8,
}


_ZEROS: Final[dict[str, Any]] = {
    "string": "",
    "bool": False,
    "int": 0,
    "uint8": Byte(0),
    "float64": 0.0,
    "complex128": 0j,
    "interface": NIL,
}


def type_of(value: Any) -> GoType:
    """Return the Go type of a value that is not NO_VALUE."""
    simple = _SIMPLE.get(type(value))
    if simple is not None:
        return simple
    if value is NIL or type(value) is Interface:
        return ANY
    kind: GoType = value.type
    return kind


def zero(kind: GoType) -> Any:
    """Return the zero value of a type."""
    if kind.kind in _ZEROS:
        return _ZEROS[kind.kind]
    if kind.kind == "struct":
        return Struct(kind, {name: zero(part.type) for name, part in kind.fields.items()})
    return (
        Map(kind, None) if kind.kind == "map" else Pointer(kind, None) if kind.kind == "pointer" else Slice(kind, None)
    )


def unwrap(value: Any) -> Any:
    """Forget that a value was known as "any"; an interface that holds nothing is no value."""
    if type(value) is Interface:
        return value.value
    return NO_VALUE if value is NIL else value


def inner(value: Any) -> Any:
    """Forget that a value was known as "any", but not that there was an interface that holds nothing."""
    return value.value if type(value) is Interface else value


def kept(keep: Keep) -> Callable[[Any], Any]:
    """Return how to forget what is not kept."""
    return {"none": unwrap, "nil": inner, "all": lambda value: value}[keep]


def truth(value: Any) -> bool:
    """Say whether a value counts as true: it is not the zero of its type; structs always are."""
    kind = type(value)
    if kind is str or kind is bool:
        return bool(value)
    if kind is Interface:
        return truth(value.value)
    if kind is Slice or kind is Map:
        return len(value) > 0
    if value is NO_VALUE or value is NIL:
        return False
    if kind is Pointer:
        return value.target is not None
    return True if kind is Struct or kind is Function else bool(value)
