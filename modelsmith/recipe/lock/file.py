"""A lock's file: read with limits, written whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from modelsmith.errors import UnreadableFile, UsageError
from modelsmith.files.replacing import write
from modelsmith.hidden import unseen
from modelsmith.recipe.lock.format import VERSION, Lock
from modelsmith.recipe.lock.text import dumps, read

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from modelsmith.recipe.lock.format import LockedModel

Model = TypeVar("Model", bound=BaseModel)
_MOST = 3
_ANEW = "take it from git, or remove it and write it anew with modelsmith lock RECIPE"


def read_lock(path: Path) -> Lock:
    """Read a lock; raises UnreadableFile where there is none, or one that modelsmith did not write so."""
    if not path.exists():
        raise UnreadableFile(f"there is no lock {path}", hint="write it with modelsmith lock RECIPE")
    data = read(path)
    if not isinstance(data, dict) or "version" not in data:
        raise UnreadableFile(f"{path} is no lock of modelsmith", hint=_ANEW)
    if data["version"] != VERSION:
        raise UnreadableFile(
            f"{path} has version {data['version']!r:.40}, and this modelsmith reads version {VERSION}",
            hint=f"install the modelsmith that wrote it; {_ANEW}",
        )
    return checked(Lock, data, str(path))


def checked(model: type[Model], data: object, name: str) -> Model:
    """Return data as what they should be; raises UnreadableFile naming the first places that are wrong."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        told = [
            f"{'.'.join(str(part) for part in error['loc'])[:160]}: {error['msg'][:160]}" for error in found[:_MOST]
        ]
        more = f" (and {len(found) - _MOST} more)" if len(found) > _MOST else ""
        raise UnreadableFile(
            f"{name} does not hold what it should: {'; '.join(told)}{more}",
            hint=_ANEW,
        ) from error


def lock_bytes(models: Mapping[str, LockedModel]) -> bytes:
    """Return the text of a lock; the same models give the same bytes."""
    data = {name: model.model_dump(mode="json", exclude_defaults=True) for name, model in sorted(models.items())}
    return unseen(dumps({"version": VERSION, "models": data}).decode("utf-8", "surrogatepass")).encode(
        "utf-8", "surrogatepass"
    )


def write_lock(path: Path, models: Mapping[str, LockedModel]) -> bool:
    """Write a lock; returns False where the file holds just that already.

    Raises StoreError where it cannot be written, UsageError where something else stands there.
    """
    data = lock_bytes(models)
    if path.exists():
        if not path.is_file():
            raise UsageError(f"{path} is no file", hint="name the lock with --lock-file FILE")
        if path.read_bytes() == data:
            return False
    write(path, [data], keeps=False, hint="name another place with --lock-file FILE")
    return True
