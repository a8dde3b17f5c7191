"""Metrics, logs, summaries and readings: who may, and what is kept."""

import json
from datetime import timedelta

import pytest

from adapters.sql.signals import LocalSignals
from adapters.sql.sqlite import SqliteTransactions
from adapters.sql.telemetry_dropped import SqlDroppedSummaryStore
from adapters.sql.telemetry_logs import SqlLogStore
from adapters.sql.telemetry_metrics import SqlMetricStore
from adapters.sql.telemetry_readings import SqlReadingStore
from adapters.sql.vitals import SqlVitalsStore
from core.devices import Devices
from core.errors import Forbidden, Invalid, NotFound
from core.telemetry import (
    DroppedSummaries,
    LogQuery,
    LogReceipt,
    Logs,
    Metrics,
    Period,
    Position,
    ReadingQuery,
    Readings,
    Room,
    Span,
)
from tests.contracts.telemetry_parts import new_uuid
from tests.core.telemetry.parts import NOBODY, READER, Disk, itself, registered, registry
from tests.support.clock import TestClock

LINE = b'{"message":"hello"}\n'


@pytest.fixture
def devices(transactions: SqliteTransactions, signals: LocalSignals, clock: TestClock) -> Devices:
    """The registry."""
    return registry(transactions, signals, clock)


@pytest.fixture
def room(signals: LocalSignals) -> Room:
    """Room enough."""
    return Room(storage=Disk(), signals=signals)


@pytest.fixture
def metrics(transactions: SqliteTransactions, devices: Devices, room: Room, clock: TestClock) -> Metrics:
    """Vital signs."""
    store, latest = SqlMetricStore(), SqlVitalsStore()
    return Metrics(transactions=transactions, store=store, latest=latest, devices=devices, room=room, clock=clock)


@pytest.fixture
def logs(transactions: SqliteTransactions, devices: Devices, room: Room, clock: TestClock) -> Logs:
    """Logs."""
    return Logs(transactions=transactions, store=SqlLogStore(), devices=devices, room=room, clock=clock)


@pytest.fixture
def dropped(transactions: SqliteTransactions, devices: Devices, room: Room, clock: TestClock) -> DroppedSummaries:
    """Summaries."""
    return DroppedSummaries(
        transactions=transactions, store=SqlDroppedSummaryStore(), devices=devices, room=room, clock=clock
    )


@pytest.fixture
def readings(transactions: SqliteTransactions, devices: Devices, room: Room, clock: TestClock) -> Readings:
    """Readings."""
    return Readings(transactions=transactions, store=SqlReadingStore(), devices=devices, room=room, clock=clock)


async def test_a_report_joins_the_series_and_the_latest(
    metrics: Metrics, transactions: SqliteTransactions, clock: TestClock
) -> None:
    device = await registered(transactions)
    async with transactions.begin() as tx:
        await metrics.record(tx, device.uuid, {"cpu_usage": 49, "temperature": 51.2}, late=False)
    condition = await metrics.condition(READER, device.uuid)
    (sample,) = await metrics.last(READER, device.uuid, 10)
    assert (condition.vitals.cpu_temp, condition.updated_at, condition.is_online) == (51.2, clock.now(), False)
    assert (sample.vitals.cpu_usage, sample.late) == (49.0, False)


async def test_a_late_report_joins_the_series_marked_and_leaves_the_latest_alone(
    metrics: Metrics, transactions: SqliteTransactions
) -> None:
    device = await registered(transactions)
    async with transactions.begin() as tx:
        await metrics.record(tx, device.uuid, {"cpu_usage": 10}, late=False)
        await metrics.record(tx, device.uuid, {"cpu_usage": 90}, late=True)
    assert [sample.late for sample in await metrics.last(READER, device.uuid, 10)] == [True, False]
    assert (await metrics.condition(READER, device.uuid)).vitals.cpu_usage == 10.0


async def test_a_report_without_numbers_adds_nothing_to_the_series(
    metrics: Metrics, transactions: SqliteTransactions
) -> None:
    device = await registered(transactions)
    async with transactions.begin() as tx:
        await metrics.record(tx, device.uuid, {"apps": {}, "local_ip": "192.0.2.2"}, late=False)
    assert await metrics.last(READER, device.uuid, 10) == []
    assert (await metrics.condition(READER, device.uuid)).vitals.local_ip == "192.0.2.2"


@pytest.mark.parametrize("period", Period)
async def test_every_period_has_points_when_there_are_samples(
    metrics: Metrics, transactions: SqliteTransactions, clock: TestClock, period: Period
) -> None:
    """Contract §12.3 item 43: 30 minutes was empty in the original."""
    device = await registered(transactions)
    for _ in range(120):
        clock.advance(seconds=period.length.total_seconds() / 90)
        async with transactions.begin() as tx:
            await metrics.record(tx, device.uuid, {"cpu_usage": 1}, late=False)
    points = [sample.recorded_at for sample in await metrics.series(READER, device.uuid, period)]
    assert len(points) == 60
    assert points == sorted(points)


async def test_logs_come_back_after_they_were_received(
    logs: Logs, transactions: SqliteTransactions, clock: TestClock
) -> None:
    device = await registered(transactions)
    assert await logs.receive(itself(device.uuid), device.uuid, LINE * 3 + b"odd\n") == LogReceipt(
        received=3, rejected=1
    )
    assert len(await logs.page(READER, device.uuid, LogQuery())) == 3
    assert await logs.services(READER, device.uuid) == []


async def test_a_large_batch_of_logs_is_read_as_well(logs: Logs, transactions: SqliteTransactions) -> None:
    device = await registered(transactions)
    body = json.dumps({"message": "x" * 1000}).encode() + b"\n"
    assert (await logs.receive(itself(device.uuid), device.uuid, body * 1000)).received == 1000


async def test_a_named_batch_is_kept_once(logs: Logs, transactions: SqliteTransactions) -> None:
    device = await registered(transactions)
    first = await logs.receive(itself(device.uuid), device.uuid, LINE + b"odd\n", "batch 1")
    again = await logs.receive(itself(device.uuid), device.uuid, LINE + b"odd\n", "batch 1")
    assert first == again == LogReceipt(received=1, rejected=1)
    assert len(await logs.page(READER, device.uuid, LogQuery())) == 1


async def test_summaries_are_kept_once_however_often_they_come(
    dropped: DroppedSummaries, transactions: SqliteTransactions
) -> None:
    """Contract §12.1 item 16."""
    device = await registered(transactions)
    body = {"summaries": [{"droppedAt": 1795447499256, "totalCount": 4}, {"totalCount": 1}, "odd"]}
    for _ in range(3):
        await dropped.receive(itself(device.uuid), device.uuid, body)
    assert [summary.total_count for summary in await dropped.last(READER, device.uuid, 10)] == [1, 4]


@pytest.mark.parametrize("body", [None, [], {}, {"summaries": {}}, {"summaries": [[], 7]}, {"summaries": []}])
async def test_summaries_that_are_none_are_taken_and_left_out(
    dropped: DroppedSummaries, transactions: SqliteTransactions, body: object
) -> None:
    device = await registered(transactions)
    await dropped.receive(itself(device.uuid), device.uuid, body)
    assert await dropped.last(READER, device.uuid, 10) == []


async def test_a_batch_of_readings_that_comes_again_hours_later_adds_none(
    readings: Readings, transactions: SqliteTransactions, clock: TestClock
) -> None:
    device = await registered(transactions)
    times = (clock.now().isoformat(), 5, "soon")
    sent = [json.dumps({"deviceName": "plc", "registerName": "door", "value": 1, "timestamp": at}) for at in times]
    payload = json.dumps({"sensor": "x", "timestamp": times[0], "messages": [*sent, "noise"]}).encode()
    await readings.receive(device.uuid, "opcua", payload)
    clock.advance(hours=3)
    await readings.receive(device.uuid, "opcua", payload)
    assert len((await readings.page(READER, device.uuid, ReadingQuery())).items) == 4


async def test_a_batch_from_after_an_outage_may_be_large(
    readings: Readings, transactions: SqliteTransactions, clock: TestClock
) -> None:
    device = await registered(transactions)
    at = clock.now() - timedelta(hours=1)
    one = [
        json.dumps({"value": n, "timestamp": (at + timedelta(milliseconds=n)).isoformat(), "unit": "x" * 200})
        for n in range(4000)
    ]
    payload = json.dumps({"sensor": "x", "messages": one}).encode()
    assert len(payload) > 2**20
    await readings.receive(device.uuid, "modbus", payload)
    page = await readings.page(READER, device.uuid, ReadingQuery(limit=1000))
    assert [stored.reading.value for stored in page.items] == list(range(3999, 2999, -1))
    rest = await readings.page(READER, device.uuid, ReadingQuery(limit=1, after=Position.of(page.next or "")))
    assert rest.items[0].reading.value == 2999


async def test_only_the_device_itself_may_send_its_logs(
    logs: Logs, dropped: DroppedSummaries, transactions: SqliteTransactions
) -> None:
    device, other = await registered(transactions), await registered(transactions)
    for actor in (itself(other.uuid), READER):
        with pytest.raises(Forbidden):
            await logs.receive(actor, device.uuid, LINE)
        with pytest.raises(Forbidden):
            await dropped.receive(actor, device.uuid, {})


async def test_reading_telemetry_needs_the_permission_and_a_device(
    metrics: Metrics, logs: Logs, dropped: DroppedSummaries, readings: Readings, transactions: SqliteTransactions
) -> None:
    for actor, uuid, refusal in (
        (NOBODY, (await registered(transactions)).uuid, Forbidden),
        (READER, new_uuid(), NotFound),
    ):
        for asked in (
            metrics.last(actor, uuid, 1),
            metrics.series(actor, uuid, Period.DAY),
            metrics.condition(actor, uuid),
            metrics.processes(actor, uuid, 1, 1),
            logs.page(actor, uuid, LogQuery()),
            logs.services(actor, uuid),
            dropped.last(actor, uuid, 1),
            readings.page(actor, uuid, ReadingQuery()),
        ):
            with pytest.raises(refusal):
                await asked


@pytest.mark.parametrize("cursor", ["x", "é", "AAAA", "=", "MjAyNi0xMS0yNCAx", "a" * 200])
def test_a_cursor_that_nobody_gave_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid):
        Position.of(cursor)


@pytest.mark.parametrize(
    ("since", "until"), [("x", None), (None, "2026-11-31"), (None, "9999-12-31"), ("2026-11-24T12:00", None)]
)
def test_a_bound_that_is_no_day_or_moment_is_refused(since: str | None, until: str | None) -> None:
    with pytest.raises(Invalid):
        Span.of(since, until)
