"""Ollama's own way to say who asks: requests for tokens are signed with the key in ``~/.ollama/id_ed25519``.

Source: Ollama ``auth/auth.go`` (Sign), ``server/auth.go`` (getAuthorizationToken).
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from modelsmith.errors import Unsupported, UsageError

KEY = Path(".ollama", "id_ed25519")
_MAX_KEY = 64 << 10
_NOTHING = base64.b64encode(hashlib.sha256(b"").hexdigest().encode()).decode()


def default_key() -> Path | None:
    """Return the user's key, if there is one."""
    path = Path.home() / KEY
    return path if path.is_file() else None


def signature(key_file: Path, method: str, url: str) -> str:
    """Return the value of ``Authorization`` for a request without a body; raises UsageError, Unsupported.

    The text that is signed is ``METHOD,URL,hash of nothing``; the value is the public key and the signature, both base64.
    """
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key
    except ImportError as error:
        raise Unsupported(
            "Ollama's key cannot be used: the package cryptography is not installed",
            hint="pip install 'modelsmith[registry]'",
        ) from error
    try:
        with key_file.open("rb") as file:
            key = load_ssh_private_key(file.read(_MAX_KEY), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(
            f"{key_file} cannot be used as Ollama's key: {error}",
            hint="it is made by `ollama serve`; a key with a passphrase cannot be used",
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{key_file} is no ed25519 key", hint="Ollama's key is ~/.ollama/id_ed25519")
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).split()[1].decode()
    signed = key.sign(f"{method},{url},{_NOTHING}".encode())
    return f"{public}:{base64.b64encode(signed).decode()}"
