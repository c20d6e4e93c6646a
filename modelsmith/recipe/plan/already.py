"""What a recipe asks for and its base has already: no mistake, and said in one note."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.models.draft import as_values
from modelsmith.recipe.plan.metadata import metadata_changes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.models.draft import Draft
    from modelsmith.recipe.read.load import Recipe

ALREADY = "already so in the base: "
"""How the note begins."""


def with_already(after: Draft, before: Draft, recipe: Recipe) -> Draft:
    """Return the draft with a note of everything that the recipe sets to what the base has, if there is any."""
    found = [*_values(after, before, recipe)]
    return after.with_note(ALREADY + ", ".join(found)) if found else after


def told_of_step(kind: str, before: Draft, after: Draft) -> Draft:
    """Return the draft after a step, with a note where the step found nothing to do; make-effective mostly has nothing."""
    return after.with_note(ALREADY + kind) if after is before and kind != "make-effective" else after


def _values(after: Draft, before: Draft, recipe: Recipe) -> Iterator[str]:
    if isinstance(recipe.template, str) and recipe.template == before.template_text:
        yield "template"
    for name, value in recipe.parameters.items():
        if value is None and name not in before.parameters:
            yield f"parameters: {name} (none)"
        elif value is not None and before.parameters.get(name) == after.parameters.get(name):
            yield f"parameters: {name} {' '.join(map(str, as_values(value)))}"
    if recipe.system is not None and recipe.system == before.system:
        yield "system"
    if recipe.messages and tuple((message.role, message.content) for message in recipe.messages) == before.messages:
        yield "messages"
    if recipe.license_ and tuple(recipe.license_) == tuple(before.modelfile.licenses):
        yield "license"
    if recipe.requires in {before.modelfile.requires or before.inherited.requires} - {""}:
        yield "requires"
    for key in metadata_changes(recipe.gguf):
        if key not in after.gguf:
            yield f"gguf: {key}"
