"""What ``modelsmith verify`` looks at: a recipe's model, as it is stored or as it would be made, or any other model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.cli.shared.options import PlanOptions, store_for
from modelsmith.errors import ModelNotFound, Unsupported, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.cli.running.options import RunOptions
    from modelsmith.engines.choose import Choice
    from modelsmith.engines.known import KnownModel
    from modelsmith.progress import ProgressSink
    from modelsmith.recipe.format.ask import Ask
    from modelsmith.recipe.plan.plan import Plan
    from modelsmith.recipe.prove.checked import Checked


@dataclass(frozen=True, slots=True)
class Subject:
    """A model: the promises that need no answer, what it is to be asked, what is known of it, and how to run it."""

    name: str
    promises: tuple[Checked, ...]
    asks: tuple[Ask, ...]
    known: KnownModel
    run: Callable[[], Choice]


def is_recipe(target: str) -> bool:
    """Say whether a recipe is meant: a YAML file, a bundled recipe, one of a team's, or an address; all else is a model."""
    from modelsmith.recipe.read.bundled import ENDINGS, bundled_recipes
    from modelsmith.recipe.remote.address import is_remote
    from modelsmith.recipe.team.find import is_of_team

    return target.lower().endswith(ENDINGS) or target in bundled_recipes() or is_remote(target) or is_of_team(target)


def model_subject(options: RunOptions, name: str, version: str | None, progress: ProgressSink) -> Subject:
    """Return a model for the usual questions; raises ModelNotFound …."""
    from modelsmith.engines.choose import choose_engine
    from modelsmith.engines.known import find_known
    from modelsmith.recipe.prove.usual import usual_asks, usual_promises

    store = store_for(options.where, name)
    known = find_known(name, store, Path.cwd(), version, progress)
    return Subject(
        name,
        usual_promises(known.draft),
        usual_asks(known.draft),
        known,
        lambda: choose_engine(options.wish(name, store, progress)),
    )


def recipe_subject(
    options: RunOptions, plan_options: PlanOptions, progress: ProgressSink, *, from_lock: bool
) -> Subject:
    """Return a recipe's model for what the recipe promises; raises RecipeError and what planning raises."""
    from modelsmith.cli.recipes.planning import make_plan, resolve_recipe
    from modelsmith.engines.known import KnownModel
    from modelsmith.recipe.format.ask import Ask

    asked = resolve_recipe(plan_options.recipe, plan_options.settings, plan_options.profile)
    plan = make_plan(plan_options, asked, progress=progress, from_lock=from_lock).plan
    asks = tuple(ask for ask in plan.recipe.expect if isinstance(ask, Ask))
    name = plan.name.short

    def run() -> Choice:
        if from_lock:
            raise UsageError(
                "--from-lock knows a model and cannot run it", hint="take the answers from a recording: --replay FILE"
            )
        return _run(options, plan, progress)

    return Subject(name, plan.checked, asks, KnownModel.of(plan.after, name, name=name), run)


def _run(options: RunOptions, plan: Plan, progress: ProgressSink) -> Choice:
    """Run the model that the recipe has made or, where that is possible here, the one that it would make."""
    from modelsmith.engines.choose import choose_engine
    from modelsmith.engines.known import KnownModel, runnable
    from modelsmith.store.ollama.ollama import OllamaStore

    name, is_made = plan.name.short, plan.replaces is not None and not plan.preview.changes
    if options.on not in {"", "embedded"}:
        return choose_engine(options.wish(name, lambda: plan.store, progress))
    if is_made:
        return choose_engine(options.wish(name, lambda: plan.store, progress))
    hint = "make it with `modelsmith apply`, with the same arguments"
    if isinstance(plan.store, OllamaStore) and not options.on:
        state = "is not there" if plan.replaces is None else "is not what the recipe makes"
        raise ModelNotFound(
            f"{name} {state} on {plan.store.location}", hint=f"{hint}, or run it here with --on embedded"
        )
    plan = plan.fetched(progress)
    known = KnownModel.of(plan.after, name)
    try:
        runnable(known)
    except Unsupported as error:
        raise Unsupported(error.message, hint=error.hint or hint) from error
    wish = options.wish(name, lambda: plan.store, progress, known)
    return choose_engine(wish)
