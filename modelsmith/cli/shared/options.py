"""Options that several commands share."""

from __future__ import annotations

from functools import cache, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelsmith.cli.shared.complete import complete_recipes
from modelsmith.cli.shared.gathering import gathering
from modelsmith.cli.shared.input_file import InputFile
from modelsmith.progress import ProgressSink, silent
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from modelsmith.store import Store

store_option = click.option(
    "--store",
    "where",
    metavar="DIR|URL",
    help="Where models live. Default: MODELSMITH_STORE, else the Ollama at OLLAMA_HOST; without both the Ollama at "
    "127.0.0.1:11434 if it answers, else OLLAMA_MODELS or ~/.ollama/models.",
)
_FILE_ENDINGS = (".gguf", ".gotmpl", ".jinja", ".modelfile")
lock_file_option = click.option(
    "--lock-file",
    type=InputFile(),
    metavar="FILE",
    help="The lock. Default: modelsmith.lock in this folder.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


def store_for(where: str | None, *specs: str | None) -> Callable[[], Store]:
    """Return what opens the store for questions about ``specs``, when it is first asked for.

    Where one of them is a file, the answer may do without a store: a server that a variable names and that does not answer is
    told in one line, and what needs it fails.
    """

    @cache
    def opened() -> Store:
        from modelsmith.cli.shared.failure import printable
        from modelsmith.store.absent import AbsentStore
        from modelsmith.store.open import open_existing_store, open_store_or_absent

        if not any(spec and _names_a_file(spec) for spec in specs):
            return open_existing_store(where)
        store = open_store_or_absent(where)
        if isinstance(store, AbsentStore):
            click.echo(printable(f"note: going on without a store: {store.error.message}"), err=True)
        return store

    return opened


def checkpoint_at(spec: str, progress: ProgressSink = silent, *, whole: bool) -> Path:
    """Return the folder of a checkpoint that is named by its path or on the Hub; ``whole`` downloads its tensors too."""
    from modelsmith.hub.reference import is_hub

    if not is_hub(spec):
        return Path(spec)
    from modelsmith.models.sources.hub import checkpoint_folder

    return checkpoint_folder(spec, progress, whole=whole)


def adapter_at(spec: str, progress: ProgressSink = silent, *, whole: bool) -> Path:
    """Return where an adapter lies that is named by its path or on the Hub; ``whole`` downloads its numbers too."""
    from modelsmith.hub.reference import is_hub

    if not is_hub(spec):
        return Path(spec).expanduser()
    from modelsmith.models.sources.hub_adapter import adapter_folder

    return adapter_folder(spec, progress, whole=whole)


def _names_a_file(spec: str) -> bool:
    from modelsmith.hub.reference import is_hub

    if is_hub(spec) or spec.startswith(("sample:", ".", "/", "~")) or spec.endswith(_FILE_ENDINGS):
        return True
    return Path(spec).is_file()


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What ``plan`` and ``apply`` are asked for."""

    recipes: tuple[str, ...]
    settings: tuple[str, ...]
    stores: tuple[str, ...]
    as_is: bool = False
    target_ollama: str | None = None
    modelfile: Path | None = None
    lock_file: Path | None = None
    profile: str = ""
    only: tuple[str, ...] = ()

    @property
    def recipe(self) -> str:
        """The first recipe, or the file of a plan."""
        return self.recipes[0]

    @property
    def where(self) -> str | None:
        """The store that was named; None for none."""
        return self.stores[0] if self.stores else None


def recipe_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add the arguments that ``plan`` and ``apply`` share; the command gets them as one PlanOptions."""
    from modelsmith.memo import remembering

    @wraps(command)
    def remembered_command(**values: Any) -> int:
        with remembering():
            return command(**values)

    return gathering(PlanOptions, _RECIPE_OPTIONS)(remembered_command)


_RECIPE_OPTIONS = (
    click.argument("recipes", metavar="RECIPE...", nargs=-1, required=True, shell_complete=complete_recipes),
    click.option(
        "--set", "settings", multiple=True, metavar="INPUT=VALUE", help="Give an input of the recipe; repeatable."
    ),
    click.option(
        "--profile", metavar="NAME", default="", help="Lay a profile of the recipe over it, such as fast or quality."
    ),
    click.option(
        "--only", multiple=True, metavar="INPUT=VALUE", help="Of a matrix, only these combinations; repeatable."
    ),
    click.option(
        "--store",
        "stores",
        multiple=True,
        metavar="DIR|URL",
        help="Where models live; several times for several hosts. Default: `stores` in modelsmith.toml, MODELSMITH_STORE, "
        "else the Ollama at OLLAMA_HOST; without all the Ollama at 127.0.0.1:11434 if it answers, else OLLAMA_MODELS or "
        "~/.ollama/models.",
    ),
    click.option("--as-is", is_flag=True, help="Keep a GGUF's bytes (linked) instead of Ollama's canonical order."),
    click.option(
        "--target-ollama",
        metavar="VERSION",
        help="The Ollama that will serve it. Default: the server's, else the newest.",
    ),
    click.option(
        "--modelfile",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="The Modelfile too, for `ollama create NAME -f FILE`: apply writes it, plan only says what would be there.",
    ),
    lock_file_option,
)
