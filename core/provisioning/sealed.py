"""What passes between a device and us by provisioning v2, sealed with RSA keys (contract §2.11)."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from attrs import field, frozen

# Before what is signed, so that a signature made for anything else is none of ours.
_SIGNED_FOR = b"iotistic provisioning v2"


class Padding(Enum):
    """How a single block is padded: RSAES-OAEP with an empty label (RFC 8017 §7.1), by the names of RFC 7518 §4.3."""

    OAEP_SHA1 = "RSA-OAEP"  # what Node's publicEncrypt does unless it is told otherwise
    OAEP_SHA256 = "RSA-OAEP-256"


ENVELOPE = "RSA-OAEP-256+A256GCM"


@frozen(kw_only=True)
class ServerKey:
    """A public key of ours. `largest` says how many bytes fit into a single block, by its padding."""

    id: str
    pem: str
    largest: Mapping[Padding, int]


@frozen(kw_only=True)
class Block:
    """One RSA block. Legacy clients name neither key nor padding: all that are honoured are tried."""

    content: bytes = field(repr=False)
    key_id: str | None = None
    padding: Padding | None = None


@frozen(kw_only=True)
class Envelope:
    """A content of any length under AES-256-GCM, whose key is wrapped by RSA-OAEP-256.

    `key_id` says for which of our keys; it is empty for a device, which has one.
    """

    key_id: str = ""
    wrapped_key: bytes = field(repr=False)
    nonce: bytes = field(repr=False)
    content: bytes = field(repr=False)
    tag: bytes = field(repr=False)


Sealed = Block | Envelope


@frozen(kw_only=True)
class DevicePublicKey:
    """A device's RSA key: `fingerprint` is the SHA-256 of its SubjectPublicKeyInfo (DER), in hexadecimal."""

    fingerprint: str
    key: Any = field(repr=False, eq=False)


@frozen(kw_only=True)
class Signed:
    """With what a device signs a payload: its public key in PEM, and the signature."""

    public_key: str
    signature: bytes = field(repr=False)


def signed_message(fingerprint: str, content: bytes) -> bytes:
    """What a device signs: the payload as it was before it was sealed, bound to the device's own key.

    The fingerprint stands before the content, which nobody else knows: so nobody can take a signature off a
    registration on its way and put one of a key of his own in its place, to have the answer sealed to himself.
    """
    return b"\n".join((_SIGNED_FOR, fingerprint.encode(), content))
