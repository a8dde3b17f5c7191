"""What the registry of devices needs from outside."""

from collections.abc import Collection, Mapping, Sequence, Set
from datetime import datetime
from typing import Protocol

from core.devices.model import Device, KnownDevice
from core.devices.overview import Census, DeviceOverview, DeviceQuery
from core.ids import DeviceUuid
from core.pages import Page
from core.transactions import Transaction


class DeviceStore(Protocol):
    """Remembers devices. tests/contracts/device_store.py says exactly how."""

    async def add(self, tx: Transaction, device: Device) -> Device:
        """Remember a new device; it comes back with its number. Conflict if its uuid is known."""

    async def find(self, tx: Transaction, uuid: DeviceUuid, *, to_change: bool = False) -> Device | None:
        """The device as last saved, or None. `to_change`, within `begin()`, holds it until the end."""

    async def get(self, tx: Transaction, uuid: DeviceUuid, *, to_change: bool = False) -> Device:
        """The device as last saved. NotFound if there is none.

        `to_change`, within `begin()`, holds it until the end.
        """

    async def known(
        self, tx: Transaction, uuids: Collection[DeviceUuid], *, to_change: bool = False
    ) -> Set[DeviceUuid]:
        """Those of the uuids that are devices. `to_change`, within `begin()`, holds them until the end."""

    async def save(self, tx: Transaction, device: Device) -> None:
        """Replace the previous revision. Conflict if someone else did first; NotFound if it was removed."""

    async def rename(self, tx: Transaction, uuid: DeviceUuid, new: DeviceUuid) -> None:
        """Let the device be known by another uuid; number, tags, states and whatever else refers to it come along.

        NotFound if there is none; Conflict if another device has the new uuid.
        """

    async def remove(self, tx: Transaction, uuid: DeviceUuid) -> None:
        """Forget the device with its keys, credentials and states. NotFound if there is none."""

    async def count_active(self, tx: Transaction) -> int:
        """How many devices are in service; those that are pending are not yet.

        Inside `begin()` the answer holds until the transaction ends.
        """


class DeviceOverviews(Protocol):
    """The read model behind lists of devices: reads what several features wrote, writes nothing."""

    async def page(self, tx: Transaction, query: DeviceQuery) -> Page[DeviceOverview]:
        """The devices asked for, with the total that match."""

    async def census(self, tx: Transaction) -> Census:
        """How many devices there are. Asked at each reading of the metrics."""

    async def one(self, tx: Transaction, uuid: DeviceUuid) -> DeviceOverview:
        """One device. NotFound if there is none."""

    async def uuids(self, tx: Transaction, query: DeviceQuery) -> Sequence[DeviceUuid]:
        """All devices that match, in the order of their numbers; order and page of the query are passed over."""


class DeviceKeyStore(Protocol):
    """Remembers the verifiers of device keys."""

    async def put(
        self, tx: Transaction, uuid: DeviceUuid, digest: str, now: datetime, *, fingerprint: str | None = None
    ) -> None:
        """Let this be the device's only key, and this the public key it proves itself by, if it has one.

        Conflict if another device has the same key. Two may have the same public key: it is no secret.
        """

    async def digest(self, tx: Transaction, uuid: DeviceUuid) -> str | None:
        """The verifier of the device's key, or None if it has none."""

    async def fingerprint(self, tx: Transaction, uuid: DeviceUuid) -> str | None:
        """The fingerprint of the public key that was put with the device's key, or None if there was none."""

    async def holder(self, tx: Transaction, digest: str) -> KnownDevice | None:
        """The device whose key it is, or None."""


class LivenessStore(Protocol):
    """Remembers when devices were last heard of."""

    async def online(self, tx: Transaction) -> Sequence[DeviceUuid]:
        """The devices that count as online."""

    async def now(self, tx: Transaction) -> datetime:
        """What time it is by the database's clock: the one that all processes share."""

    async def heard(self, tx: Transaction, seen: Mapping[DeviceUuid, datetime]) -> Sequence[DeviceUuid]:
        """Note when devices were heard of; those that were offline are online now, and are the answer.

        What is older than what is known, by less than an hour, changes nothing: another process was quicker. By more it
        is the clock that was wrong.
        """

    async def fall_silent(self, tx: Transaction, moment: datetime, now: datetime, most: int) -> Sequence[DeviceUuid]:
        """Mark offline up to `most` who are online and were not heard of since the moment; they are the answer."""

    async def silent(self, tx: Transaction, uuids: Sequence[DeviceUuid], now: datetime) -> Sequence[DeviceUuid]:
        """Mark devices offline; those that were online are the answer."""


class Quota(Protocol):
    """How many devices this installation may have in service. Implemented by licensing."""

    def most_devices(self) -> int | None:
        """The limit, or None for no limit."""
