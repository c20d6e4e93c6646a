"""``plan -o FILE`` and ``apply FILE``: a plan that is written down, looked at, and carried out later."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.cli.recipes.planning import Planned, ask_again, chosen_store, lock_path, moved_error, pinned
from modelsmith.hidden import unseen

if TYPE_CHECKING:
    from modelsmith.cli.shared.options import PlanOptions
    from modelsmith.progress import ProgressSink
    from modelsmith.store import Store

ENDING = ".json"


def is_plan_file(recipe: str) -> bool:
    """Say whether what ``apply`` is asked for is a plan that was written down: recipes are YAML."""
    return recipe.lower().endswith(ENDING)


def check_place(path: Path, *, force: bool) -> None:
    """Raise UsageError where a plan cannot be written to ``path``."""
    from modelsmith.errors import UsageError
    from modelsmith.files.outputs import check_output
    from modelsmith.recipe.lock.saved import is_saved

    if path.suffix.lower() != ENDING:
        raise UsageError(f'"{path}" is not the name of a plan\'s file', hint=f"call it {path}{ENDING}")
    check_output(path, force=force, is_ours=is_saved)


def save(path: Path, made: Planned, options: PlanOptions, *, force: bool, progress: ProgressSink) -> None:
    """Write a plan; reads the weights that it rests on, for their digests."""
    from modelsmith.cli.recipes.plan_json import report_data
    from modelsmith.cli.shared.outputs import write_output
    from modelsmith.errors import Unsupported, UsageError
    from modelsmith.recipe.lock.make import locked_model
    from modelsmith.recipe.lock.saved import is_saved, saved_bytes

    plan, asked = made.plan, made.asked
    if made.from_lock:
        raise UsageError(
            "a plan from the lock is for no store, and cannot be carried out", hint="leave -o or --from-lock out"
        )
    if plan.missing:
        raise Unsupported(f"a plan without its base cannot be carried out later: {plan.missing}")
    folder = path.absolute().parent
    model = locked_model(plan, asked, folder, headers=False, progress=progress)
    shown = json.loads(unseen(json.dumps(report_data(made), ensure_ascii=False)))
    shown.pop("seconds")
    for layer, made_of in zip(shown["layers"], model.result.layers, strict=False):
        layer["digest"] = made_of.digest  # known now, whatever was known when it was planned
    data = saved_bytes(plan, model, place_of(plan.store), target=options.target_ollama, shown=shown)
    write_output(path, data, force=force, option="-o", is_ours=is_saved)


def place_of(store: Store) -> str:
    """Return a store's place as it is compared: a URL without credentials, or an absolute path."""
    return store.location if "://" in store.location else str(Path(store.location).absolute())


def make_saved(options: PlanOptions, *, progress: ProgressSink) -> Planned:
    """Plan anew what a file says, and make sure that it is that plan; raises PlanChanged with what moved."""
    from modelsmith.recipe.lock.make import locked_model
    from modelsmith.recipe.lock.saved import moved_since, read_saved
    from modelsmith.recipe.plan.plan import plan

    begun = time.monotonic()
    _check_alone(options)
    path = Path(options.recipe)
    saved = read_saved(path)
    folder = path.absolute().parent
    asked = ask_again(saved.model, folder)
    store = chosen_store(options.where or saved.store)
    made = plan(
        pinned(asked.recipe, saved.model),
        store,
        version=saved.target,
        as_is=saved.model.as_is,
        modelfile=Path(saved.modelfile) if saved.modelfile else None,
    )
    now = locked_model(made, asked, folder, headers=False, progress=progress)
    if found := moved_since(saved, made, now, place_of(store)):
        raise moved_error(found, str(path))
    return Planned(made, asked, lock_path(None), saved.model, (), time.monotonic() - begun)


def _check_alone(options: PlanOptions) -> None:
    """Refuse options that would make it another plan."""
    from modelsmith.errors import UsageError

    given = {
        "--set": options.settings,
        "--profile": options.profile,
        "--only": options.only,
        "--as-is": options.as_is,
        "--target-ollama": options.target_ollama,
        "--modelfile": options.modelfile,
        "--lock-file": options.lock_file,
    }
    if wrong := next((name for name, value in given.items() if value), ""):
        raise UsageError(
            f"{options.recipe} is a plan: it says already what {wrong} would",
            hint=f"leave {wrong} out, or plan again with it",
        )
