"""Readings of sensors in SQL. Implements `core.telemetry.ReadingStore`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Float,
    Index,
    LargeBinary,
    Row,
    Table,
    Text,
    UniqueConstraint,
    and_,
    or_,
    select,
)

from adapters.sql.batches import Rows
from adapters.sql.telemetry_rows import GrowingTable
from adapters.sql.transactions import sql
from adapters.sql.types import Instant, RowId, metadata, postgres_metadata
from adapters.sql.vitals import Told
from core.ids import DeviceUuid
from core.telemetry import Reading, ReadingKind, ReadingQuery, StoredReading
from core.transactions import Transaction

readings = Table(
    "readings",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("device_uuid", Text, nullable=False),
    Column("measured_at", Instant, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("time_clamped", Boolean, nullable=False),
    Column("kind", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("sensor", Text),
    Column("register", Text),
    Column("value", Told),
    Column("value_number", Float),
    Column("unit", Text),
    Column("quality", Text),
    Column("quality_code", Text),
    Column("raw", Text),
    Column("raw_encoding", Text),
    CheckConstraint("kind IN ('reading', 'csv', 'raw', 'heartbeat')", name="kind"),
    UniqueConstraint("device_uuid", "measured_at", "digest"),
    postgresql_partition_by="RANGE (measured_at)",
)
# In PostgreSQL the table `clamped_readings` knows them.
Index(
    "uq_readings_device_uuid_digest",
    readings.c.device_uuid,
    readings.c.digest,
    unique=True,
    sqlite_where=readings.c.time_clamped,
)
# Triggers on `readings` write it: keys of a table that is partitioned by time cannot say that a digest comes once.
clamped_readings = Table(
    "clamped_readings",
    postgres_metadata,
    Column("device_uuid", Text, primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("measured_at", Instant, nullable=False),
    Index("ix_clamped_readings_measured_at", "measured_at"),
)


_ADD = Rows(
    readings,
    (column.name for column in readings.c if column.name != "id"),
    conflict=lambda insert: insert.on_conflict_do_nothing(),
)


class SqlReadingStore(GrowingTable):
    """One row a reading."""

    def __init__(self) -> None:
        super().__init__(readings, readings.c.received_at)

    async def add(self, tx: Transaction, uuid: DeviceUuid, now: datetime, readings: Sequence[Reading]) -> None:
        """Remember those that are not known yet."""
        if readings:
            await sql(tx).add(_ADD, [_to_row(uuid, now, reading) for reading in readings])

    async def page(self, tx: Transaction, uuid: DeviceUuid, query: ReadingQuery) -> Sequence[StoredReading]:
        """The readings asked for, newest first, and one more than the limit if there are more."""
        statement = select(readings).where(readings.c.device_uuid == uuid, *_conditions(query))
        newest = statement.order_by(readings.c.measured_at.desc(), readings.c.id.desc()).limit(query.limit + 1)
        return [_from_row(row) for row in await sql(tx).rows(newest)]


def _conditions(query: ReadingQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.sensor is not None:
        conditions.append(readings.c.sensor == query.sensor)
    if query.register is not None:
        conditions.append(readings.c.register == query.register)
    if query.span.since is not None:
        conditions.append(readings.c.measured_at >= query.span.since)
    if query.span.until is not None:
        conditions.append(readings.c.measured_at < query.span.until)
    if query.after is not None:
        at, number = query.after.at, query.after.id
        conditions.append(readings.c.measured_at <= at)
        conditions.append(or_(readings.c.measured_at < at, and_(readings.c.measured_at == at, readings.c.id < number)))
    return conditions


def _to_row(uuid: DeviceUuid, now: datetime, reading: Reading) -> dict[str, Any]:
    return {
        "device_uuid": uuid,
        "measured_at": reading.at,
        "digest": reading.digest,
        "received_at": now,
        "time_clamped": reading.time_clamped,
        "kind": reading.kind.value,
        "topic": reading.topic,
        "sensor": reading.sensor,
        "register": reading.register,
        "value": reading.value,
        "value_number": reading.number,
        "unit": reading.unit,
        "quality": reading.quality,
        "quality_code": reading.quality_code,
        "raw": reading.raw,
        "raw_encoding": reading.raw_encoding,
    }


def _from_row(row: Row[Any]) -> StoredReading:
    reading = Reading(
        kind=ReadingKind(row.kind),
        topic=row.topic,
        at=row.measured_at,
        time_clamped=row.time_clamped,
        digest=row.digest,
        sensor=row.sensor,
        register=row.register,
        value=row.value,
        unit=row.unit,
        quality=row.quality,
        quality_code=row.quality_code,
        raw=row.raw,
        raw_encoding=row.raw_encoding,
    )
    return StoredReading(id=row.id, received_at=row.received_at, reading=reading)
