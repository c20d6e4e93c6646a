"""Refuse what is no text, number or pair before an edit of a Modelfile begins, by the name of the argument."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

ARGUMENTS: Mapping[str, str] = {
    "FROM": "model",
    "RENDERER": "name",
    "PARSER": "name",
    "ADAPTER": "path",
    "DRAFT": "path",
}
"""What the edits of an instruction call its value; ``text`` for the others."""


def as_text(value: object, argument: str) -> str:
    """Return a text; raises TypeError for anything else."""
    if isinstance(value, str):
        return value
    hint = ": decode it first" if isinstance(value, bytes | bytearray) else ""
    raise TypeError(f"{argument} must be a str, not {_kind(value)}{hint}")


def as_setting(value: object, argument: str) -> str | int | float | bool:
    """Return a parameter's value; raises TypeError for anything but text, a number, True or False."""
    if isinstance(value, str | int | float):
        return value
    hint = (
        ": give several values one by one, as in set_parameter(name, *values)"
        if isinstance(value, list | tuple | set)
        else ""
    )
    raise TypeError(f"{argument} must be a str, int, float or bool, not {_kind(value)}{hint}")


def as_pairs(messages: object) -> Iterable[tuple[str, str]]:
    """Yield pairs of role and text; raises TypeError for anything else."""
    if isinstance(messages, str | bytes | Mapping) or not isinstance(messages, Iterable):
        raise TypeError(f"messages must be pairs of role and text, not {_kind(messages)}")
    for number, pair in enumerate(messages):
        if isinstance(pair, str) or not isinstance(pair, tuple | list) or len(pair) != 2:
            found = f"{len(pair)} values" if isinstance(pair, tuple | list) else _kind(pair)
            raise TypeError(f"messages[{number}] must be a pair of role and text, not {found}")
        role, text = pair
        yield as_text(role, f"the role of messages[{number}]"), as_text(text, f"the text of messages[{number}]")


def _kind(value: object) -> str:
    return "None" if value is None else type(value).__name__
