"""What a store of readings promises."""

from datetime import datetime, timedelta

import pytest

from core.ids import DeviceUuid
from core.telemetry import Position, Reading, ReadingKind, ReadingQuery, ReadingStore, Span
from core.transactions import Transaction, Transactions
from tests.contracts.ageing_store import AgeingStoreContract
from tests.contracts.telemetry_parts import NOW, a_reading, new_uuid

LATER = NOW + timedelta(minutes=5)


class ReadingStoreContract(AgeingStoreContract):
    """The tests."""

    async def put(self, store: ReadingStore, tx: Transaction, uuid: DeviceUuid, received: datetime, place: int) -> None:
        """Remember one more row, received at the moment."""
        await store.add(tx, uuid, received, [a_reading(digest=place.to_bytes(2))])

    async def count(self, store: ReadingStore, tx: Transaction, uuid: DeviceUuid) -> int:
        """How many rows of the device there are."""
        return len(await store.page(tx, uuid, ReadingQuery(limit=1000)))

    @pytest.mark.parametrize("value", [26.5, -3, 2**53, True, False, "open", "", None])
    async def test_a_value_comes_back_with_its_type(
        self, store: ReadingStore, transactions: Transactions, value: object
    ) -> None:
        uuid, reading = new_uuid(), a_reading(value=value)
        async with transactions.begin() as tx:
            await store.add(tx, uuid, NOW, [reading])
            (stored,) = await store.page(tx, uuid, ReadingQuery())
        assert (stored.reading, stored.received_at) == (reading, NOW)
        assert type(stored.reading.value) is type(value)

    async def test_what_is_no_reading_comes_back_as_it_came(
        self, store: ReadingStore, transactions: Transactions
    ) -> None:
        uuid = new_uuid()
        kept = Reading(
            kind=ReadingKind.RAW, topic="x", at=NOW, time_clamped=True, digest=b"r", raw="AP8Q", raw_encoding="base64"
        )
        async with transactions.begin() as tx:
            await store.add(tx, uuid, NOW, [kept])
            assert [stored.reading for stored in await store.page(tx, uuid, ReadingQuery())] == [kept]

    async def test_a_reading_that_comes_again_adds_nothing(
        self, store: ReadingStore, transactions: Transactions
    ) -> None:
        uuid = new_uuid()
        async with transactions.begin() as tx:
            await store.add(tx, uuid, NOW, [a_reading(), a_reading()])
            await store.add(tx, uuid, LATER, [a_reading(), a_reading(1, digest=b"2")])
            assert await self.count(store, tx, uuid) == 2

    async def test_readings_of_the_same_moment_that_differ_are_all_kept(
        self, store: ReadingStore, transactions: Transactions
    ) -> None:
        uuid = new_uuid()
        async with transactions.begin() as tx:
            await store.add(tx, uuid, NOW, [a_reading(digest=b"1"), a_reading(digest=b"2")])
            assert await self.count(store, tx, uuid) == 2

    async def test_a_reading_whose_time_is_ours_is_known_again_although_the_time_differs(
        self, store: ReadingStore, transactions: Transactions
    ) -> None:
        uuid = new_uuid()
        async with transactions.begin() as tx:
            await store.add(tx, uuid, NOW, [a_reading(0, time_clamped=True)])
            await store.add(tx, uuid, LATER, [a_reading(-300, time_clamped=True)])
            assert await self.count(store, tx, uuid) == 1

    async def test_two_devices_may_measure_the_same(self, store: ReadingStore, transactions: Transactions) -> None:
        uuid, other = new_uuid(), new_uuid()
        async with transactions.begin() as tx:
            for device in (uuid, other):
                await store.add(tx, device, NOW, [a_reading()])
                assert await self.count(store, tx, device) == 1

    @pytest.mark.parametrize(
        ("query", "seconds"),
        [
            (ReadingQuery(sensor="plc"), [2, 4]),
            (ReadingQuery(sensor="plc", register="door"), [4]),
            (ReadingQuery(span=Span(since=NOW - timedelta(seconds=2))), [1, 2]),
            (ReadingQuery(span=Span(until=NOW - timedelta(seconds=2))), [3, 4]),
        ],
    )
    async def test_readings_are_found_by(
        self, store: ReadingStore, transactions: Transactions, query: ReadingQuery, seconds: list[int]
    ) -> None:
        uuid = new_uuid()
        readings = [
            a_reading(1),
            a_reading(2, sensor="plc"),
            a_reading(3, register="door"),
            a_reading(4, sensor="plc", register="door"),
        ]
        async with transactions.begin() as tx:
            await store.add(tx, uuid, NOW, readings)
            found = await store.page(tx, uuid, query)
        assert [(NOW - stored.reading.at).seconds for stored in found] == seconds

    async def test_pages_follow_each_other_without_gaps_or_repeats_among_equal_times(
        self, store: ReadingStore, transactions: Transactions
    ) -> None:
        uuid, seen, after = new_uuid(), list[bytes](), None
        readings = [a_reading(n // 4, digest=bytes([n])) for n in range(10)]
        async with transactions.begin() as tx:
            await store.add(tx, uuid, NOW, readings)
            while page := (await store.page(tx, uuid, ReadingQuery(limit=3, after=after)))[:3]:
                seen += [stored.reading.digest for stored in page]
                after = Position.of(str(page[-1].position))
        assert sorted(seen) == [reading.digest for reading in readings]

    async def test_a_page_tells_whether_there_are_more_by_one_row_too_many(
        self, store: ReadingStore, transactions: Transactions
    ) -> None:
        uuid = new_uuid()
        async with transactions.begin() as tx:
            await store.add(tx, uuid, NOW, [a_reading(n) for n in range(3)])
            assert len(await store.page(tx, uuid, ReadingQuery(limit=2))) == 3
            assert len(await store.page(tx, uuid, ReadingQuery(limit=3))) == 3
