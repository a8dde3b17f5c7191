"""The public keys of devices, by the library cryptography. Implements `core.provisioning.Envelopes`."""

import os
import re
from hashlib import sha256
from math import gcd, prod

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from core.errors import Invalid
from core.provisioning import DevicePublicKey, Envelope

LARGEST_PEM = 8 * 1024
FEWEST_BITS, MOST_BITS = 2048, 4096
EXPONENT = 65_537
KEY_BYTES, NONCE_BYTES, TAG_BYTES, SALT_BYTES = 32, 12, 16, 32

_PEM = re.compile(r"-----BEGIN PUBLIC KEY-----\s[A-Za-z0-9+/=\s]+-----END PUBLIC KEY-----", re.ASCII)
_SMALL_PRIMES = prod(n for n in range(2, 1000) if all(n % d for d in range(2, int(n**0.5) + 1)))
_PSS = padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=SALT_BYTES)
_FIELD = "devicePublicKey"


def oaep(algorithm: HashAlgorithm) -> padding.OAEP:
    """RSAES-OAEP with one hash for both of its uses and an empty label (RFC 8017 §7.1)."""
    return padding.OAEP(mgf=padding.MGF1(algorithm), algorithm=algorithm, label=None)


OAEP_SHA1 = oaep(SHA1())  # noqa: S303 - what the seed's clients send; OAEP needs no collision resistance
OAEP_SHA256 = oaep(SHA256())


def gcm(key: bytes) -> AESGCM:
    """AES-256-GCM with a tag of 16 bytes."""
    return AESGCM(key)


class RsaEnvelopes:
    """Stateless."""

    def public_key(self, pem: str) -> DevicePublicKey:
        """The key in a PEM text. Invalid."""
        key = _loaded(_one_public_key(pem))
        if not FEWEST_BITS <= key.key_size <= MOST_BITS:
            raise Invalid(f"{_FIELD} must have {FEWEST_BITS} to {MOST_BITS} bits, not {key.key_size}", field=_FIELD)
        numbers = key.public_numbers()
        if numbers.e != EXPONENT:
            raise Invalid(f"{_FIELD} must have the exponent {EXPONENT}", field=_FIELD)
        if gcd(numbers.n, _SMALL_PRIMES) != 1:
            raise Invalid(f"{_FIELD} is no sound key: its modulus has a small factor", field=_FIELD)
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return DevicePublicKey(fingerprint=sha256(der).hexdigest(), key=key)

    def is_signed(self, key: DevicePublicKey, signature: bytes, message: bytes) -> bool:
        """Whether the device has signed the message."""
        public: RSAPublicKey = key.key
        try:
            public.verify(signature, message, _PSS, SHA256())
        except InvalidSignature:
            return False
        return True

    def sealed(self, key: DevicePublicKey, content: bytes) -> Envelope:
        """The content for this device alone."""
        public: RSAPublicKey = key.key
        secret, nonce = os.urandom(KEY_BYTES), os.urandom(NONCE_BYTES)
        closed = gcm(secret).encrypt(nonce, content, None)
        return Envelope(
            wrapped_key=public.encrypt(secret, OAEP_SHA256),
            nonce=nonce,
            content=closed[:-TAG_BYTES],
            tag=closed[-TAG_BYTES:],
        )


def _one_public_key(pem: str) -> bytes:
    if len(pem) > LARGEST_PEM:
        raise Invalid(f"{_FIELD} must have at most {LARGEST_PEM} characters", field=_FIELD)
    if "PRIVATE KEY" in pem:
        raise Invalid(f"{_FIELD} holds a private key: make a new pair, for this one is secret no more", field=_FIELD)
    if not _PEM.fullmatch(pem.strip()):
        raise Invalid(f"{_FIELD} must be one public key in PEM, from BEGIN PUBLIC KEY to END PUBLIC KEY", field=_FIELD)
    return pem.strip().encode()


def _loaded(pem: bytes) -> RSAPublicKey:
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Invalid(f"{_FIELD} cannot be read as a public key", field=_FIELD) from error
    if not isinstance(key, RSAPublicKey):
        raise Invalid(f"{_FIELD} must be an RSA key", field=_FIELD)
    return key
