"""The values of a recipe's inputs: from ``--set``, the environment, or their defaults.

Nobody but the person at the keyboard fills an input: the environment is read only where the recipe says ``env:``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from modelsmith.diagnostic import did_you_mean
from modelsmith.errors import UsageError
from modelsmith.files.paths import anchored
from modelsmith.hidden import LEAST, hide
from modelsmith.hub.reference import is_hub
from modelsmith.patterns import regex
from modelsmith.recipe.read.references import MissingValue, Room, expand, first_reference, written_as
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from modelsmith.recipe.format.input import Input, InputType
    from modelsmith.recipe.read.nodes import Value


EXPECTED: Mapping[InputType, str] = {
    "text": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "path": "a path",
}
MATRIX = "the matrix"
"""What says a value that stands in a matrix."""
_INT = regex(r"[-+]?[0-9]{1,18}")


def parse_settings(settings: Iterable[str], inputs: Mapping[str, Input]) -> dict[str, Value]:
    """Read the arguments of ``--set``, each ``name=value``, into values of the right types; the last of a name counts.

    Raises UsageError for what is not of that form, for an unknown input and for a value of the wrong type.
    """
    values: dict[str, Value] = {}
    for setting in settings:
        name, separator, text = setting.partition("=")
        if not separator:
            raise UsageError(f'--set {setting:.120}: expected name=value, as in "--set {_example(inputs)}=…"')
        values[name] = read_value(name, text, _declared(name, inputs), f"--set {setting:.120}")
    return values


def _example(inputs: Mapping[str, Input]) -> str:
    return next(iter(inputs), "name")


def _declared(name: str, inputs: Mapping[str, Input]) -> Input:
    if name not in inputs:
        known = f"inputs: {', '.join(inputs)}" if inputs else "this recipe has no inputs"
        raise UsageError(f'no input "{name:.120}"{did_you_mean(name, inputs)}', hint=known)
    return inputs[name]


def read_value(name: str, value: object, declared: Input, origin: str) -> Value:
    """Return ``value`` in the input's type, texts read as a command line gives them; raises UsageError naming ``origin``."""
    read = _from_text(value, declared.type) if isinstance(value, str) else _typed(value, declared.type)
    if read is None:
        raise UsageError(f"{origin}: {name} must be {EXPECTED[declared.type]}, not {_shown(value)}")
    if not large_enough(read, declared):
        least = f"{declared.minimum:g}"
        raise UsageError(
            f"{origin}: {name} must be at least {least}, not {_shown(value)}", hint=f"give --set {name}={least} or more"
        )
    if not allowed(read, declared):
        raise UsageError(
            f"{origin}: {_shown(value)} is not allowed for {name}{_close(read, declared)}", hint=_choices_hint(declared)
        )
    return read


def allowed(value: Value, declared: Input) -> bool:
    """Say whether a value is among the choices of an input, if it has any; true is not 1."""
    return declared.choices is None or any(
        value == choice and isinstance(value, bool) == isinstance(choice, bool) for choice in declared.choices
    )


def large_enough(value: Value, declared: Input) -> bool:
    """Say whether a number is not below the minimum of an input, if it has one."""
    return declared.minimum is None or not isinstance(value, int | float) or value >= declared.minimum


def _close(value: Value, declared: Input) -> str:
    return did_you_mean(written_as(value), [written_as(choice) for choice in declared.choices or ()])


def _choices_hint(declared: Input) -> str:
    return f"one of {', '.join(written_as(choice) for choice in declared.choices or ())}"


def _shown(value: object) -> str:
    return f'"{value:.120}"' if isinstance(value, str) else f"{value!r:.120}"


def fits(value: Value, kind: InputType) -> bool:
    """Say whether a value that YAML or Python gives is of an input's type."""
    return _typed(value, kind) is not None


def _typed(value: object, kind: InputType) -> Value:
    match value:
        case str() if kind in {"text", "path"}:
            return value
        case bool():
            return value if kind == "boolean" else None
        case int() if kind in {"integer", "number"}:
            return value
        case float() if kind == "number" and math.isfinite(value):
            return value
    return None


def _from_text(text: str, kind: InputType) -> Value:
    match kind:
        case "text" | "path":
            return text
        case "integer":
            return int(text) if _INT.fullmatch(text) else None
        case "boolean":
            return {"true": True, "false": False}.get(text.lower())
        case "number":
            if _INT.fullmatch(text):
                return int(text)
            try:
                number = float(text)
            except ValueError:
                return None
            return number if math.isfinite(number) else None


@dataclass(frozen=True, slots=True)
class InputValue:
    """What an input stands for, None for nothing, and the place that a path in it is relative to."""

    value: Value
    place: Place


@dataclass(frozen=True, slots=True)
class Place:
    """The folder that relative paths start at, and the one that they must not leave (None: the user may go anywhere)."""

    folder: Path
    root: Path | None = None


def input_values(
    inputs: Mapping[str, Input],
    places: Mapping[str, Place],
    given: Mapping[str, object],
    environment: Mapping[str, str],
    here: Path,
    written: Mapping[str, tuple[Value, str, Place]],
) -> dict[str, InputValue]:
    """Return the value of every input: what was given, what the matrix or the environment says, what a profile says, its default.

    Paths that were given are relative to ``here``, those of a default to its recipe's folder (``places``, by input). ``written``
    are values of a matrix or a profile, with what says so and its place; those of a profile give way to the environment.
    Raises UsageError for unknown inputs, for required ones without a value, and for values that do not fit.
    """
    said: dict[str, tuple[object, str, Place]] = {
        name: (value, f"--set {name}", Place(here))
        for name, value in given.items()
        if _declared(name, inputs) and value is not None
    }
    for name, declared in inputs.items():
        from_matrix = name in written and written[name][1] == MATRIX
        if declared.env and declared.env in environment and name not in said and not from_matrix:
            said[name] = (environment[declared.env], f"environment variable {declared.env}", Place(here))
    said = {name: value for name, value in written.items() if name in inputs} | said
    _check_required(inputs, said)
    values: dict[str, InputValue] = {}
    room = Room()
    for name, declared in inputs.items():
        if name in said:
            given_value, origin, place = said[name]
            if declared.secret:
                _hide(name, given_value)
            value = read_value(name, given_value, declared, origin)
        else:
            value, place = _default(name, declared, values, room), _place(declared.default, values, places[name])
        if declared.type == "path" and isinstance(value, str) and not is_hub(value):
            value = anchored(value, place.folder)
        values[name] = InputValue(value, place)
    return values


def _hide(name: str, value: object) -> None:
    text = value if isinstance(value, str) else written_as(value)  # type: ignore[arg-type]
    if len(text) < LEAST:
        raise UsageError(
            f"the secret {name} has {len(text)} characters, and could not be hidden",
            hint=f"at least {LEAST} are needed",
        )
    hide(text)


def _check_required(inputs: Mapping[str, Input], said: Mapping[str, object]) -> None:
    missing = {name: declared for name, declared in inputs.items() if declared.required and name not in said}
    if missing:
        wanted = "; ".join(f"{name} ({declared.description or declared.type})" for name, declared in missing.items())
        hint = "give " + " ".join(f"--set {name}=…" for name in missing)
        if variables := [declared.env for declared in missing.values() if declared.env]:
            hint += f", or set the environment variable {' and '.join(variables)}"
        raise UsageError(f"no value for {wanted}", hint=hint)


def _default(name: str, declared: Input, earlier: Mapping[str, InputValue], room: Room) -> Value:
    default: Value = declared.default
    if not isinstance(default, str):
        return default
    try:
        value = expand(default, lambda other: earlier[other].value, room)
    except MissingValue as error:
        hint = f"give --set {error.name}=… or --set {name}=…"
        raise UsageError(f"the default of {name} needs a value for {error.name}", hint=hint) from error
    return None if value is None else read_value(name, value, declared, f'the default "{default:.120}"')


def _place(text: object, values: Mapping[str, InputValue], otherwise: Place) -> Place:
    first = first_reference(text) if isinstance(text, str) else ""
    return values[first].place if first in values else otherwise


def absolute_path(text: str, written: str, values: Mapping[str, InputValue], otherwise: Place) -> tuple[str, Place]:
    """Return the path ``text`` as an absolute one, given how the recipe writes it, and the place that it starts at.

    A path that starts with an input is relative to where that input's value comes from, any other one to the recipe.
    """
    place = _place(written, values, otherwise)
    return anchored(text, place.folder), place
