"""What enrolment needs from outside."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from core.devices import Device
from core.ids import DeviceUuid, ProvisioningKeyId
from core.provisioning.challenges import Challenge
from core.provisioning.model import ProvisioningKey
from core.provisioning.sealed import DevicePublicKey, Envelope, Sealed, ServerKey
from core.transactions import Transaction


class ProvisioningKeyStore(Protocol):
    """Remembers provisioning keys. tests/contracts/provisioning_key_store.py says exactly how."""

    async def add(self, tx: Transaction, key: ProvisioningKey) -> None:
        """Remember a new key."""

    async def get(self, tx: Transaction, key_id: ProvisioningKeyId) -> ProvisioningKey:
        """The key, held until the transaction ends. NotFound if there is none."""

    async def by_digest(self, tx: Transaction, digest: str) -> ProvisioningKey | None:
        """The key with this digest, held until the transaction ends, or None."""

    async def of_fleet(self, tx: Transaction, fleet_id: str | None) -> Sequence[ProvisioningKey]:
        """The keys of a fleet, or of all, newest first."""

    async def save(self, tx: Transaction, key: ProvisioningKey) -> None:
        """Replace what may change: whether it is active, and why not."""

    async def charge(self, tx: Transaction, key_id: ProvisioningKeyId, now: datetime) -> bool:
        """Count one use of an active key, in one step and never past the maximum; whether there was one left."""

    async def made_for(self, tx: Transaction, uuid: DeviceUuid) -> Sequence[ProvisioningKey]:
        """The keys that let in only this device, newest first; held until the transaction ends."""

    async def bind(self, tx: Transaction, key_id: ProvisioningKeyId, uuid: DeviceUuid) -> None:
        """Let the key let in only this device."""

    async def touch(self, tx: Transaction, key_id: ProvisioningKeyId, now: datetime) -> None:
        """Note that the key was presented, without counting a use."""


class Issuer(Protocol):
    """Gives a new device something: MQTT credentials, a VPN peer, its first desired state.

    Implemented by features above this one and by plugins. Called inside the transaction that enrols the device: what
    it writes with `tx` stands or falls with the registration.
    """

    async def issue(self, tx: Transaction, device: Device) -> Mapping[str, Any]:
        """What the answer to the device says of it, by top-level key; empty if nothing.

        Called again for a device whose answer was lost: give what works from now on, and take back what was given
        before.
        """


class UsedChallenges(Protocol):
    """Remembers which challenges are used up. tests/contracts/used_challenges.py says exactly how."""

    async def use(self, tx: Transaction, challenge: Challenge, now: datetime) -> bool:
        """Note in one step that it is used up; whether it was not before."""

    async def forget_expired(self, tx: Transaction, now: datetime) -> int:
        """Forget those that nobody would accept any more; how many they were."""


class ServerKeys(Protocol):
    """Our own RSA keys, to which devices seal what they register with. tests/contracts/server_keys.py says how.

    The newest is told to devices; the one before it is honoured for a while, for those that were told it. All
    processes of an installation have the same ones.
    """

    async def current(self) -> ServerKey:
        """The key to tell; made now if there is none. Raises Unavailable when it can be neither read nor written."""

    async def open(self, sealed: Sealed) -> bytes | None:
        """What was sealed, or None, after the same work, whatever is wrong with it: padding, tag, hash, key id.

        Raises Invalid when the size of a block shows that it cannot be one, Unavailable when too many wait.
        """

    async def renew(self) -> None:
        """Make a new key if the newest is old enough, and forget those that are honoured no more."""


class Envelopes(Protocol):
    """What is done with the public keys of devices. tests/contracts/envelopes.py says exactly how."""

    def public_key(self, pem: str) -> DevicePublicKey:
        """The key in a PEM text. Raises Invalid unless it is one sound RSA public key of 2048 to 4096 bits."""

    def is_signed(self, key: DevicePublicKey, signature: bytes, message: bytes) -> bool:
        """Whether the device has signed the message (RSASSA-PSS with SHA-256 and a salt of 32 bytes, RFC 8017 §8.1)."""

    def sealed(self, key: DevicePublicKey, content: bytes) -> Envelope:
        """The content for this device alone."""


class AttemptLimiter(Protocol):
    """Slows down those who guess."""

    def failed(self, address: str) -> None:
        """Count one more wrong guess from this address."""

    def check(self, address: str) -> None:
        """Raises QuotaExceeded with `retry_after` when there were too many."""
