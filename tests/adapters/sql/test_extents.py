"""Estimates of how much room tables take, against how much the file has grown."""

from pathlib import Path
from random import Random

import pytest

from adapters.sql.sqlite import SqliteTransactions
from adapters.sql.storage import SqliteStorage
from adapters.sql.telemetry_logs import SqlLogStore
from adapters.sql.telemetry_metrics import SqlMetricStore
from adapters.sql.telemetry_readings import SqlReadingStore
from core.telemetry import Ageing
from core.transactions import Transaction
from tests.contracts.telemetry_parts import NOW, a_line, a_reading, a_sample, new_uuid

DEVICES = [new_uuid() for _ in range(20)]
LOGS, METRICS, READINGS = SqlLogStore(), SqlMetricStore(), SqlReadingStore()


async def put_logs(tx: Transaction, turn: int, chance: Random) -> None:
    lines = [a_line(-turn, message="x" * chance.randint(10, 300)) for _ in range(20)]
    await LOGS.add(tx, DEVICES[turn % 20], NOW, lines)


async def put_metrics(tx: Transaction, turn: int, chance: Random) -> None:
    for _ in range(20):
        processes = [{"pid": 1, "name": "x", "cpu": chance.random()}] * chance.randint(1, 20)
        await METRICS.add(tx, DEVICES[turn % 20], a_sample(-turn, cpu_usage=chance.random(), top_processes=processes))


async def put_readings(tx: Transaction, turn: int, chance: Random) -> None:
    readings = [a_reading(-turn, digest=chance.randbytes(16), value=chance.random()) for _ in range(20)]
    await READINGS.add(tx, DEVICES[turn % 20], NOW, readings)


@pytest.mark.parametrize(
    ("store", "put"),
    [(LOGS, put_logs), (METRICS, put_metrics), (READINGS, put_readings)],
    ids=["logs", "metrics", "readings"],
)
async def test_an_estimate_is_about_what_the_file_has_grown_by(
    transactions: SqliteTransactions, database: Path, store: Ageing, put: object
) -> None:
    storage, chance = SqliteStorage(database, transactions, most_bytes=2**40), Random(7)
    before = await storage.space()
    for turn in range(200):
        async with transactions.begin() as tx:
            await put(tx, turn, chance)  # type: ignore[operator]
    after = await storage.space()
    async with transactions.read() as tx:
        extent = await store.extent(tx)
    assert before.limit_left is not None
    assert after.limit_left is not None
    assert extent.rows == 4000
    assert extent.bytes == pytest.approx(before.limit_left - after.limit_left, rel=0.25)
