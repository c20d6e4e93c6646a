"""One module for each kind of step that a recipe can take on a template.

A step kind is a module with ``Options``, what a recipe may say about it, and ``edit``, which returns the edited draft.
Its key in a recipe and its module stand in ``STEPS``; nothing else needs to know it. What a step works with is imported
when it is taken, so that reading recipes stays fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from modelsmith.recipe.steps import (
    add_stop,
    add_tools,
    convert_jinja,
    declare_thinking,
    inject,
    make_effective,
    obey_think_false,
    replace_token,
    strip_system,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.models.draft import Draft
    from modelsmith.recipe.parts.fields import Part


class StepKind(Protocol):
    """What a module of this package must have to be a kind of step."""

    __name__: str

    @property
    def Options(self) -> type[Part]:  # noqa: N802 - a class of the module, not a value
        """The keys that a recipe may give; the docstrings become the JSON Schema."""

    def edit(self, draft: Draft, *options: Any) -> Draft:
        """Return the draft after steps of this kind in a row; raises InjectionError where one cannot be taken or proven."""


STEPS: Mapping[str, StepKind] = {
    "inject": inject,
    "declare-thinking": declare_thinking,
    "obey-think-false": obey_think_false,
    "add-tools": add_tools,
    "replace-token": replace_token,
    "strip-system": strip_system,
    "add-stop": add_stop,
    "make-effective": make_effective,
    "convert-jinja": convert_jinja,
}
