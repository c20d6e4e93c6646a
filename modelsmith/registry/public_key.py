"""Signatures of artifacts: a public key as cosign writes it, and whether it fits.

Source: sigstore/cosign ``specs/SIGNATURE_SPEC.md`` (ECDSA on P-256 with SHA-256 by default; RSA PKCS#1 v1.5 and Ed25519 too).
"""

from __future__ import annotations

from typing import Any

from modelsmith.errors import Unsupported, UsageError
from modelsmith.records import dataclass


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key in PEM that was read."""

    _key: Any

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """Read a key; raises UsageError for a text that is none, Unsupported where the package that reads it is missing."""
        try:
            from cryptography.exceptions import UnsupportedAlgorithm
            from cryptography.hazmat.primitives.serialization import load_pem_public_key
        except ImportError as error:
            raise Unsupported(
                "signatures of artifacts cannot be checked: the package cryptography is not installed",
                hint="pip install 'modelsmith[registry]'",
            ) from error
        try:
            return cls(load_pem_public_key(text.encode()))
        except (ValueError, UnsupportedAlgorithm) as error:
            raise UsageError(
                "this is no public key in PEM, and artifacts are checked with one",
                hint="name the cosign.pub of who signs",
            ) from error

    def has_signed(self, data: bytes, signature: bytes) -> bool:
        """Say whether a signature of ``data`` is this key's."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
        from cryptography.hazmat.primitives.hashes import SHA256

        try:
            if isinstance(self._key, EllipticCurvePublicKey):
                self._key.verify(signature, data, ECDSA(SHA256()))
            elif isinstance(self._key, RSAPublicKey):
                self._key.verify(signature, data, PKCS1v15(), SHA256())
            elif isinstance(self._key, Ed25519PublicKey):
                self._key.verify(signature, data)
            else:
                return False
        except InvalidSignature:
            return False
        return True
