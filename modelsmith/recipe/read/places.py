"""Where recipes, and the files that they name, are: bundled ones, paths, repositories and registries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from modelsmith.errors import UnreadableFile, UsageError
from modelsmith.recipe.read.bundled import ENDINGS, find_recipe, is_path
from modelsmith.recipe.remote.address import is_remote, meant_address, parse_address
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from modelsmith.recipe.read.nodes import RecipeSource
    from modelsmith.recipe.remote.checkout import Checkout

_LOCAL: Final = "git+file:"


@dataclass(frozen=True, slots=True)
class Found:
    """A file of YAML: where it is, how people call it, and the checkout that it must not leave (None: it is the user's own)."""

    path: Path
    name: str
    checkout: Checkout | None = None

    @property
    def folder(self) -> Path:
        """The folder that paths in it are relative to."""
        return self.path.absolute().parent

    @property
    def identity(self) -> Path:
        """What tells it from others, for recipes that extend each other in a circle."""
        return self.path.resolve()


def find_named(name_or_path: str | Path) -> Found:
    """Return the file of a recipe as the user names it. Raises UsageError, UnreadableFile, RecipeSourceError."""
    if isinstance(name_or_path, str) and is_remote(name_or_path):
        return _elsewhere(name_or_path)
    if isinstance(name_or_path, str):
        _check_foreign(name_or_path)
    if isinstance(name_or_path, str) and "/" in name_or_path and not Path(name_or_path).exists():
        from modelsmith.recipe.team.find import find_in_team

        if (team := find_in_team(name_or_path)) is not None:
            return Found(*team)
    try:
        path = find_recipe(name_or_path)
    except (UsageError, UnreadableFile) as error:
        from modelsmith.recipe.team.find import hint_of

        if isinstance(name_or_path, str) and (hint := hint_of(name_or_path)):
            raise type(error)(error.message, hint=hint) from error
        raise
    return Found(path, str(path))


def _check_foreign(text: str) -> None:
    """Raise UsageError for an address as browsers and git write it, with how it is written here."""
    meant = meant_address(text)
    if meant or text.lower().startswith(("http://", "https://")):
        named = meant if "//" in meant.partition("://")[2] else f"{meant}//FILE.yaml"
        hint = (
            f"write it as {named}"
            if meant
            else "get the file first, or name its repository: git+https://HOST/REPOSITORY@TAG//FILE.yaml"
        )
        raise UsageError(f'"{text:.200}" is no address of a recipe', hint=hint)


def find_from(text: str, source: RecipeSource) -> Found:
    """Return the file that another one names: a bundled recipe, an address, or a path relative to that file."""
    _check_foreign(text)
    if is_remote(text):
        if source.checkout is not None and text.lower().startswith(_LOCAL) and not source.checkout.is_local:
            raise UsageError(
                f'"{text:.120}" is a repository on this machine, and the recipe comes from elsewhere',
                hint="a recipe from elsewhere names its own files, and what others can fetch too",
            )
        return _elsewhere(text)
    if source.checkout is None and "/" in text and not text.startswith(".") and not (source.folder / text).exists():
        from modelsmith.recipe.team.find import find_in_team

        if (team := find_in_team(text)) is not None:
            return Found(*team)
    if not is_path(text):
        path = find_recipe(text)
        return Found(path, str(path))
    if Path(text).is_absolute() or text.startswith("~") or not text.lower().endswith(ENDINGS):
        hint = "write it as seen from this file, such as ./base.yaml"
        if "modelfile" in Path(text).name.lower():
            hint = f"a Modelfile is what a recipe starts from, in place of extends: from: {text:.120}"
        elif not Path(text).suffix and not Path(text).is_absolute():
            hint = f"such as {text:.120}.yaml"
        raise UsageError(f'"{text:.120}" is not a relative path of a YAML file', hint=hint)
    checkout = source.checkout
    if checkout is None:
        path = find_recipe(source.folder / text)
        return Found(path, str(path))
    inside = (source.folder / text).resolve()
    if not inside.is_relative_to(checkout.root.resolve()):
        raise UsageError(
            f'"{text:.120}" leaves {checkout.origin}', hint="a recipe from elsewhere names its own files only"
        )
    path = inside.relative_to(checkout.root.resolve())
    return Found(checkout.file(path.as_posix()), f"{checkout.origin}//{path.as_posix()}", checkout)


def _elsewhere(text: str) -> Found:
    from modelsmith.recipe.remote.fetch import fetch

    address = parse_address(text)
    checkout = fetch(address)
    path = address.path
    if not path:
        own = [entry for entry in sorted(checkout.root.iterdir()) if entry.suffix.lower() in ENDINGS]
        if len(own) != 1:
            raise UsageError(
                f'"{text:.200}" names no file of it', hint=f"end it with //FILE, such as //{_example(own)}"
            )
        path = own[0].name
    if not path.lower().endswith(ENDINGS):
        raise UsageError(f'"{text:.200}" does not name a YAML file', hint="the path behind // ends with .yaml")
    return Found(checkout.file(path), f"{checkout.origin}//{path}", checkout)


def _example(files: list[Path]) -> str:
    return files[0].name if files else "recipe.yaml"
