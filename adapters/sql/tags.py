"""Tags and their definitions in SQL. Implements `TagStore` and `TagDefinitionStore` of `core.tags`."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import evolve
from sqlalchemy import Boolean, Column, ForeignKey, Index, Row, Table, Text, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from adapters.sql.held import held
from adapters.sql.transactions import sql
from adapters.sql.types import Instant, Json, RowId, metadata
from core.errors import Conflict, NotFound
from core.ids import DeviceUuid
from core.tags import TagDefinition, TagUse
from core.transactions import Transaction

device_tags = Table(
    "device_tags",
    metadata,
    Column("device_uuid", Text, ForeignKey("devices.uuid", ondelete="CASCADE"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index("ix_device_tags_key_value", "key", "value"),
)
tag_definitions = Table(
    "tag_definitions",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("description", Text),
    Column("allowed_values", Json, nullable=False),
    Column("is_required", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("updated_at", Instant, nullable=False),
    sqlite_autoincrement=True,
)


class SqlTagStore:
    """Stateless; everything is in the table."""

    async def of(self, tx: Transaction, uuids: Sequence[DeviceUuid]) -> Mapping[DeviceUuid, Mapping[str, str]]:
        """The tags of each of these devices by key."""
        columns = device_tags.c
        rows = await sql(tx).rows(select(device_tags).where(columns.device_uuid.in_(uuids)).order_by(columns.key))
        tags: defaultdict[DeviceUuid, dict[str, str]] = defaultdict(dict)
        for row in rows:
            tags[DeviceUuid(row.device_uuid)][row.key] = row.value
        return dict(tags)

    async def put(self, tx: Transaction, tags: Mapping[DeviceUuid, Mapping[str, str]], now: datetime) -> None:
        """Write tags on devices. NotFound."""
        rows = [
            {"device_uuid": uuid, "key": key, "value": value, "updated_at": now}
            for uuid, theirs in tags.items()
            for key, value in theirs.items()
        ]
        if not rows:
            return
        statement = sql(tx).insert(device_tags)
        fresh = {name: statement.excluded[name] for name in ("value", "updated_at")}
        try:
            await sql(tx).run(statement.on_conflict_do_update(index_elements=["device_uuid", "key"], set_=fresh), rows)
        except IntegrityError as error:
            raise NotFound("there is no such device") from error

    async def remove(self, tx: Transaction, uuid: DeviceUuid, keys: Sequence[str]) -> None:
        """Take tags off a device."""
        if keys:
            columns = device_tags.c
            await sql(tx).run(delete(device_tags).where(columns.device_uuid == uuid, columns.key.in_(keys)))

    async def uses(self, tx: Transaction) -> Sequence[TagUse]:
        """Every key with how many devices have it."""
        key = device_tags.c.key
        rows = await sql(tx).rows(select(key, func.count().label("devices")).group_by(key).order_by(key))
        return [TagUse(key=row.key, devices=row.devices) for row in rows]

    async def values(self, tx: Transaction, key: str) -> Sequence[str]:
        """Every value that stands under the key."""
        value = device_tags.c.value
        rows = await sql(tx).rows(select(value).where(device_tags.c.key == key).distinct().order_by(value))
        return [row.value for row in rows]

    async def is_used(self, tx: Transaction, key: str) -> bool:
        """Whether any device has the tag."""
        return await sql(tx).row(select(device_tags.c.key).where(device_tags.c.key == key).limit(1)) is not None


class SqlTagDefinitionStore:
    """Stateless; everything is in the table."""

    async def all(self, tx: Transaction) -> Sequence[TagDefinition]:
        """Every definition, in the order of keys."""
        return [_from_row(row) for row in await sql(tx).rows(select(tag_definitions).order_by(tag_definitions.c.key))]

    async def add(self, tx: Transaction, definition: TagDefinition) -> TagDefinition:
        """Remember a new definition. Conflict."""
        row = _changeable(definition) | {
            "key": definition.key,
            "created_at": definition.created_at,
            "created_by": definition.created_by,
        }
        try:
            number = await sql(tx).value(tag_definitions.insert().returning(tag_definitions.c.id), row)
        except IntegrityError as error:
            raise Conflict(f"the tag {definition.key} is defined already") from error
        return evolve(definition, id=number)

    async def get(self, tx: Transaction, key: str, *, to_change: bool = False) -> TagDefinition:
        """The definition of a key. NotFound."""
        row = await sql(tx).row(held(select(tag_definitions).where(tag_definitions.c.key == key), to_change))
        if row is None:
            raise NotFound("there is no such tag definition")
        return _from_row(row)

    async def save(self, tx: Transaction, definition: TagDefinition) -> None:
        """Replace what may change."""
        mine = tag_definitions.c.key == definition.key
        await sql(tx).run(update(tag_definitions).where(mine).values(_changeable(definition)))

    async def remove(self, tx: Transaction, key: str) -> None:
        """Forget the definition. NotFound."""
        if await sql(tx).run(delete(tag_definitions).where(tag_definitions.c.key == key)) == 0:
            raise NotFound("there is no such tag definition")


def _from_row(row: Row[Any]) -> TagDefinition:
    return TagDefinition(
        id=row.id,
        key=row.key,
        description=row.description,
        allowed_values=tuple(row.allowed_values),
        is_required=row.is_required,
        created_at=row.created_at,
        created_by=row.created_by,
        updated_at=row.updated_at,
    )


def _changeable(definition: TagDefinition) -> dict[str, Any]:
    return {
        "description": definition.description,
        "allowed_values": list(definition.allowed_values),
        "is_required": definition.is_required,
        "updated_at": definition.updated_at,
    }
