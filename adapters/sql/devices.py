"""Devices in SQL. Implements `DeviceStore`, `DeviceKeyStore` and `LivenessStore` of `core.devices`."""

from collections.abc import Collection, Mapping, Sequence, Set
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import evolve
from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Row,
    Table,
    Text,
    bindparam,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from adapters.sql.batches import Changes
from adapters.sql.held import hold
from adapters.sql.transactions import sql
from adapters.sql.types import Instant, RowId, metadata
from adapters.sql.upserts import Upsert
from core.devices import Device, DeviceStatus, KnownDevice, ProvisioningState
from core.errors import Conflict, NotFound
from core.ids import DeviceUuid
from core.transactions import Transaction

devices = Table(
    "devices",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("uuid", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("provisioning", Text, nullable=False),
    Column("fleet_id", Text),
    Column("provisioned_at", Instant),
    Column("provisioned_by", Text),
    Column("mac_address", Text),
    Column("ip_address", Text),
    Column("os_version", Text),
    Column("agent_version", Text),
    Column("is_online", Boolean, nullable=False),
    Column("connectivity_at", Instant),
    Column("last_seen", Instant),
    Column("created_at", Instant, nullable=False),
    Column("modified_at", Instant, nullable=False),
    Column("revision", Integer, nullable=False),
    CheckConstraint("status IN ('active', 'inactive')", name="status"),
    CheckConstraint("provisioning IN ('pending', 'registered', 'released')", name="provisioning"),
    Index("ix_devices_name", "name"),
    Index("ix_devices_is_online", "is_online"),
    sqlite_autoincrement=True,
)
device_keys = Table(
    "device_keys",
    metadata,
    Column("device_uuid", Text, ForeignKey("devices.uuid", ondelete="CASCADE"), primary_key=True),
    Column("digest", Text, nullable=False, unique=True),
    Column("issued_at", Instant, nullable=False),
    Column("fingerprint", Text),
)

_ADD = devices.insert().returning(devices.c.id)
_BY_UUID = select(devices).where(devices.c.uuid == bindparam("uuid"))
# Held against whoever changes the device, and not against those who write down what it sends.
_BY_UUID_TO_CHANGE = _BY_UUID.with_for_update(key_share=True)
_HOLDER = (
    select(devices.c.uuid, devices.c.status)
    .join(device_keys, device_keys.c.device_uuid == devices.c.uuid)
    .where(device_keys.c.digest == bindparam("digest"))
)
# A device that has only been pre-registered serves nobody yet.
_IN_SERVICE = (
    select(func.count())
    .select_from(devices)
    .where(devices.c.status == DeviceStatus.ACTIVE.value, devices.c.provisioning != ProvisioningState.PENDING.value)
)
_DIGEST = select(device_keys.c.digest).where(device_keys.c.device_uuid == bindparam("uuid"))
_PUT_KEY = Upsert(device_keys, key="device_uuid")
# How many devices a statement names at a time.
MOST_NAMED = 500
# Another process may have written down a later sign. What lies far ahead was written by a clock that was wrong.
FAR_AHEAD = timedelta(hours=1)
_NOW = select(func.current_timestamp())
_HEARD = Changes(
    devices,
    "uuid",
    ["last_seen"],
    only_if=lambda given: or_(
        devices.c.last_seen.is_(None),
        devices.c.last_seen < given["last_seen"],
        devices.c.last_seen > given["far_ahead"],
    ),
    more=[Column("far_ahead", Instant)],
)
_WAKE = (
    update(devices)
    .where(devices.c.uuid == bindparam("of"), devices.c.is_online.is_(False))
    .values(is_online=True, connectivity_at=bindparam("at"))
)
_ASLEEP = select(devices.c.uuid).where(
    devices.c.uuid.in_(bindparam("uuids", expanding=True)), devices.c.is_online.is_(False)
)
_UNHEARD = (
    select(devices.c.uuid)
    .where(devices.c.is_online.is_(True), devices.c.last_seen < bindparam("moment", type_=Instant))
    .order_by(devices.c.uuid)
    .limit(bindparam("most", type_=Integer))
)
_FALL_SILENT = (
    update(devices)
    .where(
        devices.c.uuid == bindparam("of"),
        devices.c.is_online.is_(True),
        devices.c.last_seen < bindparam("moment", type_=Instant),
    )
    .values(is_online=False, connectivity_at=bindparam("at"))
)
_SILENCE = (
    update(devices)
    .where(devices.c.uuid == bindparam("of"), devices.c.is_online.is_(True))
    .values(is_online=False, connectivity_at=bindparam("at"))
)


class SqlDeviceStore:
    """Stateless; everything is in the table."""

    async def add(self, tx: Transaction, device: Device) -> Device:
        """Remember a new device. Conflict if its uuid is known."""
        try:
            number = await sql(tx).value(_ADD, _to_row(device))
        except IntegrityError as error:
            raise Conflict("a device with this uuid is already registered") from error
        return evolve(device, id=number)

    async def find(self, tx: Transaction, uuid: DeviceUuid, *, to_change: bool = False) -> Device | None:
        """The device as last saved, or None."""
        row = await sql(tx).row(_BY_UUID_TO_CHANGE if to_change else _BY_UUID, {"uuid": uuid})
        return None if row is None else device_from(row)

    async def get(self, tx: Transaction, uuid: DeviceUuid, *, to_change: bool = False) -> Device:
        """The device as last saved. NotFound."""
        device = await self.find(tx, uuid, to_change=to_change)
        if device is None:
            raise _unknown()
        return device

    async def known(
        self, tx: Transaction, uuids: Collection[DeviceUuid], *, to_change: bool = False
    ) -> Set[DeviceUuid]:
        """Those of the uuids that are devices."""
        statement = select(devices.c.uuid).where(devices.c.uuid.in_(uuids))
        if to_change:
            # In one order, so that two who want the same devices do not wait for each other in a circle.
            statement = statement.order_by(devices.c.uuid).with_for_update(key_share=True)
        return {DeviceUuid(row.uuid) for row in await sql(tx).rows(statement)}

    async def save(self, tx: Transaction, device: Device) -> None:
        """Replace the previous revision. Conflict, NotFound."""
        known = (devices.c.uuid == device.uuid) & (devices.c.revision == device.revision - 1)
        values = _to_row(device)
        # What Liveness writes by itself is left to it.
        for name in ("is_online", "connectivity_at", "last_seen"):
            del values[name]
        if await sql(tx).run(update(devices).where(known).values(values)) == 0:
            await self._row(tx, device.uuid)
            raise Conflict("the device was changed by someone else meanwhile")

    async def rename(self, tx: Transaction, uuid: DeviceUuid, new: DeviceUuid) -> None:
        """Let the device be known by another uuid, with all that refers to it. NotFound, Conflict."""
        row = (await self._row(tx, uuid))._asdict()
        if uuid == new:
            return
        # What ON UPDATE CASCADE would do, also for tables of plugins, which may not have thought of it: a second row
        # for the new uuid, to which all that refers to the first one is led over.
        try:
            await sql(tx).run(devices.insert(), row | {"id": -row["id"], "uuid": new})
        except IntegrityError as error:
            raise Conflict("a device with this uuid is already registered") from error
        for referring in _referring():
            moved = update(referring.table).where(referring == uuid).values({referring.name: new})
            await sql(tx).run(moved)
        await sql(tx).run(delete(devices).where(devices.c.uuid == uuid))
        await sql(tx).run(update(devices).where(devices.c.uuid == new).values(id=row["id"]))

    async def remove(self, tx: Transaction, uuid: DeviceUuid) -> None:
        """Forget the device; its keys, credentials and states go with it. NotFound."""
        if await sql(tx).run(delete(devices).where(devices.c.uuid == uuid)) == 0:
            raise _unknown()

    async def count_active(self, tx: Transaction) -> int:
        """How many devices are in service."""
        await hold(tx, "devices.in_service")
        return int(await sql(tx).value(_IN_SERVICE))

    async def _row(self, tx: Transaction, uuid: DeviceUuid) -> Row[Any]:
        row = await sql(tx).row(_BY_UUID, {"uuid": uuid})
        if row is None:
            raise _unknown()
        return row


class SqlDeviceKeyStore:
    """Verifiers only; the keys themselves are nowhere."""

    async def put(
        self, tx: Transaction, uuid: DeviceUuid, digest: str, now: datetime, *, fingerprint: str | None = None
    ) -> None:
        """Let this be the device's only key. Conflict."""
        row = {"device_uuid": uuid, "digest": digest, "issued_at": now, "fingerprint": fingerprint}
        try:
            await _PUT_KEY.run(tx, row)
        except IntegrityError as error:
            raise Conflict("another device has the same key") from error

    async def digest(self, tx: Transaction, uuid: DeviceUuid) -> str | None:
        """The verifier of the device's key, or None."""
        found: str | None = await sql(tx).value(_DIGEST, {"uuid": uuid})
        return found

    async def fingerprint(self, tx: Transaction, uuid: DeviceUuid) -> str | None:
        """The fingerprint of the public key that was put with it, or None."""
        mine = device_keys.c.device_uuid == uuid
        found: str | None = await sql(tx).value(select(device_keys.c.fingerprint).where(mine))
        return found

    async def holder(self, tx: Transaction, digest: str) -> KnownDevice | None:
        """The device whose key it is, or None."""
        row = await sql(tx).row(_HOLDER, {"digest": digest})
        if row is None:
            return None
        return KnownDevice(uuid=DeviceUuid(row.uuid), active=row.status == DeviceStatus.ACTIVE.value)


class SqlLivenessStore:
    """When devices were last heard of; columns of the same table that only liveness writes."""

    async def online(self, tx: Transaction) -> Sequence[DeviceUuid]:
        """The devices that count as online."""
        rows = await sql(tx).rows(select(devices.c.uuid).where(devices.c.is_online.is_(True)))
        return [DeviceUuid(row.uuid) for row in rows]

    async def now(self, tx: Transaction) -> datetime:
        """The database's time."""
        now: datetime = await sql(tx).value(_NOW)
        return now.replace(tzinfo=now.tzinfo or UTC)

    async def heard(self, tx: Transaction, seen: Mapping[DeviceUuid, datetime]) -> Sequence[DeviceUuid]:
        """Note when devices were heard of; those that were offline are the answer."""
        if not seen:
            return []
        # In one order, so that two processes who have heard the same devices do not wait for each other in a circle.
        ordered = sorted(seen)
        signs = [{"of": uuid, "last_seen": seen[uuid], "far_ahead": seen[uuid] + FAR_AHEAD} for uuid in ordered]
        await sql(tx).add(_HEARD, signs)
        asleep: list[str] = []
        for first in range(0, len(ordered), MOST_NAMED):
            rows = await sql(tx).rows(_ASLEEP, {"uuids": ordered[first : first + MOST_NAMED]})
            asleep += [row.uuid for row in rows]
        woken = map(DeviceUuid, sorted(asleep))
        return [uuid for uuid in woken if await sql(tx).run(_WAKE, {"of": uuid, "at": seen[uuid]})]

    async def fall_silent(self, tx: Transaction, moment: datetime, now: datetime, most: int) -> Sequence[DeviceUuid]:
        """Mark offline those who were not heard of since the moment."""
        rows = await sql(tx).rows(_UNHEARD, {"moment": moment, "most": most})
        # Whoever has spoken in between stays online.
        return [
            DeviceUuid(row.uuid)
            for row in rows
            if await sql(tx).run(_FALL_SILENT, {"of": row.uuid, "moment": moment, "at": now})
        ]

    async def silent(self, tx: Transaction, uuids: Sequence[DeviceUuid], now: datetime) -> Sequence[DeviceUuid]:
        """Mark devices offline; those that were online are the answer."""
        return [uuid for uuid in uuids if await sql(tx).run(_SILENCE, {"of": uuid, "at": now})]


def _unknown() -> NotFound:
    return NotFound("there is no such device")


def _referring() -> list[Column[Any]]:
    """Every column, of whichever feature or plugin, that must name a device."""
    return [
        column
        for table in metadata.sorted_tables
        for column in table.columns
        if any(key.column is devices.c.uuid for key in column.foreign_keys)
    ]


def device_from(row: Row[Any]) -> Device:
    """The device of a row of this table."""
    return Device(
        id=row.id,
        uuid=DeviceUuid(row.uuid),
        name=row.name,
        type=row.type,
        status=DeviceStatus(row.status),
        provisioning=ProvisioningState(row.provisioning),
        fleet_id=row.fleet_id,
        provisioned_at=row.provisioned_at,
        provisioned_by=row.provisioned_by,
        mac_address=row.mac_address,
        ip_address=row.ip_address,
        os_version=row.os_version,
        agent_version=row.agent_version,
        is_online=row.is_online,
        connectivity_at=row.connectivity_at,
        last_seen=row.last_seen,
        created_at=row.created_at,
        modified_at=row.modified_at,
        revision=row.revision,
    )


def _to_row(device: Device) -> dict[str, Any]:
    return {
        "uuid": device.uuid,
        "name": device.name,
        "type": device.type,
        "status": device.status.value,
        "provisioning": device.provisioning.value,
        "fleet_id": device.fleet_id,
        "provisioned_at": device.provisioned_at,
        "provisioned_by": device.provisioned_by,
        "mac_address": device.mac_address,
        "ip_address": device.ip_address,
        "os_version": device.os_version,
        "agent_version": device.agent_version,
        "is_online": device.is_online,
        "connectivity_at": device.connectivity_at,
        "last_seen": device.last_seen,
        "created_at": device.created_at,
        "modified_at": device.modified_at,
        "revision": device.revision,
    }
