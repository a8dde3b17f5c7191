"""How long telemetry is kept."""

from datetime import timedelta

import pytest

from adapters.sql.sqlite import SqliteTransactions
from adapters.sql.telemetry_logs import SqlLogStore
from adapters.sql.telemetry_readings import SqlReadingStore
from core.devices import DeviceRemoved
from core.events import Announced
from core.telemetry import Ageing, Keeping, LogQuery, ReadingQuery, Retention
from core.telemetry.retention import BATCH
from tests.contracts.telemetry_parts import a_line, a_reading, new_uuid
from tests.support.clock import TestClock

MEGABYTE = 1024**2
LOGS, READINGS = SqlLogStore(), SqlReadingStore()


@pytest.fixture
def retention(transactions: SqliteTransactions, clock: TestClock) -> Retention:
    """Logs for 30 days and up to 10 MB, readings for 90 and up to 1 MB."""
    kept: dict[Ageing, Keeping] = {
        LOGS: Keeping(age=timedelta(days=30), most_bytes=10 * MEGABYTE),
        READINGS: Keeping(age=timedelta(days=90), most_bytes=MEGABYTE),
    }
    return Retention(transactions=transactions, kept=kept, clock=clock)


async def test_each_table_keeps_its_rows_for_its_time(
    retention: Retention, transactions: SqliteTransactions, clock: TestClock
) -> None:
    uuid = new_uuid()
    async with transactions.begin() as tx:
        await LOGS.add(tx, uuid, clock.now(), [a_line(n) for n in range(2 * BATCH + 1)])
        await READINGS.add(tx, uuid, clock.now(), [a_reading()])
    clock.advance(days=30)
    assert await retention.sweep() == 0
    clock.advance(seconds=1)
    assert await retention.sweep() == 2 * BATCH + 1
    async with transactions.read() as tx:
        assert len(await READINGS.page(tx, uuid, ReadingQuery())) == 1


async def test_what_a_removed_device_sent_is_forgotten_and_what_its_successor_sends_is_not(
    retention: Retention, transactions: SqliteTransactions, clock: TestClock
) -> None:
    uuid = new_uuid()
    async with transactions.begin() as tx:
        await LOGS.add(tx, uuid, clock.now(), [a_line(message="before")])
        await READINGS.add(tx, uuid, clock.now(), [a_reading()])
    removed = DeviceRemoved(at=clock.now(), by="system", uuid=uuid, name="gateway")
    clock.advance(seconds=1)
    async with transactions.begin() as tx:
        await LOGS.add(tx, uuid, clock.now(), [a_line(message="after")])
    for _ in range(2):
        await retention.forget(Announced(id=1, event=removed))
    async with transactions.read() as tx:
        assert [stored.line.message for stored in await LOGS.page(tx, uuid, LogQuery())] == ["after"]
        assert list(await READINGS.page(tx, uuid, ReadingQuery())) == []


async def test_the_oldest_rows_go_when_all_take_too_much_room(
    retention: Retention, transactions: SqliteTransactions, clock: TestClock
) -> None:
    uuid = new_uuid()
    for begin in range(0, 8000, 1000):
        lines = [a_line(-n, message=str(n).zfill(200)) for n in range(begin, begin + 1000)]
        readings = [a_reading(-n, digest=n.to_bytes(8), value=n) for n in range(begin, begin + 1000)]
        async with transactions.begin() as tx:
            await LOGS.add(tx, uuid, clock.now(), lines)
            await READINGS.add(tx, uuid, clock.now(), readings)
    dropped = await retention.sweep()
    async with transactions.read() as tx:
        kept = len(await LOGS.page(tx, uuid, LogQuery(limit=10_000)))
        extent = await READINGS.extent(tx)
        newest = await READINGS.page(tx, uuid, ReadingQuery(limit=1))
    assert kept == 8000, "logs have room for more"
    assert extent.bytes == pytest.approx(MEGABYTE, rel=0.1)
    assert dropped == 8000 - extent.rows
    assert newest[0].reading.value == 7999
    assert await retention.sweep() <= 8, "what is left is about as much as may be"
