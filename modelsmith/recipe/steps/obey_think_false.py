r"""Step ``obey-think-false``: let ``think: false`` have an effect, by a closed empty block where the answer begins.

The same as ``inject: {text: "<think>\n\n</think>\n\n", when: not-thinking}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.recipe.parts.fields import Part, Text
from modelsmith.recipe.steps import inject

if TYPE_CHECKING:
    from modelsmith.models.draft import Draft


class Options(Part):
    """Begin the answer behind closed reasoning when a request says `think: false`; other requests stay as they are."""

    text: Text = "<think>\n\n</think>\n\n"
    """The closed empty block, with the tags and line breaks that the model was trained on."""


def edit(draft: Draft, *options: Options) -> Draft:
    """Return the draft whose prompts end with the text when a request says ``think: false``; see the step inject."""
    return inject.edit(draft, *(inject.Options(text=option.text, when="not-thinking") for option in options))
