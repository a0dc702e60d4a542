"""Keys at rest: encrypted and authenticated (Fernet), each together with the address that it is bound to."""

from __future__ import annotations

import base64
import json

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.config import Settings, signing_key

_PURPOSE = b"whetstone provider keys, version 1"
"""The key that signs sessions is made into another one for this use alone (HKDF, RFC 5869)."""


class Seal:
    """Seals under the installation's secret key; opens also what was sealed under a former one."""

    def __init__(self, settings: Settings) -> None:
        secrets = (signing_key(settings), *settings.former_secret_keys)
        self._fernet = MultiFernet([Fernet(_derived(secret)) for secret in secrets])

    def close(self, key: str, origin: str) -> str:
        """The sealed key, as text."""
        return self._fernet.encrypt(json.dumps([origin, key]).encode()).decode()

    def open(self, sealed: str, origin: str) -> str | None:
        """The key; None when it was sealed under another secret key, or for another address."""
        try:
            bound, key = json.loads(self._fernet.decrypt(sealed.encode()))
        except InvalidToken:
            return None
        return str(key) if bound == origin else None


def _derived(secret: str) -> bytes:
    made = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret.encode())
    return base64.urlsafe_b64encode(made)
