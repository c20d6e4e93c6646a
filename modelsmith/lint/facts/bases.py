"""Whether FROM names a file or a model, as far as the text or the disk tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.lint.surroundings import PathKind

if TYPE_CHECKING:
    from modelsmith.lint.document import Document

_WEIGHTS = (".gguf", ".safetensors", ".bin", ".pth", ".pt")


def is_file(document: Document, value: str) -> bool | None:
    """Say whether FROM names a file or folder, None where only the disk would tell.

    Ollama takes every path that exists for a file, and what does not exist for a model's name.
    """
    facts = (document.surroundings.paths or {}).get(value)
    if facts is not None:
        return facts.kind is not PathKind.MISSING
    if looks_like_path(value):
        return True
    return None if not value or "/" in value or " " in value else False


def looks_like_path(value: str) -> bool:
    """Say whether the author of a FROM means a file, whether it is there or not."""
    return value.startswith((".", "/", "~", "\\")) or value.lower().endswith(_WEIGHTS)


def builds_on_files(document: Document) -> bool:
    """Say whether every FROM names a file, so that there is no base model to inherit from."""
    found = document.find("FROM")
    return bool(found) and all(is_file(document, instruction.value) for instruction in found)
