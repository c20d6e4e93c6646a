"""What may be expected of any model: what ``verify MODEL`` checks where no recipe says more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.models.rendered import rendered
from modelsmith.recipe.format.ask import Ask
from modelsmith.recipe.format.expectations import SplitsReasoning
from modelsmith.recipe.prove.checked import Checked
from modelsmith.recipe.prove.expect import check
from modelsmith.template.conversation.named import NAMED

if TYPE_CHECKING:
    from modelsmith.models.draft import Draft

HELLO = "Say hello in one short sentence."
_SHAPES = ("user", "turns")
_MOST = 1024
"""Tokens of an answer: enough for a model that thinks about a greeting, and an end for one that never stops."""


def usual_promises(draft: Draft) -> tuple[Checked, ...]:
    """Check what can be known without running a model: it renders plain chats and, where it thinks, reasoning is split off."""
    found = [_renders(draft)]
    if "thinking" in draft.effective.capabilities:
        found += check((SplitsReasoning.model_validate({"splits-reasoning": True}),), draft, ())
    return tuple(found)


def usual_asks(draft: Draft) -> tuple[Ask, ...]:
    """Return what a model is asked: it says something, without tags of its template in it, and obeys ``think`` where it thinks."""
    if "thinking" not in draft.effective.capabilities:
        return (_ask(matches=r"\S"),)
    return (_ask(think=True, thinks=True, matches=r"\S"), _ask(think=False, thinks=False, matches=r"\S"))


def _ask(**promises: object) -> Ask:
    data = {key.replace("_", "-"): value for key, value in promises.items()}
    return Ask.model_validate({"ask": HELLO, "apart": True, "options": {"num_predict": _MOST}, **data})


def _renders(draft: Draft) -> Checked:
    promise = "plain chats render"
    source = draft.effective.source
    if source in {"renderer", "harmony"}:
        return Checked(promise, holds=True, detail=f"by code inside Ollama: {draft.effective.reason}")
    count = 0
    for name in _SHAPES:
        answer = rendered(draft, NAMED[name], None)
        if answer.error:
            return Checked(promise, holds=False, detail=f'"{name}": {answer.error}')
        count += 1
    return Checked(promise, holds=True, detail=f"{count} by {source}: {draft.effective.reason}")
