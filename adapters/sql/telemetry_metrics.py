"""Series of vital signs in SQL. Implements `core.telemetry.MetricStore`."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Float,
    Index,
    Integer,
    Row,
    Table,
    Text,
    bindparam,
    func,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from adapters.sql.batches import Rows
from adapters.sql.telemetry_rows import GrowingTable
from adapters.sql.transactions import sql
from adapters.sql.types import Instant, RowId, metadata
from adapters.sql.vitals import Told
from core.ids import DeviceUuid
from core.telemetry import Sample, Vitals
from core.transactions import Transaction

device_metrics = Table(
    "device_metrics",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("device_uuid", Text, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("cpu_usage", Float),
    Column("cpu_temp", Float),
    Column("memory_usage", Float),
    Column("memory_total", Float),
    Column("storage_usage", Float),
    Column("storage_total", Float),
    Column("uptime", Float),
    Column("top_processes", Told),
    Index("ix_device_metrics_device_uuid_recorded_at", "device_uuid", "recorded_at"),
    postgresql_partition_by="RANGE (recorded_at)",
)

_MEASURED = ("cpu_usage", "cpu_temp", "memory_usage", "memory_total", "storage_usage", "storage_total", "uptime")
_SIGNS = (*_MEASURED, "top_processes")
_ADD = Rows(device_metrics, (*_SIGNS, "device_uuid", "recorded_at", "late"))


class part_of(GenericFunction[int]):  # noqa: N801 - it is called like a function
    """`part_of(moment, start, width)`: in which part of `width` microseconds after the start a moment lies, from 0."""

    type = Integer()
    inherit_cache = True


@compiles(part_of, "sqlite")
def _in_sqlite(element: part_of, compiler: SQLCompiler, **options: Any) -> str:
    moment, start, width = (compiler.process(clause, **options) for clause in element.clauses)
    # A part holds its end and not its start, so that what is recorded now belongs to the last one.
    return f"(({moment} - {start} - 1) / {width})"


@compiles(part_of, "postgresql")
def _in_postgresql(element: part_of, compiler: SQLCompiler, **options: Any) -> str:
    moment, start, width = (compiler.process(clause, **options) for clause in element.clauses)
    return f"CAST(ceil(extract(epoch FROM {moment} - {start}) * 1000000 / {width}) - 1 AS INTEGER)"


_THEIRS = device_metrics.c.device_uuid == bindparam("uuid")
_NEWEST = (device_metrics.c.recorded_at.desc(), device_metrics.c.id.desc())
_SINCE = device_metrics.c.recorded_at > bindparam("since", type_=Instant)
_LAST = select(device_metrics).where(_THEIRS).order_by(*_NEWEST).limit(bindparam("most", type_=Integer))
_PROCESSES = _LAST.where(_SINCE, device_metrics.c.top_processes.is_not(None), device_metrics.c.late.is_(False))
_PART: ColumnElement[int] = part_of(
    device_metrics.c.recorded_at, bindparam("since", type_=Instant), bindparam("width", type_=BigInteger)
).label("part")
_PARTS = (
    select(
        _PART,
        *(func.avg(device_metrics.c[name]).label(name) for name in _MEASURED),
        func.max(device_metrics.c.recorded_at, type_=Instant).label("recorded_at"),
        func.max(device_metrics.c.id).label("last_id"),
    )
    .where(
        _THEIRS,
        _SINCE,
        device_metrics.c.recorded_at <= bindparam("until", type_=Instant),
        device_metrics.c.late.is_(False),
    )
    .group_by(_PART)
    .order_by(_PART)
)
# PostgreSQL looks only into the months between.
_NAMED = select(device_metrics.c.id, device_metrics.c.top_processes).where(
    device_metrics.c.id.in_(bindparam("ids", expanding=True)),
    _SINCE,
    device_metrics.c.recorded_at <= bindparam("until", type_=Instant),
)


class SqlMetricStore(GrowingTable):
    """One row a report that measures something."""

    def __init__(self) -> None:
        super().__init__(device_metrics, device_metrics.c.recorded_at)

    async def add(self, tx: Transaction, uuid: DeviceUuid, sample: Sample) -> None:
        """Remember one more."""
        row: dict[str, Any] = {name: getattr(sample.vitals, name) for name in _SIGNS}
        row |= {"device_uuid": uuid, "recorded_at": sample.recorded_at, "late": sample.late}
        await sql(tx).add(_ADD, [row])

    async def last(self, tx: Transaction, uuid: DeviceUuid, limit: int) -> Sequence[Sample]:
        """The newest samples, newest first."""
        return [_sample(row) for row in await sql(tx).rows(_LAST, {"uuid": uuid, "most": limit})]

    async def processes(self, tx: Transaction, uuid: DeviceUuid, since: datetime, limit: int) -> Sequence[Sample]:
        """The newest samples that tell of processes, newest first."""
        rows = await sql(tx).rows(_PROCESSES, {"uuid": uuid, "since": since, "most": limit})
        return [_sample(row) for row in rows]

    async def averages(
        self, tx: Transaction, uuid: DeviceUuid, now: datetime, length: timedelta, points: int
    ) -> Sequence[Sample]:
        """Averages over equal parts of the time up to now, oldest first."""
        width = length // timedelta(microseconds=1) // points
        given = {"uuid": uuid, "since": now - length, "until": now, "width": width}
        parts = await sql(tx).rows(_PARTS, given)
        named = await sql(tx).rows(
            _NAMED, {"ids": [part.last_id for part in parts], "since": now - length, "until": now}
        )
        processes = {row.id: row.top_processes for row in named}
        return [_average(part, processes[part.last_id]) for part in parts]


def _sample(row: Row[Any]) -> Sample:
    vitals = Vitals(**{name: getattr(row, name) for name in _SIGNS})
    return Sample(recorded_at=row.recorded_at, vitals=vitals, late=row.late)


def _average(part: Row[Any], processes: list[dict[str, Any]] | None) -> Sample:
    vitals = Vitals(**{name: getattr(part, name) for name in _MEASURED}, top_processes=processes)
    return Sample(recorded_at=part.recorded_at, vitals=vitals)
