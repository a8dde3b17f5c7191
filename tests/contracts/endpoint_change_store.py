"""What every `EndpointChangeStore` promises. The database must hold the device `UUID`."""

from datetime import timedelta

from core.device_state import EndpointChange, EndpointChangeStore
from core.transactions import Transactions
from tests.support.clock import NOON
from tests.support.states import OTHER, UUID


def a_change(hour: int, *, name: str = "boiler", connected: bool | None = True) -> EndpointChange:
    """A change so many hours after noon."""
    return EndpointChange(
        at=NOON + timedelta(hours=hour),
        protocol="modbus",
        name=name,
        connected=connected,
        last_poll="2026-11-24T12:00:00.000Z",
        error_count=hour,
        last_error=None if connected else "no route",
    )


class EndpointChangeStoreContract:
    """Inherit, with the fixtures `store` and `units`."""

    async def test_the_changes_of_one_sensor_come_back_newest_first(
        self, store: EndpointChangeStore, units: Transactions
    ) -> None:
        changes = [a_change(1), a_change(2, connected=False), a_change(3, connected=None), a_change(3, name="pump")]
        async with units.begin() as tx:
            await store.add(tx, UUID, changes)
            await store.add(tx, UUID, [])
        async with units.read() as tx:
            found = await store.last(tx, UUID, "modbus", "boiler", since=NOON, limit=9)
            assert found == [changes[2], changes[1], changes[0]]
            assert await store.last(tx, UUID, "modbus", "boiler", since=changes[1].at, limit=1) == [changes[2]]
            assert await store.last(tx, UUID, "can", "boiler", since=NOON, limit=9) == []
            assert await store.last(tx, OTHER, "modbus", "boiler", since=NOON, limit=9) == []

    async def test_old_ones_are_dropped_a_batch_at_a_time(
        self, store: EndpointChangeStore, units: Transactions
    ) -> None:
        async with units.begin() as tx:
            await store.add(tx, UUID, [a_change(hour) for hour in range(5)])
            before = a_change(4).at
            assert [await store.drop_before(tx, before, 3) for _ in range(3)] == [3, 1, 0]
            assert await store.last(tx, UUID, "modbus", "boiler", since=NOON, limit=9) == [a_change(4)]
