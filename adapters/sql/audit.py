"""The audit log in SQL. Implements `core.audit.AuditStore`."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, Index, Integer, Row, Table, Text, delete, or_, select, tuple_

from adapters.sql.extents import TableExtent
from adapters.sql.transactions import sql
from adapters.sql.types import Instant, Json, among, metadata
from adapters.sql.upserts import InsertOnce
from core.audit import AuditEntry, AuditQuery
from core.extents import Extent
from core.ids import DeviceUuid
from core.transactions import Transaction

# No foreign keys: an entry outlives the device and the person that it tells of. In PostgreSQL the keys hold `at` too.
audit_log = Table(
    "audit_log",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("announcement_id", BigInteger, nullable=False, unique=True),
    Column("at", Instant, nullable=False),
    Column("event", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("device_uuid", Text),
    Column("address", Text),
    Column("details", Json, nullable=False),
    Index("ix_audit_log_at", "at"),
    Index("ix_audit_log_event", "event", "id"),
    Index("ix_audit_log_device_uuid", "device_uuid", "id"),
    Index("ix_audit_log_actor", "actor", "id"),
    sqlite_autoincrement=True,
    postgresql_partition_by="RANGE (at)",
)
_EXTENT = TableExtent(audit_log)
_ADD = InsertOnce(audit_log)


class SqlAuditStore:
    """Stateless; everything is in the table."""

    async def add(self, tx: Transaction, entry: AuditEntry) -> None:
        """Keep an entry, once per announcement."""
        await _ADD.run(
            tx,
            {
                "announcement_id": entry.announcement_id,
                "at": entry.at,
                "event": entry.event,
                "severity": entry.severity,
                "actor": entry.actor,
                "device_uuid": entry.device_uuid,
                "address": entry.address,
                "details": dict(entry.details),
            },
        )

    async def entries(self, tx: Transaction, query: AuditQuery) -> Sequence[AuditEntry]:
        """Those asked for, newest first, and one more if there is one."""
        newest_first = (audit_log.c.at.desc(), audit_log.c.id.desc())
        statement = select(audit_log).where(*_conditions(query)).order_by(*newest_first).limit(query.limit + 1)
        return [_from_row(row) for row in await sql(tx).rows(statement)]

    async def forget_before(self, tx: Transaction, moment: datetime, most: int) -> int:
        """Forget the oldest entries from before the moment."""
        oldest = select(audit_log.c.id).where(audit_log.c.at < moment).order_by(audit_log.c.at).limit(most)
        return await sql(tx).run(
            delete(audit_log).where(among(audit_log.c.id, oldest.scalar_subquery().correlate(None)))
        )

    async def forget_oldest(self, tx: Transaction, most: int) -> int:
        """Forget the oldest entries, whenever they were written."""
        oldest = select(audit_log.c.id).order_by(audit_log.c.id).limit(most)
        return await sql(tx).run(
            delete(audit_log).where(among(audit_log.c.id, oldest.scalar_subquery().correlate(None)))
        )

    async def extent(self, tx: Transaction) -> Extent:
        """About how much there is."""
        return await _EXTENT.measure(tx)


def _conditions(query: AuditQuery) -> Iterator[ColumnElement[bool]]:
    columns = audit_log.c
    if query.event is not None:
        yield columns.event == query.event
    if query.severity is not None:
        yield columns.severity == query.severity.value
    if query.device_uuid is not None:
        yield columns.device_uuid == query.device_uuid
    if query.actor is not None:
        yield or_(columns.actor == query.actor, columns.actor.startswith(f"{query.actor}:", autoescape=True))
    if query.since is not None:
        yield columns.at >= query.since
    if query.until is not None:
        yield columns.at <= query.until
    if query.before is not None:
        # Several processes write: numbers are not given in the order in which things happened.
        last = select(columns.at, columns.id).where(columns.id == query.before).scalar_subquery()
        yield tuple_(columns.at, columns.id) < last


def _from_row(row: Row[Any]) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        announcement_id=row.announcement_id,
        at=row.at,
        event=row.event,
        severity=row.severity,
        actor=row.actor,
        device_uuid=DeviceUuid(row.device_uuid) if row.device_uuid else None,
        address=row.address,
        details=row.details,
    )
