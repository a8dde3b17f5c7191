"""What every store of audit entries promises. Subclasses give `store`."""

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from core.audit import AuditEntry, AuditQuery, AuditStore, Severity
from core.ids import DeviceUuid
from core.transactions import Transactions
from tests.support.clock import NOON

DEVICE = DeviceUuid("5f3a1deb-f4c3-4e1b-8e76-70de4d2e3f56")


def an_entry(number: int, **fields: Any) -> AuditEntry:
    """An entry, written as many minutes after noon as its number."""
    entry = AuditEntry(
        announcement_id=number,
        at=NOON + timedelta(minutes=number),
        event="user.created",
        severity="info",
        actor="user:7:anna",
        details={"username": "bert", "nested": {"list": [1, None, "ü"]}},
    )
    return evolve(entry, **fields)


class AuditStoreContract:
    """The tests."""

    async def test_an_entry_comes_back_as_it_was_written(self, store: AuditStore, transactions: Transactions) -> None:
        entry = an_entry(1, device_uuid=DEVICE, address="198.51.100.7")
        async with transactions.begin() as tx:
            await store.add(tx, entry)
            [found] = await store.entries(tx, AuditQuery())
        assert found == evolve(entry, id=found.id)

    async def test_the_same_announcement_is_written_once(self, store: AuditStore, transactions: Transactions) -> None:
        async with transactions.begin() as tx:
            await store.add(tx, an_entry(1))
            await store.add(tx, an_entry(1, event="something.else"))
            assert [entry.event for entry in await store.entries(tx, AuditQuery())] == ["user.created"]

    async def test_entries_come_newest_first_a_page_and_one_more(
        self, store: AuditStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            for number in range(5):
                await store.add(tx, an_entry(number))
            first = await store.entries(tx, AuditQuery(limit=2))
            assert [entry.announcement_id for entry in first] == [4, 3, 2]
            rest = await store.entries(tx, AuditQuery(limit=2, before=first[1].id))
            assert [entry.announcement_id for entry in rest] == [2, 1, 0]

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            (AuditQuery(event="device.removed"), [2]),
            (AuditQuery(event="device"), []),
            (AuditQuery(severity=Severity.WARNING), [3]),
            (AuditQuery(device_uuid=DEVICE), [2]),
            (AuditQuery(actor="user:7"), [2, 1]),
            (AuditQuery(actor="user:7:anna"), [2, 1]),
            (AuditQuery(actor="user:_"), []),
            (AuditQuery(actor="system"), [4]),
            (AuditQuery(since=NOON + timedelta(minutes=3)), [4, 3]),
            (AuditQuery(until=NOON + timedelta(minutes=1)), [1]),
            (AuditQuery(actor="user:7", until=NOON + timedelta(minutes=1)), [1]),
        ],
    )
    async def test_entries_can_be_asked_for_by_what_they_say(
        self, store: AuditStore, transactions: Transactions, query: AuditQuery, expected: list[int]
    ) -> None:
        async with transactions.begin() as tx:
            await store.add(tx, an_entry(1))
            await store.add(tx, an_entry(2, event="device.removed", device_uuid=DEVICE))
            await store.add(tx, an_entry(3, severity="warning", actor="user:77:bert"))
            await store.add(tx, an_entry(4, actor="system"))
            assert [entry.announcement_id for entry in await store.entries(tx, query)] == expected

    async def test_only_entries_from_before_the_moment_are_forgotten_a_batch_at_a_time(
        self, store: AuditStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            for number in range(5):
                await store.add(tx, an_entry(number))
            moment = NOON + timedelta(minutes=3)
            assert [await store.forget_before(tx, moment, 2) for _ in range(3)] == [2, 1, 0]
            assert [entry.announcement_id for entry in await store.entries(tx, AuditQuery())] == [4, 3]

    async def test_the_oldest_entries_are_forgotten_whenever_they_were_written(
        self, store: AuditStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            for number in range(5):
                await store.add(tx, an_entry(number))
            extent = await store.extent(tx)
            assert await store.forget_oldest(tx, 3) == 3
            assert [entry.announcement_id for entry in await store.entries(tx, AuditQuery())] == [4, 3]
        assert extent.rows == 5
        assert 5 * 100 < extent.bytes < 5 * 1000
