"""Which model an adapter belongs to: a fingerprint that all quantizations of a model have in common.

Converters keep the weights of normalization layers in F32, whatever the type of the others: they are the same numbers in the F16
and in the Q4_K_M of a model, and others in any other model. Their hash is the fingerprint.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelsmith.weights.gguf.file import GGUFFile

_MOST = 64 << 20


def fingerprint(parts: Iterable[GGUFFile]) -> str:
    """Return the fingerprint of a GGUF, or of all its shards; "" for one that has no such tensors."""
    norms = {
        tensor.name: part.data_of(tensor)
        for part in parts
        for tensor in part.tensors
        if tensor.type.name == "F32" and len(tensor.dims) == 1 and "norm" in tensor.name
    }
    if not norms or sum(map(len, norms.values())) > _MOST:
        return ""
    sha = hashlib.sha256()
    for name, place in sorted(norms.items()):
        sha.update(f"{name}\0{place.length}\0".encode())
        sha.update(place.read())
    return f"norms:{sha.hexdigest()[:32]}"
