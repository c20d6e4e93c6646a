"""What a plan changes in the model that stands under its name: somebody uses that one, whatever the base is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from modelsmith.errors import ModelsmithError
from modelsmith.models.draft import Draft
from modelsmith.models.find import resolve_base
from modelsmith.recipe.prove.compare import Verdict, compare_drafts
from modelsmith.syntax.modelfile.table import NOTED

if TYPE_CHECKING:
    from modelsmith.recipe.plan.plan import Plan
    from modelsmith.recipe.prove.compare import Comparison


class Change(NamedTuple):
    """One value: its name as in a Modelfile, what it is in the model that is replaced, and what it will be."""

    name: str
    old: Any
    new: Any


def against(plan: Plan) -> tuple[Change, ...]:
    """Return what differs between the model that is replaced and the planned one.

    Empty where there is none, where it is the base itself (then the plan shows just that), and where nothing changes.
    """
    stands, after = plan.replaces, plan.after
    if stands is None or not _is_another(plan):
        return ()
    messages = tuple((str(message.get("role", "")), str(message.get("content", ""))) for message in stands.messages)
    rows = [
        Change("TEMPLATE", stands.template or "", after.template_text or ""),
        Change("SYSTEM", stands.system, after.system),
        *(Change(keyword, stands.noted.get(command, ""), after.noted[command]) for command, keyword in NOTED.items()),
        Change("MESSAGE", list(messages), list(after.messages)),
    ]
    if stands.chat_template_known:
        jinja = after.chat_template
        rows.insert(1, Change("tokenizer.chat_template", stands.chat_template or "", jinja.text if jinja else ""))
    names = sorted({*stands.parameters, *after.parameters})
    rows += [Change(f"PARAMETER {name}", stands.parameters.get(name), after.parameters.get(name)) for name in names]
    return tuple(row for row in rows if row.old != row.new)


def prompts_against(plan: Plan) -> tuple[Comparison, ...]:
    """Return the prompts of the model that is replaced beside those of the planned one, where they differ.

    Each is rendered with the template that runs in its model. Empty where ``against`` is, and where its GGUF or template
    cannot be read.
    """
    if not _is_another(plan):
        return ()
    try:
        stands = Draft.start(resolve_base(plan.name.short, plan.store, plan.before.base.folder), plan.after.version)
        if stands.runs_jinja != plan.after.runs_jinja:
            return ()
        found = compare_drafts(stands, plan.after)
    except ModelsmithError:
        return ()
    return found if any(comparison.verdict is not Verdict.SAME for comparison in found) else ()


def _is_another(plan: Plan) -> bool:
    """Say whether a model is replaced that is not the base itself."""
    stands = plan.replaces
    return stands is not None and plan.preview.changes and stands.digest != plan.before.base.inherited.digest
