"""YAML as people write it: keys in their order, text of several lines as a block, a comment at the top."""

from __future__ import annotations

from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString


def yaml_text(data: Any, head: str = "") -> str:
    """Return ``data`` as YAML; ``head`` becomes comments above it."""
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 10_000  # no line is folded: a fold in a template would be read as it stands
    stream = StringIO()
    yaml.dump(_with_blocks(data), stream)
    comments = "".join(f"# {line}\n" for line in head.splitlines())
    return comments + stream.getvalue()


def _with_blocks(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _with_blocks(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_with_blocks(value) for value in data]
    # a block keeps neither blanks at its first line's start nor characters that YAML wants escaped
    if isinstance(data, str) and "\n" in data and _fits_a_block(data):
        return LiteralScalarString(data)
    return data


def _fits_a_block(text: str) -> bool:
    return all(character == "\n" or character.isprintable() for character in text) and not text.startswith((" ", "\n"))
