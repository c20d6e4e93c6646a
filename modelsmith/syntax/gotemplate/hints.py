"""The way out of the errors that people make most often in Go templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import did_you_mean
from modelsmith.patterns import regex

if TYPE_CHECKING:
    from collections.abc import Iterable

_WORDS = {
    "elif": "write {{ else if … }}",
    "elseif": "write {{ else if … }}",
    "elsif": "write {{ else if … }}",
    "endif": "write {{ end }}",
    "endfor": "write {{ end }}",
    "endrange": "write {{ end }}",
    "for": "write {{ range $i, $m := .Messages }}",
    "foreach": "write {{ range $i, $m := .Messages }}",
    "set": "write {{ $x := … }}, and {{ $x = … }} to change it",
    "nil": "nil can only be an argument: {{ eq .System nil }}",
    "None": "write nil, as an argument",
    "null": "write nil, as an argument",
    "True": "write true",
    "False": "write false",
    "toJson": "write json",
    "tojson": "write json",
}
_NO_NUMBERS = "Ollama's templates do not calculate; the number of a round is $i of {{ range $i, $m := .Messages }}"
_NO_TEXTS = "Ollama's templates cannot change texts; print them as they are, or leave it to what sends the messages"
_NO_PARTS = 'Ollama\'s templates do not look into texts; compare whole ones: {{ if eq .Content "…" }}'
_NO_LISTS = "Ollama's templates make no lists and maps; they have those of the request: .Messages, .Tools"
_ELSEWHERE = {
    **dict.fromkeys(
        ("add", "add1", "sub", "mul", "div", "mod", "plus", "minus", "inc", "max", "min", "seq"), _NO_NUMBERS
    ),
    **dict.fromkeys(
        (
            "join",
            "split",
            "replace",
            "upper",
            "lower",
            "title",
            "capitalize",
            "indent",
            "nindent",
            "quote",
            "squote",
            "strings",
        ),
        _NO_TEXTS,
    ),
    **dict.fromkeys(
        ("contains", "hasPrefix", "hasSuffix", "regexMatch", "startswith", "endswith", "has", "in"), _NO_PARTS
    ),
    **dict.fromkeys(("list", "dict", "tuple", "append", "keys", "values", "merge", "items"), _NO_LISTS),
    "default": "write the text that stands for an empty one behind it: {{ or .System `…` }}",
    "coalesce": "write {{ or .A .B }}",
    "ternary": "write {{ if .A }}…{{ else }}…{{ end }}",
    "trim": "white space around an action goes with {{- and -}}; that of texts stays",
    "first": "write {{ index .Messages 0 }}",
    "last": "in {{ range $i, $m := .Messages }}, the last is where {{ eq (len (slice $.Messages $i)) 1 }}",
    "isLast": "in {{ range $i, $m := .Messages }}, the last is where {{ eq (len (slice $.Messages $i)) 1 }}",
    "include": 'write {{ template "name" . }}',
    "count": "write len",
    "length": "write len",
    "size": "write len",
    "now": "write currentDate",
    "date": "write currentDate",
    "strftime_now": "write currentDate",
    "raise_exception": "a Go template cannot refuse a chat; print nothing instead",
}
"""Functions of Helm's and Hugo's templates, and of Jinja, that people look for."""
_UNEXPECTED = {
    '"="': "compare with {{ if eq .A .B }}; := declares a variable, = sets it, both with a space before",
    '"&"': "write {{ if and .A .B }}",
    '"!"': "write {{ if not .A }}, and {{ if ne .A .B }} for !=",
    '"+"': "Go templates do not calculate; join texts with {{ print .A .B }}",
    '"%"': "{% … %} is Jinja; Go templates have only {{ … }}",
    '"{"': "to print a brace before {{, write {{ print `{` .A }}",
    '"}"': "an action ends with two braces",
    '"/"': "a comment begins directly behind {{ or {{- and one space: {{/* … */}}",
    '"("': "put a space before the parenthesis",
    '","': "arguments are separated by spaces",
    "EOF": "an if, range, with, define or block has no {{ end }}",
    "{{end}}": "there is no if, range, with, define or block to end; perhaps one {{ end }} too many",
    "{{else}}": "there is no if, range or with to continue; perhaps an {{ end }} before it is too early",
    "<define>": "a definition stands outside of if, range, with, define and block",
    "<if>": "a range or with has no else if: end it, or put the if inside of {{ else }}",
    "<with>": "an if has no else with: put the with inside of {{ else }} … {{ end }}",
}
_OTHERS = (
    ("undefined variable", "declare it before, {{ $x := … }}; it is known up to the {{ end }} of what it stands in"),
    ("unclosed action", "}} is missing"),
    ("U+007D '}'", "an action ends with two braces"),
    ("U+005B '['", "write {{ index .A 0 }}"),
    ("U+002D '-'", 'a name with a dash is reached with {{ index . "a-b" }}'),
    ("U+003D '='", "put a space before ="),
    ("outside {{range}}", "it must stand between {{ range … }} and its {{ else }} or {{ end }}"),
    ("unterminated quoted string", 'a text in "…" ends in its line; `…` may have more'),
    ("non executable command", "only functions and fields can follow a |"),
    ("multiple definition", "a template can be defined once"),
    ("bad number syntax", "put a space before -}}"),
    ("comment ends before", "a comment ends with */}} or with */, one space and -}}"),
    ("unclosed comment", "a comment ends with */}}"),
)
_FUNCTION = regex('function "(.*)" not defined')
_TOKEN = regex('unexpected ({{end}}|{{else}}|<[a-z]+>|EOF|"[^"]")')


def hint_for(message: str, functions: Iterable[str]) -> str:
    """Return the way out of one of Go's messages, ``""`` where there is nothing to add."""
    function = _FUNCTION.search(message)
    if function:
        known = tuple(functions)
        name = function[1]
        way = _WORDS.get(name) or _ELSEWHERE.get(name) or did_you_mean(name, known).removeprefix("; ")
        return way or f"Ollama has only these functions: {', '.join(sorted(known))}"
    token = _TOKEN.search(message)
    if token and token[1] in _UNEXPECTED:
        return _UNEXPECTED[token[1]]
    return next((way for part, way in _OTHERS if part in message), "")
