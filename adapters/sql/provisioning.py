"""Provisioning keys in SQL. Implements `core.provisioning.ProvisioningKeyStore`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Column, Index, Integer, Row, Table, Text, bindparam, select, update

from adapters.sql.transactions import sql
from adapters.sql.types import Instant, metadata
from core.errors import NotFound
from core.ids import DeviceUuid, ProvisioningKeyId
from core.provisioning import ProvisioningKey
from core.transactions import Transaction

provisioning_keys = Table(
    "provisioning_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", Text, nullable=False, unique=True),
    Column("fleet_id", Text, nullable=False),
    Column("description", Text),
    Column("max_uses", Integer, nullable=False),
    Column("uses", Integer, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("revoked_reason", Text),
    Column("expires_at", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("last_used_at", Instant),
    Column("device_uuid", Text),
    CheckConstraint("uses <= max_uses", name="uses"),
    Index("ix_provisioning_keys_fleet_id", "fleet_id"),
    Index("ix_provisioning_keys_device_uuid", "device_uuid"),
)

# Whoever looks for one key is about to use it up or to change it.
_TO_CHANGE = select(provisioning_keys).with_for_update(key_share=True)
_BY_DIGEST = _TO_CHANGE.where(provisioning_keys.c.digest == bindparam("digest"))
_CHARGE = (
    update(provisioning_keys)
    .where(
        provisioning_keys.c.id == bindparam("of"),
        provisioning_keys.c.is_active.is_(True),
        provisioning_keys.c.uses < provisioning_keys.c.max_uses,
    )
    .values(uses=provisioning_keys.c.uses + 1, last_used_at=bindparam("now", type_=Instant))
)


class SqlProvisioningKeyStore:
    """Stateless; everything is in the table."""

    async def add(self, tx: Transaction, key: ProvisioningKey) -> None:
        """Remember a new key."""
        await sql(tx).run(provisioning_keys.insert(), _to_row(key))

    async def get(self, tx: Transaction, key_id: ProvisioningKeyId) -> ProvisioningKey:
        """The key. NotFound."""
        row = await sql(tx).row(_TO_CHANGE.where(provisioning_keys.c.id == key_id))
        if row is None:
            raise NotFound("there is no such provisioning key")
        return _from_row(row)

    async def by_digest(self, tx: Transaction, digest: str) -> ProvisioningKey | None:
        """The key with this digest, or None."""
        row = await sql(tx).row(_BY_DIGEST, {"digest": digest})
        return None if row is None else _from_row(row)

    async def of_fleet(self, tx: Transaction, fleet_id: str | None) -> Sequence[ProvisioningKey]:
        """The keys of a fleet, or of all, newest first."""
        statement = select(provisioning_keys).order_by(provisioning_keys.c.created_at.desc(), provisioning_keys.c.id)
        if fleet_id is not None:
            statement = statement.where(provisioning_keys.c.fleet_id == fleet_id)
        return [_from_row(row) for row in await sql(tx).rows(statement)]

    async def save(self, tx: Transaction, key: ProvisioningKey) -> None:
        """Replace what may change."""
        values = {"is_active": key.is_active, "revoked_reason": key.revoked_reason}
        await sql(tx).run(update(provisioning_keys).where(provisioning_keys.c.id == key.id).values(values))

    async def charge(self, tx: Transaction, key_id: ProvisioningKeyId, now: datetime) -> bool:
        """Count one use in one statement; the row itself is the lock."""
        return await sql(tx).run(_CHARGE, {"of": key_id, "now": now}) == 1

    async def made_for(self, tx: Transaction, uuid: DeviceUuid) -> Sequence[ProvisioningKey]:
        """The keys that let in only this device, newest first."""
        columns = provisioning_keys.c
        statement = _TO_CHANGE.where(columns.device_uuid == uuid)
        return [_from_row(row) for row in await sql(tx).rows(statement.order_by(columns.created_at.desc(), columns.id))]

    async def bind(self, tx: Transaction, key_id: ProvisioningKeyId, uuid: DeviceUuid) -> None:
        """Let the key let in only this device."""
        mine = provisioning_keys.c.id == key_id
        await sql(tx).run(update(provisioning_keys).where(mine).values(device_uuid=uuid))

    async def touch(self, tx: Transaction, key_id: ProvisioningKeyId, now: datetime) -> None:
        """Note that the key was presented."""
        mine = provisioning_keys.c.id == key_id
        await sql(tx).run(update(provisioning_keys).where(mine).values(last_used_at=now))


def _from_row(row: Row[Any]) -> ProvisioningKey:
    return ProvisioningKey(
        id=ProvisioningKeyId(row.id),
        digest=row.digest,
        fleet_id=row.fleet_id,
        description=row.description,
        max_uses=row.max_uses,
        uses=row.uses,
        is_active=row.is_active,
        revoked_reason=row.revoked_reason,
        expires_at=row.expires_at,
        created_at=row.created_at,
        created_by=row.created_by,
        last_used_at=row.last_used_at,
        device_uuid=DeviceUuid(row.device_uuid) if row.device_uuid else None,
    )


def _to_row(key: ProvisioningKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "digest": key.digest,
        "fleet_id": key.fleet_id,
        "description": key.description,
        "max_uses": key.max_uses,
        "uses": key.uses,
        "is_active": key.is_active,
        "revoked_reason": key.revoked_reason,
        "expires_at": key.expires_at,
        "created_at": key.created_at,
        "created_by": key.created_by,
        "last_used_at": key.last_used_at,
        "device_uuid": key.device_uuid,
    }
