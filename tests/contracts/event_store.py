"""What every store of events promises. Subclasses give `store`."""

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from core.history import Bucket, EventQuery, EventStore, HistoryEvent
from core.ids import DeviceUuid
from core.transactions import Transactions
from tests.support.clock import NOON

DEVICE = DeviceUuid("5f3a1deb-f4c3-4e1b-8e76-70de4d2e3f56")


def an_event(number: int, **fields: Any) -> HistoryEvent:
    """An event, as many minutes after noon as its number."""
    event = HistoryEvent(
        announcement_id=number,
        at=NOON + timedelta(minutes=number),
        type="device.online",
        name="device.online",
        severity="info",
        actor="system",
        device_uuid=DEVICE,
        aggregate_type="device",
        aggregate_id=DEVICE,
        correlation_id="r-1",
        data={"nested": {"list": [1, None, "ü"]}},
    )
    return evolve(event, **fields)


class EventStoreContract:
    """The tests."""

    async def test_an_event_comes_back_as_it_was_stored(self, store: EventStore, transactions: Transactions) -> None:
        async with transactions.begin() as tx:
            assert await store.add(tx, an_event(1))
            [found] = await store.find(tx, EventQuery())
        assert found == evolve(an_event(1), id=found.id)

    async def test_an_announcement_is_stored_once(self, store: EventStore, transactions: Transactions) -> None:
        async with transactions.begin() as tx:
            assert [await store.add(tx, an_event(1)) for _ in range(2)] == [True, False]
            assert await store.count(tx, EventQuery()) == 1

    async def test_events_come_newest_first_whenever_they_were_stored(
        self, store: EventStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            for number in (2, 3, 1):
                await store.add(tx, an_event(number))
            found = await store.find(tx, EventQuery(limit=2))
            assert [event.announcement_id for event in found] == [3, 2]
            found = await store.find(tx, EventQuery(limit=2, before=found[-1].id))
            assert [event.announcement_id for event in found] == [1]
            found = await store.find(tx, EventQuery(ascending=True))
            assert [event.announcement_id for event in found] == [1, 2, 3]

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            (EventQuery(device_uuid=DEVICE), [4, 2, 1]),
            (EventQuery(types=("device.online",)), [3, 1]),
            (EventQuery(types=("target_state.deployed",)), [4]),
            (EventQuery(types=("target_state.updated", "device.offline")), [4, 2]),
            (EventQuery(category="state"), [4]),
            (EventQuery(severity="warning"), [2]),
            (EventQuery(actor="user:7"), [4]),
            (EventQuery(actor="user:_"), []),
            (EventQuery(correlation_id="r-2"), [3]),
            (EventQuery(since=NOON + timedelta(minutes=3)), [4, 3]),
            (EventQuery(until=NOON + timedelta(minutes=1)), [1]),
            (EventQuery(after=3), [4]),
            (EventQuery(private=True), [5, 4, 3, 2, 1]),
            (EventQuery(private=True, category="access"), [5]),
            (EventQuery(category="access"), []),
        ],
    )
    async def test_events_can_be_asked_for_by_what_they_say(
        self, store: EventStore, transactions: Transactions, query: EventQuery, expected: list[int]
    ) -> None:
        async with transactions.begin() as tx:
            await store.add(tx, an_event(1))
            await store.add(tx, an_event(2, type="device.offline", name="device.offline", severity="warning"))
            await store.add(tx, an_event(3, device_uuid=None, correlation_id="r-2"))
            deployed = {"type": "target_state.updated", "name": "target_state.deployed", "actor": "user:7:anna"}
            await store.add(tx, an_event(4, **deployed))
            await store.add(tx, an_event(5, type="user.created", name="user.created", device_uuid=None))
            assert [event.announcement_id for event in await store.find(tx, query)] == expected
            assert await store.count(tx, query) == len(expected)

    async def test_events_are_counted_by_type_with_the_first_and_the_last(
        self, store: EventStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            for number in (1, 2, 3):
                await store.add(tx, an_event(number))
            await store.add(tx, an_event(4, type="device.offline", name="device.offline"))
            online, offline = await store.tally(tx, EventQuery())
        assert (online.type, online.category, online.severity, online.count) == ("device.online", "device", "info", 3)
        assert (online.first, online.last) == (NOON + timedelta(minutes=1), NOON + timedelta(minutes=3))
        assert (offline.type, offline.count) == ("device.offline", 1)

    async def test_events_are_counted_in_parts_of_time_that_hold_their_beginning(
        self, store: EventStore, transactions: Transactions
    ) -> None:
        moments = (NOON, NOON + timedelta(minutes=59), NOON + timedelta(hours=1), NOON + timedelta(hours=9))
        async with transactions.begin() as tx:
            for number, at in enumerate(moments):
                await store.add(tx, an_event(number, at=at))
            found = await store.buckets(tx, EventQuery(), 3600)
        starts = {NOON: 2, NOON + timedelta(hours=1): 1, NOON + timedelta(hours=9): 1}
        assert list(found) == [
            Bucket(start=start, type="device.online", category="device", count=count) for start, count in starts.items()
        ]

    async def test_old_events_of_a_severity_are_forgotten_a_batch_at_a_time(
        self, store: EventStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            for number in range(5):
                await store.add(tx, an_event(number))
            await store.add(tx, an_event(9, at=NOON, severity="warning"))
            moment = NOON + timedelta(minutes=3)
            assert [await store.forget_before(tx, moment, "info", 2) for _ in range(3)] == [2, 1, 0]
            assert {event.announcement_id for event in await store.find(tx, EventQuery())} == {3, 4, 9}

    async def test_the_first_events_are_forgotten_whenever_they_happened(
        self, store: EventStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            for number in range(5):
                await store.add(tx, an_event(number))
            extent = await store.extent(tx)
            assert await store.forget_oldest(tx, 3) == 3
            assert [event.announcement_id for event in await store.find(tx, EventQuery())] == [4, 3]
        assert extent.rows == 5
        assert 5 * 100 < extent.bytes < 5 * 1000
