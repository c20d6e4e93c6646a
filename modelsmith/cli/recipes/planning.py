"""From the words of a command to a plan, with the lock beside it where there is one."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelsmith.recipe.read.resolved import ResolvedRecipe
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from modelsmith.cli.shared.options import PlanOptions
    from modelsmith.errors import ModelsmithError
    from modelsmith.progress import ProgressSink
    from modelsmith.recipe.lock.drift import Moved
    from modelsmith.recipe.lock.format import LockedModel
    from modelsmith.recipe.plan.plan import Plan
    from modelsmith.recipe.read.load import Recipe
    from modelsmith.recipe.read.nodes import ScalarNode
    from modelsmith.store import Store
    from modelsmith.store.model import StoredModel

_MOST = 5


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, what the lock says of its model (None: nothing), what moved since, and how long planning took."""

    plan: Plan
    asked: ResolvedRecipe
    lock: Path
    locked: LockedModel | None
    moved: tuple[Moved, ...]
    seconds: float
    from_lock: bool = False

    @property
    def drifted(self) -> tuple[Moved, ...]:
        """What moved and matters."""
        return tuple(moved for moved in self.moved if moved.matters)


def pinned(recipe: Recipe, locked: LockedModel) -> Recipe:
    """Return the recipe with the commits of the lock."""
    from modelsmith.recipe.lock.planning import pinned as with_pins

    return with_pins(recipe, locked)


def resolve_recipe(recipe: str, settings: tuple[str, ...], profile: str = "") -> ResolvedRecipe:
    """Read a recipe and fill in its inputs; raises UsageError for one with a matrix that is not given by ``settings``."""
    asked = resolve_recipes(recipe, settings, profile)
    if len(asked) > 1:
        from modelsmith.errors import UsageError

        raise UsageError(
            f"{recipe} makes {len(asked)} models by its matrix, and one is wanted here",
            hint=f"choose: {' '.join(_options(asked[0], settings, profile))}",
        )
    return asked[0]


def _options(asked: ResolvedRecipe, settings: tuple[str, ...], profile: str) -> Iterator[str]:
    """Yield the options that choose one of the models of a matrix."""
    given = {setting.partition("=")[0] for setting in settings} | ({"profile"} if profile else set())
    for name in asked.written.combinations(given)[0].values:
        if name in asked.settings:
            yield f"--set {shlex.quote(f'{name}={asked.settings[name]}')}"
        else:
            yield f"--profile {shlex.quote(asked.profile)}"


def resolve_recipes(
    recipe: str, settings: tuple[str, ...], profile: str = "", only: tuple[str, ...] = (), *, lenient: bool = False
) -> tuple[ResolvedRecipe, ...]:
    """Read a recipe and fill in its inputs, once for each combination of its matrix that ``only`` leaves.

    ``lenient``: settings of inputs that it does not have are for other recipes.
    """
    from modelsmith.errors import UsageError
    from modelsmith.recipe.read.inputs import parse_settings
    from modelsmith.recipe.read.load import load_recipe
    from modelsmith.recipe.read.matrix import chosen

    written = load_recipe(recipe)
    own = tuple(setting for setting in settings if not lenient or setting.partition("=")[0] in written.inputs)
    given = parse_settings(own, written.inputs)
    combinations = written.combinations([*given, *(["profile"] if profile else [])])
    if only and not combinations and not lenient:
        raise UsageError(f"{recipe} has no matrix for --only to choose from", hint="give inputs with --set")
    asked = []
    for combination in chosen(combinations, only) if combinations else (None,):
        recipe_of = written.resolve(given, profile=profile, combination=combination)
        axes = {name: _as_given(node) for name, node in combination.values.items()} if combination is not None else {}
        by_axis = axes.pop("profile", "") if "profile" not in written.inputs else ""
        values = given | axes
        label = combination.label if combination is not None else ""
        asked.append(ResolvedRecipe(written, values, recipe_of, profile or by_axis, label))
    return tuple(asked)


def _as_given(node: ScalarNode) -> str:
    """Return a value of a matrix as ``--set`` would give it, wherever that is: a path starts at the recipe."""
    from modelsmith.files.paths import anchored, looks_like_path
    from modelsmith.recipe.read.references import written_as

    text = written_as(node.value)
    return anchored(text, node.source.folder) if looks_like_path(text) else text


def ask_all(options: PlanOptions) -> tuple[ResolvedRecipe, ...]:
    """Read all recipes of a command, with all combinations; raises UsageError where two would make one model."""
    from modelsmith.errors import UsageError
    from modelsmith.name import ModelName

    lenient = len(options.recipes) > 1
    asked = [
        resolved_recipe
        for recipe in options.recipes
        for resolved_recipe in resolve_recipes(recipe, options.settings, options.profile, options.only, lenient=lenient)
    ]
    inputs = {name for resolved_recipe in asked for name in resolved_recipe.written.inputs}
    for setting in options.settings:
        if setting.partition("=")[0] not in inputs:
            raise UsageError(f"--set {setting:.120}: none of these recipes has this input")
    seen: dict[str, ResolvedRecipe] = {}
    for resolved_recipe in asked:
        name = ModelName.strict(resolved_recipe.recipe.create).short
        if name in seen:
            first, second = (one.label or one.written.name for one in (seen[name], resolved_recipe))
            raise UsageError(
                f"{name} would be made twice: by {first} and by {second}",
                hint="let create name what differs, such as ${base.stem}-${profile}",
            )
        seen[name] = resolved_recipe
    return tuple(asked)


def hosts_of(options: PlanOptions) -> tuple[str | None, ...]:
    """Return the stores that a command is for: those that are named, else MODELSMITH_STORE, else those of the configuration.

    None stands for the one that is found where nothing names one. Raises UsageError where one is named twice.
    """
    from modelsmith.cli.shared.project import configured_stores
    from modelsmith.errors import UsageError
    from modelsmith.store.environment import variable

    named = options.stores or (() if variable("MODELSMITH_STORE") else configured_stores(Path.cwd()))
    seen: dict[str, str] = {}
    for store in named:
        other = seen.setdefault(_place_of(store), store)
        if other != store or named.count(store) > 1:
            also = f", as {other} too" if other != store else ""
            raise UsageError(f"the store {store} is named twice{also}", hint="name each host once")
    return named or (None,)


def _place_of(store: str) -> str:
    """Return what tells a store from others, however it is spelled."""
    from modelsmith.name import parse_host
    from modelsmith.store.open import is_server

    if is_server(store):
        return parse_host(store).replace("//localhost:", "//127.0.0.1:").rstrip("/")
    return str(Path(store).expanduser().resolve())


def ask_again(locked: LockedModel, folder: Path, *, moves: bool = False) -> ResolvedRecipe:
    """Read the recipe of a locked model again, with the values that were given when it was locked.

    ``moves``: one of a team's place is read as that is pinned now, not as it was locked.
    """
    from modelsmith.recipe.read.bundled import is_path
    from modelsmith.recipe.read.load import load_recipe
    from modelsmith.recipe.remote.address import is_remote
    from modelsmith.recipe.team.find import address_now

    here = is_path(locked.recipe) and not is_remote(locked.recipe)
    name: str | Path = folder / locked.recipe if here else address_now(locked.recipe) if moves else locked.recipe
    written = load_recipe(name)
    given = {key: value for key, value in locked.inputs.items() if value is not None}
    recipe = written.resolve(given, here=folder, profile=locked.profile)
    return ResolvedRecipe(written, given, recipe, locked.profile)


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
    from modelsmith.recipe.lock import NAME

    return given or Path(NAME)


def locked_entry(path: Path, asked: ResolvedRecipe, *, required: bool) -> LockedModel | None:
    """Return what the lock says of a recipe's model; None where it says nothing, and nothing is ``required``.

    Raises UsageError where something is required, UnreadableFile where the lock is missing then, or none at all.
    """
    if not required and not path.exists():
        return None
    from modelsmith.errors import UsageError
    from modelsmith.name import ModelName
    from modelsmith.recipe.lock.file import read_lock

    models = read_lock(path).models
    name = ModelName.strict(asked.recipe.create).short
    if required and name not in models:
        known = f": it has {', '.join(list(models)[:5])}" if models else ""
        raise UsageError(f"{path} says nothing of {name}{known}", hint="add it with modelsmith lock RECIPE")
    return models.get(name)


def drift_of(
    plan: Plan,
    asked: ResolvedRecipe,
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

    now = locked_model(
        plan,
        asked,
        folder,
        hashes=hashes and not from_lock,
        headers=False,
        locked=locked,
        base=locked.base if from_lock else None,
        progress=progress,
    )
    return moved(locked, now)


def make_plan(
    options: PlanOptions,
    asked: ResolvedRecipe,
    *,
    progress: ProgressSink,
    from_lock: bool = False,
    pins: bool = False,
    hashes: bool = False,
    where: str | None = None,
) -> Planned:
    """Plan one of the models that a command asks for, and compare it with the lock where there is one.

    ``from_lock`` takes the base from the lock and asks no store, ``pins`` plans with the commits that the lock names;
    both need a lock that knows the model. ``hashes`` reads weights to compare them.
    """
    begun = time.monotonic()
    path = lock_path(options.lock_file)
    locked = locked_entry(path, asked, required=from_lock or pins or options.lock_file is not None)
    if from_lock and locked is not None:
        plan = _from_lock(options, asked, locked, path)
    else:
        recipe = pinned(asked.recipe, locked) if pins and locked is not None else asked.recipe
        plan = _plan(options, recipe, locked if pins else None, where)
    found: tuple[Moved, ...] = ()
    if locked is not None:
        folder = path.absolute().parent
        found = drift_of(plan, asked, locked, folder, hashes=hashes, progress=progress, from_lock=from_lock)
    elif hashes and path.exists():
        from modelsmith.recipe.lock.drift import not_locked

        found = (not_locked(plan.name.short),)
    return Planned(plan, asked, path, locked, found, time.monotonic() - begun, from_lock)


def plan_alone(options: PlanOptions) -> Plan:
    """Plan what a command asks for, whatever a lock says."""
    return _plan(options, resolve_recipe(options.recipes[0], options.settings, options.profile).recipe, None)


def _from_lock(options: PlanOptions, asked: ResolvedRecipe, locked: LockedModel, path: Path) -> Plan:
    from modelsmith.errors import UsageError
    from modelsmith.recipe.lock.planning import plan_from_lock

    given = [("--store", options.where), ("--target-ollama", options.target_ollama), ("--as-is", options.as_is)]
    if wrong := [name for name, value in given if value]:
        raise UsageError(f"--from-lock asks no store, so {wrong[0]} has no place", hint=f"leave {wrong[0]} out")
    return plan_from_lock(asked.recipe, locked, str(path), options.modelfile)


def _plan(options: PlanOptions, recipe: Recipe, locked: LockedModel | None, where: str | None = None) -> Plan:
    """Plan for the store that is chosen; where it has no version, for the Ollama that a lock names."""
    from modelsmith.recipe.plan.plan import plan
    from modelsmith.versions import Version

    version = str(Version.parse(options.target_ollama)) if options.target_ollama else None
    store = chosen_store(options.where if where is None else where)
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
        hint="look at it with modelsmith plan RECIPE -v; if it should be so, write the lock or the plan again",
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
