"""The latest vital signs of devices in SQL. Implements `core.telemetry.VitalsStore`."""

from datetime import datetime
from typing import Any

from attrs import asdict, fields
from sqlalchemy import JSON, Column, Float, ForeignKey, Row, Table, Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import JSONB

from adapters.sql.batches import Rows
from adapters.sql.transactions import sql
from adapters.sql.types import Instant, metadata
from core.ids import DeviceUuid
from core.telemetry import Sample, Vitals
from core.transactions import Transaction

# Unlike `types.Json`, None is NULL here: a list that was never told, not JSON's null.
Told = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

device_vitals = Table(
    "device_vitals",
    metadata,
    Column("device_uuid", Text, ForeignKey("devices.uuid", ondelete="CASCADE"), primary_key=True),
    Column("recorded_at", Instant, nullable=False),
    Column("cpu_usage", Float),
    Column("cpu_temp", Float),
    Column("memory_usage", Float),
    Column("memory_total", Float),
    Column("storage_usage", Float),
    Column("storage_total", Float),
    Column("uptime", Float),
    Column("top_processes", Told),
    Column("network_interfaces", Told),
    Column("os_version", Text),
    Column("agent_version", Text),
    Column("local_ip", Text),
)


def _merging(insert: Any) -> Any:
    """One statement for all reports, whatever they tell: what is NULL leaves the old value."""
    kept = {name: func.coalesce(insert.excluded[name], device_vitals.c[name]) for name in SIGNS}
    return insert.on_conflict_do_update(
        index_elements=["device_uuid"], set_=kept | {"recorded_at": insert.excluded.recorded_at}
    )


SIGNS = tuple(field.name for field in fields(Vitals))
_MERGE = Rows(device_vitals, (*SIGNS, "device_uuid", "recorded_at"), conflict=_merging, order=("device_uuid",))
_LATEST = select(device_vitals).where(device_vitals.c.device_uuid == bindparam("uuid"))


class SqlVitalsStore:
    """One row a device."""

    async def merge(self, tx: Transaction, uuid: DeviceUuid, now: datetime, vitals: Vitals) -> None:
        """Replace what the vitals tell and keep what they do not."""
        row = asdict(vitals, recurse=False) | {"device_uuid": uuid, "recorded_at": now}
        await sql(tx).add(_MERGE, [row])

    async def latest(self, tx: Transaction, uuid: DeviceUuid) -> Sample | None:
        """What was last told of each sign, or None."""
        row = await sql(tx).row(_LATEST, {"uuid": uuid})
        return None if row is None else _sample(row)


def _sample(row: Row[Any]) -> Sample:
    return Sample(recorded_at=row.recorded_at, vitals=Vitals(**{name: getattr(row, name) for name in SIGNS}))
