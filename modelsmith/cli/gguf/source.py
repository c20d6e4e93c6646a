"""The argument that names a GGUF to read: a path, or ``sample:NAME`` for a built-in one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.errors import UsageError

if TYPE_CHECKING:
    import click


def found_sample(context: click.Context, parameter: click.Parameter, path: Path) -> Path:
    """Return the file that an argument names: for its ``callback``."""
    del context, parameter
    name = str(path)
    if not name.startswith("sample:"):
        return path
    from modelsmith.models.sources.sample import sample_modelfile

    return Path(sample_modelfile(name.removeprefix("sample:")).find("FROM")[0].value)


def refuse_sample(path: Path) -> None:
    """Raise UsageError where a built-in sample would be changed."""
    from modelsmith.files.cache import cache_folder

    if path.is_relative_to(cache_folder()):
        raise UsageError("a built-in sample is not changed", hint="write another file")
