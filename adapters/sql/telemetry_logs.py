"""Logs of devices in SQL. Implements `core.telemetry.LogStore`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from attrs import asdict
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Index,
    Row,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    func,
    select,
)

from adapters.sql.batches import Rows
from adapters.sql.telemetry_rows import GrowingTable
from adapters.sql.transactions import sql
from adapters.sql.types import Instant, RowId, metadata
from adapters.sql.vitals import Told
from core.ids import DeviceUuid
from core.telemetry import LogLine, LogQuery, LogReceipt, StoredLine
from core.transactions import Transaction

device_logs = Table(
    "device_logs",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("device_uuid", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("logged_at", Instant, nullable=False),
    Column("time_clamped", Boolean, nullable=False),
    Column("level", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("truncated", Boolean, nullable=False),
    Column("source_type", Text),
    Column("source_name", Text),
    Column("service_name", Text),
    Column("service_id", BigInteger),
    Column("container_id", Text),
    Column("is_system", Boolean, nullable=False),
    Column("is_stderr", Boolean, nullable=False),
    Column("context", Told),
    Index("ix_device_logs_device_uuid_logged_at", "device_uuid", "logged_at"),
    Index("ix_device_logs_device_uuid_service_name_logged_at", "device_uuid", "service_name", "logged_at"),
    postgresql_partition_by="RANGE (logged_at)",
)
log_batches = Table(
    "log_batches",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("device_uuid", Text, nullable=False),
    Column("batch", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    UniqueConstraint("device_uuid", "batch"),
)

_ADD = Rows(device_logs, (column.name for column in device_logs.c if column.name != "id"))
_THEIRS = device_logs.c.device_uuid == bindparam("uuid")


def _service_names() -> Any:
    """The distinct names, one step through the index each, instead of a walk over all lines."""
    name = device_logs.c.service_name
    names = select(func.min(name).label("name")).where(_THEIRS).cte("names", recursive=True)
    following = select(func.min(name)).where(_THEIRS, name > names.c.name).scalar_subquery()
    names = names.union_all(select(following).where(names.c.name.is_not(None)))
    return select(names.c.name).where(names.c.name.is_not(None))


_SERVICES = _service_names()


class SqlLogStore(GrowingTable):
    """One row a line."""

    def __init__(self) -> None:
        super().__init__(device_logs, device_logs.c.received_at)

    async def claim(
        self, tx: Transaction, uuid: DeviceUuid, batch: str, now: datetime, receipt: LogReceipt
    ) -> LogReceipt | None:
        """Note that a batch has come; None if it is new, else what became of it the first time."""
        row = asdict(receipt) | {"device_uuid": uuid, "batch": batch, "received_at": now}
        if await sql(tx).run(sql(tx).insert(log_batches).values(row).on_conflict_do_nothing()):
            return None
        known = (log_batches.c.device_uuid == uuid) & (log_batches.c.batch == batch)
        before = await sql(tx).row(select(log_batches).where(known))
        return None if before is None else LogReceipt(received=before.received, rejected=before.rejected)

    async def add(self, tx: Transaction, uuid: DeviceUuid, now: datetime, lines: Sequence[LogLine]) -> None:
        """Remember lines in the order in which they came."""
        if lines:
            await sql(tx).add(_ADD, [_to_row(uuid, now, line) for line in lines])

    async def page(self, tx: Transaction, uuid: DeviceUuid, query: LogQuery) -> Sequence[StoredLine]:
        """The lines asked for, newest first."""
        statement = select(device_logs).where(device_logs.c.device_uuid == uuid, *_conditions(query))
        newest = statement.order_by(device_logs.c.logged_at.desc(), device_logs.c.id.desc())
        return [_from_row(row) for row in await sql(tx).rows(newest.limit(query.limit).offset(query.offset))]

    async def services(self, tx: Transaction, uuid: DeviceUuid) -> Sequence[str]:
        """The names of services that have lines, sorted."""
        return [row.name for row in await sql(tx).rows(_SERVICES, {"uuid": uuid})]


class SqlLogBatches(GrowingTable):
    """The names of batches, as something that ages."""

    def __init__(self) -> None:
        super().__init__(log_batches, log_batches.c.received_at)


def _conditions(query: LogQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if query.service is not None:
        conditions.append(device_logs.c.service_name == query.service)
    if query.level is not None:
        conditions.append(device_logs.c.level == query.level)
    if query.search is not None:
        like = f"%{query.search.lower().replace('!', '!!').replace('%', '!%').replace('_', '!_')}%"
        conditions.append(func.lower(device_logs.c.message).like(like, escape="!"))
    if query.span.since is not None:
        conditions.append(device_logs.c.logged_at >= query.span.since)
    if query.span.until is not None:
        conditions.append(device_logs.c.logged_at < query.span.until)
    return conditions


def _to_row(uuid: DeviceUuid, now: datetime, line: LogLine) -> dict[str, Any]:
    row = asdict(line, recurse=False)
    row["logged_at"] = row.pop("at")
    return row | {"device_uuid": uuid, "received_at": now}


def _from_row(row: Row[Any]) -> StoredLine:
    line = LogLine(
        at=row.logged_at,
        time_clamped=row.time_clamped,
        level=row.level,
        message=row.message,
        truncated=row.truncated,
        source_type=row.source_type,
        source_name=row.source_name,
        service_name=row.service_name,
        service_id=row.service_id,
        container_id=row.container_id,
        is_system=row.is_system,
        is_stderr=row.is_stderr,
        context=row.context,
    )
    return StoredLine(id=row.id, received_at=row.received_at, line=line)
