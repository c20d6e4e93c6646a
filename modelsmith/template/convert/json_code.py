"""JSON as Python's ``tojson`` lays it out, written by a Go template.

Go's own ``json`` puts no space after ``:`` and ``,``, sorts keys and escapes ``<``, ``>`` and ``&``. So the text is put
together from named templates: keys in the order in which llama-server has them, texts by ``printf "%q"``, which quotes as
JSON does but for control characters other than line break and tab, and characters that do not print.

Source: Python json.dumps; Go strconv.Quote; Ollama template/template.go (the fields of tools).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

_DEEPEST = 9
"""Where an indented layout ends to follow what is nested."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How JSON is laid out: what stands after an item and a key, and how far a level is indented (0: on one line)."""

    name: str
    item: str
    key: str
    indent: int = 0
    quote: str = "%q"
    shown: bool = False
    """As Jinja writes objects and lists into a text: texts in single quotes, unless one is in them."""

    def dump(self, value: Any, depth: int = 0) -> str:
        """Return a value as ``tojson`` prints it, inside ``depth`` levels."""
        text = json.dumps(value, ensure_ascii=False, indent=self.indent or None, separators=(self.item, self.key))
        return text.replace("\n", self.line(depth))

    def line(self, depth: int) -> str:
        """Return what begins a line inside ``depth`` levels; nothing where all is on one line."""
        return "\n" + " " * self.indent * depth if self.indent else ""


SPACED = Layout("", ", ", ": ")
COMPACT = Layout("compact ", ",", ":")
INDENTED = Layout("indented ", ",", ": ", 4)


class JsonCode:
    """Writes the Go code of one layout; ``definitions`` are the named templates that it calls."""

    def __init__(self, layout: Layout, definitions: dict[str, str]) -> None:
        self._layout = layout
        self.definitions = definitions

    def tool(self, depth: int) -> str:
        """Return the code that prints a tool; the dot is the tool."""
        return self._fixed(
            depth, {"type": "'function'" if self._layout.shown else '"function"', "function": self.function(depth + 1)}
        )

    def function(self, depth: int) -> str:
        """Return the code that prints the function of a tool; the dot is the tool."""
        name, description = self._quoted(".Function.Name"), self._quoted(".Function.Description")
        parameters = self.parameters(depth + 1, ".Function.Parameters")
        return self._fixed(depth, {"name": name, "description": description, "parameters": parameters})

    def parameters(self, depth: int, owner: str = "") -> str:
        """Return the code that prints the parameters of a function; the dot is the owner's, or they themselves."""
        listed = self._listed(depth + 1, f"{owner}.Required", self._quoted("."))
        optional = {
            "$defs": (f"{owner}.Defs", self._value(depth + 1, f"{owner}.Defs")),
            "items": (f"{owner}.Items", self._value(depth + 1, f"{owner}.Items")),
            "required": (f"{owner}.Required", listed),
        }
        line = self._layout.line(depth + 1)
        inner = "".join(
            f"{{{{ if {field} }}}}{self._layout.item}{line}{self._key(name)}{code}{{{{ end }}}}"
            for name, (field, code) in optional.items()
        )
        properties = self._properties(depth + 1, f"{owner}.Properties")
        return (
            f"{{{line}{self._key('type')}{self._quoted(f'{owner}.Type')}{inner}"
            f"{self._layout.item}{line}{self._key('properties')}{properties}{self._layout.line(depth)}}}"
        )

    def arguments(self) -> str:
        """Return the code that prints the arguments of a call; the dot is the call."""
        return self._mapped(0, ".Function.Arguments", self._value(1, "$value"))

    def property_title(self, depth: int) -> str:
        """Return the name of the template that prints one parameter, its dot."""
        return self._named("property", depth)

    def value_title(self, depth: int) -> str:
        """Return the name of the template that prints any value, its dot."""
        return self._named("value", depth)

    def text_title(self) -> str:
        """Return the name of the template that prints a text, its dot; empty where ``printf`` does."""
        if not self._layout.shown:
            return ""
        self.definitions.setdefault("shown", _SHOWN)
        return "shown"

    def _key(self, name: str) -> str:
        return f"'{name}'{self._layout.key}" if self._layout.shown else f'"{name}"{self._layout.key}'

    def _quoted(self, field: str) -> str:
        """Return the code that prints a text."""
        if not self._layout.shown:
            return f'{{{{ printf "{self._layout.quote}" {field} }}}}'
        self.definitions.setdefault("shown", _SHOWN)
        return f'{{{{ template "shown" {field} }}}}'

    def _fixed(self, depth: int, entries: dict[str, str]) -> str:
        """Return an object with these keys."""
        line = self._layout.line(depth + 1)
        inner = self._layout.item.join(f"{line}{self._key(name)}{code}" for name, code in entries.items())
        return f"{{{inner}{self._layout.line(depth)}}}"

    def _mapped(self, depth: int, field: str, code: str) -> str:
        """Return an object with the keys and values of a map; ``$value`` is the value."""
        entry = f"{self._layout.line(depth + 1)}{self._quoted('$key')}{self._layout.key}{code}"
        return (
            f'{{{{ "{{" }}}}{{{{ $comma := "" }}}}{{{{ range $key, $value := {field} }}}}{{{{ $comma }}}}{entry}'
            f'{{{{ $comma = "{self._layout.item}" }}}}{{{{ end }}}}{self._closing(depth, "$comma")}}}'
        )

    def _listed(self, depth: int, field: str, code: str) -> str:
        """Return a list of what a range goes over; the dot is the element."""
        return (
            f'[{{{{ $comma := "" }}}}{{{{ range {field} }}}}{{{{ $comma }}}}{self._layout.line(depth + 1)}{code}'
            f'{{{{ $comma = "{self._layout.item}" }}}}{{{{ end }}}}{self._closing(depth, "$comma")}]'
        )

    def _closing(self, depth: int, comma: str) -> str:
        """Return the line that closes a list or object: the same line where there was nothing to put a comma behind."""
        line = self._layout.line(depth)
        return f"{{{{ if {comma} }}}}{line}{{{{ end }}}}" if line else ""

    def _properties(self, depth: int, field: str, going_over: str = "") -> str:
        name = self._named("property", depth + 1)
        return self._mapped(depth, going_over or field, f'{{{{ template "{name}" $value }}}}')

    def _value(self, depth: int, field: str) -> str:
        return f'{{{{ template "{self._named("value", depth)}" {field} }}}}'

    def _named(self, what: str, depth: int) -> str:
        """Return the name of a named template, which is defined if it is not yet."""
        name = f"{self._layout.name}{what}" + (f" {depth}" if self._layout.indent else "")
        if name not in self.definitions:
            self.definitions[name] = ""
            code = self._any(depth) if what == "value" else self._property(depth)
            del self.definitions[name]
            self.definitions[name] = f'{{{{- define "{name}" }}}}{code}{{{{ end }}}}'
        return name

    def _any(self, depth: int) -> str:
        """Return the code that prints any value, the dot."""
        if self._layout.indent and depth > _DEEPEST:
            return "{{ json . }}"
        words = (
            '{{ else if eq $type "bool" }}{{ if . }}True{{ else }}False{{ end }}{{ else if eq $type "<nil>" }}None'
            if self._layout.shown
            else ""
        )
        listed = self._listed(depth, ".", self._value(depth + 1, "."))
        mapped = self._mapped(depth, ".", self._value(depth + 1, "$value"))
        return (
            f'{{{{ $type := printf "%T" . }}}}{{{{ if eq $type "string" }}}}{self._quoted(".")}{words}'
            f'{{{{ else if and (eq $type "[]interface {{}}") . }}}}{listed}'
            f'{{{{ else if and (eq $type "map[string]interface {{}}") . }}}}{mapped}'
            "{{ else }}{{ json . }}{{ end }}"
        )

    def _property(self, depth: int) -> str:
        """Return the code that prints a property, the dot, with the fields that it has."""
        if self._layout.indent and depth > _DEEPEST:
            return "{{ json . }}"
        types = self._listed(depth + 1, ".Type", self._quoted("."))
        any_of = self._listed(depth + 1, ".AnyOf", f'{{{{ template "{self._named("property", depth + 2)}" . }}}}')
        entries = {
            "anyOf": (".AnyOf", any_of),
            "type": (
                ".Type",
                f"{{{{ if eq (len .Type) 1 }}}}{self._quoted('(index .Type 0)' if self._layout.shown else '.Type')}{{{{ else }}}}{types}{{{{ end }}}}",
            ),
            "items": (".Items", self._value(depth + 1, ".Items")),
            "description": (".Description", self._quoted(".Description")),
            "enum": (".Enum", self._listed(depth + 1, ".Enum", self._value(depth + 2, "."))),
            "properties": (".Properties", self._properties(depth + 1, ".Properties", ".Properties.All")),
            "required": (".Required", self._listed(depth + 1, ".Required", self._quoted("."))),
        }
        inner = "".join(
            f"{{{{ if {field} }}}}{{{{ $between }}}}{self._layout.line(depth + 1)}{self._key(name)}{code}"
            f'{{{{ $between = "{self._layout.item}" }}}}{{{{ end }}}}'
            for name, (field, code) in entries.items()
        )
        return f'{{{{ "{{" }}}}{{{{ $between := "" }}}}{inner}{self._closing(depth, "$between")}}}'


_SHOWN = (
    '{{- define "shown" }}{{ $quote := false }}{{ $text := . }}{{ range $at := len $text }}'
    '{{ if eq (slice (slice $text $at) 0 1) "\'" }}{{ $quote = true }}{{ break }}{{ end }}{{ end }}'
    "{{ if $quote }}{{ printf \"%q\" . }}{{ else }}'{{ . }}'{{ end }}{{ end }}"
)
