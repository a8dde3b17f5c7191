"""Topics of the broker in SQL. Implements `core.monitoring.TopicStore`."""

from collections.abc import Mapping, Sequence
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
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB

from adapters.sql.transactions import sql
from adapters.sql.types import Instant, Json, metadata
from core.errors import NotFound
from core.ids import DeviceUuid
from core.monitoring import ArchiveSummary, MessageType, Schema, SchemaChange, TopicRecord
from core.transactions import Transaction

_RowId = BigInteger().with_variant(Integer(), "sqlite")

mqtt_topics = Table(
    "mqtt_topics",
    metadata,
    Column("id", _RowId, primary_key=True),
    Column("topic", Text, nullable=False, unique=True),
    Column("device_uuid", Text),
    Column("messages", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("schema", JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Index("ix_mqtt_topics_device_uuid", "device_uuid"),
    Index("ix_mqtt_topics_last_at", "last_at"),
)
mqtt_schema_history = Table(
    "mqtt_schema_history",
    metadata,
    Column("id", _RowId, primary_key=True),
    Column("topic_id", BigInteger, ForeignKey("mqtt_topics.id", ondelete="CASCADE"), nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("schema", Json, nullable=False),
    Index("ix_mqtt_schema_history_topic_id", "topic_id"),
)

_MOST = bindparam("most", type_=Integer)
_NAMED = mqtt_topics.c.topic.in_(bindparam("names", expanding=True))
_SCHEMAS = (
    select(mqtt_topics.c.topic, mqtt_topics.c.schema)
    .where(_NAMED, mqtt_topics.c.schema.is_not(None))
    .order_by(mqtt_topics.c.topic)
    .with_for_update(key_share=True)
)
_IDS = select(mqtt_topics.c.topic, mqtt_topics.c.id).where(_NAMED)
_LATEST = select(mqtt_topics).order_by(mqtt_topics.c.last_at.desc(), mqtt_topics.c.id.desc()).limit(_MOST)
_SUMMARY = select(
    func.count().label("topics"),
    func.coalesce(func.sum(mqtt_topics.c.messages), 0).label("messages"),
    func.coalesce(func.sum(mqtt_topics.c.bytes), 0).label("bytes"),
    func.count(mqtt_topics.c.schema).label("schemas"),
    func.min(mqtt_topics.c.first_at, type_=Instant).label("first_at"),
    func.max(mqtt_topics.c.last_at, type_=Instant).label("last_at"),
)
_TYPES = select(mqtt_topics.c.type, func.count().label("topics")).group_by(mqtt_topics.c.type)
_HISTORY = (
    select(mqtt_schema_history)
    .where(mqtt_schema_history.c.topic_id == bindparam("topic_id"))
    .order_by(mqtt_schema_history.c.id.desc())
    .limit(_MOST)
)
_OLD = select(mqtt_topics.c.id).where(mqtt_topics.c.last_at < bindparam("moment", type_=Instant)).limit(_MOST)
_LONGEST_SILENT = select(mqtt_topics.c.id).order_by(mqtt_topics.c.last_at, mqtt_topics.c.id).limit(_MOST)
_THEIRS = (
    select(mqtt_topics.c.id)
    .where(mqtt_topics.c.device_uuid == bindparam("uuid"), mqtt_topics.c.first_at <= bindparam("until", type_=Instant))
    .limit(_MOST)
)
_DROP_OLD = delete(mqtt_topics).where(mqtt_topics.c.id.in_(_OLD))
_DROP_LONGEST_SILENT = delete(mqtt_topics).where(mqtt_topics.c.id.in_(_LONGEST_SILENT))
_DROP_THEIRS = delete(mqtt_topics).where(mqtt_topics.c.id.in_(_THEIRS))


class SqlTopicStore:
    """One row a topic, and one for each change of what its messages look like."""

    async def schemas(self, tx: Transaction, names: Sequence[str]) -> Mapping[str, Schema]:
        """The schemas of those topics that have one."""
        return {row.topic: row.schema for row in await sql(tx).rows(_SCHEMAS, {"names": list(names)})}

    async def add(self, tx: Transaction, records: Sequence[TopicRecord]) -> None:
        """Count what came on top of what is known."""
        if not records:
            return
        insert = sql(tx).insert(mqtt_topics)
        new = insert.excluded
        adding = insert.on_conflict_do_update(
            index_elements=["topic"],
            set_={
                "messages": mqtt_topics.c.messages + new.messages,
                "bytes": mqtt_topics.c.bytes + new.bytes,
                "type": new.type,
                "schema": func.coalesce(new.schema, mqtt_topics.c.schema),
                "last_at": new.last_at,
            },
        )
        # In one order, so that two processes who have seen the same topics do not wait for each other in a circle.
        await sql(tx).run(adding, [_row(record) for record in sorted(records, key=lambda each: each.name)])

    async def changed(self, tx: Transaction, schemas: Mapping[str, Schema], at: datetime) -> None:
        """Write into the histories of these topics."""
        if not schemas:
            return
        ids = {row.topic: row.id for row in await sql(tx).rows(_IDS, {"names": list(schemas)})}
        rows = [{"topic_id": ids[name], "changed_at": at, "schema": schema} for name, schema in schemas.items()]
        await sql(tx).run(mqtt_schema_history.insert(), rows)

    async def topics(self, tx: Transaction, limit: int) -> Sequence[TopicRecord]:
        """The topics, the one with the latest message first."""
        return [_record(row) for row in await sql(tx).rows(_LATEST, {"most": limit})]

    async def summary(self, tx: Transaction) -> ArchiveSummary:
        """What is kept in all."""
        (row,) = await sql(tx).rows(_SUMMARY)
        return ArchiveSummary(
            topics=row.topics,
            messages=int(row.messages),
            size=int(row.bytes),
            schemas=row.schemas,
            types={each.type: each.topics for each in await sql(tx).rows(_TYPES)},
            first_at=row.first_at,
            last_at=row.last_at,
        )

    async def history(self, tx: Transaction, name: str, limit: int) -> Sequence[SchemaChange]:
        """What the messages of a topic looked like. NotFound."""
        found = await sql(tx).row(_IDS, {"names": [name]})
        if found is None:
            raise NotFound("no message has come on such a topic")
        rows = await sql(tx).rows(_HISTORY, {"topic_id": found.id, "most": limit})
        return [SchemaChange(at=row.changed_at, schema=row.schema) for row in rows]

    async def drop_before(self, tx: Transaction, moment: datetime, most: int) -> int:
        """Forget up to `most` topics that have been silent since before the moment."""
        return await sql(tx).run(_DROP_OLD, {"moment": moment, "most": most})

    async def drop_beyond(self, tx: Transaction, kept: int, most: int) -> int:
        """Forget up to `most` of the longest silent topics, so that `kept` stay."""
        count = int(await sql(tx).value(select(func.count()).select_from(mqtt_topics)))
        if count <= kept:
            return 0
        return await sql(tx).run(_DROP_LONGEST_SILENT, {"most": min(most, count - kept)})

    async def drop_device(self, tx: Transaction, uuid: DeviceUuid, until: datetime, most: int) -> int:
        """Forget up to `most` topics of the device that began until the moment."""
        return await sql(tx).run(_DROP_THEIRS, {"uuid": uuid, "until": until, "most": most})


def _row(record: TopicRecord) -> dict[str, Any]:
    return {
        "topic": record.name,
        "device_uuid": record.device_uuid,
        "messages": record.messages,
        "bytes": record.size,
        "type": record.type.value,
        "schema": record.schema,
        "first_at": record.first_at,
        "last_at": record.last_at,
    }


def _record(row: Row[Any]) -> TopicRecord:
    return TopicRecord(
        name=row.topic,
        device_uuid=DeviceUuid(row.device_uuid) if row.device_uuid else None,
        messages=row.messages,
        size=row.bytes,
        type=MessageType(row.type),
        schema=row.schema,
        first_at=row.first_at,
        last_at=row.last_at,
    )
