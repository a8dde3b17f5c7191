"""Which device is to use which broker, in SQL. Implements `core.mqtt.AssignmentStore`."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, bindparam, delete, func, select
from sqlalchemy.exc import IntegrityError

from adapters.sql.transactions import sql
from adapters.sql.types import Instant, metadata
from core.errors import NotFound
from core.ids import DeviceUuid
from core.mqtt import BrokerId
from core.transactions import Transaction

mqtt_assignments = Table(
    "mqtt_assignments",
    metadata,
    Column("device_uuid", Text, ForeignKey("devices.uuid", ondelete="CASCADE"), primary_key=True),
    Column("broker_id", Integer, nullable=False),
    Column("assigned_at", Instant, nullable=False),
    Index("ix_mqtt_assignments_broker_id", "broker_id"),
)

_OF = select(mqtt_assignments.c.broker_id).where(mqtt_assignments.c.device_uuid == bindparam("uuid"))
_COUNTS = select(mqtt_assignments.c.broker_id, func.count().label("devices")).group_by(mqtt_assignments.c.broker_id)


class SqlAssignmentStore:
    """A row is a device that does not use the usual broker."""

    async def put(self, tx: Transaction, uuid: DeviceUuid, broker_id: BrokerId | None, now: datetime) -> None:
        """Let the device use this broker, or with None the usual one. NotFound."""
        if broker_id is None:
            await sql(tx).run(delete(mqtt_assignments).where(mqtt_assignments.c.device_uuid == uuid))
            return
        values = {"broker_id": broker_id, "assigned_at": now}
        statement = sql(tx).insert(mqtt_assignments).values(device_uuid=uuid, **values)
        try:
            await sql(tx).run(statement.on_conflict_do_update(index_elements=["device_uuid"], set_=values))
        except IntegrityError as error:
            raise NotFound("there is no such device") from error

    async def of(self, tx: Transaction, uuid: DeviceUuid) -> BrokerId | None:
        """The broker of the device, or None."""
        number: int | None = await sql(tx).value(_OF, {"uuid": uuid})
        return None if number is None else BrokerId(number)

    async def counts(self, tx: Transaction) -> Mapping[BrokerId, int]:
        """How many devices are assigned to each broker."""
        return {BrokerId(row.broker_id): int(row.devices) for row in await sql(tx).rows(_COUNTS)}

    async def forget(self, tx: Transaction, broker_id: BrokerId) -> None:
        """Let the devices of this broker use the usual one."""
        await sql(tx).run(delete(mqtt_assignments).where(mqtt_assignments.c.broker_id == broker_id))
