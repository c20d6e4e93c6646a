"""The main job on templates of every kind, without a store: what the prompt ends with, for every conversation."""

from __future__ import annotations

from pathlib import Path

import pytest
from shared import conformance, needs_shared

from modelsmith.errors import InjectionError, TemplateError
from modelsmith.models.base import Base, Inherited
from modelsmith.models.draft import Draft
from modelsmith.models.sources.sample import samples
from modelsmith.recipe.plan.plan import edited
from modelsmith.recipe.prove.compare import compare_drafts
from modelsmith.recipe.prove.expect import check
from modelsmith.recipe.read.load import load_recipe
from modelsmith.syntax.modelfile.modelfile import Modelfile
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.conversation.thinking_split import ThinkingSplitter, is_primed

HELLO = Conversation.from_dict({"messages": [{"role": "user", "content": "hello"}]})
R1_OLD, R1_JINJA = samples()["deepseek-r1"][:2]
R1_NEW = """{{- if .System }}{{ .System }}{{ end }}
{{- range $n, $_ := .Messages }}
{{- $final := eq (len (slice $.Messages $n)) 1 }}
{{- if eq .Role "user" }}<｜User｜>{{ .Content }}
{{- else if eq .Role "assistant" }}<｜Assistant｜>
{{- if and $.IsThinkSet $final .Thinking }}<think>
{{ .Thinking }}
</think>
{{ end }}{{ .Content }}{{ if not $final }}<｜end▁of▁sentence｜>{{ end }}
{{- end }}
{{- if and $final (ne .Role "assistant") }}<｜Assistant｜>
{{- if and $.IsThinkSet (not $.Think) }}<think>

</think>

{{ end }}
{{- end }}
{{- end }}"""
QWQ = """{{ if .System }}<|im_start|>system
{{ .System }}<|im_end|>
{{ end }}{{ range .Messages }}{{ if ne .Role "system" }}<|im_start|>{{ .Role }}
{{ .Content }}<|im_end|>
{{ end }}{{ end }}<|im_start|>assistant
<think>
"""
CHATML = QWQ.removesuffix("<think>\n")
LEGACY = "{{ if .System }}{{ .System }}\n{{ end }}USER: {{ .Prompt }}\nASSISTANT: {{ .Response }}\n"


def draft_of(template: str | None, chat_template: str | None = None, version: str | None = None) -> Draft:
    weights = Path("weights.gguf") if chat_template else None
    inherited = Inherited(
        template=template, chat_template=chat_template, weights=weights, parameters={"stop": ["<end>"]}
    )
    return Draft.start(Base("base", Modelfile.parse("FROM base\n"), Path(), inherited), version)


def forced(before: Draft) -> Draft:
    """Run the recipe, and insist that every promise holds."""
    recipe = load_recipe("force-think").resolve({"base": "base"})
    after = edited(before, recipe)
    broken = [checked for checked in check(recipe.expect, after, compare_drafts(before, after)) if not checked.holds]
    assert not broken
    return after


@pytest.mark.parametrize("template", [R1_OLD, R1_NEW, QWQ, CHATML], ids=["r1-old", "r1-new", "qwq", "chatml"])
def test_the_prompt_opens_the_reasoning_and_think_false_closes_it(template: str) -> None:
    after = forced(draft_of(template))
    for think in (None, True, "high"):
        assert after.render(HELLO, think).endswith("<think>\n")
    assert after.render(HELLO, False).endswith("<think>\n\n</think>\n\n")
    assert after.template is not None
    assert after.template.thinking_tags == ("<think>", "</think>")
    assert after.parser == ""
    assert after.parameters == {"stop": ["<end>"], "temperature": 0.6, "top_p": 0.95}


def test_the_answer_of_the_model_is_separated() -> None:
    after = forced(draft_of(R1_OLD))
    assert after.template is not None
    opening, closing = after.template.thinking_tags
    splitter = ThinkingSplitter(opening, closing, primed=is_primed(after.render(HELLO), opening))
    parts = [splitter.feed(chunk) for chunk in ("reason", "\n</thi", "nk>\n\nanswer")]
    assert "".join(thinking for thinking, _ in parts) == "reason\n"
    assert "".join(content for _, content in parts) == "answer"


def test_what_is_there_already_is_not_added_again() -> None:
    first = forced(draft_of(R1_OLD))
    again = forced(draft_of(first.template_text))
    assert again.template_text == first.template_text
    assert forced(draft_of(QWQ)).render(HELLO).count("<think>") == 1


def test_a_template_that_renders_turn_by_turn_gets_a_parser() -> None:
    after = forced(draft_of(LEGACY))
    assert after.parser == "qwen3.5"
    assert after.render(HELLO) == "USER: hello\nASSISTANT: <think>\n"


def test_where_the_jinja_template_runs_it_is_edited_alike() -> None:
    before = draft_of(R1_OLD, R1_JINJA)
    assert before.effective.source == "jinja"
    after = forced(before)
    assert after.render(HELLO).endswith("<think>\n")
    assert any("Jinja" in note or "tools" in note for note in after.notes)


def test_an_older_ollama_runs_the_go_template_whatever_the_gguf_holds() -> None:
    after = forced(draft_of(R1_OLD, R1_JINJA, version="0.20.0"))
    assert after.effective.source == "go"
    assert not after.gguf


@pytest.mark.parametrize("template", ["{{ .Prompt }}", "always this"])
def test_a_template_without_a_place_is_refused_with_the_way_out(template: str) -> None:
    with pytest.raises(InjectionError) as caught:
        forced(draft_of(template))
    assert caught.value.hint


def test_a_model_without_any_template_is_told_so() -> None:
    with pytest.raises(InjectionError, match="no template at all"):
        forced(draft_of(None))


def test_a_broken_jinja_template_names_its_fault() -> None:
    with pytest.raises(TemplateError, match="nosuch"):
        forced(draft_of(None, "{{ raise_exception('nosuch') }}{% for m in messages %}{{ m.content }}{% endfor %}"))


def test_a_renderer_inside_ollama_is_named() -> None:
    inherited = Inherited(template=CHATML, noted={"renderer": "qwen3.5", "parser": "qwen3.5"})
    draft = Draft.start(Base("base", Modelfile.parse("FROM base\n"), Path(), inherited), None)
    with pytest.raises(InjectionError, match=r"RENDERER|renderer"):
        edited(draft, load_recipe("force-think").resolve({"base": "base"}))


@needs_shared
@pytest.mark.parametrize("jinja", [False, True], ids=["go", "with-jinja"])
def test_every_real_template_that_opens_a_turn(jinja: bool) -> None:
    refused, total = {}, 0
    for row in conformance("templates.jsonl.gz"):
        if jinja and row["jinja"] is None:
            continue
        total += 1
        try:
            forced(draft_of(row["go"], row["jinja"] if jinja else None))
        except InjectionError as error:
            refused[row["id"]] = error.message
    known = ("never shows the user's message", "has no generation prompt", "itself closes <think>")
    assert {message for message in refused.values() if not any(words in message for words in known)} == set()
    assert len(refused) <= (1 if jinja else 8), refused
    assert total >= 50
