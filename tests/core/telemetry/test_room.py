"""Whether there is room for telemetry."""

from typing import Any

import pytest

from adapters.sql.signals import LocalSignals
from adapters.sql.sqlite import SqliteTransactions
from adapters.sql.telemetry_dropped import SqlDroppedSummaryStore
from adapters.sql.telemetry_logs import SqlLogStore
from adapters.sql.telemetry_metrics import SqlMetricStore
from adapters.sql.telemetry_readings import SqlReadingStore
from adapters.sql.vitals import SqlVitalsStore
from core.errors import Unavailable
from core.telemetry import NO_ROOM, DroppedSummaries, Logs, Metrics, Readings, Room, Space
from tests.core.telemetry.parts import GIGABYTE, READER, Disk, itself, registered, registry
from tests.support.clock import TestClock

MEGABYTE = 1024**2


def a_space(**space: int) -> Space:
    return Space(**{"disk_free": 10 * GIGABYTE, "disk_total": 32 * GIGABYTE, **space})


@pytest.mark.parametrize(
    ("space", "reserve"),
    [
        (a_space(), 100 * MEGABYTE),
        (a_space(disk_total=GIGABYTE), GIGABYTE // 20),
        (a_space(limit=200 * MEGABYTE, limit_left=0), 10 * MEGABYTE),
    ],
)
def test_the_reserve_suits_the_disk_and_the_limit_unless_one_is_wanted(space: Space, reserve: int) -> None:
    assert space.reserve(None) == reserve
    assert space.reserve(7) == 7


@pytest.mark.parametrize(
    ("space", "short"),
    [
        (a_space(), False),
        (a_space(disk_free=99 * MEGABYTE), True),
        (a_space(disk_free=99 * MEGABYTE, reusable=2 * MEGABYTE), False),
        (a_space(disk_free=5 * MEGABYTE, reusable=GIGABYTE), True),
        (a_space(limit=GIGABYTE, limit_left=10 * MEGABYTE), True),
        (a_space(limit=GIGABYTE, limit_left=10 * MEGABYTE, reusable=90 * MEGABYTE), False),
    ],
    ids=["enough", "disk", "reusable", "no room for the log", "limit", "limit and reusable"],
)
def test_room_is_short_when_less_than_the_reserve_is_left(space: Space, short: bool) -> None:
    assert space.is_short(None) is short


def test_no_reserve_is_never_short() -> None:
    assert not a_space(disk_free=0).is_short(0)


async def test_telemetry_is_refused_while_room_is_short_and_is_let_in_again(signals: LocalSignals) -> None:
    disk, told = Disk(), list[str]()
    signals.on(NO_ROOM, told.append)
    room = Room(storage=disk, signals=signals)
    await room.look()
    room.require()
    assert told == []
    disk.now = a_space(disk_free=MEGABYTE)
    await room.look()
    with pytest.raises(Unavailable, match="full") as refused:
        room.require()
    assert refused.value.retry_after == 30
    assert told == [""], "whoever can make room is told"
    disk.now = a_space()
    await room.look()
    room.require()


async def test_nothing_that_grows_is_taken_while_there_is_no_room(
    transactions: SqliteTransactions, signals: LocalSignals, clock: TestClock
) -> None:
    room, device = Room(storage=Disk(disk_free=0), signals=signals), await registered(transactions)
    parts: dict[str, Any] = {
        "transactions": transactions,
        "devices": registry(transactions, signals, clock),
        "room": room,
        "clock": clock,
    }
    metrics = Metrics(store=SqlMetricStore(), latest=SqlVitalsStore(), **parts)
    await room.look()
    for asked in (
        Logs(store=SqlLogStore(), **parts).receive(itself(device.uuid), device.uuid, b"{}"),
        DroppedSummaries(store=SqlDroppedSummaryStore(), **parts).receive(itself(device.uuid), device.uuid, {}),
        Readings(store=SqlReadingStore(), **parts).receive(device.uuid, "modbus", b"{}"),
    ):
        with pytest.raises(Unavailable, match="full"):
            await asked
    with pytest.raises(Unavailable, match="full"):
        async with transactions.begin() as tx:
            await metrics.record(tx, device.uuid, {"cpu_usage": 49}, late=False)
    async with transactions.begin() as tx:
        await metrics.record(tx, device.uuid, {"local_ip": "192.0.2.2"}, late=False)
    assert (await metrics.condition(READER, device.uuid)).vitals.local_ip == "192.0.2.2"
