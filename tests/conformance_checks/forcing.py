"""What the recipe force-think does to real Jinja templates: it works, or it is refused with a reason. A broken promise is neither."""

from __future__ import annotations

from pathlib import Path

from modelsmith.errors import ModelsmithError
from modelsmith.models.base import Base, Inherited
from modelsmith.models.draft import Draft
from modelsmith.recipe.plan.plan import edited
from modelsmith.recipe.prove.compare import compare_drafts
from modelsmith.recipe.prove.expect import check
from modelsmith.recipe.read.load import load_recipe
from modelsmith.syntax.modelfile.modelfile import Modelfile

WORKS = "works"


def forced(template: str | None, chat_template: str | None) -> str:
    """Return ``works``, ``refused: `` and why, or ``BROKEN: `` and the promises that the edited model does not keep."""
    weights = Path("weights.gguf") if chat_template else None
    inherited = Inherited(template=template, chat_template=chat_template, weights=weights)
    before = Draft.start(Base("base", Modelfile.parse("FROM base\n"), Path(), inherited), None)
    try:
        recipe = load_recipe("force-think").resolve({"base": "base"})
        after = edited(before, recipe)
        results = check(recipe.expect, after, compare_drafts(before, after))
    except ModelsmithError as error:
        return f"refused: {error.message}"
    broken = [f"{each.promise} ({each.detail})" for each in results if not each.holds]
    return f"BROKEN: {'; '.join(broken)}" if broken else WORKS
