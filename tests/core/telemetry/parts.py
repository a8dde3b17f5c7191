"""The registry that telemetry asks about devices, on real tables."""

from datetime import timedelta

from adapters.sql.device_overviews import SqlDeviceOverviews
from adapters.sql.devices import SqlDeviceStore, SqlLivenessStore
from adapters.sql.signals import LocalSignals
from adapters.sql.sqlite import SqliteTransactions
from core.actor import Actor, ActorKind, Permission
from core.clock import Clock
from core.devices import DEVICE_READ, Device, Devices, Liveness
from core.ids import DeviceUuid
from core.telemetry import DATA_READ, Space
from tests.contracts.telemetry_parts import a_device

READER = Actor(kind=ActorKind.USER, user_id=None, username="anna", permissions=frozenset({DATA_READ, DEVICE_READ}))
NOBODY = Actor(kind=ActorKind.USER, username="otto", permissions=frozenset({Permission("user:read")}))
GIGABYTE = 1024**3


class Unlimited:
    """Implements `core.devices.Quota`."""

    def most_devices(self) -> int | None:
        """No limit."""
        return None


class Disk:
    """Implements `core.telemetry.Storage`: as full as a test wants."""

    def __init__(self, **space: int) -> None:
        self.now = Space(**{"disk_free": 10 * GIGABYTE, "disk_total": 32 * GIGABYTE, **space})

    async def space(self) -> Space:
        """What the test said."""
        return self.now


def registry(transactions: SqliteTransactions, signals: LocalSignals, clock: Clock) -> Devices:
    """The registry of devices."""
    span = timedelta(minutes=5)
    return Devices(
        transactions=transactions,
        store=SqlDeviceStore(),
        overviews=SqlDeviceOverviews(),
        quota=Unlimited(),
        liveness=Liveness(transactions, SqlLivenessStore(), clock, signals, offline_after=span),
        clock=clock,
    )


async def registered(transactions: SqliteTransactions) -> Device:
    """A device that is registered."""
    async with transactions.begin() as tx:
        return await SqlDeviceStore().add(tx, a_device())


def itself(uuid: DeviceUuid) -> Actor:
    """The device, as the one who asks."""
    return Actor(kind=ActorKind.DEVICE, device_uuid=uuid)
