"""The edits that ``modelsmith edit`` is asked for, by key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from modelsmith.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelsmith.syntax.modelfile.modelfile import Modelfile

_SETTERS = ("FROM", "TEMPLATE", "SYSTEM", "ADAPTER", "DRAFT", "RENDERER", "PARSER", "REQUIRES")
_LISTS = {"LICENSE": "license", "MESSAGE": "messages"}


def changed(
    modelfile: Modelfile, *, sets: Iterable[str] = (), appends: Iterable[str] = (), unsets: Iterable[str] = ()
) -> Modelfile:
    """Return the Modelfile with keys removed, set and added to, in this order.

    Keys in capitals are instructions, others are parameters. Setting a key again in one call adds to the list ``stop``, and
    replaces anything else. Raises UsageError for what is no KEY=VALUE, and what the edits themselves raise.
    """
    for key in unsets:
        modelfile = _unset(modelfile, key)
    given: dict[str, list[str]] = {}
    for key, value in map(_pair, sets):
        given.setdefault(key, []).append(value)
    for key, values in given.items():
        modelfile = _set(modelfile, key, values)
    for key, value in map(_pair, appends):
        modelfile = _append(modelfile, key, value)
    return modelfile


def _pair(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not separator or not key.strip():
        raise UsageError(f'"{text:.100}" is not KEY=VALUE', hint='write it like temperature=0.6 or SYSTEM="Be brief."')
    if value.startswith("@"):
        path = Path(value[1:]).expanduser()
        try:
            value = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{path} cannot be read: {error}", hint=f"{key}=@FILE takes the text of a file") from error
    return key.strip(), value


def _set(modelfile: Modelfile, key: str, values: list[str]) -> Modelfile:
    if not key.isupper():
        return modelfile.set_parameter(key, *values)
    if key == "LICENSE":
        return modelfile.set_license(*values)
    if key not in _SETTERS:
        raise _unknown(key)
    setter = getattr(modelfile, f"set_{key.lower()}")
    edited: Modelfile = setter(values[-1])
    return edited


def _append(modelfile: Modelfile, key: str, value: str) -> Modelfile:
    if key == "LICENSE":
        return modelfile.append_license(value)
    if key.isupper():
        raise UsageError(f"{key} holds one value: nothing can be added to it", hint=f"use --set {key}=VALUE")
    return modelfile.append_parameter(key, value)


def _unset(modelfile: Modelfile, key: str) -> Modelfile:
    if not key.isupper():
        return modelfile.unset_parameter(key)
    if key == "FROM":
        raise UsageError("FROM cannot be removed: every model is built from something", hint="use --set FROM=NAME")
    if key not in _SETTERS and key not in _LISTS:
        raise _unknown(key)
    remover = getattr(modelfile, f"unset_{_LISTS.get(key, key.lower())}")
    edited: Modelfile = remover()
    return edited


def _unknown(key: str) -> UsageError:
    from modelsmith.diagnostic import did_you_mean

    known = (*_SETTERS, "LICENSE")
    return UsageError(
        f"{key} is no instruction that can be edited here{did_you_mean(key, known)}",
        hint=f"instructions are {', '.join(known)}; parameters are written in small letters",
    )
