"""What devices ran in the past, in SQL. Implements `core.device_state.PastStateStore`."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    Row,
    Table,
    Text,
    bindparam,
    delete,
    exists,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB

from adapters.sql.device_state import deployed_states
from adapters.sql.transactions import sql
from adapters.sql.types import Instant, metadata
from core.device_state import Content, Deployed, ReportedVersion
from core.ids import DeviceUuid
from core.transactions import Transaction

reported_versions = Table(
    "reported_versions",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("device_uuid", Text, ForeignKey("devices.uuid", ondelete="CASCADE"), nullable=False),
    Column("reported_at", Instant, nullable=False),
    Column("version", BigInteger),
    Column("apps", JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")),
    Index("ix_reported_versions_device_uuid_reported_at", "device_uuid", "reported_at"),
    Index("ix_reported_versions_reported_at", "reported_at"),
    sqlite_autoincrement=True,
)

_ADD = reported_versions.insert()
_THEIRS = reported_versions.c.device_uuid == bindparam("uuid")
_NEWEST = (reported_versions.c.reported_at.desc(), reported_versions.c.id.desc())
_BEYOND = delete(reported_versions).where(
    reported_versions.c.id.in_(
        select(reported_versions.c.id).where(_THEIRS).order_by(*_NEWEST).limit(1).offset(bindparam("most"))
    )
)
_REPORTED = (
    select(reported_versions)
    .where(_THEIRS, reported_versions.c.reported_at <= bindparam("moment", type_=Instant))
    .order_by(*_NEWEST)
    .limit(1)
)
_DEPLOYED = (
    select(deployed_states)
    .where(
        deployed_states.c.device_uuid == bindparam("uuid"),
        deployed_states.c.deployed_at <= bindparam("moment", type_=Instant),
    )
    .order_by(deployed_states.c.version.desc())
    .limit(1)
)


class SqlPastStateStore:
    """One row a change."""

    async def remember(self, tx: Transaction, version: ReportedVersion, most: int) -> None:
        """Keep it, and no more than so many."""
        row = {
            "device_uuid": version.uuid,
            "reported_at": version.reported_at,
            "version": version.version,
            "apps": version.apps,
        }
        await sql(tx).run(_ADD, row)
        await sql(tx).run(_BEYOND, {"uuid": version.uuid, "most": most})

    async def reported(self, tx: Transaction, uuid: DeviceUuid, moment: datetime) -> ReportedVersion | None:
        """What the device ran at the moment."""
        row = await sql(tx).row(_REPORTED, {"uuid": uuid, "moment": moment})
        return None if row is None else _version(row)

    async def deployed(self, tx: Transaction, uuid: DeviceUuid, moment: datetime) -> Deployed | None:
        """The version that was served at the moment."""
        row = await sql(tx).row(_DEPLOYED, {"uuid": uuid, "moment": moment})
        return None if row is None else _deployed(row)

    async def forget_before(self, tx: Transaction, moment: datetime, most: int) -> int:
        """Forget those that had a successor at the moment."""
        newer = reported_versions.alias("newer")
        followed = exists().where(
            newer.c.device_uuid == reported_versions.c.device_uuid,
            newer.c.reported_at <= moment,
            newer.c.id > reported_versions.c.id,
        )
        old = select(reported_versions.c.id).where(reported_versions.c.reported_at < moment, followed).limit(most)
        return await sql(tx).run(delete(reported_versions).where(reported_versions.c.id.in_(old)))


def _version(row: Row[Any]) -> ReportedVersion:
    return ReportedVersion(
        uuid=DeviceUuid(row.device_uuid), reported_at=row.reported_at, version=row.version, apps=row.apps
    )


def _deployed(row: Row[Any]) -> Deployed:
    return Deployed(
        uuid=DeviceUuid(row.device_uuid),
        version=row.version,
        content=Content(apps=row.apps, config=row.config),
        deployed_at=row.deployed_at,
        deployed_by=row.deployed_by,
    )
