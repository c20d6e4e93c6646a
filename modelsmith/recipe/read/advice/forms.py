"""Values of the right shape that are not of the form that is due, and how the same is written here."""

from __future__ import annotations

from modelsmith.patterns import regex
from modelsmith.recipe.parts.fields import NAME, VARIABLE, VERSION
from modelsmith.recipe.read.nodes import Node, ScalarNode

_PLACEHOLDER = regex(
    r"\s*(?:\$?\{\{[ ]*\.?(?:[A-Za-z]+\.)?(?P<braces>[A-Za-z_][\w-]*)[ ]*\}\}|\$(?P<dollar>[A-Za-z_]\w*)|<(?P<angle>[A-Za-z_][\w -]*)>)\s*"
)
"""How helm, Jinja, GitHub Actions, shells and people write that a value belongs here."""
_VERSION = regex(r"(?:[<>=~^!]+ *)?v?(\d{1,6}(?:\.\d{1,6}){0,2})")
CURLY = "“”„«»‘’"
"""Quotes of word processors, which are letters for YAML."""
_BOOLEANS = {"yes": "true", "on": "true", "y": "true", "1": "true", "no": "false", "off": "false", "n": "false", "0": "false"}  # fmt: skip


def glued(key: str) -> str:
    """Return the way out for ``temperature:0.5`` where a key is due, "" for another key."""
    name, colon, value = key.partition(":")
    return f"a blank is missing behind the colon: {name:.40}: {value:.40}" if colon and name and value else ""


def foreign_blank(key: str) -> str:
    """Return the way out for a key with a blank of another kind, which looks like one, "" for another key."""
    found = next((char for char in key if char.isspace() and char not in " \t\n"), "")
    return f"it has U+{ord(found):04X}, which only looks like a blank: write a blank" if found else ""


def placeholder(node: Node) -> str:
    """Return how a value that looks like a reference of another language, or has curly quotes, is written; "" for another one."""
    if isinstance(node, ScalarNode) and (node.text[:1] in CURLY or node.text[-1:] in CURLY):
        return f'curly quotes are part of the text; straight ones are not: "{node.text.strip(CURLY):.60}"'
    match = _PLACEHOLDER.fullmatch(node.text) if isinstance(node, ScalarNode) else None
    if match is None:
        return ""
    name = (match["braces"] or match["dollar"] or match["angle"]).replace(" ", "-")
    return f"an input is written ${{{name}}}, and declared under inputs"


def as_form(pattern: str, node: Node) -> str:
    """Return the way out where text has not the form of ``pattern``."""
    if not isinstance(node, ScalarNode):
        return ""
    text = node.text.strip()
    if pattern == NAME:
        made = "-".join(
            part for part in "".join(c if c.isascii() and c.isalnum() else "-" for c in text.lower()).split("-") if part
        )
        return f"such as {made:.60}" if made else ""
    if pattern == VARIABLE and (match := _PLACEHOLDER.fullmatch(text)):
        return f"write only its name: {match['dollar'] or match['braces'] or match['angle']}"
    if pattern == VERSION and (match := _VERSION.fullmatch(text)):
        return f'the oldest version that will do, in quotes: "{match[1]}"'
    return ""


def as_typed(kind: str, node: Node) -> str:
    """Return the way out where a value is not of the type that is due."""
    if not isinstance(node, ScalarNode):
        return ""
    if kind == "bool_type" and (meant := _BOOLEANS.get(node.text.casefold(), "")):
        return f"in YAML 1.2 only true and false are truth values: write {meant}"
    if isinstance(node.value, str) and node.text.strip().lstrip("-").replace(".", "", 1).isdecimal():
        return f"write it without quotes: {node.text.strip()}"
    return ""
