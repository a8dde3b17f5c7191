"""The states of devices in SQL. Implements `DesiredStateStore` and `ReportedStateStore` of `core.device_state`."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    Integer,
    Row,
    Table,
    Text,
    bindparam,
    delete,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError

from adapters.sql.batches import Keyed
from adapters.sql.devices import devices
from adapters.sql.transactions import sql
from adapters.sql.types import Instant, Json, metadata
from core.device_state import Content, Deployed, DeployedVersion, Draft, Reported
from core.errors import Conflict, NotFound
from core.ids import DeviceUuid
from core.transactions import Transaction

# None is stored as NULL, not as the JSON value null.
_OptionalJson = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

deployed_states = Table(
    "deployed_states",
    metadata,
    Column("device_uuid", Text, ForeignKey("devices.uuid", ondelete="CASCADE"), primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("apps", Json, nullable=False),
    Column("config", Json, nullable=False),
    Column("apps_count", Integer, nullable=False),
    Column("deployed_at", Instant, nullable=False),
    Column("deployed_by", Text, nullable=False),
)
draft_states = Table(
    "draft_states",
    metadata,
    Column("device_uuid", Text, ForeignKey("devices.uuid", ondelete="CASCADE"), primary_key=True),
    Column("apps", Json, nullable=False),
    Column("config", Json, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("updated_by", Text, nullable=False),
)
reported_states = Table(
    "reported_states",
    metadata,
    Column("device_uuid", Text, ForeignKey("devices.uuid", ondelete="CASCADE"), primary_key=True),
    Column("apps", _OptionalJson),
    Column("config", _OptionalJson),
    Column("version", BigInteger),
    Column("is_online", Boolean),
    Column("endpoints_health", _OptionalJson),
    Column("sensor_health", _OptionalJson),
    Column("system_info", Json, nullable=False),
    Column("apps_count", Integer, nullable=False),
    Column("reported_at", Instant, nullable=False),
)

_DEPLOYED = (
    select(deployed_states)
    .where(deployed_states.c.device_uuid == bindparam("uuid"))
    .order_by(deployed_states.c.version.desc())
    .limit(1)
)
_DEPLOY = deployed_states.insert()
_DRAFT = select(draft_states).where(draft_states.c.device_uuid == bindparam("uuid"))
_KNOWN = select(devices.c.id).where(devices.c.uuid == bindparam("uuid"))
# The device's own row is the one that is there before the first draft, and stays while versions come.
_HOLD = _KNOWN.with_for_update(key_share=True)
_REPORTED = select(reported_states).where(reported_states.c.device_uuid == bindparam("uuid"))
_CHANGING = Keyed(reported_states, "device_uuid", large=("apps", "config", "endpoints_health", "sensor_health"))


class SqlDesiredStateStore:
    """Stateless; everything is in the tables."""

    async def hold(self, tx: Transaction, uuid: DeviceUuid) -> None:
        """Hold up others who hold the same until the transaction ends."""
        await sql(tx).rows(_HOLD, {"uuid": uuid})

    async def deployed(self, tx: Transaction, uuid: DeviceUuid) -> Deployed | None:
        """The highest version, or None."""
        row = await sql(tx).row(_DEPLOYED, {"uuid": uuid})
        return None if row is None else _deployed(row)

    async def deploy(self, tx: Transaction, deployed: Deployed) -> None:
        """Remember a new version. Conflict, NotFound."""
        await _require_known(tx, deployed.uuid)
        try:
            await sql(tx).run(_DEPLOY, _deployed_to_row(deployed))
        except IntegrityError as error:
            raise Conflict("someone else deployed meanwhile") from error

    async def version(self, tx: Transaction, uuid: DeviceUuid, version: int) -> Deployed | None:
        """That version, or None."""
        columns = deployed_states.c
        statement = select(deployed_states).where(columns.device_uuid == uuid, columns.version == version)
        row = await sql(tx).row(statement)
        return None if row is None else _deployed(row)

    async def prune(self, tx: Transaction, uuid: DeviceUuid, before: int) -> int:
        """Forget the versions below `before`, but never the highest there is; how many there were."""
        columns = deployed_states.c
        theirs = columns.device_uuid == uuid
        # Named anew, or the inner SELECT would be taken for part of the statement around it.
        all_of_them = deployed_states.alias("all_of_them")
        highest = select(func.max(all_of_them.c.version)).where(all_of_them.c.device_uuid == uuid).scalar_subquery()
        return await sql(tx).run(
            delete(deployed_states).where(theirs, columns.version < before, columns.version < highest)
        )

    async def devices_with_app(self, tx: Transaction, app_id: int, limit: int) -> Sequence[DeviceUuid]:
        """Some of the devices that are served the app, or have it in their draft. Reads every device's documents."""
        newer = deployed_states.alias("newer")
        theirs = newer.c.device_uuid == deployed_states.c.device_uuid
        superseded = exists().where(theirs, newer.c.version > deployed_states.c.version)
        served = select(deployed_states.c.device_uuid).where(_has_app(deployed_states, app_id), ~superseded)
        drafted = select(draft_states.c.device_uuid).where(_has_app(draft_states, app_id))
        rows = await sql(tx).rows(served.union(drafted).limit(limit))
        return [DeviceUuid(row.device_uuid) for row in rows]

    async def versions(self, tx: Transaction, uuid: DeviceUuid, limit: int) -> Sequence[DeployedVersion]:
        """The versions, the newest first."""
        columns = deployed_states.c
        statement = (
            select(columns.version, columns.deployed_at, columns.deployed_by, columns.apps_count)
            .where(columns.device_uuid == uuid)
            .order_by(columns.version.desc())
            .limit(limit)
        )
        return [DeployedVersion(**row._mapping) for row in await sql(tx).rows(statement)]  # noqa: SLF001 - its public name

    async def draft(self, tx: Transaction, uuid: DeviceUuid) -> Draft | None:
        """The draft, or None."""
        row = await sql(tx).row(_DRAFT, {"uuid": uuid})
        return None if row is None else _draft(row)

    async def save_draft(self, tx: Transaction, draft: Draft) -> None:
        """Replace the previous revision, or begin with revision 1. Conflict, NotFound."""
        await _require_known(tx, draft.uuid)
        values = _draft_to_row(draft)
        if draft.revision == 1:
            changed = await sql(tx).run(sql(tx).insert(draft_states).on_conflict_do_nothing(), values)
        else:
            previous = (draft_states.c.device_uuid == draft.uuid) & (draft_states.c.revision == draft.revision - 1)
            changed = await sql(tx).run(update(draft_states).where(previous).values(values))
        if changed == 0:
            raise Conflict("someone else changed the draft meanwhile")

    async def drop_draft(self, tx: Transaction, uuid: DeviceUuid) -> bool:
        """Forget the draft; whether there was one."""
        return await sql(tx).run(delete(draft_states).where(draft_states.c.device_uuid == uuid)) > 0


class SqlReportedStateStore:
    """One row a device."""

    async def find(self, tx: Transaction, uuid: DeviceUuid, *, to_change: bool = False) -> Reported | None:
        """What the device last said, or None."""
        row = await sql(tx).take(_CHANGING, uuid) if to_change else await sql(tx).row(_REPORTED, {"uuid": uuid})
        return None if row is None else _reported(row)

    async def save(self, tx: Transaction, reported: Reported, *, first: bool = False) -> None:
        """Replace what is known, or begin. Conflict, NotFound."""
        values = _reported_to_row(reported)
        if not first and await sql(tx).replace(_CHANGING, reported.uuid, values):
            return
        await _require_known(tx, reported.uuid)
        added = sql(tx).insert(reported_states).values(device_uuid=reported.uuid, **values)
        if not first:
            await sql(tx).run(added.on_conflict_do_update(index_elements=["device_uuid"], set_=values))
        elif not await sql(tx).run(added.on_conflict_do_nothing(index_elements=["device_uuid"])):
            raise Conflict("somebody else has kept the first report meanwhile")


def _has_app(table: Table, app_id: int) -> ColumnElement[bool]:
    """Whether the apps have one under this key; asked of the document itself, not of its text."""
    found: ColumnElement[bool] = table.c.apps[str(app_id)].as_string().is_not(None)
    return found


async def _require_known(tx: Transaction, uuid: DeviceUuid) -> None:
    if await sql(tx).value(_KNOWN, {"uuid": uuid}) is None:
        raise NotFound("there is no such device")


def _deployed(row: Row[Any]) -> Deployed:
    return Deployed(
        uuid=DeviceUuid(row.device_uuid),
        version=row.version,
        content=Content(apps=row.apps, config=row.config),
        deployed_at=row.deployed_at,
        deployed_by=row.deployed_by,
    )


def _deployed_to_row(deployed: Deployed) -> dict[str, Any]:
    return {
        "device_uuid": deployed.uuid,
        "version": deployed.version,
        "apps": deployed.content.apps,
        "config": deployed.content.config,
        "apps_count": len(deployed.content.apps),
        "deployed_at": deployed.deployed_at,
        "deployed_by": deployed.deployed_by,
    }


def _draft(row: Row[Any]) -> Draft:
    return Draft(
        uuid=DeviceUuid(row.device_uuid),
        content=Content(apps=row.apps, config=row.config),
        revision=row.revision,
        updated_at=row.updated_at,
        updated_by=row.updated_by,
    )


def _draft_to_row(draft: Draft) -> dict[str, Any]:
    return {
        "device_uuid": draft.uuid,
        "apps": draft.content.apps,
        "config": draft.content.config,
        "revision": draft.revision,
        "updated_at": draft.updated_at,
        "updated_by": draft.updated_by,
    }


def _reported(row: Row[Any]) -> Reported:
    return Reported(
        uuid=DeviceUuid(row.device_uuid),
        reported_at=row.reported_at,
        apps=row.apps,
        config=row.config,
        version=row.version,
        is_online=row.is_online,
        endpoints_health=row.endpoints_health,
        sensor_health=row.sensor_health,
        system_info=row.system_info,
    )


def _reported_to_row(reported: Reported) -> dict[str, Any]:
    return {
        "apps": reported.apps,
        "config": reported.config,
        "version": reported.version,
        "is_online": reported.is_online,
        "endpoints_health": reported.endpoints_health,
        "sensor_health": reported.sensor_health,
        "system_info": reported.system_info,
        "apps_count": len(reported.apps or ()),
        "reported_at": reported.reported_at,
    }
