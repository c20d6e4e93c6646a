"""The step add-tools, and the way `tools` of make-effective: a text layer makes the Go template win."""

from __future__ import annotations

from pathlib import Path

import pytest
from example_templates import GEMMA, R1_OLD
from tools_templates import JINJA_R1

from modelsmith.errors import InjectionError
from modelsmith.models.base import Base, Inherited
from modelsmith.models.draft import Draft
from modelsmith.recipe.plan.plan import edited
from modelsmith.recipe.prove.compare import compare_drafts
from modelsmith.recipe.read.load import parse_recipe
from modelsmith.recipe.steps import STEPS, add_tools, make_effective
from modelsmith.syntax.modelfile.modelfile import Modelfile
from modelsmith.template.conversation.named import NAMED
from modelsmith.template.edit.go.declare import declare_thinking
from modelsmith.template.edit.tools.proof import has_tool_parts
from modelsmith.template.effective.capabilities import go_tool_round_trip
from modelsmith.template.go.template import Template

THINKS_OUT_LOUD = declare_thinking(Template.parse(R1_OLD)).text


def draft_of(template: str | None, chat_template: str | None = None, version: str | None = None) -> Draft:
    weights = Path("weights.gguf") if chat_template else None
    inherited = Inherited(template=template, chat_template=chat_template, weights=weights)
    return Draft.start(Base("base", Modelfile.parse("FROM base\n"), Path(), inherited), version)


def test_the_step_stands_under_its_name() -> None:
    recipe = parse_recipe("name: r\nfrom: base\ntemplate: [{add-tools: {}}]\ncreate: x\n").resolve(environment={})
    after = edited(draft_of(R1_OLD), recipe)
    assert STEPS["add-tools"] is add_tools
    assert after.template is not None
    assert go_tool_round_trip(after.template)


def test_taking_it_again_changes_nothing() -> None:
    once = add_tools.edit(draft_of(R1_OLD, JINJA_R1), add_tools.Options())
    again = add_tools.edit(once, add_tools.Options(), add_tools.Options())
    assert again is once


def test_without_a_go_template_there_is_nothing_to_add_to() -> None:
    with pytest.raises(InjectionError, match="no Go template"):
        add_tools.edit(draft_of(None, JINJA_R1), add_tools.Options())


def test_only_conversations_with_tools_are_about_tools() -> None:
    before = draft_of(R1_OLD)
    for comparison in compare_drafts(before, add_tools.edit(before, add_tools.Options())):
        assert comparison.verdict == ("tools" if has_tool_parts(NAMED[comparison.name]) else "same")


def test_the_go_template_runs_and_the_weights_stay_as_they_are() -> None:
    before = draft_of(THINKS_OUT_LOUD, JINJA_R1)
    assert before.effective.source == "jinja"
    after = make_effective.edit(before, make_effective.Options(by=("tools", "jinja")))
    assert after.effective.source == "go"
    assert after.effective.capabilities == {"tools", "thinking"}
    assert not after.gguf
    assert not after.parser
    assert "nothing but a text layer" in after.notes[-1]


def test_the_next_way_is_tried_where_tools_cannot_be_had() -> None:
    jinja = JINJA_R1.replace("<｜User｜>", "<start_of_turn>user\\n").replace(
        "<｜Assistant｜>", "<start_of_turn>model\\n"
    )
    after = make_effective.edit(draft_of(GEMMA, jinja), make_effective.Options(by=("tools", "parser")))
    assert after.parser == "qwen3.5"


def test_tools_alone_may_not_be_enough() -> None:
    with pytest.raises(InjectionError, match="with tools the Go template would not run either"):
        make_effective.edit(draft_of(R1_OLD, JINJA_R1), make_effective.Options(by=("tools",)))


def test_the_jinja_template_can_only_get_what_was_injected() -> None:
    assert make_effective.Options().by == ("jinja", "tools", "parser")
    with pytest.raises(InjectionError, match="no step before this one put a text into the prompt"):
        make_effective.edit(draft_of(R1_OLD, JINJA_R1), make_effective.Options(by=("jinja",)))


def test_a_template_that_runs_already_gets_no_tools() -> None:
    before = draft_of(R1_OLD, JINJA_R1, version="0.29.0")
    assert make_effective.edit(before, make_effective.Options()).template_text == R1_OLD
