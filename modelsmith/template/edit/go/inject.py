"""Add text where the assistant's turn opens: ``render(inject(t)) == render(t) + text`` there, and nothing changes elsewhere.

Other positions, beside messages or at the start, are the business of ``inject_messages.py``. At this one, past turns, begun answers (prefill), conversations that end with a system message and fill-in-the-middle prompts render as
before, errors included. A template is returned only when this is proven by rendering; see ``prove.py``. Candidates for the
edit come from ``inject_places.py`` and, for templates of ``.Prompt`` and ``.Response``, from ``inject_legacy.py``.

Source of the rules: Ollama template/template.go (Execute).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.memo import remembering
from modelsmith.source import apply_edits
from modelsmith.template.conversation.named import NAMED
from modelsmith.template.conversation.proof import proof_conversations
from modelsmith.template.conversation.think import THINKS, When
from modelsmith.template.edit.addition import Addition
from modelsmith.template.edit.go import places as inject_places
from modelsmith.template.edit.go.generation import generation_prompt, handles_tools, opens_turn
from modelsmith.template.edit.positions import GENERATION_PROMPT, check_place
from modelsmith.template.edit.prove import Renderings, first_proven, prove, prove_same_reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from modelsmith.syntax.gotemplate.nodes import ListItem
    from modelsmith.template.conversation.conversation import Conversation
    from modelsmith.template.conversation.think import Think
    from modelsmith.template.edit.go.places import Candidate
    from modelsmith.template.edit.prove import Expectation
    from modelsmith.template.go.template import Template


@remembering()
def inject(template: Template, text: str, at: str = GENERATION_PROMPT, when: str = When.ALWAYS) -> Template:
    """Return the template that prints ``text`` at a position: the end of the generation prompt, or another one.

    ``at`` is one of ``inject_positions.NAMES``: ``generation-prompt``, ``start``, and ``before-`` or ``after-`` ``system``,
    ``user``, ``last-user`` or ``assistant``. ``when`` is ``always``, ``thinking`` (unless the request says ``think: false``)
    or ``not-thinking`` (only then). Raises InjectionError where the template has no such place, or no edit could be proven.
    """
    return inject_many(template, [(text, when)], at)


def inject_many(template: Template, texts: Iterable[tuple[str, str]], at: str = GENERATION_PROMPT) -> Template:
    """Return the template with several (text, when) added in one block; texts that meet follow each other in order."""
    check_place(at)
    if at == GENERATION_PROMPT:
        return add(template, Addition.of(texts))
    from modelsmith.template.edit.go.beside import insert

    return insert(template, Addition.of(texts), at)


@remembering()
def add(template: Template, addition: Addition) -> Template:
    """Return the template that prints the addition where an assistant turn opens; proven, or InjectionError."""
    if not addition:
        return template
    before = Renderings(template)
    for think in THINKS:
        if addition.text(think):
            generation_prompt(template, think)
    expectation = _expectation(template, addition)
    return first_proven(
        _candidates(before, addition),
        lambda candidate: _proven(before, candidate, expectation),
        "no place was found for the text",
        otherwise="the template prints nothing that could be followed",
    )


def _proven(before: Renderings, candidate: Candidate, expectation: Expectation) -> Template:
    template = before.template
    edited = type(template).parse(apply_edits(template.text, candidate.edits))
    prove_same_reading(template, edited)
    after = Renderings(edited)
    prove(before, after, expectation, thinks=before.different(THINKS))
    prove(before, after, expectation, NAMED)
    return edited


def _candidates(before: Renderings, addition: Addition) -> Iterable[Candidate]:
    template = before.template
    if template.is_legacy:
        from modelsmith.template.edit.go.legacy import legacy_candidates

        return legacy_candidates(template.tree, addition)
    roles = ("user", "tool") if handles_tools(template) else ("user",)
    return inject_places.chat_candidates(template.tree, tails(before, addition), addition, roles)


def tails(before: Renderings, addition: Addition) -> Iterator[ListItem]:
    """Yield the nodes that print the end of the prompt where the addition has to follow."""
    template = before.template
    traced = template.renderer(traced=True)
    for think in before.different([think for think in THINKS if addition.text(think)]):
        for conversation in proof_conversations().values():
            if opens_turn(template, conversation) and before(conversation, think).prompt:
                passes = traced.passes(conversation, think)
                yield [piece.node for printed in passes for piece in printed if piece.text][-1]


def _expectation(template: Template, addition: Addition) -> Expectation:
    open_turns = {
        id(conversation): opens_turn(template, conversation) for conversation in proof_conversations().values()
    }

    def wrong(conversation: Conversation, think: Think, before: str, after: str) -> str:
        if not open_turns[id(conversation)]:
            return "" if before == after else "it must stay as it was, it opens no assistant turn"
        added = addition.text(think)
        return "" if after == before + added else f"it must get {added!r} at its end"

    return wrong
