"""The step inject at every position, its promises, and what a broken promise shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from example_templates import CHATML, R1_OLD

from modelsmith.errors import InjectionError, RecipeError
from modelsmith.models.base import Base, Inherited
from modelsmith.models.draft import Draft
from modelsmith.recipe.plan.plan import edited
from modelsmith.recipe.prove.compare import compare_drafts, only_inserted
from modelsmith.recipe.prove.expect import check
from modelsmith.recipe.read.load import parse_recipe
from modelsmith.syntax.modelfile.modelfile import Modelfile
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.edit.positions import NAMES

JINJA = (
    "{% if tools %}{{ tools | tojson }}{% endif %}{% for message in messages %}{{ '<|' + message.role + '|>' + message.content }}"
    "{% if message.tool_calls %}{{ message.tool_calls | tojson }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}{# tool #}"
)
TALK = Conversation.from_dict(
    {"messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "one"}]}
)


def draft_of(template: str | None, chat_template: str | None = None) -> Draft:
    weights = Path("model.gguf") if chat_template else None
    inherited = Inherited(template=template, chat_template=chat_template, weights=weights)
    return Draft.start(Base("base", Modelfile.parse("FROM base\n"), Path(), inherited), None)


def made(draft: Draft, steps: list[str], promises: list[str]) -> tuple[Draft, list[tuple[bool, str]]]:
    text = "name: r\nfrom: base\ntemplate:\n" + "".join(f"  - {step}\n" for step in steps) + "create: x\n"
    text += "expect:\n" + "".join(f"  - {promise}\n" for promise in promises)
    recipe = parse_recipe(text).resolve(environment={})
    after = edited(draft, recipe)
    found = check(recipe.expect, after, compare_drafts(draft, after))
    return after, [(checked.holds, checked.detail) for checked in found]


@pytest.mark.parametrize("at", NAMES)
def test_a_text_at_every_position_is_promised_and_history_is_otherwise_as_before(at: str) -> None:
    after, found = made(
        draft_of(CHATML),
        [f"inject: {{text: '[X]', at: {at}}}"],
        [f"{{prompt-has: '[X]', at: {at}}}", "history-unchanged: true"],
    )
    assert all(holds for holds, _ in found)
    again, _ = made(after, [f"inject: {{text: '[X]', at: {at}}}"], ["prompt-lacks: nowhere"])
    assert again.modelfile == after.modelfile


def test_steps_at_several_positions() -> None:
    steps = ["inject: {text: '[A]', at: after-system}", "inject: {text: '[B]', at: before-user, when: thinking}"]
    after, found = made(draft_of(CHATML), steps, ["history-unchanged: true"])
    assert found[0][0]
    assert "be brief[A]" in after.render(TALK, True)
    assert "[B]one" in after.render(TALK, True)
    assert "[B]" not in after.render(TALK, False)
    verdicts = {each.verdict for each in compare_drafts(draft_of(CHATML), after)}
    assert verdicts == {"same", "inserted"}


@pytest.mark.parametrize("at", ["start", "after-system", "before-last-user", "before-assistant"])
def test_the_jinja_template_gets_the_same_text(at: str) -> None:
    draft = draft_of(R1_OLD, JINJA)
    assert draft.effective.source == "jinja"
    steps = [f"inject: {{text: '[X]', at: {at}}}", "make-effective: {by: [jinja]}"]
    after, found = made(draft, steps, [f"{{prompt-has: '[X]', at: {at}}}", "history-unchanged: true"])
    assert "tokenizer.chat_template" in after.gguf
    assert [holds for holds, _ in found] == [True, True]


def test_an_unknown_position_has_its_place() -> None:
    with pytest.raises(RecipeError, match="before-user"):
        made(draft_of(CHATML), ["inject: {text: x, at: before-users}"], [])


@pytest.mark.parametrize(
    ("promise", "shows"),
    [
        ("prompt-ends-with: '[X]'", "user: 'What is a neap tide?'); think unset: ends with"),
        ("prompt-has: '[X]'", "What is a neap tide?"),
        ("{prompt-has: '[X]', at: after-system}", "You are a pilot"),
        ("prompt-lacks: im_start", "has '<|im_start|>"),
        ("capabilities: tools", "none beyond text"),
        ("thinking-tags: [<think>, </think>]", "none"),
    ],
)
def test_a_broken_promise_shows_the_conversation(promise: str, shows: str) -> None:
    _, found = made(draft_of(CHATML), ["add-stop: {stop: x}"], [promise])
    holds, detail = found[0]
    assert not holds
    assert shows.replace("); think", "), think") in detail


def test_long_conversations_are_shortened() -> None:
    _, found = made(draft_of(CHATML), ["add-stop: {stop: x}"], ["prompt-lacks: question 8"])
    assert "… 11 more" in found[0][1]


def test_kept_promises_count_their_renderings() -> None:
    _, found = made(draft_of(CHATML), ["add-stop: {stop: x}"], ["prompt-lacks: nowhere", "prompt-has: im_start"])
    assert all(holds and "renderings" in detail for holds, detail in found)


def test_what_is_inserted_is_told_from_what_is_changed() -> None:
    assert only_inserted("abab", "XabXab", ["X"], [])
    assert only_inserted("aXa", "aXXa", ["X"], [])
    assert only_inserted("ab", "Xab!", ["X"], ["?!"])
    assert not only_inserted("ab", "Xb", ["X"], [])
    assert not only_inserted("ab", "aYb", ["X"], [])


@pytest.mark.parametrize("architecture", ["bert", "nomic-bert-moe", "gemma-embedding"])
def test_a_model_that_gives_no_answers(architecture: str) -> None:
    inherited = Inherited(architecture=architecture, weights=Path("model.gguf"))
    draft = Draft.start(Base("base", Modelfile.parse("FROM base\n"), Path(), inherited), None)
    with pytest.raises(InjectionError, match=f"{architecture} gives embeddings and no answers"):
        made(draft, ["inject: {text: '<think>'}"], [])
