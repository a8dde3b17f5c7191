"""What the tables of telemetry have in common: they grow at one end and are cut back at the other."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Delete, Integer, Select, Table, bindparam, delete, select

from adapters.sql.extents import TableExtent
from adapters.sql.transactions import sql
from adapters.sql.types import Instant, among
from core.extents import Extent
from core.ids import DeviceUuid
from core.transactions import Transaction


class GrowingTable:
    """Implements `core.telemetry.Ageing` on a table with the columns `id` and `device_uuid`."""

    def __init__(self, table: Table, received: Column[Any]) -> None:
        """`received` is the column that holds the time of receipt."""
        most, moment = bindparam("most", type_=Integer), bindparam("moment", type_=Instant)
        oldest = select(table.c.id, received.label("received")).order_by(table.c.id).limit(most)
        taken = oldest.subquery()
        self._before = _deleting(table, select(taken.c.id).where(taken.c.received < moment))
        theirs = (table.c.device_uuid == bindparam("uuid")) & (received <= moment)
        self._device = _deleting(table, select(table.c.id).where(theirs).limit(most))
        self._oldest = _deleting(table, oldest.with_only_columns(table.c.id))
        self._extent = TableExtent(table)

    async def drop_before(self, tx: Transaction, moment: datetime, most: int) -> int:
        """Forget up to `most` of the oldest rows received before the moment; how many there were."""
        return await sql(tx).run(self._before, {"moment": moment, "most": most})

    async def drop_device(self, tx: Transaction, uuid: DeviceUuid, until: datetime, most: int) -> int:
        """Forget up to `most` rows of the device received up to and at the moment; how many there were."""
        return await sql(tx).run(self._device, {"uuid": uuid, "moment": until, "most": most})

    async def drop_oldest(self, tx: Transaction, most: int) -> int:
        """Forget up to `most` of the oldest rows, whenever they were received; how many there were."""
        return await sql(tx).run(self._oldest, {"most": most})

    async def extent(self, tx: Transaction) -> Extent:
        """About how much there is."""
        return await self._extent.measure(tx)


def _deleting(table: Table, ids: Select[Any]) -> Delete:
    return delete(table).where(among(table.c.id, ids.scalar_subquery().correlate(None)))
