"""Templates made up at random from Go's grammar: most of them run, some fail when they run, some do not parse.

Only what is Go's own: no functions of Ollama, and data that is plain JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

DATA: dict[str, Any] = {
    "Name": "Zoë <b>&amp;</b> \"q\" 'a' \\ \t日本",
    "Empty": "",
    "Zero": 0,
    "Number": 42,
    "Half": -2.5,
    "Big": 1e21,
    "Small": 1.5e-7,
    "Yes": True,
    "No": False,
    "Nil": None,
    "List": ["one", 2, None, True, ["in", 3.25], {"k": "v"}],
    "Nothing": [],
    "Map": {"b": 2, "a": "x", "c": {"d": [1, 2, 3], "é": None}},
    "Bare": {},
    "Users": [{"Role": "user", "Content": "hi\n"}, {"Role": "assistant", "Content": "", "Calls": [1]}],
}
_FIELDS = (*(f".{name}" for name in DATA), ".Map.c", ".Map.c.d", ".Map.b", ".Missing")
_DEEP = (".Missing.Deep", ".Name.Deep", ".Nil.Deep")
_LOOPED = (".List", ".Users", ".Map", ".Nothing", ".Bare", ".Map.c.d", ".Nil", "3")
_INNER = (".", ".Role", ".Content", ".Calls", ".k", ".d")
_TEXTS = ("a", " ", "\n", "  \n\t", "é☃", "<think>", "}", "{ ", "\r\n", "-", '"', "{ {", "x y")
_LITERALS = (
    '"s"',
    '"\\n\\t\\""',
    "`r`",
    "'a'",
    "0",
    "1",
    "-3",
    "2.5",
    "1e3",
    "0x1f",
    "1_000",
    "true",
    "false",
    '""',
    '"é"',
)
_FORMATS = ("%v", "%d", "%q", "%s", "%x", "%5.1f|", "%-6v|", "%+v", "%#v", "%T", "%t", "%c", "%U", "%e", "%g", "%08.3f",
            "%[1]v%[1]T", "%*d", "%%", "%!", "%z", "% x", "%+q", "%#x", "%b", "%o", "%6.2s|", "%[5]d")  # fmt: skip
_NOISE = ("{{", "}}", "{{-", " -}}", "(", ")", "|", "$", "$x", ":=", "=", ",", ".", "..", '"', "`", "'", "end", "else", "0x",
          "1i", "9223372036854775808", "nil", "break", "/*", "*/", "\\", "&", "if", "nosuch", "é", "\x00", "-")  # fmt: skip
_KEYS = ("0", "1", "2", "0", "9", "-1", '"a"', '"c" "d" 0')
_ALIKE = (
    ".Name .Empty",
    ".Number 42.0",
    ".Half 1e3",
    "1 2",
    '"a" "b"',
    ".Yes false",
    ".Zero .Big",
    "'a' 97",
    '.Name "s"',
)
_COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")


class Generator:
    """A source of templates; the same ``random`` gives the same ones."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._pick = random.choice
        self._variables: list[str] = []
        self._defined: tuple[str, ...] = ()

    def template(self) -> str:
        """Return one template; about one of six is then damaged."""
        self._variables, self._defined = ["$"], ()
        text = ""
        if self._chance(0.3):
            text = f'{{{{ define "t" }}}}{self._body(2, 2, loop=False)}{{{{ end }}}}x'
            self._defined = ("t", "t", "t", "t", "t", "t", "u")
        self._variables = ["$"]
        text += self._body(self._random.randint(1, 5), 0, loop=False)
        for _ in range(self._random.randint(1, 2) if self._chance(0.17) else 0):
            place = self._random.randint(0, len(text))
            text = text[:place] + self._pick(_NOISE) + text[place + self._random.randint(0, 3) :]
        return text

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _body(self, items: int, depth: int, *, loop: bool) -> str:
        return "".join(self._item(depth, loop=loop) for _ in range(items))

    def _item(self, depth: int, *, loop: bool) -> str:
        kind = self._random.random()
        if kind < 0.3:
            return self._pick(_TEXTS)
        if kind < 0.62 or depth > 3:
            return self._tag(self._pipeline(depth))
        if kind < 0.68:
            name = f"${self._pick('xyz')}"
            text = self._tag(f"{name} {':=' if self._chance(0.8) else '='} {self._pipeline(depth)}")
            self._variables.append(name)
            return text
        if kind < 0.7:
            return self._pick(("{{/* c */}}", "{{- /* c */ -}}", "{{/* {{ */}}"))
        if kind < 0.75 and self._defined:
            argument = self._pick((" .", "", f" {self._value(depth)}"))
            return self._tag(f'template "{self._pick(self._defined)}"{argument}')
        if kind < 0.77 and loop:
            return self._tag(self._pick(("break", "continue")))
        return self._control(depth)

    def _control(self, depth: int) -> str:
        known = len(self._variables)
        word = self._pick(("if", "if", "if", "range", "range", "with", "block"))
        if word == "block":
            head = f'block "{self._pick("bc")}" {self._pipeline(depth)}'
        elif word == "range":
            head = (
                f"range {self._loop_variables()}{self._pick(_LOOPED) if self._chance(0.9) else self._pipeline(depth)}"
            )
        else:
            declared = ""
            if self._chance(0.15):
                declared = "$w := "
                self._variables.append("$w")
            head = f"{word} {declared}{self._pipeline(depth)}"
        parts = [self._tag(head), self._body(self._random.randint(0, 3), depth + 1, loop=word == "range")]
        if word != "block" and self._chance(0.35):
            if word != "range" and self._chance(0.4):
                parts.append(self._tag(f"else {word} {self._pipeline(depth)}"))
                parts.append(self._body(1, depth + 1, loop=False))
            parts.append(self._tag("else"))
            parts.append(self._body(self._random.randint(0, 2), depth + 1, loop=False))
        del self._variables[known:]
        return "".join((*parts, self._tag("end")))

    def _loop_variables(self) -> str:
        count = self._pick((0, 0, 1, 2))
        names = ("$i", "$v")[2 - count :] if count else ()
        self._variables += names
        return f"{', '.join(names)} := " if names else ""

    def _tag(self, inside: str) -> str:
        return f"{self._pick(('{{ ', '{{', '{{- '))}{inside}{self._pick((' }}', '}}', ' -}}'))}"

    def _pipeline(self, depth: int) -> str:
        first = self._call(depth) if self._chance(0.4) else self._value(depth)
        for _ in range(self._pick((0, 0, 0, 1, 1, 2))):
            first += self._pick((" | ", "|")) + self._stage()
        return first

    def _value(self, depth: int) -> str:
        kind = self._random.random()
        if kind < 0.45:
            return self._pick(_FIELDS if self._chance(0.97) else _DEEP)
        if kind < 0.6:
            return self._pick(_INNER)
        if kind < 0.68:
            return self._pick(self._variables) + self._pick(("", "", ".Name", ".Role", ".Map.c"))
        if kind < 0.9 or depth > 2:
            return self._pick(_LITERALS)
        return f"({self._call(depth + 1)}){self._pick(('', '', '', '.d', '.Role'))}"

    def _stage(self) -> str:
        return self._pick(
            (
                "print",
                'printf "%v|"',
                f'printf "{self._pick(_FORMATS)}"',
                "len",
                "html",
                "js",
                "urlquery",
                "not",
                "eq 1.0",
                'eq "s"',
                "println",
                "and 1",
                "or .Nil",
                "print 1 .Half",
            )
            if self._chance(0.94)
            else ("index .Map", "lt 3.0", "slice", "call", ".Name")
        )

    def _call(self, depth: int) -> str:
        def values(least: int, most: int) -> str:
            return " ".join(self._value(depth) for _ in range(self._random.randint(least, most)))

        kind = self._random.random()
        if kind < 0.22:
            formats = "".join(self._pick(_FORMATS) for _ in range(self._random.randint(1, 3)))
            return f'printf "{formats}" {values(0, 4)}'
        if kind < 0.42:
            if self._chance(0.15):
                return f"{self._pick(_COMPARISONS)} {values(1, 3)}"
            return f"{self._pick(_COMPARISONS)} {self._pick(_ALIKE)}"
        if kind < 0.58:
            return f"{self._pick(('and', 'or'))} {values(1, 3)}"
        if kind < 0.7:
            target = self._pick((".List", ".Map", ".Users", ".Name", ".Nothing", ".Map.c.d"))
            return f"index {target} {self._pick(_KEYS) if self._chance(0.9) else self._value(3)}"
        if kind < 0.78:
            return f"slice {self._pick(('.Name', '.List', '.Map.c.d', '.Zero'))} {self._pick(('1', '1 2', '2 1', '0 9', '1 2 3', ''))}"
        name = self._pick(
            ("len", "not", "print", "println", "html", "js", "urlquery", "call" if self._chance(0.1) else "print")
        )
        if name == "len" and self._chance(0.9):
            return f"len {self._pick(('.Name', '.List', '.Map', '.Users', '.Nothing'))}"
        return f"{name} {values(1, 1) if name in {'not', 'call'} else values(0, 2)}"
