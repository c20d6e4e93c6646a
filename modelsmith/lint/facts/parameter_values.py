"""Numbers and truth values as people write them, as Ollama reads them."""

from __future__ import annotations

import re
from typing import NamedTuple

from modelsmith.parameters import PARAMETERS, ParameterKind
from modelsmith.patterns import regex

_LEADING = regex(r"^[=:]\s*|^\((?=.*\)$)|^\[(?=.*\]$)")
_TRAILING = regex(r"[;,]$|[)\]]$")
_QUOTES = "'\"`“”‘’"
_UNIT = regex(r"([+-]?\d+(?:\.\d+)?)\s*(k|kb|ki|m)(?:\s*(?:tokens?|ctx))?", re.IGNORECASE)
_WORDS = regex(r"([+-]?\d+(?:\.\d+)?)\s*(?:tokens?|layers?|threads?|f|%)", re.IGNORECASE)
_THOUSANDS = regex(r"[+-]?[1-9]\d{0,2}(?:[,_' .]\d{3})+")
_COMMA = regex(r"[+-]?\d+,\d+")
_WHOLE = regex(r"([+-]?\d+)\.0*")
_POWER = regex(r"([+-]?[1-9])e\+?(\d)", re.IGNORECASE)
_TRUTH = {
    "yes": "true",
    "on": "true",
    "enabled": "true",
    "enable": "true",
    "no": "false",
    "off": "false",
    "disabled": "false",
    "disable": "false",
}
_LONGEST = 100
_BINARY = {"k": 1024, "kb": 1024, "ki": 1024, "m": 1024 * 1024}


class Repaired(NamedTuple):
    """A value as Ollama reads it; ``is_certain`` says that it is the same value."""

    text: str
    is_certain: bool


def repaired(name: str, value: str) -> Repaired | None:
    """Return what was surely or probably meant, None where nobody can tell."""
    if len(value) > _LONGEST:
        return None
    text = _bare(value)
    kind = PARAMETERS[name].kind
    if kind is ParameterKind.BOOL:
        return Repaired(_TRUTH.get(text.lower(), text.lower()), is_certain=True)
    if kind is ParameterKind.INT:
        return _whole(name, text)
    if _COMMA.fullmatch(text):
        return Repaired(text.replace(",", "."), is_certain=True)
    if found := _WORDS.fullmatch(text):
        is_percent = text.endswith("%")
        return Repaired(f"{float(found[1]) / 100:g}" if is_percent else found[1], is_certain=text[-1] in "fF")
    return Repaired(text, is_certain=True)


def _bare(value: str) -> str:
    """Return a value without what other languages put around one."""
    before = ""
    text = value.strip()
    while text != before:
        before = text
        text = _LEADING.sub("", text).strip()
        if len(text) > 1 and text[0] in _QUOTES and text[-1] in _QUOTES:
            text = text[1:-1].strip()
        text = _TRAILING.sub("", text).strip()
    return text


def _whole(name: str, text: str) -> Repaired:
    if found := _UNIT.fullmatch(text):
        number = float(found[1]) * _BINARY[found[2].lower()]
        return Repaired(f"{number:.0f}", is_certain=name == "num_ctx" and number.is_integer())
    if _THOUSANDS.fullmatch(text):
        return Repaired(re.sub(r"[,_' .]", "", text), is_certain="." not in text)
    if found := _WORDS.fullmatch(text):
        return Repaired(found[1], is_certain="%" not in text)
    if found := _WHOLE.fullmatch(text):
        return Repaired(found[1], is_certain=True)
    if found := _POWER.fullmatch(text):
        return Repaired(found[1] + "0" * int(found[2]), is_certain=True)
    if re.fullmatch(r"[+-]?\d+\.\d+", text):
        return Repaired(f"{float(text):.0f}", is_certain=False)
    return Repaired(text.replace("_", ""), is_certain=True)
