"""What the header of an opened GGUF says, in the few words that the page shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelsmith.weights.gguf import GGUFFile
from modelsmith.weights.gguf.metadata import GGUFArray

if TYPE_CHECKING:
    from pathlib import Path

_MOST_TEMPLATE = 2_000_000


def header(weights: Path) -> dict[str, Any]:
    """Return name, sizes, special tokens and the Jinja template of a GGUF; raises UnreadableFile or InvalidGGUF."""
    gguf = GGUFFile.open(weights)
    metadata = gguf.metadata
    tokens = metadata.get("tokenizer.ggml.tokens")
    return {
        "file": weights.name,
        "name": metadata.text("general.name") or "",
        "kind": gguf.kind,
        "architecture": gguf.architecture,
        "parameters": gguf.parameter_count,
        "file_type": gguf.file_type,
        "size": gguf.size,
        "context": metadata.uint(metadata.of_architecture("context_length")),
        "vocabulary": len(tokens) if isinstance(tokens, GGUFArray) else 0,
        "special": {role: token.text for role, token in gguf.special_tokens.items()},
        "chat_template": (gguf.chat_template or "")[:_MOST_TEMPLATE],
    }
