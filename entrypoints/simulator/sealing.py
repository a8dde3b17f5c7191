"""The device's side of provisioning v2, as contrib/provisioning-v2.md describes it."""

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

BITS = 2048
SIGNED_FOR = b"iotistic provisioning v2"
TAG_BYTES = 16
OAEP = padding.OAEP(padding.MGF1(SHA256()), SHA256(), None)
PSS = padding.PSS(padding.MGF1(SHA256()), salt_length=32)


def new_private_key() -> str:
    """A key pair in PEM. Takes a tenth of a second."""
    key = generate_private_key(65_537, BITS)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class Seal:
    """What a device does with its key pair."""

    def __init__(self, private_key: str) -> None:
        self._key = cast("RSAPrivateKey", load_pem_private_key(private_key.encode(), password=None))

    @property
    def public_key(self) -> str:
        """Its public half, in PEM."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def registration(self, offer: Mapping[str, Any], payload: bytes) -> dict[str, Any]:
        """The body of a registration: the payload in an envelope for the server, and the signature of it."""
        server = cast("RSAPublicKey", load_pem_public_key(offer["apiPublicKey"].encode()))
        secret, nonce = os.urandom(32), os.urandom(12)
        closed = AESGCM(secret).encrypt(nonce, payload, None)
        parts = {
            "encKey": server.encrypt(secret, OAEP),
            "iv": nonce,
            "ct": closed[:-TAG_BYTES],
            "tag": closed[-TAG_BYTES:],
            "signature": self._key.sign(self._signed(payload), PSS, SHA256()),
        }
        named = {name: b64encode(part).decode() for name, part in parts.items()}
        return {"v": 2, "keyId": offer["keyId"], "devicePublicKey": self.public_key, **named}

    def opened(self, answer: Mapping[str, Any], payload: bytes) -> dict[str, Any]:
        """What the answer says. Raises ValueError unless it comes from who could read the payload."""
        secret = self._key.decrypt(b64decode(answer["encKey"]), OAEP)
        try:
            content = AESGCM(secret).decrypt(
                b64decode(answer["iv"]), b64decode(answer["ct"]) + b64decode(answer["tag"]), None
            )
        except InvalidTag as error:
            raise ValueError("the answer was changed on its way") from error
        told: dict[str, Any] = json.loads(content)
        if told["payloadSha256"] != sha256(payload).hexdigest():
            raise ValueError("the answer is not from who read the registration")
        return told

    def _signed(self, payload: bytes) -> bytes:
        der = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return b"\n".join((SIGNED_FOR, sha256(der).hexdigest().encode(), payload))
