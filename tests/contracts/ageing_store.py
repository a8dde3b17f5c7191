"""What every table that grows with time promises. Subclasses give `store` and say how a row gets in and out."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from core.extents import Extent
from core.ids import DeviceUuid
from core.telemetry import Ageing
from core.transactions import Transaction, Transactions
from tests.contracts.telemetry_parts import NOW, new_uuid


class AgeingStoreContract:
    """The tests."""

    async def put(self, store: Any, tx: Transaction, uuid: DeviceUuid, received: datetime, place: int) -> None:
        """Remember one more row, received at the moment."""
        raise NotImplementedError

    async def count(self, store: Any, tx: Transaction, uuid: DeviceUuid) -> int:
        """How many rows of the device there are."""
        raise NotImplementedError

    async def _filled(self, store: Any, transactions: Transactions, uuid: DeviceUuid) -> None:
        """Ten rows of the device, one an hour, the last one an hour before noon."""
        async with transactions.begin() as tx:
            for place in range(10):
                await self.put(store, tx, uuid, NOW - timedelta(hours=10 - place), place)

    async def test_the_oldest_rows_are_dropped_a_batch_at_a_time(
        self, store: Ageing, transactions: Transactions
    ) -> None:
        uuid, before = new_uuid(), NOW - timedelta(hours=5)
        await self._filled(store, transactions, uuid)
        async with transactions.begin() as tx:
            assert [await store.drop_before(tx, before, 3) for _ in range(3)] == [3, 2, 0]
            assert await self.count(store, tx, uuid) == 5

    async def test_what_a_device_sent_until_a_moment_is_dropped_a_batch_at_a_time(
        self, store: Ageing, transactions: Transactions
    ) -> None:
        uuid, other, until = new_uuid(), new_uuid(), NOW - timedelta(hours=2)
        await self._filled(store, transactions, uuid)
        await self._filled(store, transactions, other)
        async with transactions.begin() as tx:
            assert [await store.drop_device(tx, uuid, until, 5) for _ in range(3)] == [5, 4, 0]
            assert await self.count(store, tx, uuid) == 1
            assert await self.count(store, tx, other) == 10

    async def test_the_oldest_rows_are_dropped_whenever_they_were_received(
        self, store: Ageing, transactions: Transactions
    ) -> None:
        uuid = new_uuid()
        await self._filled(store, transactions, uuid)
        async with transactions.begin() as tx:
            assert await store.drop_oldest(tx, 3) == 3
            assert await store.drop_before(tx, NOW - timedelta(hours=7), 10) == 0
            assert await store.drop_oldest(tx, 10) == 7
            assert await store.extent(tx) == Extent()

    async def test_the_extent_tells_of_all_rows_by_some_and_heeds_gaps(
        self, store: Ageing, transactions: Transactions
    ) -> None:
        staying, going = new_uuid(), new_uuid()
        async with transactions.begin() as tx:
            for place in range(600):
                await self.put(store, tx, going if place % 3 else staying, NOW, place)
            full = await store.extent(tx)
            await store.drop_device(tx, going, NOW, 1000)
            thinned = await store.extent(tx)
        assert full.rows == 600
        assert 20 * 600 < full.bytes < 1000 * 600
        assert thinned.rows == pytest.approx(200, rel=0.25)
        assert thinned.bytes == pytest.approx(full.bytes / 3, rel=0.25)
