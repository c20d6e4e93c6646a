"""The steps add-stop, obey-think-false, replace-token and strip-system: what they change in a draft, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest
from example_templates import ALL, CHATML, LEGACY_CHATML, R1_NEW, R1_OLD

from modelsmith.errors import InjectionError, RecipeError
from modelsmith.models.base import Base, Inherited
from modelsmith.models.draft import Draft
from modelsmith.recipe.plan.plan import edited
from modelsmith.recipe.read.load import parse_recipe
from modelsmith.syntax.modelfile.modelfile import Modelfile
from modelsmith.template.conversation.conversation import Conversation

HELLO = Conversation.from_dict({"messages": [{"role": "user", "content": "hello"}]})
BRIEF = Conversation.from_dict(
    {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}]}
)


def draft_of(template: str | None, *stops: str, modelfile: str = "FROM base\n") -> Draft:
    inherited = Inherited(template=template, parameters={"stop": list(stops)} if stops else {})
    return Draft.start(Base("base", Modelfile.parse(modelfile), Path(), inherited), None)


def after(draft: Draft, *steps: str) -> Draft:
    lines = "".join(f"  - {step}\n" for step in steps)
    return edited(draft, parse_recipe(f"name: r\nfrom: base\ntemplate:\n{lines}create: x\n").resolve(environment={}))


def test_stops_are_added_to_inherited_ones() -> None:
    added = after(draft_of(CHATML, "<|im_end|>"), "add-stop: {stop: [</s>, <|im_end|>, </s>]}")
    assert added.parameters["stop"] == ["<|im_end|>", "</s>"]
    assert str(added.modelfile) == "FROM base\nPARAMETER stop <|im_end|>\nPARAMETER stop </s>\n"


def test_stops_are_added_to_those_of_the_modelfile() -> None:
    own = draft_of(CHATML, "inherited", modelfile='FROM base\n# mine\nPARAMETER stop "a b"\n')
    added = after(own, "add-stop: {stop: x}", "add-stop: {stop: [y, x]}")
    assert added.parameters["stop"] == ["a b", "x", "y"]
    assert str(added.modelfile).startswith('FROM base\n# mine\nPARAMETER stop "a b"\n')


def test_stops_that_are_there_change_nothing() -> None:
    draft = draft_of(None, "<|im_end|>")
    assert after(draft, "add-stop: {stop: <|im_end|>}").modelfile == draft.modelfile


def test_stop_needs_a_text() -> None:
    with pytest.raises(RecipeError, match="stop"):
        after(draft_of(CHATML), "add-stop: {stop: []}")


def test_think_false_is_obeyed_and_other_requests_stay() -> None:
    before = draft_of(CHATML)
    obeying = after(before, "obey-think-false: {}")
    closed = "<think>\n\n</think>\n\n"
    assert obeying.render(HELLO, False) == before.render(HELLO, False) + closed
    assert obeying.render(HELLO, True) == before.render(HELLO, True)
    assert obeying.render(HELLO) == before.render(HELLO)
    same = after(before, r'inject: {text: "<think>\n\n</think>\n\n", when: not-thinking}')
    assert obeying.template_text == same.template_text
    assert after(obeying, "obey-think-false: {}").template_text == obeying.template_text


def test_look_alikes_are_replaced() -> None:
    ascii_only = R1_OLD.replace("｜", "|").replace("▁", "_")
    assert ascii_only != R1_OLD
    steps = [
        f'replace-token: {{from: "{token.replace("｜", "|").replace("▁", "_")}", to: "{token}"}}'
        for token in ("<｜User｜>", "<｜Assistant｜>", "<｜end▁of▁sentence｜>")
    ]
    assert after(draft_of(ascii_only), *steps).template_text == R1_OLD


def test_a_token_in_a_message_and_in_code_stays() -> None:
    template = '{{ range .Messages }}{{ if eq .Role "user" }}<u>{{ "<u>" }}{{ .Content }}{{ end }}{{ end }}<a>'
    replaced = after(draft_of(template), "replace-token: {from: <u>, to: <v>}")
    assert replaced.template_text == template.replace("<u>", "<v>")
    said = Conversation.from_dict({"messages": [{"role": "user", "content": "what is <u>?"}]})
    assert replaced.render(said) == "<v><v>what is <u>?<a>"


def test_what_go_would_trim_or_run_is_written_as_a_string() -> None:
    replaced = after(draft_of(CHATML), r'replace-token: {from: <|im_end|>, to: "{{ x }}\n"}')
    assert '{{ "{{ x }}\\n" }}' in (replaced.template_text or "")
    assert "{{ x }}\n" in replaced.render(HELLO)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ .Prompt }}{{ .Response }}", "none of the template's texts holds"),
        ('{{ range .Messages }}<u>{{ printf "<%s>" "u" }}{{ .Content }}{{ end }}', "in place of every '<u>'"),
    ],
)
def test_tokens_that_cannot_be_replaced(template: str, message: str) -> None:
    with pytest.raises(InjectionError, match=message):
        after(draft_of(template), "replace-token: {from: <u>, to: <v>}")


def test_replacing_again_changes_nothing() -> None:
    once = after(draft_of(CHATML), "replace-token: {from: <|im_end|>, to: </s>}")
    assert after(once, "replace-token: {from: <|im_end|>, to: </s>}").template_text == once.template_text


@pytest.mark.parametrize("step", ["replace-token: {from: a, to: b}", "strip-system: {}"])
def test_without_a_go_template_there_is_nothing_to_edit(step: str) -> None:
    with pytest.raises(InjectionError, match="no Go template"):
        after(draft_of(None), step)


@pytest.mark.parametrize("name", [name for name in ALL if name != "legacy-uncut"])
def test_no_system_prompt_is_shown(name: str) -> None:
    before = draft_of(ALL[name])
    stripped = after(before, "strip-system: {}")
    assert stripped.render(BRIEF) == before.render(HELLO) == stripped.render(HELLO)
    assert after(stripped, "strip-system: {}").template_text == stripped.template_text


def test_a_note_says_where_the_edit_does_not_count() -> None:
    jinja = "{% if tools %}{{ tools }}{% endif %}{% for message in messages %}{{ message.content }}{% endfor %}"
    inherited = Inherited(template=CHATML, chat_template=jinja, weights=Path("weights.gguf"))
    before = Draft.start(Base("base", Modelfile.parse("FROM base\n"), Path(), inherited), None)
    assert before.runs_jinja
    for step in ("replace-token: {from: <|im_end|>, to: </s>}", "strip-system: {}"):
        assert "edits the Go template" in after(before, step).notes[0]
    assert after(draft_of(CHATML), "strip-system: {}").notes == ()


def test_a_block_that_shows_nothing_else_goes() -> None:
    assert (after(draft_of(LEGACY_CHATML), "strip-system: {}").template_text or "").startswith("{{ if .Prompt }}")
    assert ".System" not in (after(draft_of(R1_NEW), "strip-system: {}").template_text or ".System")


def test_messages_printed_whatever_their_role_are_skipped() -> None:
    text = after(draft_of(CHATML), "strip-system: {}").template_text or ""
    assert '{{ if eq .Role "system" }}{{ continue }}{{ end }}' in text


def test_a_system_prompt_that_cannot_be_taken_out() -> None:
    fixed = "{{ range $i, $m := .Messages }}{{ if eq $i 0 }}first: {{ end }}{{ .Role }}{{ .Content }}{{ end }}"
    with pytest.raises(InjectionError, match="the system prompt cannot be taken out"):
        after(draft_of(fixed), "strip-system: {}")
