"""What every `ReportedStateStore` promises. The database must hold the device `UUID` and no other."""

from datetime import timedelta

import pytest
from attrs import evolve

from core.device_state import Reported, ReportedStateStore
from core.errors import NotFound
from core.transactions import Transactions
from tests.support.clock import NOON
from tests.support.states import APPS, OTHER, UUID

FULL = Reported(
    uuid=UUID,
    reported_at=NOON,
    apps=APPS,
    config={"é": [1, 2.5, None, True]},
    version=3,
    is_online=False,
    endpoints_health={"modbus1": {"connected": None}},
    sensor_health={},
    system_info={"cpu_usage": 1.5},
)


class ReportedStateStoreContract:
    """Inherit, with the fixtures `store` and `units`."""

    async def test_there_is_nothing_at_first(self, store: ReportedStateStore, units: Transactions) -> None:
        async with units.read() as tx:
            assert await store.find(tx, UUID) is None

    async def test_it_is_kept_as_it_was_saved(self, store: ReportedStateStore, units: Transactions) -> None:
        async with units.begin() as tx:
            await store.save(tx, FULL)
        async with units.read() as tx:
            assert await store.find(tx, UUID) == FULL

    async def test_the_last_one_replaces_the_ones_before(self, store: ReportedStateStore, units: Transactions) -> None:
        later = evolve(FULL, apps={}, is_online=True, reported_at=NOON + timedelta(minutes=1))
        async with units.begin() as tx:
            await store.save(tx, FULL)
            await store.save(tx, later)
            assert await store.find(tx, UUID, to_change=True) == later

    async def test_never_told_is_not_the_same_as_empty(self, store: ReportedStateStore, units: Transactions) -> None:
        silent = Reported(uuid=UUID, reported_at=NOON, sensor_health={})
        async with units.begin() as tx:
            await store.save(tx, silent)
        async with units.read() as tx:
            found = await store.find(tx, UUID)
        assert found == silent
        assert found is not None
        assert (found.apps, found.config, found.sensor_health) == (None, None, {})

    async def test_an_unknown_device_is_not_made(self, store: ReportedStateStore, units: Transactions) -> None:
        with pytest.raises(NotFound):
            async with units.begin() as tx:
                await store.save(tx, evolve(FULL, uuid=OTHER))
