"""What a store of log lines promises."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from core.ids import DeviceUuid
from core.telemetry import LogQuery, LogReceipt, LogStore, Span
from core.transactions import Transaction, Transactions
from tests.contracts.ageing_store import AgeingStoreContract
from tests.contracts.telemetry_parts import NOW, a_line, new_uuid


class LogStoreContract(AgeingStoreContract):
    """The tests."""

    async def put(self, store: LogStore, tx: Transaction, uuid: DeviceUuid, received: datetime, place: int) -> None:
        """Remember one more row, received at the moment."""
        await store.add(tx, uuid, received, [a_line(place)])

    async def count(self, store: LogStore, tx: Transaction, uuid: DeviceUuid) -> int:
        """How many rows of the device there are."""
        return len(await store.page(tx, uuid, LogQuery()))

    async def test_lines_come_back_as_they_were_newest_first(self, store: LogStore, transactions: Transactions) -> None:
        uuid = new_uuid()
        old, new, twin = a_line(60), a_line(1, context=None, service_name=None), a_line(1, message="a moment later")
        async with transactions.begin() as tx:
            await store.add(tx, uuid, NOW, [new, old, twin])
            await store.add(tx, new_uuid(), NOW, [a_line(30)])
            found = await store.page(tx, uuid, LogQuery())
        assert [stored.line for stored in found] == [twin, new, old]
        assert {stored.received_at for stored in found} == {NOW}

    @pytest.mark.parametrize(
        ("wanted", "seconds"),
        [
            ({"service": "web"}, [3]),
            ({"level": "CRITICAL"}, [2]),
            ({"search": "DISK full"}, [1]),
            ({"search": "100%"}, [4]),
            ({"span": Span(since=NOW - timedelta(seconds=2))}, [1, 2]),
            ({"span": Span(until=NOW - timedelta(seconds=2))}, [3, 4]),
            ({"limit": 2, "offset": 1}, [2, 3]),
        ],
    )
    async def test_lines_are_found_by(
        self, store: LogStore, transactions: Transactions, wanted: dict[str, Any], seconds: list[int]
    ) -> None:
        uuid = new_uuid()
        lines = [
            a_line(1, message="the disk full of logs"),
            a_line(2, level="error"),
            a_line(3, service_name="web"),
            a_line(4, message="100% done"),
        ]
        async with transactions.begin() as tx:
            await store.add(tx, uuid, NOW, lines)
            found = await store.page(tx, uuid, LogQuery(**wanted))
        assert [(NOW - stored.line.at).seconds for stored in found] == seconds

    async def test_each_service_is_named_once(self, store: LogStore, transactions: Transactions) -> None:
        uuid = new_uuid()
        async with transactions.begin() as tx:
            for name in ("nginx", "agent", None, "nginx", "Öl", "agent"):
                await store.add(tx, uuid, NOW, [a_line(service_name=name)])
            await store.add(tx, new_uuid(), NOW, [a_line(service_name="other")])
            assert list(await store.services(tx, uuid)) == ["agent", "nginx", "Öl"]
            assert list(await store.services(tx, new_uuid())) == []

    async def test_a_batch_that_comes_again_is_known_with_what_became_of_it(
        self, store: LogStore, transactions: Transactions
    ) -> None:
        uuid, first, second = new_uuid(), LogReceipt(received=99, rejected=1), LogReceipt(received=5, rejected=0)
        async with transactions.begin() as tx:
            assert await store.claim(tx, uuid, "one", NOW, first) is None
            assert await store.claim(tx, uuid, "one", NOW, second) == first
            assert await store.claim(tx, uuid, "two", NOW, second) is None
            assert await store.claim(tx, new_uuid(), "one", NOW, second) is None
