"""Templates as deep as Go takes them: they are read, walked and rendered, and Python's stack is no limit."""

from __future__ import annotations

import datetime as dt

import pytest

from modelsmith.errors import InjectionError, TemplateRenderError
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.edit.go.declare import declare_thinking
from modelsmith.template.go.deep import STEP, Walk, walked
from modelsmith.template.go.functions.ollama import today_is
from modelsmith.template.go.template import Template

CHAT = Conversation.from_dict(
    {
        "messages": [
            {"role": "user", "content": "U1"},
            {"role": "assistant", "content": "A1"},
            {"role": "user", "content": "U2"},
        ]
    }
)
DEEP = 1200
TEMPLATES = {
    "if": ("{{ if 1 }}", "{{ len .Messages }}", "{{ end }}", "3"),
    "with": ("{{ with $x := 1 }}", "{{ len $.Messages }}", "{{ end }}", "3"),
    "range": ("{{ range $x := 1 }}{{ $y := 2 }}", "{{ len $.Messages }}", "{{ end }}", "3"),
    "range with break": ("{{ range $.Messages }}", "{{ .Role }}", "{{ break }}{{ end }}", "user"),
    "else": ("{{ if not $.Messages }}-{{ else }}", "{{ len .Messages }}", "{{ end }}", "3"),
    "else if": ("{{ if not $.Messages }}-{{ else if $.Messages }}", "{{ len .Messages }}", "{{ end }}", "3"),
    "the old style": ("{{ if 1 }}", "{{ .Prompt }}{{ .Response }}", "{{ end }}", "U1A1U2"),
    "parentheses": ("(", "len .Messages", ")", "3"),
    "calls": ("(print ", "(len .Messages)", ")", "3"),
    "calls behind a pipe": ("(1 | and ", ".Messages", ")", "1"),
    "and": ("(and 1 ", "(len .Messages)", ")", "3"),
    "parentheses of the old style": ("(", ".Response", ")", "A1"),
}


def deep(name: str, levels: int) -> str:
    opening, inside, closing, _ = TEMPLATES[name]
    text = opening * levels + inside + closing * levels
    return text if "{{" in opening else f"{{{{ {text} }}}}"


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("levels", [STEP - 1, STEP, DEEP])
def test_rendered(name: str, levels: int) -> None:
    template = Template.parse(deep(name, levels))
    assert template.render(CHAT) == TEMPLATES[name][3]
    assert "".join(piece.text for piece in template.trace(CHAT)) == TEMPLATES[name][3]


def test_what_is_read_off_a_deep_template() -> None:
    loop = "{{ range .Messages }}<think>{{ .Thinking }}</think>{{ end }}"
    template = Template.parse("{{ if .Deep }}" * DEEP + loop + "{{ end }}" * DEEP)
    assert template.variables == ("deep", "messages", "thinking")
    assert template.thinking_tags == ("<think>", "</think>")


def test_a_long_chain_takes_the_first_that_holds() -> None:
    chain = "{{ if eq 0 1 }}" + "".join(f"{{{{ else if eq (len .Messages) {n} }}}}{n}" for n in range(5000))
    assert Template.parse(chain + "{{ end }}").render(CHAT) == "3"


def test_the_text_after_response_is_cut_off_at_any_depth() -> None:
    text = "{{ if 1 }}" * DEEP + "{{ .Prompt }}{{ .Response }}<end>" + "{{ end }}" * DEEP
    assert Template.parse(text).render(CHAT) == "U1A1<end>U2"
    assert Template.parse("{{ if not 1 }}" + "{{ else if .Suffix }}" * DEEP + "{{ end }}{{ .Prompt }}").render(CHAT)
    with pytest.raises(TemplateRenderError, match="the server panics"):
        Template.parse("{{ if 1 }}{{ .Response }}" + "{{ else if 1 }}" * DEEP + "{{ end }}").render(CHAT)


def test_an_error_deep_inside_comes_out() -> None:
    text = "{{ if 1 }}" * DEEP + "{{ index .Messages 9 }}" + "{{ end }}" * DEEP
    with pytest.raises(TemplateRenderError, match=f":1:{10 * DEEP + 3}: .* error calling index: index out of range: 9"):
        Template.parse(text).render(CHAT)
    shown = "(" * (DEEP - 1) + "1" + " 2)" * (DEEP - 1)
    with pytest.raises(TemplateRenderError) as caught:
        Template.parse(f"{{{{ {shown} 2 }}}}{{{{ .Messages }}}}").render(CHAT)
    # Go's text of parentheses is that of what they hold
    assert str(caught.value).endswith(f"at <{shown} 2>: can't give argument to non-function {shown[1:-1]}")


def test_today_is_the_same_day_deep_inside() -> None:
    text = "{{ if .Messages }}" * DEEP + "{{ currentDate }}" + "{{ end }}" * DEEP
    with today_is(dt.date(2001, 2, 3)):
        assert Template.parse(text).render(CHAT) == "2001-02-03"


def test_loops_around_what_is_deep_end_soon() -> None:
    text = "{{ if 1 }}" * (STEP - 2) + "{{ range 1000000 }}{{ if 1 }}{{ end }}{{ end }}" + "{{ end }}" * (STEP - 2)
    with pytest.raises(TemplateRenderError, match="does not end within 1000000 steps"):
        Template.parse(text + "{{ .Messages }}").render(CHAT)


def test_too_deep_to_be_edited() -> None:
    text = (
        "{{ range .Messages }}" + "{{ if 1 }}" * DEEP + "{{ .Role }}{{ .Content }}" + "{{ end }}" * DEEP + "{{ end }}"
    )
    with pytest.raises(InjectionError, match="more than 1000 tags"):
        declare_thinking(Template.parse(text))


def test_loops_and_variables_deep_inside() -> None:
    text = (
        "{{ $n := 0 }}{{ range $i, $m := .Messages }}"
        + "{{ with $x := $i }}{{ else }}" * DEEP
        + "{{ $n = $i }}{{ $y := $m.Content }}{{ if eq $i 1 }}{{ continue }}{{ end }}{{ $y }}{{ if eq $i 2 }}{{ break }}{{ end }}"
        + "{{ end }}" * DEEP
        + "{{ else }}none{{ end }}{{ $n }}"
    )
    assert Template.parse(text).render(CHAT) == "U10"
    assert Template.parse(text.replace("{{ with $x := $i }}{{ else }}", "{{ if 1 }}")).render(CHAT) == "U1U22"
    assert Template.parse(text.replace("$m := .Messages", "$m := slice .Messages 3")).render(CHAT) == "none0"


def test_what_short_circuits_does_not_fail_deep_inside() -> None:
    deep_error = "(" * DEEP + "index .Messages 9" + ")" * DEEP
    assert Template.parse(f"{{{{ and 0 {deep_error} }}}}{{{{ .Messages | len }}}}").render(CHAT) == "03"
    with pytest.raises(TemplateRenderError, match="index out of range: 9"):
        Template.parse(f"{{{{ and 1 {deep_error} }}}}{{{{ .Messages | len }}}}").render(CHAT)


def test_variables_of_deep_parentheses_are_refused() -> None:
    text = "(" * DEEP + "$x := 1" + ")" * DEEP
    with pytest.raises(TemplateRenderError, match="nested too deep"):
        Template.parse(f"{{{{ print {text} }}}}{{{{ .Messages | len }}}}").render(CHAT)


def test_a_walk_goes_up_and_down() -> None:
    def walk(depth: int) -> Walk:
        try:
            found = (yield walk(depth - 1)) if depth else fail()
        except ValueError:
            if depth < 10 * STEP:
                raise
            return depth
        return found

    def fail() -> int:
        raise ValueError("at the bottom")

    assert walked(walk(100 * STEP)) == 10 * STEP
    with pytest.raises(ValueError, match="at the bottom"):
        walked(walk(STEP))
