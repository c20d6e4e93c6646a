"""Failures of a rendering carry the way out."""

from __future__ import annotations

import pytest

from modelsmith.errors import TemplateRenderError
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.go.template import Template

HELLO = Conversation.from_dict(
    {
        "messages": [{"role": "user", "content": "hello"}],
        "tools": [{"function": {"name": "f", "parameters": {"properties": {"a": {"type": "string"}}}}}],
    }
)
COMPARED = (
    "{{ range .Messages }}{{ end }}"
    '{{ range .Tools }}{{ range .Function.Parameters.Properties }}{{ eq .Type "string" }}{{ end }}{{ end }}'
)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("{{ json .Prompt }}", "range over .Messages instead"),
        ('{{ define "a" }}{{ end }}{{ template "a" . }}', "loses its definitions"),
        ("{{ range .Messages }}{{ .Tools }}{{ end }}", "write $.Tools"),
        ("{{ range .Messages }}{{ .Role.X }}{{ end }}", "the value before .X has no fields"),
        ("{{ .Messages }}{{ .Nope.X }}", "what is before .X may be missing"),
        (COMPARED, "compare its .Type.String"),
        ('{{ .Messages | len }}{{ eq 1 "1" }}', "Go compares only values of one kind"),
        ("{{ if not .Messages }}{{ $x := 1 }}{{ else }}{{ $x }}{{ end }}", "$x is declared in a branch that did not run"),
        ("{{ index .Messages 5 }}", "ask for the length first"),
        ("{{ .Messages | len }}{{ slice .Nope 1 }}", "missing in this conversation"),
    ],
)  # fmt: skip
def test_hints(text: str, hint: str) -> None:
    with pytest.raises(TemplateRenderError) as caught:
        Template.parse(text).render(HELLO)
    assert hint in caught.value.hint
