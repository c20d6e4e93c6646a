"""The proof itself: what it compares, what it says, when it gives up."""

from __future__ import annotations

import pytest

from modelsmith.errors import InjectionError
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.conversation.named import NAMED
from modelsmith.template.conversation.proof import proof_conversations
from modelsmith.template.edit import prove as prove_module
from modelsmith.template.edit.addition import Addition, code
from modelsmith.template.edit.go.inject import inject
from modelsmith.template.edit.prove import Renderings, prove, prove_same_reading, same_prompt
from modelsmith.template.go.template import Template

PLAIN = "{{ range .Messages }}{{ .Role }}: {{ .Content }}\n{{ end }}assistant: "


def rendered(text: str) -> Renderings:
    return Renderings(Template.parse(text))


def test_templates_that_print_the_same_are_proven_so() -> None:
    prove(rendered(PLAIN), rendered(PLAIN.replace("{{ end }}", "{{ end }}{{/* same */}}")), same_prompt)


def test_the_smallest_conversation_that_differs_is_named() -> None:
    with pytest.raises(
        InjectionError, match=r'conversation "roles user" with think unset gave .* before and .* after'
    ) as caught:
        prove(rendered(PLAIN), rendered(PLAIN.replace("{{ .Role }}: ", "{{ .Role }}:: ")), same_prompt, one_message())
    assert caught.value.hint


def one_message() -> dict[str, Conversation]:
    return {name: talk for name, talk in proof_conversations().items() if name.startswith("roles user")}


def test_an_error_must_stay_the_same_error_wherever_it_stands() -> None:
    broken = PLAIN.replace("{{ .Content }}", "{{ .Contents }}")
    prove(rendered(broken), rendered("{{/* moved */}}\n{{- /* again */ -}}\n" + broken), same_prompt)
    with pytest.raises(InjectionError, match="it must fail as before"):
        prove(rendered(broken), rendered(PLAIN), same_prompt)


def test_how_ollama_reads_the_template_must_stay() -> None:
    before = Template.parse(PLAIN)
    for more in ("{{ if false }}{{ .Tools }}{{ end }}", "{{ if false }}{{ .Suffix }}{{ end }}"):
        with pytest.raises(InjectionError, match="the capabilities that Ollama sees"):
            prove_same_reading(before, Template.parse(PLAIN + more))
    with pytest.raises(InjectionError, match="the way of rendering"):
        prove_same_reading(Template.parse("{{ .Prompt }}"), before)
    thinking = Template.parse(PLAIN + "{{ range .Messages }}{{ if false }}<t>{{ .Thinking }}</t>{{ end }}{{ end }}")
    with pytest.raises(InjectionError, match="the thinking tags"):
        prove_same_reading(before, thinking)
    prove_same_reading(before, thinking, thinking_may_change=True)


def test_a_template_that_takes_for_ever_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prove_module, "_SECONDS", 0.0)
    with pytest.raises(InjectionError, match="cannot be proven"):
        inject(Template.parse(PLAIN + "slowly: "), "<think>\n")


def test_the_proof_holds_all_named_conversations_and_all_short_orders() -> None:
    talks = proof_conversations()
    assert set(NAMED) <= set(talks)
    assert "roles user, system, user" in talks
    assert "roles user, developer" in talks


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("a", "a", "a"), '{{ "a" }}'),
        (("a", "a", ""), '{{ if or $.Think (not $.IsThinkSet) }}{{ "a" }}{{ end }}'),
        (("", "", "a"), '{{ if and $.IsThinkSet (not $.Think) }}{{ "a" }}{{ end }}'),
        (("a", "a", "b"), '{{ if and $.IsThinkSet (not $.Think) }}{{ "b" }}{{ else }}{{ "a" }}{{ end }}'),
        (("a", "b", "b"), '{{ if $.IsThinkSet }}{{ "b" }}{{ else }}{{ "a" }}{{ end }}'),
        (("a", "", ""), '{{ if not $.IsThinkSet }}{{ "a" }}{{ end }}'),
        (("", "a", "a"), '{{ if $.IsThinkSet }}{{ "a" }}{{ end }}'),
        (("a", "b", "a"), '{{ if $.Think }}{{ "b" }}{{ else }}{{ "a" }}{{ end }}'),
        (("", "a", ""), '{{ if $.Think }}{{ "a" }}{{ end }}'),
        (("a", "", "a"), '{{ if not $.Think }}{{ "a" }}{{ end }}'),
        (("a", "", "b"), '{{ if not $.IsThinkSet }}{{ "a" }}{{ else if not $.Think }}{{ "b" }}{{ end }}'),
        (("a", "b", ""), '{{ if $.Think }}{{ "b" }}{{ else if not $.IsThinkSet }}{{ "a" }}{{ end }}'),
        (("", "a", "b"), '{{ if $.Think }}{{ "a" }}{{ else if $.IsThinkSet }}{{ "b" }}{{ end }}'),
        (("a", "b", "c"), '{{ if $.Think }}{{ "b" }}{{ else if $.IsThinkSet }}{{ "c" }}{{ else }}{{ "a" }}{{ end }}'),
    ],
)
def test_what_think_says_becomes_the_shortest_condition(texts: tuple[str, str, str], expected: str) -> None:
    addition = Addition(*texts)
    assert code(addition) == expected
    template = Template.parse(expected + "{{ if false }}{{ .Messages }}{{ end }}")
    for think, text in zip((None, True, False), texts, strict=True):
        assert template.render(NAMED["user"], think) == text == addition.text(think)
