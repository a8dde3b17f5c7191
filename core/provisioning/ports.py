"""What enrolment needs from outside."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from core.devices import Device
from core.ids import DeviceUuid, ProvisioningKeyId
from core.provisioning.model import ProvisioningKey
from core.transactions import Transaction


class ProvisioningKeyStore(Protocol):
    """Remembers provisioning keys. tests/contracts/provisioning_key_store.py says exactly how."""

    async def add(self, tx: Transaction, key: ProvisioningKey) -> None:
        """Remember a new key."""

    async def get(self, tx: Transaction, key_id: ProvisioningKeyId) -> ProvisioningKey:
        """The key. NotFound if there is none."""

    async def by_digest(self, tx: Transaction, digest: str) -> ProvisioningKey | None:
        """The key with this digest, or None."""

    async def of_fleet(self, tx: Transaction, fleet_id: str | None) -> Sequence[ProvisioningKey]:
        """The keys of a fleet, or of all, newest first."""

    async def save(self, tx: Transaction, key: ProvisioningKey) -> None:
        """Replace what may change: whether it is active, and why not."""

    async def charge(self, tx: Transaction, key_id: ProvisioningKeyId, now: datetime) -> bool:
        """Count one use of an active key, in one step and never past the maximum; whether there was one left."""

    async def made_for(self, tx: Transaction, uuid: DeviceUuid) -> Sequence[ProvisioningKey]:
        """The keys that let in only this device, newest first."""

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


class AttemptLimiter(Protocol):
    """Slows down those who guess."""

    def failed(self, address: str) -> None:
        """Count one more wrong guess from this address."""

    def check(self, address: str) -> None:
        """Raises QuotaExceeded with `retry_after` when there were too many."""
