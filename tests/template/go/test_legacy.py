"""The last turn of a legacy template, cut off behind ``.Response``: answers of Ollama's own code, word for word."""

from __future__ import annotations

import pytest

from modelsmith.errors import TemplateRenderError
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.go.template import Template

HELLO = Conversation.from_dict({"messages": [{"role": "user", "content": "hello"}]})


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("{{ .Prompt }}{{ .Response }}<end>", "hello"),
        # each .Response of the action that is cut stays, and then stands where a command was
        (
            "{{ $x := eq .Response | eq .Response .Role }}{{ $x }}",
            ':1:9: executing "" at <eq .Response>: error calling eq: missing argument for comparison',
        ),
        (
            "{{ $x := not .Response .System .Missing | lt .Response .Think }}{{ $x }}",
            ':1:45: executing "" at <.Response>: Response is not a method but has arguments',
        ),
        (
            "{{ $x := gt (le .Response .Think | eq .Response (.System | eq $ .Response)) $.Missing }}",
            ':1:9: executing "" at <gt>: wrong number of args for gt: want 2 got 1',
        ),
        (
            "{{ ne $ .Response | ne .Response 1 2 }}",
            (
                ':1:3: executing "" at <ne $ .Response>: error calling ne: '
                "incompatible types for comparison: map[string]interface {} and string"
            ),
        ),
        ("{{ .Prompt }}{{ .Response }}{{ ne $ .Response | ne .Response 1 2 }}", "hello"),
    ],
)
def test_what_is_left_behind_the_cut(text: str, answer: str) -> None:
    try:
        found = Template.parse(text).render(HELLO)
    except TemplateRenderError as error:
        found = str(error).removeprefix("template: ")
    assert found == answer
