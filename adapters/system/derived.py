"""Secrets that are made of one secret: whoever knows one of them learns nothing about the others (HKDF, RFC 5869)."""

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SIZE: Final = 32
NONCE_BYTES: Final = 12
_SALT: Final = b"iotistic"


def derived(secret: str, purpose: str) -> bytes:
    """The secret for this purpose: 32 bytes, always the same ones."""
    return HKDF(SHA256(), SIZE, _SALT, purpose.encode()).derive(secret.encode())


class Seal:
    """Seals what is to lie where others can read it: AES-256-GCM, with the name under which it lies as its label."""

    def __init__(self, secret: str, purpose: str) -> None:
        self._cipher = AESGCM(derived(secret, purpose))

    def sealed(self, name: str, content: bytes) -> bytes:
        """Nonce, content and tag."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, name.encode())

    def opened(self, name: str, sealed: bytes) -> bytes:
        """The content. ValueError when it was sealed with another secret, under another name, or changed."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], name.encode())
        except InvalidTag as error:
            raise ValueError("sealed with another secret, or changed since") from error
