"""Summaries of dropped log lines in SQL. Implements `core.telemetry.DroppedSummaryStore`."""

from collections.abc import Sequence
from datetime import datetime

from attrs import asdict, fields
from sqlalchemy import BigInteger, Boolean, Column, LargeBinary, Table, Text, UniqueConstraint, select

from adapters.sql.batches import Rows
from adapters.sql.telemetry_rows import GrowingTable
from adapters.sql.transactions import sql
from adapters.sql.types import Instant, Json, RowId, metadata
from core.ids import DeviceUuid
from core.telemetry import DroppedSummary
from core.transactions import Transaction

dropped_log_summaries = Table(
    "dropped_log_summaries",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("device_uuid", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("dropped_at", Instant, nullable=False),
    Column("time_clamped", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("began_at", Instant),
    Column("ended_at", Instant),
    Column("total_count", BigInteger, nullable=False),
    Column("estimated_bytes", BigInteger, nullable=False),
    Column("level_counts", Json, nullable=False),
    Column("service_counts", Json, nullable=False),
    Column("error_samples", Json, nullable=False),
    Column("warning_samples", Json, nullable=False),
    UniqueConstraint("device_uuid", "digest"),
)
_NAMES = tuple(field.name for field in fields(DroppedSummary))
_ADD = Rows(
    dropped_log_summaries,
    (*_NAMES, "device_uuid", "received_at"),
    conflict=lambda insert: insert.on_conflict_do_nothing(),
    order=("device_uuid", "digest"),
)


class SqlDroppedSummaryStore(GrowingTable):
    """One row a summary."""

    def __init__(self) -> None:
        super().__init__(dropped_log_summaries, dropped_log_summaries.c.received_at)

    async def add(self, tx: Transaction, uuid: DeviceUuid, now: datetime, summaries: Sequence[DroppedSummary]) -> None:
        """Remember those that are not known yet."""
        if not summaries:
            return
        rows = [asdict(item, recurse=False) | {"device_uuid": uuid, "received_at": now} for item in summaries]
        await sql(tx).add(_ADD, rows)

    async def last(self, tx: Transaction, uuid: DeviceUuid, limit: int) -> Sequence[DroppedSummary]:
        """The newest, newest first."""
        theirs = select(dropped_log_summaries).where(dropped_log_summaries.c.device_uuid == uuid)
        newest = theirs.order_by(dropped_log_summaries.c.dropped_at.desc(), dropped_log_summaries.c.id.desc())
        rows = await sql(tx).rows(newest.limit(limit))
        return [DroppedSummary(**{name: getattr(row, name) for name in _NAMES}) for row in rows]
