"""What the tables of telemetry have in common: they grow at one end and are cut back at the other."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Integer, Table, bindparam, delete, select

from adapters.sql.extents import TableExtent
from adapters.sql.transactions import sql
from adapters.sql.types import Instant
from core.extents import Extent
from core.ids import DeviceUuid
from core.transactions import Transaction


class GrowingTable:
    """Implements `core.telemetry.Ageing` on a table with the columns `id` and `device_uuid`."""

    def __init__(self, table: Table, received: Column[Any]) -> None:
        """`received` is the column that holds the time of receipt."""
        most, moment = bindparam("most", type_=Integer), bindparam("moment", type_=Instant)
        oldest = select(table.c.id, received.label("received")).order_by(table.c.id).limit(most).subquery()
        self._before = delete(table).where(table.c.id.in_(select(oldest.c.id).where(oldest.c.received < moment)))
        theirs = select(table.c.id).where(table.c.device_uuid == bindparam("uuid"), received <= moment).limit(most)
        self._device = delete(table).where(table.c.id.in_(theirs))
        self._oldest = delete(table).where(table.c.id.in_(select(table.c.id).order_by(table.c.id).limit(most)))
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
