"""GGUF: headers, metadata edits and the canonical tensor order."""

from __future__ import annotations

from modelsmith.weights.gguf.file import GGUFFile

__all__ = ["GGUFFile"]
