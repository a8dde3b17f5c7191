"""What PostgreSQL takes in at best: a bare COPY of the same rows into a table of the same make."""

import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from adapters.sql.postgres_urls import conninfo_of

BATCH = 500
COLUMNS = (
    "device_uuid, measured_at, digest, received_at, time_clamped, kind, topic, sensor, register, value, value_number,"
    " unit, quality"
)
_COPY = f"COPY bench_readings ({COLUMNS}) FROM STDIN"


def bare_copy(url: str, seconds: float) -> float:
    """Rows of readings a second, in batches of 500 that are each on disk before the next begins."""
    with psycopg.connect(conninfo_of(url), autocommit=True) as connection:
        connection.execute(b"CREATE TABLE bench_readings (LIKE readings INCLUDING ALL)")
        try:
            began, rows = time.perf_counter(), 0
            while time.perf_counter() - began < seconds:
                with connection.cursor().copy(_COPY.encode()) as copy:
                    for row in _rows(rows):
                        copy.write_row(row)
                rows += BATCH
            return rows / (time.perf_counter() - began)
        finally:
            connection.execute(b"DROP TABLE bench_readings")


def _rows(first: int) -> Iterator[tuple[Any, ...]]:
    now = datetime.now(UTC)
    for number in range(first, first + BATCH):
        at = now + timedelta(microseconds=number)
        device, digest = f"00000000-0000-4000-8000-{number % 200:012d}", secrets.token_bytes(16)
        yield device, at, digest, now, False, "reading", "modbus", "boiler", "temperature", "61.5", 61.5, "C", "GOOD"
