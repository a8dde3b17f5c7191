"""Groups of devices in SQL. Implements `core.groups.GroupStore`."""

from collections.abc import Sequence
from typing import Any

from attrs import evolve
from sqlalchemy import Column, Row, Table, Text, delete, select, update
from sqlalchemy.exc import IntegrityError

from adapters.sql.held import held
from adapters.sql.transactions import sql
from adapters.sql.types import Instant, Json, RowId, metadata
from core.errors import Conflict, NotFound
from core.groups import DeviceSelector, Group
from core.ids import GroupId
from core.transactions import Transaction

device_groups = Table(
    "device_groups",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("description", Text),
    Column("query", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("updated_at", Instant, nullable=False),
    sqlite_autoincrement=True,
)


class SqlGroupStore:
    """Stateless; everything is in the table."""

    async def all(self, tx: Transaction) -> Sequence[Group]:
        """Every group, in the order of names."""
        return [_from_row(row) for row in await sql(tx).rows(select(device_groups).order_by(device_groups.c.name))]

    async def get(self, tx: Transaction, group_id: GroupId, *, to_change: bool = False) -> Group:
        """The group. NotFound."""
        row = await sql(tx).row(held(select(device_groups).where(device_groups.c.id == group_id), to_change))
        if row is None:
            raise NotFound("there is no such group")
        return _from_row(row)

    async def add(self, tx: Transaction, group: Group) -> Group:
        """Remember a new group. Conflict."""
        row = _changeable(group) | {"created_at": group.created_at, "created_by": group.created_by}
        try:
            number = await sql(tx).value(device_groups.insert().returning(device_groups.c.id), row)
        except IntegrityError as error:
            raise _taken() from error
        return evolve(group, id=GroupId(number))

    async def save(self, tx: Transaction, group: Group) -> None:
        """Replace what may change. Conflict."""
        try:
            await sql(tx).run(update(device_groups).where(device_groups.c.id == group.id).values(_changeable(group)))
        except IntegrityError as error:
            raise _taken() from error

    async def remove(self, tx: Transaction, group_id: GroupId) -> None:
        """Forget the group. NotFound."""
        if await sql(tx).run(delete(device_groups).where(device_groups.c.id == group_id)) == 0:
            raise NotFound("there is no such group")


def _taken() -> Conflict:
    return Conflict("another group has this name")


def _from_row(row: Row[Any]) -> Group:
    return Group(
        id=GroupId(row.id),
        name=row.name,
        description=row.description,
        selector=DeviceSelector.of(row.query),
        created_at=row.created_at,
        created_by=row.created_by,
        updated_at=row.updated_at,
    )


def _changeable(group: Group) -> dict[str, Any]:
    return {
        "name": group.name,
        "description": group.description,
        "query": group.selector.document(),
        "updated_at": group.updated_at,
    }
