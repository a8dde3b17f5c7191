"""Rights of the broker's accounts in SQL. Implements `core.mqtt.MqttAclStore`."""

from collections.abc import Sequence
from typing import Any

from attrs import evolve
from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    Row,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from adapters.sql.held import held
from adapters.sql.transactions import sql
from adapters.sql.types import Instant, RowId, metadata
from core.errors import Conflict, NotFound
from core.mqtt import AclRow, MqttAclId, Rule
from core.transactions import Transaction

mqtt_acls = Table(
    "mqtt_acls",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("username", Text, ForeignKey("mqtt_users.username", ondelete="CASCADE"), nullable=False),
    Column("topic", Text, nullable=False),
    Column("access", Integer, nullable=False),
    Column("deny", Boolean, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("username", "topic", "access", "deny"),
    CheckConstraint("access BETWEEN 1 AND 7", name="access"),
    sqlite_autoincrement=True,
)

_OF_ONE = select(mqtt_acls).where(mqtt_acls.c.username == bindparam("username"))
_OF_MANY = (
    select(mqtt_acls).where(mqtt_acls.c.username.in_(bindparam("usernames", expanding=True))).order_by(mqtt_acls.c.id)
)


async def rules_of(tx: Transaction, username: str) -> tuple[Rule, ...]:
    """What the account was granted, for the broker's questions."""
    return tuple(_from_row(row).rule for row in await sql(tx).rows(_OF_ONE, {"username": username}))


class SqlMqttAclStore:
    """Stateless; everything is in the table."""

    async def add(self, tx: Transaction, row: AclRow) -> AclRow:
        """Remember a new row. Conflict."""
        try:
            number = await sql(tx).value(mqtt_acls.insert().returning(mqtt_acls.c.id), _to_row(row))
        except IntegrityError as error:
            raise _doubled() from error
        return evolve(row, id=MqttAclId(number))

    async def get(self, tx: Transaction, acl_id: MqttAclId, *, to_change: bool = False) -> AclRow:
        """The row. NotFound."""
        row = await sql(tx).row(held(select(mqtt_acls).where(mqtt_acls.c.id == acl_id), to_change))
        if row is None:
            raise _unknown()
        return _from_row(row)

    async def of(self, tx: Transaction, usernames: Sequence[str]) -> Sequence[AclRow]:
        """The rows of these accounts, the oldest first."""
        return [_from_row(row) for row in await sql(tx).rows(_OF_MANY, {"usernames": list(usernames)})]

    async def save(self, tx: Transaction, row: AclRow) -> None:
        """Replace the row of this number. Conflict, NotFound."""
        try:
            changed = await sql(tx).run(update(mqtt_acls).where(mqtt_acls.c.id == row.id).values(_to_row(row)))
        except IntegrityError as error:
            raise _doubled() from error
        if changed == 0:
            raise _unknown()

    async def remove(self, tx: Transaction, acl_id: MqttAclId) -> None:
        """Forget the row. NotFound."""
        if await sql(tx).run(delete(mqtt_acls).where(mqtt_acls.c.id == acl_id)) == 0:
            raise _unknown()


def _unknown() -> NotFound:
    return NotFound("there is no such ACL")


def _doubled() -> Conflict:
    return Conflict("the account has a row that says the same")


def _from_row(row: Row[Any]) -> AclRow:
    return AclRow(
        id=MqttAclId(row.id),
        username=row.username,
        topic=row.topic,
        access=row.access,
        deny=row.deny,
        priority=row.priority,
        created_at=row.created_at,
    )


def _to_row(row: AclRow) -> dict[str, Any]:
    return {
        "username": row.username,
        "topic": row.topic,
        "access": int(row.access),
        "deny": row.deny,
        "priority": row.priority,
        "created_at": row.created_at,
    }
