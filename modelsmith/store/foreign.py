"""Values that others wrote on a disk or sent from a server, in the types that all the rest counts on: told apart here alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from modelsmith.errors import StoreError
from modelsmith.fields import Fields, shown
from modelsmith.parameters import PARAMETERS, ParameterKind
from modelsmith.syntax.modelfile.table import NOTED

if TYPE_CHECKING:
    from collections.abc import Mapping

_HINT = "pull or create the model again"
CONFIG_TEXTS = (
    *NOTED,
    "model_format",
    "model_family",
    "model_type",
    "file_type",
    "remote_host",
    "remote_model",
    "base_name",
)
CONFIG_LISTS = ("capabilities", "model_families")
_MOST_PARAMETERS = 1000  # Ollama has some thirty, and models some ten stop texts; each is looked at in many ways
_WORDS = {
    ParameterKind.INT: "a number",
    ParameterKind.FLOAT: "a number",
    ParameterKind.BOOL: "true or false",
    ParameterKind.STRINGS: "a list of texts",
}


def read_json(data: bytes, where: str) -> Any:
    """Return what JSON says; raises StoreError that names the place."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{where} is damaged: {error}", hint=_HINT) from error


def read_object(data: bytes, where: str) -> dict[str, Any]:
    """Return a JSON object; raises StoreError."""
    value = read_json(data, where)
    if not isinstance(value, dict):
        raise StoreError(f"{where} is damaged: it is not a JSON object", hint=_HINT)
    return value


def read_parameters(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return parameters whose values have the types that Ollama demands when it loads them; raises StoreError.

    Null counts as not set, as in Ollama. Names that no Ollama knows, which it passes over, keep values that a Modelfile could
    have given them; other values of such names are passed over too.
    Source: Ollama ``api/types.go`` (Options.FromMap).
    """
    read = {}
    for name, value in values.items():
        row = PARAMETERS.get(name)
        if value is None:
            continue
        if row is not None and not _is_kind(value, row.kind):
            raise StoreError(f"{where}: {name:.60} is {shown(value)}, not {_WORDS[row.kind]}", hint=_HINT)
        if row is not None or _is_plain(value):
            read[name] = value
    count = sum(len(value) if isinstance(value, list) else 1 for value in read.values())
    if count > _MOST_PARAMETERS:
        raise StoreError(f"{where}: there are {count:,} values, more than a model can need", hint=_HINT)
    return read


def read_messages(value: Any, where: str) -> tuple[Mapping[str, Any], ...]:
    """Return messages as a Modelfile gives them; raises StoreError where role or content is no text."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise StoreError(f"{where} is damaged: it is not a list of messages", hint=_HINT)
    for number, item in enumerate(value):
        for key in ("role", "content"):
            if not isinstance(item.get(key, ""), str):
                raise StoreError(
                    f"{where}: {key} of message {number + 1} is {shown(item[key])}, not a text", hint=_HINT
                )
    return tuple(value)


def read_config(values: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """Return the config of a model, in which whatever is read of it has its type or is missing; raises StoreError.

    Ollama does not load a model whose config has another type. Source: Ollama ``types/model/config.go``.
    """
    fields = Fields(values, where, lambda message: StoreError(message, hint=_HINT))
    read: dict[str, Any] = dict(values)
    for key in CONFIG_TEXTS:
        read[key] = fields.text(key)
    for key in CONFIG_LISTS:
        read[key] = list(fields.texts(key))
    return read


def _is_kind(value: Any, kind: ParameterKind) -> bool:
    if kind is ParameterKind.STRINGS:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if kind is ParameterKind.BOOL or isinstance(value, bool):
        return kind is ParameterKind.BOOL and isinstance(value, bool)
    # a fraction too: of a whole number Ollama cuts it off
    return isinstance(value, int | float) and value - value == 0  # neither infinite nor NaN


def _is_plain(value: Any) -> bool:
    items = value if isinstance(value, list) else [value]
    return all(isinstance(item, str | int | float) for item in items)
