"""When sensors went and came back, in SQL. Implements `core.device_state.EndpointChangeStore`."""

from collections.abc import Sequence
from datetime import datetime

from attrs import asdict, fields
from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Table, Text, delete, select

from adapters.sql.transactions import sql
from adapters.sql.types import Instant, RowId, metadata
from core.device_state import EndpointChange
from core.ids import DeviceUuid
from core.transactions import Transaction

endpoint_changes = Table(
    "endpoint_changes",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("device_uuid", Text, ForeignKey("devices.uuid", ondelete="CASCADE"), nullable=False),
    Column("protocol", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("connected", Boolean),
    Column("last_poll", Text),
    Column("error_count", BigInteger, nullable=False),
    Column("last_error", Text),
    Index(None, "device_uuid", "protocol", "name", "at"),
    Index(None, "at"),
)
_NAMES = tuple(field.name for field in fields(EndpointChange))


class SqlEndpointChangeStore:
    """One row a change."""

    async def add(self, tx: Transaction, uuid: DeviceUuid, changes: Sequence[EndpointChange]) -> None:
        """Remember them."""
        if changes:
            rows = [{**asdict(change), "device_uuid": uuid} for change in changes]
            await sql(tx).run(endpoint_changes.insert(), rows)

    async def last(
        self, tx: Transaction, uuid: DeviceUuid, protocol: str, name: str, *, since: datetime, limit: int
    ) -> Sequence[EndpointChange]:
        """Those of one sensor that were noticed since then, the newest first."""
        columns = endpoint_changes.c
        statement = (
            select(endpoint_changes)
            .where(columns.device_uuid == uuid, columns.protocol == protocol, columns.name == name, columns.at >= since)
            .order_by(columns.at.desc(), columns.id.desc())
            .limit(limit)
        )
        rows = await sql(tx).rows(statement)
        return [EndpointChange(**{each: getattr(row, each) for each in _NAMES}) for row in rows]

    async def drop_before(self, tx: Transaction, moment: datetime, most: int) -> int:
        """Forget up to `most` that were noticed before the moment; how many there were."""
        columns = endpoint_changes.c
        oldest = select(columns.id).where(columns.at < moment).order_by(columns.at).limit(most)
        return await sql(tx).run(delete(endpoint_changes).where(columns.id.in_(oldest)))
