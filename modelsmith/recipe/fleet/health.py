"""Whether a host serves a model that was just rolled out there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Final

from modelsmith.errors import VerificationFailed
from modelsmith.progress import Progress, ProgressSink, silent

if TYPE_CHECKING:
    from modelsmith.recipe.plan.plan import Plan

Health = Callable[["Plan", ProgressSink], str]
"""Looks at the model of a plan on its host, and says what was found; raises ModelsmithError where it must not stay."""


_FOLDER: Final = "nothing was asked: a folder runs no model"


def planned_there(plan: Plan, progress: ProgressSink = silent) -> str:
    """Compare what the host stores, and what a server says of it (template, capabilities, prompts), with the plan."""
    from modelsmith.recipe.plan.apply import verify
    from modelsmith.recipe.plan.served import check_served

    verify(plan, plan.store.show(plan.name))
    return "; ".join(check_served(plan, progress=progress)) or "stored as planned"


def promised_there(plan: Plan, progress: ProgressSink = silent) -> str:
    """Check the plan with ``planned_there``, then what the recipe promises of answers: a server is asked."""
    from modelsmith.engines.ollama import OllamaEngine
    from modelsmith.recipe.format.ask import Ask
    from modelsmith.recipe.prove.answers import ask_all
    from modelsmith.store.ollama.ollama import OllamaStore

    found = planned_there(plan, progress)
    asks = [ask for ask in plan.recipe.expect if isinstance(ask, Ask)]
    if not asks:
        return found
    if not isinstance(plan.store, OllamaStore):
        return f"{found}; {_FOLDER}"
    progress(Progress(f"asking {plan.name.short} on {plan.store.location}"))
    with closing(OllamaEngine(plan.store.location, plan.name.short)) as engine:
        asked = ask_all(asks, engine)
    for checked_ask in asked:
        if checked_ask.error is not None:
            raise checked_ask.error
        for checked in checked_ask.checked:
            if not checked.holds:
                raise VerificationFailed(
                    f"asked {checked_ask.title!r} on {plan.store.location}: {checked.promise}, but {checked.detail}",
                    hint="look at it there: modelsmith verify",
                )
    return f"{found}; its answers are as promised ({len(asked)} asked)"


def answering(question: str) -> Health:
    """Return a check that asks the model on its host a question, after ``promised_there``: an empty answer fails."""

    def check(plan: Plan, progress: ProgressSink = silent) -> str:
        from modelsmith.engines.ollama import OllamaEngine
        from modelsmith.engines.protocol import AnswerPiece, Request
        from modelsmith.store.ollama.ollama import OllamaStore
        from modelsmith.template.conversation.conversation import Conversation

        found = promised_there(plan, progress)
        if not isinstance(plan.store, OllamaStore):
            return found if _FOLDER in found else f"{found}; {_FOLDER}"
        asked = Request(Conversation.from_dict({"messages": [{"role": "user", "content": question}]}))
        progress(Progress(f"asking {plan.name.short} on {plan.store.location}"))
        with closing(OllamaEngine(plan.store.location, plan.name.short)) as engine:
            said = any(isinstance(piece, AnswerPiece) and piece.text.strip() for piece in engine.stream(asked))
        if not said:
            raise VerificationFailed(
                f"{plan.name.short} on {plan.store.location} answers {question!r:.80} with nothing",
                hint="look at it there: modelsmith try",
            )
        return f"{found}; it answers"

    return check
