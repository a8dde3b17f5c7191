"""A device that speaks provisioning v2, written from contrib/provisioning-v2.md and not from our own code."""

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha1, sha256
from typing import Any
from uuid import uuid4

from attrs import field, frozen
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.support.application import Answer, Caller

HASHES: Mapping[str, hashes.HashAlgorithm] = {"RSA-OAEP": hashes.SHA1(), "RSA-OAEP-256": hashes.SHA256()}  # noqa: S303


@cache
def rsa_key(which: int = 0, bits: int = 2048) -> rsa.RSAPrivateKey:
    """A key pair; the same one each time, for making one takes long."""
    del which
    return rsa.generate_private_key(65_537, bits)


def public_pem(key: rsa.RSAPrivateKey) -> str:
    """Its public half, as a device sends it."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def fingerprint(key: rsa.RSAPrivateKey) -> str:
    """SHA-256 of the public half in DER."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return sha256(key.public_key().public_bytes(serialization.Encoding.DER, form)).hexdigest()


def oaep(alg: str = "RSA-OAEP-256", *, label: bytes | None = None) -> padding.OAEP:
    """OAEP by its name in RFC 7518."""
    return padding.OAEP(padding.MGF1(HASHES[alg]), HASHES[alg], label)


def server_key(offer: Mapping[str, Any]) -> rsa.RSAPublicKey:
    """The key that was told."""
    key = serialization.load_pem_public_key(offer["apiPublicKey"].encode())
    assert isinstance(key, rsa.RSAPublicKey)
    return key


def base64(data: bytes) -> str:
    """As it stands in a body."""
    return b64encode(data).decode()


@frozen(kw_only=True)
class SealingDevice:
    """A device with a key pair of its own."""

    uuid: str = field(factory=lambda: str(uuid4()))
    key: rsa.RSAPrivateKey = field(factory=rsa_key, repr=False)

    @property
    def exchange(self) -> dict[str, Any]:
        """The body of a key exchange."""
        return {"deviceUuid": self.uuid, "devicePublicKey": public_pem(self.key)}

    def payload(self, offer: Mapping[str, Any], secret: str, **fields: Any) -> bytes:
        """What it has to say. A field of None is left out."""
        said = {
            "deviceUuid": self.uuid,
            "provisioningApiKey": secret,
            "challenge": offer["challenge"],
            "deviceName": "gate 7",
            "deviceType": "gateway",
        } | fields
        return json.dumps({name: value for name, value in said.items() if value is not None}).encode()

    def signature(self, payload: bytes, key: rsa.RSAPrivateKey | None = None) -> str:
        """Its signature of the payload."""
        message = b"iotistic provisioning v2\n" + fingerprint(self.key).encode() + b"\n" + payload
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=32)
        return base64((key or self.key).sign(message, pss, hashes.SHA256()))

    def signed(self, payload: bytes) -> dict[str, Any]:
        """The fields of a body that stand beside what is sealed."""
        return {"devicePublicKey": public_pem(self.key), "signature": self.signature(payload)}

    def block(self, offer: Mapping[str, Any], payload: bytes, alg: str = "RSA-OAEP-256") -> dict[str, Any]:
        """The body of a registration in a single block."""
        sealed = server_key(offer).encrypt(payload, oaep(alg))
        named = {"keyId": offer["keyId"], "alg": alg, "encryptedPayload": base64(sealed)}
        return named | self.signed(payload)

    def envelope(self, offer: Mapping[str, Any], payload: bytes) -> dict[str, Any]:
        """The body of a registration in an envelope."""
        return {"v": 2, "keyId": offer["keyId"], **sealed_parts(server_key(offer), payload), **self.signed(payload)}

    def opened(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """What the answer says."""
        secret = self.key.decrypt(b64decode(answer["encKey"]), oaep())
        closed = b64decode(answer["ct"]) + b64decode(answer["tag"])
        told: dict[str, Any] = json.loads(AESGCM(secret).decrypt(b64decode(answer["iv"]), closed, None))
        return told


def sealed_parts(key: rsa.RSAPublicKey, payload: bytes, secret: bytes | None = None) -> dict[str, str]:
    """encKey, iv, ct and tag."""
    secret, nonce = secret or AESGCM.generate_key(256), os.urandom(12)
    closed = AESGCM(secret).encrypt(nonce, payload, None)
    parts = {"encKey": key.encrypt(secret, oaep()), "iv": nonce, "ct": closed[:-16], "tag": closed[-16:]}
    return {name: base64(part) for name, part in parts.items()}


def sealed_by_nobody() -> dict[str, Any]:
    """The body of a registration that looks well from outside, and holds nothing."""
    parts = {"encKey": bytes(384), "iv": bytes(12), "ct": b"", "tag": bytes(16), "signature": b""}
    named = {name: base64(part) for name, part in parts.items()}
    return {"v": 2, "keyId": "0" * 16, "devicePublicKey": public_pem(rsa_key()), **named}


async def offered(caller: Caller, device: SealingDevice) -> Mapping[str, Any]:
    """What the server answers to a key exchange."""
    answer = await caller.post("/provisioning/v2/key-exchange", device.exchange)
    assert answer.status == 200, answer
    told: Mapping[str, Any] = answer.body
    return told


async def enrolled(caller: Caller, device: SealingDevice, secret: str, **fields: Any) -> Answer:
    """Both calls, with an envelope."""
    offer = await offered(caller, device)
    return await caller.post(
        "/provisioning/v2/register", device.envelope(offer, device.payload(offer, secret, **fields))
    )


def oaep_encoded(
    message: bytes, size: int, *, hash_name: str = "RSA-OAEP-256", first: int = 0, marker: int = 1, label: bytes = b""
) -> bytes:
    """EME-OAEP by hand (RFC 8017 §7.1.1), so that it can be made wrong: `first` and `marker` must be 0 and 1."""
    digest = sha1 if hash_name == "RSA-OAEP" else sha256
    width = digest().digest_size
    filling = bytes(size - len(message) - 2 * width - 2)
    block = digest(label).digest() + filling + bytes([marker]) + message
    seed = os.urandom(width)
    masked = _xor(block, _mgf1(seed, len(block), digest))
    return bytes([first]) + _xor(seed, _mgf1(masked, width, digest)) + masked


def raw_rsa(key: rsa.RSAPublicKey, block: bytes) -> bytes:
    """RSAEP (RFC 8017 §5.1.1), without any padding."""
    numbers, size = key.public_numbers(), key.key_size // 8
    return pow(int.from_bytes(block, "big"), numbers.e, numbers.n).to_bytes(size, "big")


def _mgf1(seed: bytes, length: int, digest: Any) -> bytes:
    blocks = (digest(seed + counter.to_bytes(4, "big")).digest() for counter in range(length // 20 + 1))
    return b"".join(blocks)[:length]


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
