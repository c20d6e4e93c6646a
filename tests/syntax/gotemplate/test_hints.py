"""Refusals carry the way out."""

from __future__ import annotations

import pytest

from modelsmith.errors import TemplateSyntaxError
from modelsmith.syntax.gotemplate.tree import parse


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("{{ if .A }}{{ elif .B }}{{ end }}", "write {{ else if … }}"),
        ("{{ if .A }}{{ endif }}", "write {{ end }}"),
        ("{{ for m in .Messages }}", "write {{ range $i, $m := .Messages }}"),
        ("{{ jsn .A }}", 'did you mean "json"?'),
        ("{{ frobnicate .A }}", "Ollama has only these functions: and, call, currentDate,"),
        ("{{ add $i 1 }}", "templates do not calculate"),
        ('{{ join .A ", " }}', "cannot change texts"),
        ('{{ if contains .Content "x" }}{{ end }}', "compare whole ones"),
        ('{{ dict "a" 1 }}', "make no lists and maps"),
        ('{{ .System | default "x" }}', "{{ or .System `…` }}"),
        ("{{ last .Messages }}", "{{ eq (len (slice $.Messages $i)) 1 }}"),
        ("{{ if .A == .B }}", "compare with {{ if eq .A .B }}"),
        ("{{ if .A && .B }}", "write {{ if and .A .B }}"),
        ("{{ if !.A }}", "write {{ if not .A }}"),
        ("{{ .A[0] }}", "write {{ index .A 0 }}"),
        ("{{ .A-b }}", "a name with a dash"),
        ("{{ if .A }}", "no {{ end }}"),
        ("{{ end }}", "one {{ end }} too many"),
        ("{{ else }}", "an {{ end }} before it is too early"),
        ("{{ .A ", "}} is missing"),
        ("{{ .A }", "an action ends with two braces"),
        ("{{ $x }}", "declare it before"),
        ("{{ $x=1 }}", "put a space before ="),
        ("{{ break }}", "it must stand between {{ range … }}"),
        ("{{ /* c */ }}", "a comment begins directly behind {{"),
        ("{{ print(.A) }}", "put a space before the parenthesis"),
        ("{{ range .A }}{{ else if .B }}{{ end }}", "a range or with has no else if"),
        ("{{ .A | 1 }}", "only functions and fields can follow a |"),
        ("{{1-}}", "put a space before -}}"),
    ],
)
def test_hints(text: str, hint: str) -> None:
    with pytest.raises(TemplateSyntaxError) as caught:
        parse(text)
    assert hint in caught.value.hint
