"""Accounts of the broker in SQL. Implements `MqttAccountStore` and `MqttUserStore` of `core.mqtt`."""

from datetime import datetime
from typing import Any

from attrs import evolve
from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Row,
    Table,
    Text,
    bindparam,
    delete,
    false,
    func,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from adapters.sql.devices import devices
from adapters.sql.mqtt_acls import rules_of
from adapters.sql.transactions import sql
from adapters.sql.types import Instant, RowId, metadata
from adapters.sql.upserts import Upsert
from core.devices import DeviceStatus
from core.errors import Conflict, NotFound
from core.ids import DeviceUuid
from core.mqtt import MqttAccount, MqttUser, MqttUserId, PasswordKind
from core.pages import Page
from core.transactions import Transaction

mqtt_users = Table(
    "mqtt_users",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("username", Text, nullable=False, unique=True),
    Column("digest", Text, nullable=False),
    Column("is_superuser", Boolean, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("device_uuid", Text, ForeignKey("devices.uuid", ondelete="CASCADE")),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("v2", Boolean, nullable=False, server_default=false()),
    Column("password_kind", Text, nullable=False, server_default=PasswordKind.DIGEST.value),
    CheckConstraint("password_kind IN ('digest', 'bcrypt')", name="password_kind"),
    Index("ix_mqtt_users_device_uuid", "device_uuid"),
    sqlite_autoincrement=True,
)

_ACCOUNTS = select(mqtt_users, devices.c.status).join(devices, devices.c.uuid == mqtt_users.c.device_uuid, isouter=True)
_BY_NAME = _ACCOUNTS.where(mqtt_users.c.username == bindparam("username"))
_BY_ID = _ACCOUNTS.where(mqtt_users.c.id == bindparam("number"))
_BY_ID_TO_CHANGE = _BY_ID.with_for_update(of=mqtt_users, key_share=True)
_PAGE = (
    _ACCOUNTS.order_by(mqtt_users.c.device_uuid.is_not(None), mqtt_users.c.username)
    .limit(bindparam("most"))
    .offset(bindparam("skipped"))
)
_COUNT = select(func.count()).select_from(mqtt_users)
_PUT = Upsert(mqtt_users, key="username", kept=("created_at",))


class SqlMqttAccountStore:
    """Stateless; everything is in the table."""

    async def put(self, tx: Transaction, account: MqttAccount, now: datetime) -> None:
        """Remember the account in place of the one of the same name."""
        row = {
            "username": account.username,
            "digest": account.digest,
            "is_superuser": account.is_superuser,
            "is_active": account.is_active,
            "device_uuid": account.device_uuid,
            "v2": account.v2,
            "password_kind": account.kind.value,
            "created_at": now,
            "updated_at": now,
        }
        await _PUT.run(tx, row)

    async def get(self, tx: Transaction, username: str) -> MqttAccount:
        """The account; a device's is active only while the device is. NotFound."""
        row = await sql(tx).row(_BY_NAME, {"username": username})
        if row is None:
            raise _unknown()
        return MqttAccount(
            username=row.username,
            digest=row.digest,
            is_superuser=row.is_superuser,
            is_active=_is_active(row),
            device_uuid=_device_of(row),
            v2=row.v2,
            kind=PasswordKind(row.password_kind),
            granted=() if row.device_uuid else await rules_of(tx, username),
        )


class SqlMqttUserStore:
    """The same table, as people look after it."""

    async def add(self, tx: Transaction, user: MqttUser, verifier: str) -> MqttUser:
        """Remember a new account. Conflict."""
        row = {
            "username": user.username,
            "digest": verifier,
            "password_kind": PasswordKind.BCRYPT.value,
            "is_superuser": user.is_superuser,
            "is_active": user.is_active,
            "created_at": user.created_at,
            "updated_at": user.updated_at,
        }
        try:
            number = await sql(tx).value(mqtt_users.insert().returning(mqtt_users.c.id), row)
        except IntegrityError as error:
            raise Conflict("another account has this username") from error
        return evolve(user, id=MqttUserId(number))

    async def page(self, tx: Transaction, *, limit: int, offset: int) -> Page[MqttUser]:
        """Some accounts, those of people first, and how many there are."""
        rows = await sql(tx).rows(_PAGE, {"most": limit, "skipped": offset})
        return Page(items=tuple(_user_from(row) for row in rows), total=int(await sql(tx).value(_COUNT)))

    async def get(self, tx: Transaction, user_id: MqttUserId, *, to_change: bool = False) -> MqttUser:
        """The account. NotFound."""
        row = await sql(tx).row(_BY_ID_TO_CHANGE if to_change else _BY_ID, {"number": user_id})
        if row is None:
            raise _unknown()
        return _user_from(row)

    async def named(self, tx: Transaction, username: str) -> MqttUser | None:
        """The account of this name, or None."""
        row = await sql(tx).row(_BY_NAME, {"username": username})
        return None if row is None else _user_from(row)

    async def save(self, tx: Transaction, user: MqttUser, verifier: str | None = None) -> None:
        """Replace what may change, and the verifier if another is given. NotFound."""
        values: dict[str, Any] = {
            "is_superuser": user.is_superuser,
            "is_active": user.is_active,
            "updated_at": user.updated_at,
        }
        if verifier is not None:
            values |= {"digest": verifier, "password_kind": PasswordKind.BCRYPT.value}
        if await sql(tx).run(update(mqtt_users).where(mqtt_users.c.id == user.id).values(values)) == 0:
            raise _unknown()

    async def remove(self, tx: Transaction, user_id: MqttUserId) -> None:
        """Forget the account; its rows go with it. NotFound."""
        if await sql(tx).run(delete(mqtt_users).where(mqtt_users.c.id == user_id)) == 0:
            raise _unknown()


def _unknown() -> NotFound:
    return NotFound("there is no such account")


def _device_of(row: Row[Any]) -> DeviceUuid | None:
    return None if row.device_uuid is None else DeviceUuid(row.device_uuid)


def _is_active(row: Row[Any]) -> bool:
    """An account of a device is so only while the device is in service."""
    return bool(row.is_active) and (row.device_uuid is None or row.status == DeviceStatus.ACTIVE.value)


def _user_from(row: Row[Any]) -> MqttUser:
    return MqttUser(
        id=MqttUserId(row.id),
        username=row.username,
        is_superuser=row.is_superuser,
        is_active=_is_active(row),
        device_uuid=_device_of(row),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
