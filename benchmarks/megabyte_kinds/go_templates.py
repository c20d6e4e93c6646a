"""Go templates of a megabyte."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from megabyte_kinds.kind import KINDS, MB, Kind, fill, text

if TYPE_CHECKING:
    from pathlib import Path

_GO = (
    "lint t.gotmpl",
    "fmt --check t.gotmpl",
    "render t.gotmpl -u hi",
    "explain t.gotmpl",
    "convert t.gotmpl",
    "diff t.gotmpl u.gotmpl",
    "plan ./go.yaml",
)


def go(name: str, content: str) -> None:
    """Add a Go template, one that nearly is it, and a recipe with edits of it."""

    def make(folder: Path) -> None:
        text(folder, "t.gotmpl", content)
        text(folder, "u.gotmpl", content + "x")
        template = json.dumps(content, ensure_ascii=False)
        text(folder, "go.yaml", f"name: r\nfrom: sample:deepseek-r1\ntemplate: {template}\ncreate: made\n")

    KINDS.append(Kind(f"Go: {name}", make, _GO))


go("plain text", fill("plain words and <|tokens|>\n") + "{{ .Prompt }}")
go("fields", fill("{{ .Prompt }}"))
go("variables", fill("{{ $v{n} := .Prompt }}{{ $v{n} }}"))
go("conditions", fill("{{ if .System }}a{{ else }}b{{ end }}"))
go("nested conditions", "{{ if .System }}" * 30_000 + "{{ .Prompt }}" + "{{ end }}" * 30_000)
go("nested parentheses", "{{ " + "(" * 200_000 + ".Prompt" + ")" * 200_000 + " }}")
go("open ifs", fill("{{ if .System }}"))
go("ranges", fill("{{ range .Messages }}{{ .Content }}{{ end }}"))
go("nested ranges", "{{ range .Messages }}" * 20_000 + "x" + "{{ end }}" * 20_000)
go("a long pipeline", "{{ .Prompt" + fill(" | printf `%s`") + " }}")
go("comments", fill("{{/* a comment */}}") + "{{ .Prompt }}")
go("trims", fill("  {{- `a` -}}  \n") + "{{ .Prompt }}")
go("definitions", fill('{{ define "t{n}" }}x{{ end }}') + "{{ .Prompt }}")
go("else ifs", "{{ if .A }}a" + fill("{{ else if .System }}b") + "{{ end }}{{ .Prompt }}")
go("a literal", '{{ "' + fill("\\n\\u00e9") + '" }}{{ .Prompt }}')
go("unknown fields", fill("{{ .Foo{n} }}"))
go("open braces", "{{" * (MB // 2))
go("ands", "{{ if and" + fill(" .System") + " }}x{{ end }}{{ .Prompt }}")
