"""Go's values in the words of Jinja: what each kind of value is called, which fields it has, how it prints.

Source of the kinds: Ollama template/template.go (the types whose names begin with "template") and api/types.go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from modelsmith.errors import ConversionError
from modelsmith.template.convert.to_jinja.items import quoted

TEXT, BOOL, INT, NIL, ANY = "text", "bool", "int", "nil", "any"
MESSAGES, MESSAGE, CALLS, CALL, CALLED, ARGUMENTS = "messages", "message", "calls", "call", "called", "arguments"
TOOLS, TOOL, FUNCTION, PARAMETERS, PROPERTIES = "tools", "tool", "function", "parameters", "properties"
PROPERTY, TYPE, TEXTS, ROOT, MIXED, FAILS = "property", "type", "texts", "root", "mixed", "fails"

ELEMENTS: Final = {
    MESSAGES: MESSAGE,
    CALLS: CALL,
    TOOLS: TOOL,
    PROPERTIES: PROPERTY,
    ARGUMENTS: ANY,
    TEXTS: TEXT,
    INT: INT,
    ANY: ANY,
    FAILS: FAILS,
}
"""What a range goes over, and the kind of one element."""

MAPS: Final = frozenset({PROPERTIES, ARGUMENTS})
"""What Go goes over in the order of the keys."""

_ALWAYS_TRUE: Final = frozenset({MESSAGE, CALL, CALLED, TOOL, FUNCTION, PARAMETERS, PROPERTY, ROOT})


class Level:
    """How tightly an expression holds together: what is needed around it depends on that."""

    CHOICE, OR, AND, NOT, COMPARE, SUM, FILTER, ATOM = range(8)


class Known(NamedTuple):
    """A value that is known while converting."""

    value: str | bool | int | None


@dataclass(frozen=True, slots=True)
class Value:
    """An expression: its code, what kind of value it gives, how tightly it holds, and the value where that is known.

    ``place`` tells what the value is of a loop: its ``index``, the list of elements from the current one on (``tail``:
    ``slice .Messages $i``), or how many these are (``rest``). ``length`` is code for how long a text is, where that is plain.
    """

    code: str
    kind: str
    level: int = Level.ATOM
    known: Known | None = None
    place: tuple[str, int | None] | None = None
    length: str = ""

    def at(self, level: int) -> str:
        """Return the code for a place that needs this level, in parentheses where it holds less tightly."""
        return self.code if self.level >= level else f"({self.code})"

    @property
    def truth(self) -> bool | None:
        """Whether Go takes it for true, None where only the rendering knows."""
        if self.known is not None:
            return bool(self.known.value)
        return True if self.kind in _ALWAYS_TRUE else None


NOTHING: Final = Value("none", NIL, known=Known(None))
"""A key that Ollama's map of values does not have."""

_FIELDS: Final[dict[tuple[str, str], tuple[str, str]]] = {
    (MESSAGE, "Role"): (".role", TEXT),
    (MESSAGE, "Content"): (".content", TEXT),
    (MESSAGE, "Thinking"): (".thinking", TEXT),
    (MESSAGE, "ToolCalls"): (".tool_calls", CALLS),
    (MESSAGE, "ToolName"): (".tool_name", TEXT),
    (MESSAGE, "ToolCallID"): (".tool_call_id", TEXT),
    (CALL, "Function"): (".function", CALLED),
    (CALLED, "Name"): (".name", TEXT),
    (CALLED, "Arguments"): (".arguments", ARGUMENTS),
    (TOOL, "Type"): (".type", TEXT),
    (TOOL, "Function"): (".function", FUNCTION),
    (FUNCTION, "Name"): (".name", TEXT),
    (FUNCTION, "Description"): (".description", TEXT),
    (FUNCTION, "Parameters"): (".parameters", PARAMETERS),
    (PARAMETERS, "Type"): (".type", TEXT),
    (PARAMETERS, "Required"): (".required", TEXTS),
    (PARAMETERS, "Properties"): (".properties", PROPERTIES),
    (PROPERTY, "Type"): (".type", TYPE),
    (PROPERTY, "Description"): (".description", TEXT),
    (PROPERTY, "Required"): (".required", TEXTS),
}
_NOT_PASSED: Final = frozenset(
    {
        (MESSAGE, "Images"),
        (CALL, "ID"),
        (CALLED, "Index"),
        (TOOL, "Items"),
        *((kind, name) for kind in (PARAMETERS, PROPERTY) for name in ("Defs", "Items", "AnyOf", "Enum", "Properties")),
        *((kind, "String") for kind in (ARGUMENTS, TYPE, PROPERTIES, TOOL, TOOLS)),
        *((PROPERTIES, "Get"), (PROPERTY, "ToTypeScriptType")),
    }
)
"""What Go has, and a conversion does not."""

_MAY_BE_MISSING: Final = frozenset({(PARAMETERS, "Required"), (PROPERTY, "Required"), (PROPERTY, "Description")})
_PRINTED: Final = {
    TOOLS: "tools_json",
    TOOL: "tool_json",
    FUNCTION: "function_text",
    PARAMETERS: "parameters_text",
    PROPERTIES: "properties_json",
    ARGUMENTS: "arguments_json",
    TYPE: "type_text",
    TEXTS: "value_text",
    ANY: "any_text",
}
_JSON: Final = {
    TEXT: "json",
    ANY: "json",
    TEXTS: "json",
    TYPE: "json",
    PROPERTY: "json",
    TOOLS: "tools_json",
    TOOL: "tool_json",
    FUNCTION: "function_json",
    PARAMETERS: "parameters_json",
    PROPERTIES: "properties_json",
    ARGUMENTS: "arguments_json",
}


def text(value: str) -> Value:
    """Return a known text."""
    return Value(quoted(value), TEXT, known=Known(value))


def truth(value: bool) -> Value:
    """Return a known truth."""
    return Value("true" if value else "false", BOOL, known=Known(value))


def number(value: int) -> Value:
    """Return a known whole number."""
    return Value(str(value), INT, known=Known(value))


def field(value: Value, name: str) -> Value:
    """Return a field of a value; raises ConversionError where a conversion does not know it."""
    found = _FIELDS.get((value.kind, name))
    if value.kind in {MIXED, ANY, NIL, ARGUMENTS} or (found is None and (value.kind, name) in _NOT_PASSED):
        raise ConversionError(
            f".{name} of a {value.kind} cannot be written in Jinja", hint="take it out of the Go template"
        )
    if found is None:
        return Value(f"raise_exception({quoted(f'a {value.kind} has no field {name}')})", FAILS)
    code = f"{value.at(Level.ATOM)}{found[0]}"
    if (value.kind, name) in _MAY_BE_MISSING:
        return Value(f"{code} or {'[]' if found[1] == TEXTS else quoted('')}", found[1], Level.OR)
    return Value(code, found[1])


def printed(value: Value) -> str:
    """Return code that gives the text that Go prints for a value, fit to be added to others; raises ConversionError."""
    if value.kind in {TEXT, FAILS}:
        return value.at(Level.SUM)
    if value.kind == NIL:
        return quoted("<no value>")
    if value.kind == INT:
        return quoted(str(value.known.value)) if value.known else f"{value.at(Level.FILTER)} | string"
    if value.kind == BOOL:
        known = value.truth
        return quoted(str(known).lower()) if known is not None else f"('true' if {value.at(Level.OR)} else 'false')"
    return _called(_PRINTED, value, "printed")


def as_json(value: Value) -> Value:
    """Return the call that gives Go's JSON of a value."""
    if value.kind == INT:
        return Value(printed(value), TEXT, Level.FILTER)
    return Value(_called(_JSON, value, "written as JSON"), TEXT)


def _called(macros: dict[str, str], value: Value, what: str) -> str:
    if value.kind not in macros:
        raise ConversionError(
            f"a {value.kind} cannot be {what} in Jinja as Go does", hint="let the template print its parts"
        )
    return f"{macros[value.kind]}({value.code})"
