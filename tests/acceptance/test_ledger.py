"""Nothing acknowledged is ever lost: the process is killed at random moments while a fleet writes."""

import asyncio
import json
import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from entrypoints.simulator.fleet import Fleet
from entrypoints.simulator.options import Options
from tests.support.ledger import missing_from
from tests.support.server import Server

KILLS = 22
SEED = 20261124


async def test_after_every_kill_all_that_was_acknowledged_is_stored(server: Server, tmp_path: Path) -> None:
    """Contract 12.1 item 30: registrations, reports, log lines and readings, over at least twenty kills."""
    await server.start()
    key = server.credentials()["provisioningKey"]
    ledger = tmp_path / "ledger.jsonl"
    fleet = Fleet(
        Options(
            url=server.url,
            key=key,
            devices=60,
            interval=0.3,
            logs_per_minute=600,
            readings_per_minute=600,
            batch=3,
            ramp=1.5,
            time_scale=0.02,
            ack_timeout=1.0,
            seed=SEED,
            ledger=ledger,
        )
    )
    stop = asyncio.Event()
    writing = asyncio.create_task(fleet.run(stop))
    chance = random.Random(SEED)
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.2, 1.2))  # the random moment is the point
        await server.kill()
        await server.start()
    stop.set()
    await asyncio.wait_for(writing, timeout=30)
    assert await server.terminate() == 0
    acknowledged = list(_lines(ledger))
    missing = _missing(acknowledged, server.data / "iotistic.db")
    assert missing == []
    kinds = Counter(item["kind"] for item in acknowledged)
    assert all(kinds[kind] >= least for kind, least in EXPECTED_AT_LEAST.items()), kinds


EXPECTED_AT_LEAST = {"registration": 10, "report": 100, "log": 500, "reading": 500}


def _lines(ledger: Path) -> Iterator[dict[str, Any]]:
    with ledger.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _missing(acknowledged: list[dict[str, Any]], database: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(database)) as connection:
        stored = {kind: set(connection.execute(query)) for kind, query in STORED.items()}
    return missing_from(stored, acknowledged)


STORED = {
    "registration": "SELECT uuid, id FROM devices",
    "report": "SELECT device_uuid, storage_usage FROM device_metrics",
    "log": "SELECT device_uuid, message FROM device_logs",
    "reading": "SELECT device_uuid, sensor, register, measured_at, value_number FROM readings",
}
