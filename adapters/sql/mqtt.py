"""Accounts of the broker in SQL. Implements `core.mqtt.MqttAccountStore`."""

from datetime import datetime

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text, bindparam, select

from adapters.sql.devices import devices
from adapters.sql.transactions import sql
from adapters.sql.types import Instant, metadata
from core.devices import DeviceStatus
from core.errors import NotFound
from core.ids import DeviceUuid
from core.mqtt import MqttAccount
from core.transactions import Transaction

mqtt_users = Table(
    "mqtt_users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("username", Text, nullable=False, unique=True),
    Column("digest", Text, nullable=False),
    Column("is_superuser", Boolean, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("device_uuid", Text, ForeignKey("devices.uuid", ondelete="CASCADE")),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index("ix_mqtt_users_device_uuid", "device_uuid"),
    sqlite_autoincrement=True,
)

_BY_NAME = (
    select(mqtt_users, devices.c.status)
    .join(devices, devices.c.uuid == mqtt_users.c.device_uuid, isouter=True)
    .where(mqtt_users.c.username == bindparam("username"))
)


class SqlMqttAccountStore:
    """Stateless; everything is in the table."""

    async def put(self, tx: Transaction, account: MqttAccount, now: datetime) -> None:
        """Remember the account in place of the one of the same name."""
        values = {
            "digest": account.digest,
            "is_superuser": account.is_superuser,
            "is_active": account.is_active,
            "device_uuid": account.device_uuid,
            "updated_at": now,
        }
        statement = sql(tx).insert(mqtt_users).values(username=account.username, created_at=now, **values)
        await sql(tx).run(statement.on_conflict_do_update(index_elements=["username"], set_=values))

    async def get(self, tx: Transaction, username: str) -> MqttAccount:
        """The account; a device's is active only while the device is. NotFound."""
        row = await sql(tx).row(_BY_NAME, {"username": username})
        if row is None:
            raise NotFound("there is no such account")
        serving = row.device_uuid is None or row.status == DeviceStatus.ACTIVE.value
        return MqttAccount(
            username=row.username,
            digest=row.digest,
            is_superuser=row.is_superuser,
            is_active=row.is_active and serving,
            device_uuid=None if row.device_uuid is None else DeviceUuid(row.device_uuid),
        )
