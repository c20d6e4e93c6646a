"""Whether an artifact is signed with a key, as ``cosign sign --key`` does it: a manifest beside it whose layers are signed statements.

Source: sigstore/cosign ``specs/SIGNATURE_SPEC.md`` (tag ``sha256-HEX.sig``, annotation ``dev.cosignproject.cosign/signature``, simple signing).
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from modelsmith.errors import ModelsmithError, RecipeSourceError
from modelsmith.manifest import Digest
from modelsmith.registry.access import Access, Session
from modelsmith.registry.public_key import PublicKey

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.recipe.remote.address import OciAddress

_SIGNATURE: Final = "dev.cosignproject.cosign/signature"
_MAX_STATEMENT: Final = 64 << 10
_MAX_SIGNATURES: Final = 32


def check_signed(address: OciAddress, pin: str, key: str) -> None:
    """Raise RecipeSourceError unless the artifact that ``pin`` is the digest of has a signature of this key."""
    public = PublicKey.parse(key)
    try:
        told = "none of its signatures is of this key"
        for statement, signature in _signatures(address, pin):
            if public.has_signed(statement, signature):
                if _digest_of(statement) == pin:
                    return
                told = "the signature is of another artifact"
    except ModelsmithError as error:
        told = error.message
    except (ValueError, RecursionError) as error:
        told = f"its manifest is not JSON: {error}"
    raise RecipeSourceError(
        f"{address.origin} ({pin[:19]}) is not signed with the key that was given ({told})",
        hint="sign it with: cosign sign --key KEY; do not use it before you know why it is not",
    )


def _signatures(address: OciAddress, pin: str) -> Iterator[tuple[bytes, bytes]]:
    reference = address.reference
    with Session(Access.of_host(reference.host)) as session:
        registry = session.registry(reference.host)
        beside = replace(reference, tag=f"{pin.replace(':', '-')}.sig", digest=None)
        body = json.loads(registry.manifest(beside).data)
        layers = body.get("layers") if isinstance(body, dict) else None
        for layer in layers[:_MAX_SIGNATURES] if isinstance(layers, list) else ():
            digest, size, signature = _layer(layer)
            if signature and 0 < size <= _MAX_STATEMENT:
                with registry.blob(reference.repository, digest, 0, size) as response:
                    statement = response.read(size)
                if Digest.of(statement) == digest:
                    yield statement, signature


def _layer(layer: Any) -> tuple[Digest, int, bytes]:
    layer = layer if isinstance(layer, dict) else {}
    annotations, size = layer.get("annotations"), layer.get("size")
    text = annotations.get(_SIGNATURE) if isinstance(annotations, dict) else None
    try:
        signature = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        signature = b""
    return Digest.parse(str(layer.get("digest"))), size if isinstance(size, int) else 0, signature


def _digest_of(statement: bytes) -> str:
    """Return the digest of the manifest that a statement is about; "" where it says none."""
    try:
        body: Any = json.loads(statement)
        found = body["critical"]["image"]["docker-manifest-digest"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
    return found if isinstance(found, str) else ""
