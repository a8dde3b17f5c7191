"""How many devices there are, by status and whether they are online."""

from adapters.sql.devices import SqlDeviceStore, SqlLivenessStore
from adapters.sql.signals import LocalSignals
from adapters.sql.sqlite import SqliteTransactions
from core.devices import DeviceStatus
from tests.contracts.telemetry_parts import NOW
from tests.core.telemetry.parts import registered, registry
from tests.support.clock import TestClock


async def test_devices_are_counted(transactions: SqliteTransactions, signals: LocalSignals, clock: TestClock) -> None:
    devices = registry(transactions, signals, clock)
    assert (await devices.census()).counts == {}
    one, other, _ = [await registered(transactions) for _ in range(3)]
    async with transactions.begin() as tx:
        await SqlDeviceStore().save(tx, other.switched(NOW, active=False))
        await SqlLivenessStore().heard(tx, {one.uuid: NOW})
    active, inactive = DeviceStatus.ACTIVE, DeviceStatus.INACTIVE
    assert (await devices.census()).counts == {(active, True): 1, (active, False): 1, (inactive, False): 1}
