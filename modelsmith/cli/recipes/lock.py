"""``modelsmith lock``: pin what recipes depend on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from modelsmith.cli.shared.complete import complete_recipes
from modelsmith.cli.shared.options import json_option, lock_file_option, store_option

if TYPE_CHECKING:
    from pathlib import Path

    from modelsmith.progress import ProgressSink
    from modelsmith.recipe.lock.format import LockedModel
    from modelsmith.recipe.read.resolved import ResolvedRecipe
    from modelsmith.store import Store


@click.command("lock")
@click.argument("recipes", metavar="[RECIPE]...", nargs=-1, shell_complete=complete_recipes)
@click.option(
    "--set", "settings", multiple=True, metavar="INPUT=VALUE", help="Give an input of each RECIPE; repeatable."
)
@click.option("--profile", metavar="NAME", default="", help="Lay a profile of each RECIPE over it.")
@store_option
@click.option("--as-is", is_flag=True, help="Lock the model that apply --as-is makes.")
@click.option(
    "--target-ollama",
    metavar="VERSION",
    help="The Ollama that will serve it. Default: the locked one, the server's, else the newest.",
)
@click.option("--upgrade", is_flag=True, help="Take the newest commit of each base on the Hub, not the locked one.")
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when something moved since the lock was written.")
@lock_file_option
@json_option
def command(
    recipes: tuple[str, ...],
    settings: tuple[str, ...],
    profile: str,
    where: str | None,
    as_is: bool,
    target_ollama: str | None,
    upgrade: bool,
    check: bool,
    lock_file: Path | None,
    as_json: bool,
) -> int:
    r"""Write modelsmith.lock: what each RECIPE's model depends on, and what a plan needs of its base.

    It pins the recipe's text, the base (digest or commit), the tools, and the digest of the model that comes of it.
    Commit it; `plan --check` and `apply --locked` compare with it, `plan --from-lock` needs no model. Other models in the lock
    stay. Without RECIPE all models of the lock are locked anew, with the inputs that are noted there.

    Exit codes: 0 fine, 1 --check found what moved, 2 wrong usage, 3 failed.

    \b
    Examples:
      modelsmith lock force-think --set base=deepseek-r1:8b
      modelsmith lock --check
      modelsmith lock --upgrade
    """
    from modelsmith.cli.recipes.planning import chosen_store, lock_path, resolve_recipes
    from modelsmith.cli.shared.progress import progress_bars
    from modelsmith.recipe.lock.file import read_lock, write_lock

    path = lock_path(lock_file)
    lenient = len(recipes) > 1
    old = dict(read_lock(path).models) if path.exists() or not recipes else {}
    wanted = (
        [
            resolved_recipe
            for recipe in recipes
            for resolved_recipe in resolve_recipes(recipe, settings, profile, lenient=lenient)
        ]
        if recipes
        else _all(old, path, settings)
    )
    store = chosen_store(where)
    with progress_bars(enabled=not as_json) as progress:
        found = {
            name: _locked(
                asked,
                old.get(name),
                store,
                path,
                as_is=as_is,
                target=target_ollama,
                upgrade=upgrade,
                progress=progress,
            )
            for asked in wanted
            for name in [_name(asked)]
        }
    moved = {name: _moved(old.get(name), entry) for name, entry in found.items()}
    changed = False if check else write_lock(path, old | found)
    if as_json:
        click.echo(json.dumps(_data(path, moved, changed), indent=2, ensure_ascii=False))
    else:
        _tell(path, moved, changed=changed, check=check)
    return int(check and any(moved.values()))


def _all(old: dict[str, LockedModel], path: Path, settings: tuple[str, ...]) -> list[ResolvedRecipe]:
    from modelsmith.cli.recipes.planning import ask_again
    from modelsmith.errors import UsageError

    if settings:
        raise UsageError("--set needs a RECIPE", hint="without one the inputs that the lock notes count")
    return [ask_again(locked, path.absolute().parent, moves=True) for locked in old.values()]


def _name(asked: ResolvedRecipe) -> str:
    from modelsmith.name import ModelName

    return ModelName.strict(asked.recipe.create).short


def _locked(
    asked: ResolvedRecipe,
    old: LockedModel | None,
    store: Store,
    path: Path,
    *,
    as_is: bool,
    target: str | None,
    upgrade: bool,
    progress: ProgressSink,
) -> LockedModel:
    from modelsmith.errors import ModelNotFound
    from modelsmith.recipe.lock.make import locked_model
    from modelsmith.recipe.lock.planning import pinned
    from modelsmith.recipe.plan.plan import plan
    from modelsmith.versions import Version

    recipe = asked.recipe if old is None or upgrade else pinned(asked.recipe, old)
    version = str(Version.parse(target)) if target else _version(old, store)
    planned = plan(recipe, store, version=version, as_is=as_is or bool(old and old.as_is))
    if planned.missing:
        raise ModelNotFound(f"{planned.name.short} cannot be locked: {planned.missing}")
    return locked_model(planned, asked, path.absolute().parent, progress=progress)


def _version(old: LockedModel | None, store: Store) -> str | None:
    """Return the Ollama to plan for: a server's own; where none is asked, the one in the lock stays."""
    return old.tools.get("ollama") if old is not None and store.ollama_version() is None else None


def _moved(old: LockedModel | None, new: LockedModel) -> list[str]:
    from modelsmith.recipe.lock.drift import moved

    if old is None:
        return ["not locked so far"]
    return [str(change) for change in moved(old, new) if change.matters]


def _data(path: Path, moved: dict[str, list[str]], changed: bool) -> dict[str, Any]:
    return {
        "lock": str(path),
        "changed": changed,
        "models": [{"name": name, "moved": changes} for name, changes in moved.items()],
    }


def _tell(path: Path, moved: dict[str, list[str]], *, changed: bool, check: bool) -> None:
    from modelsmith.cli.shared.failure import printable

    for name, sentences in moved.items():
        if not sentences:
            click.echo(printable(f"{name}: as locked"))
        for sentence in sentences:
            click.echo(f"{click.style(printable(name), bold=True)}: {printable(sentence)}")
    if not check:
        click.echo(printable(f"wrote {path}" if changed else f"no changes: {path} is as it would be written"))
