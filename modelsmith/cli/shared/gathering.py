"""Options that several commands share, given to the command as one value."""

from __future__ import annotations

from dataclasses import fields
from functools import wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Decorator = Callable[[Callable[..., int]], Callable[..., int]]


def gathering(kind: type[Any], options: Sequence[Decorator], name: str = "options") -> Decorator:
    """Return what adds options to a command, which gets their values as one ``kind``, a dataclass, under ``name``.

    The options are click's; each must have the name of a field, and each field one of them.
    """

    def decorated(command: Callable[..., int]) -> Callable[..., int]:
        @wraps(command)
        def gathered(*arguments: Any, **values: Any) -> int:
            own = {field.name: values.pop(field.name) for field in fields(kind)}
            return command(*arguments, **{name: kind(**own)}, **values)

        with_options: Callable[..., int] = gathered
        for option in reversed(options):
            with_options = option(with_options)
        return with_options

    return decorated
