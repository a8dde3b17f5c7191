"""What the registry of devices needs from outside."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from core.devices.model import Device, KnownDevice
from core.devices.overview import DeviceOverview, DeviceQuery
from core.ids import DeviceUuid
from core.pages import Page
from core.transactions import Transaction


class DeviceStore(Protocol):
    """Remembers devices. tests/contracts/device_store.py says exactly how."""

    async def add(self, tx: Transaction, device: Device) -> Device:
        """Remember a new device; it comes back with its number. Conflict if its uuid is known."""

    async def find(self, tx: Transaction, uuid: DeviceUuid) -> Device | None:
        """The device as last saved, or None."""

    async def get(self, tx: Transaction, uuid: DeviceUuid) -> Device:
        """The device as last saved. NotFound if there is none."""

    async def save(self, tx: Transaction, device: Device) -> None:
        """Replace the previous revision. Conflict if someone else did first; NotFound if it was removed."""

    async def remove(self, tx: Transaction, uuid: DeviceUuid) -> None:
        """Forget the device with its keys, credentials and states. NotFound if there is none."""

    async def count_active(self, tx: Transaction) -> int:
        """How many devices are in service. Inside `begin()` the answer holds until the transaction ends."""


class DeviceOverviews(Protocol):
    """The read model behind lists of devices: reads what several features wrote, writes nothing."""

    async def page(self, tx: Transaction, query: DeviceQuery) -> Page[DeviceOverview]:
        """The devices asked for, with the total that match."""

    async def one(self, tx: Transaction, uuid: DeviceUuid) -> DeviceOverview:
        """One device. NotFound if there is none."""


class DeviceKeyStore(Protocol):
    """Remembers the verifiers of device keys."""

    async def put(self, tx: Transaction, uuid: DeviceUuid, digest: str, now: datetime) -> None:
        """Let this be the device's only key. Conflict if another device has the same."""

    async def digest(self, tx: Transaction, uuid: DeviceUuid) -> str | None:
        """The verifier of the device's key, or None if it has none."""

    async def holder(self, tx: Transaction, digest: str) -> KnownDevice | None:
        """The device whose key it is, or None."""


class LivenessStore(Protocol):
    """Remembers when devices were last heard of."""

    async def online(self, tx: Transaction) -> Sequence[DeviceUuid]:
        """The devices that count as online."""

    async def heard(self, tx: Transaction, seen: Mapping[DeviceUuid, datetime]) -> Sequence[DeviceUuid]:
        """Note when devices were heard of; those that were offline are online now, and are the answer."""

    async def silent(self, tx: Transaction, uuids: Sequence[DeviceUuid], now: datetime) -> Sequence[DeviceUuid]:
        """Mark devices offline; those that were online are the answer."""


class Quota(Protocol):
    """How many devices this installation may have in service. Implemented by licensing."""

    def most_devices(self) -> int | None:
        """The limit, or None for no limit."""
