"""What lint says of a recipe's result that it did not say of its base: a plan tells it before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.lint.document import Document
from modelsmith.lint.run.engine import check
from modelsmith.lint.settings import Settings
from modelsmith.lint.surroundings import Surroundings
from modelsmith.recipe.plan.effects import SYSTEM_UNSEEN
from modelsmith.versions import resolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from modelsmith.diagnostic import Diagnostic
    from modelsmith.models.draft import Draft

_UNDECIDED = ("MS0", "MS301", "MS5", "MS6", "MS7")
"""Rules about files and names, which the plan itself settles, and about which template runs, which it proves."""


def new_findings(before: Draft, after: Draft, told: Sequence[str] = ()) -> tuple[Diagnostic, ...]:
    """Return errors and warnings of the new Modelfile that its base has not: what the recipe itself brought in.

    ``told`` is what ``without_effect`` says: a system prompt that is never shown is told once.
    """
    unshown = any(text.startswith(SYSTEM_UNSEEN) for text in told)
    new = [
        diagnostic
        for diagnostic in _found(after)
        if diagnostic.severity is not Severity.INFO
        and not (unshown and diagnostic.code == "MS307" and "SYSTEM" in diagnostic.message)
    ]
    old = {(diagnostic.code, diagnostic.message) for diagnostic in _found(before)} if new else set()
    return tuple(diagnostic for diagnostic in new if (diagnostic.code, diagnostic.message) not in old)


def _found(draft: Draft) -> tuple[Diagnostic, ...]:
    from modelsmith.store.surroundings import model_of_gguf
    from modelsmith.weights.convert.weights import open_weights

    weights = draft.inherited.weights
    model = model_of_gguf(open_weights(weights)) if weights is not None else None
    settings = Settings(resolve(draft.version), ignore=_UNDECIDED)
    return check(Document.parse(bytes(draft.modelfile), settings=settings, surroundings=Surroundings(model=model)))
