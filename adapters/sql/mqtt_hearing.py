"""Who listens at an outside broker, in SQL. Implements `core.mqtt.HearingStore`."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Column, ForeignKey, Index, Table, Text, bindparam, or_, select, update

from adapters.sql.devices import devices
from adapters.sql.transactions import sql
from adapters.sql.types import Instant, metadata
from adapters.sql.upserts import Upsert
from core.ids import DeviceUuid
from core.mqtt import Heard, Note
from core.transactions import Transaction

mqtt_hearing = Table(
    "mqtt_hearing",
    metadata,
    Column("device_uuid", Text, ForeignKey("devices.uuid", ondelete="CASCADE"), primary_key=True),
    Column("connected_at", Instant, nullable=False),
    Column("listened_at", Instant),
    Column("deaf_since", Instant),
    Index("ix_mqtt_hearing_connected_at", "connected_at"),
)

_ROW = mqtt_hearing.c
_CONNECTED = Upsert(mqtt_hearing, key="device_uuid", kept=("listened_at",))
_OF_DEVICE = _ROW.device_uuid == bindparam("of")
_LISTENED = update(mqtt_hearing).where(_OF_DEVICE).values(listened_at=bindparam("moment"), deaf_since=None)
_DEAF = update(mqtt_hearing).where(_OF_DEVICE).values(deaf_since=bindparam("moment"))
_KNOWN = select(devices.c.uuid).where(devices.c.uuid.in_(bindparam("uuids", expanding=True)))
_ONE = select(mqtt_hearing).where(_OF_DEVICE)
_SILENT = (
    select(mqtt_hearing)
    .join(devices, devices.c.uuid == _ROW.device_uuid)
    .where(
        _ROW.connected_at > bindparam("since", type_=Instant),
        _ROW.connected_at <= bindparam("before", type_=Instant),
        _ROW.deaf_since.is_(None),
        or_(_ROW.listened_at.is_(None), _ROW.listened_at < _ROW.connected_at),
        devices.c.is_online,
    )
    .order_by(_ROW.connected_at)
    .limit(bindparam("most"))
)


class SqlHearingStore:
    """Stateless; everything is in the table."""

    async def note(self, tx: Transaction, notes: Mapping[DeviceUuid, Note]) -> None:
        """Remember the later moments, of devices that there are."""
        rows = await sql(tx).rows(_KNOWN, {"uuids": list(notes)})
        for uuid in (DeviceUuid(row.uuid) for row in rows):
            note = notes[uuid]
            if note.connected_at is not None:
                row = {"device_uuid": uuid, "connected_at": note.connected_at, "deaf_since": None}
                await _CONNECTED.run(tx, row)
            if note.listened_at is not None:
                await sql(tx).run(_LISTENED, {"of": uuid, "moment": note.listened_at})

    async def of(self, tx: Transaction, uuid: DeviceUuid) -> Heard | None:
        """What is known of the device."""
        row = await sql(tx).row(_ONE, {"of": uuid})
        return None if row is None else Heard(**{name: getattr(row, name) for name in _FIELDS})

    async def silent(
        self, tx: Transaction, *, since: datetime, before: datetime, limit: int
    ) -> Mapping[DeviceUuid, Heard]:
        """Devices that connected and did not subscribe, the longest first."""
        rows = await sql(tx).rows(_SILENT, {"since": since, "before": before, "most": limit})
        return {DeviceUuid(row.device_uuid): Heard(**{name: getattr(row, name) for name in _FIELDS}) for row in rows}

    async def found_deaf(self, tx: Transaction, uuid: DeviceUuid, now: datetime) -> None:
        """Remember that it is."""
        await sql(tx).run(_DEAF, {"of": uuid, "moment": now})


_FIELDS = ("connected_at", "listened_at", "deaf_since")
