"""From the words of a command to a plan, with the lock beside it where there is one."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from modelsmith.cli.shared.options import PlanOptions
    from modelsmith.errors import ModelsmithError
    from modelsmith.progress import ProgressSink
    from modelsmith.recipe.lock.drift import Moved
    from modelsmith.recipe.lock.format import LockedModel
    from modelsmith.recipe.plan.plan import Plan
    from modelsmith.recipe.read.load import Recipe, RecipeFile
    from modelsmith.store import Store
    from modelsmith.store.model import StoredModel

_MOST = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """A recipe with values for its inputs: as it is written, the values that were given, and both together."""

    written: RecipeFile
    settings: Mapping[str, Any]
    recipe: Recipe


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, what the lock says of its model (None: nothing), what moved since, and how long planning took."""

    plan: Plan
    asked: Asked
    lock: Path
    locked: LockedModel | None
    moved: tuple[Moved, ...]
    seconds: float
    from_lock: bool = False

    @property
    def drifted(self) -> tuple[Moved, ...]:
        """What moved and matters."""
        return tuple(each for each in self.moved if each.matters)


def pinned(recipe: Recipe, locked: LockedModel) -> Recipe:
    """Return the recipe with the commits of the lock."""
    from modelsmith.recipe.lock.planning import pinned as with_pins

    return with_pins(recipe, locked)


def ask(recipe: str, settings: tuple[str, ...]) -> Asked:
    """Read a recipe and fill in its inputs."""
    from modelsmith.recipe.read.inputs import parse_settings
    from modelsmith.recipe.read.load import load_recipe

    written = load_recipe(recipe)
    given = parse_settings(settings, written.inputs)
    return Asked(written, given, written.resolve(given))


def ask_again(locked: LockedModel, folder: Path) -> Asked:
    """Read the recipe of a locked model again, with the values that were given when it was locked."""
    from modelsmith.recipe.read.bundled import is_path
    from modelsmith.recipe.read.load import load_recipe
    from modelsmith.recipe.remote.address import is_remote

    here = is_path(locked.recipe) and not is_remote(locked.recipe)
    name: str | Path = folder / locked.recipe if here else locked.recipe
    written = load_recipe(name)
    given = {key: value for key, value in locked.inputs.items() if value is not None}
    return Asked(written, given, written.resolve(given, here=folder))


def chosen_store(where: str | None) -> Store:
    """Return the store that a plan is for; tells which one was chosen where none was named."""
    from modelsmith.cli.shared.failure import printable
    from modelsmith.store.open import choose_store

    choice = choose_store(where)
    if where is None:
        click.echo(click.style(printable(f"using {choice.store.location}: {choice.reason}"), dim=True), err=True)
    return choice.store


def lock_path(given: Path | None) -> Path:
    """Return the place of the lock."""
    from modelsmith.recipe.lock.file import NAME

    return given or Path(NAME)


def locked_entry(path: Path, asked: Asked, *, required: bool) -> LockedModel | None:
    """Return what the lock says of a recipe's model; None where it says nothing, and nothing is ``required``.

    Raises UsageError where something is required, UnreadableFile where the lock is missing then, or none at all.
    """
    from modelsmith.errors import UsageError
    from modelsmith.name import ModelName
    from modelsmith.recipe.lock.file import read_lock

    if not required and not path.exists():
        return None
    models = read_lock(path).models
    name = ModelName.strict(asked.recipe.create).short
    if required and name not in models:
        known = f": it has {', '.join(list(models)[:5])}" if models else ""
        raise UsageError(f"{path} says nothing of {name}{known}", hint="add it with modelsmith lock RECIPE")
    return models.get(name)


def drift_of(
    plan: Plan,
    asked: Asked,
    locked: LockedModel,
    folder: Path,
    *,
    hashes: bool,
    progress: ProgressSink,
    from_lock: bool = False,
) -> tuple[Moved, ...]:
    """Compare a plan with what the lock says; ``hashes`` reads weights whose digests are not known."""
    from modelsmith.recipe.lock.drift import moved
    from modelsmith.recipe.lock.make import locked_model
    from modelsmith.recipe.lock.store import LockedStore

    store = plan.store
    now = locked_model(
        plan,
        asked.written,
        asked.settings,
        folder,
        hashes=hashes and not from_lock,
        headers=False,
        spec=asked.recipe.from_,
        base=locked.base if from_lock else None,
        locked=locked.result,
        base_of=store.base_of if isinstance(store, LockedStore) else None,
        progress=progress,
    )
    return moved(locked, now)


def make_plan(
    options: PlanOptions, *, progress: ProgressSink, from_lock: bool = False, pins: bool = False, hashes: bool = False
) -> Planned:
    """Plan what a command asks for, and compare it with the lock where there is one.

    ``from_lock`` takes the base from the lock and asks no store, ``pins`` plans with the commits that the lock names;
    both need a lock that knows the model. ``hashes`` reads weights to compare them.
    """
    from modelsmith.recipe.lock.drift import not_locked

    begun = time.monotonic()
    asked = ask(options.recipe, options.settings)
    path = lock_path(options.lock_file)
    locked = locked_entry(path, asked, required=from_lock or pins or options.lock_file is not None)
    if from_lock and locked is not None:
        plan = _from_lock(options, asked, locked, path)
    else:
        recipe = pinned(asked.recipe, locked) if pins and locked is not None else asked.recipe
        plan = _plan(options, recipe, locked if pins else None)
    found: tuple[Moved, ...] = ()
    if locked is not None:
        folder = path.absolute().parent
        found = drift_of(plan, asked, locked, folder, hashes=hashes, progress=progress, from_lock=from_lock)
    elif hashes and path.exists():
        found = (not_locked(plan.name.short),)
    return Planned(plan, asked, path, locked, found, time.monotonic() - begun, from_lock)


def plan_alone(options: PlanOptions) -> Plan:
    """Plan what a command asks for, whatever a lock says."""
    return _plan(options, ask(options.recipe, options.settings).recipe, None)


def _from_lock(options: PlanOptions, asked: Asked, locked: LockedModel, path: Path) -> Plan:
    from modelsmith.errors import UsageError
    from modelsmith.recipe.lock.planning import plan_from_lock

    given = [("--store", options.where), ("--target-ollama", options.target_ollama), ("--as-is", options.as_is)]
    if wrong := [name for name, value in given if value]:
        raise UsageError(f"--from-lock asks no store, so {wrong[0]} has no place", hint=f"leave {wrong[0]} out")
    return plan_from_lock(asked.recipe, locked, str(path), options.modelfile)


def _plan(options: PlanOptions, recipe: Recipe, locked: LockedModel | None) -> Plan:
    """Plan for the store that is chosen; where it has no version, for the Ollama that a lock names."""
    from modelsmith.recipe.plan.plan import plan
    from modelsmith.versions import Version

    version = str(Version.parse(options.target_ollama)) if options.target_ollama else None
    store = chosen_store(options.where)
    as_is = options.as_is
    if locked is not None:
        as_is = as_is or locked.as_is
        if version is None and store.ollama_version() is None:
            version = locked.tools.get("ollama")
    return plan(recipe, store, version=version, as_is=as_is, modelfile=options.modelfile)


def moved_error(moved: Sequence[Moved], since: str) -> ModelsmithError:
    """Return the error that names what is not as it was pinned."""
    from modelsmith.errors import PlanChanged

    told = "; ".join(map(str, moved[:_MOST])) + (f"; and {len(moved) - _MOST} more" if len(moved) > _MOST else "")
    return PlanChanged(
        f"nothing was written: not as in {since}: {told}",
        hint="look at it with modelsmith plan -v; if it should be so, write the lock or the plan again",
    )


def check_locked(locked: LockedModel, model: StoredModel, lock: str) -> None:
    """Raise VerificationFailed where the model that was made is not the one that the lock names."""
    from modelsmith.errors import VerificationFailed

    expected = (locked.result.manifest or "").removeprefix("sha256:")
    if expected and model.digest != expected:
        raise VerificationFailed(
            f"{model.name.short} was created and is {model.digest[:12]}; {lock} says {expected[:12]}",
            hint="the server composes models in its own way: lock with the server that you apply to",
        )
