"""Events in SQL. Implements `core.history.EventStore`."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Index,
    Integer,
    Row,
    Select,
    Table,
    Text,
    delete,
    func,
    literal,
    or_,
    select,
)

from adapters.sql.extents import TableExtent
from adapters.sql.telemetry_metrics import part_of
from adapters.sql.transactions import sql
from adapters.sql.types import EPOCH, MICROSECOND, Instant, Json, metadata
from adapters.sql.upserts import InsertOnce
from core.extents import Extent
from core.history import PRIVATE_CATEGORIES, Bucket, EventQuery, HistoryEvent, Tally, wire_types
from core.ids import DeviceUuid
from core.transactions import Transaction

events = Table(
    "events",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("announcement_id", BigInteger, nullable=False, unique=True),
    Column("at", Instant, nullable=False),
    Column("type", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("device_uuid", Text),
    Column("aggregate_type", Text),
    Column("aggregate_id", Text),
    Column("correlation_id", Text),
    Column("data", Json, nullable=False),
    Index("ix_events_at", "at"),
    Index("ix_events_device_uuid_at", "device_uuid", "at"),
    Index("ix_events_type_at", "type", "at"),
    Index("ix_events_severity_at", "severity", "at"),
    Index("ix_events_correlation_id", "correlation_id"),
    sqlite_autoincrement=True,
)

_EXTENT = TableExtent(events)
_ADD = InsertOnce(events, key="announcement_id")
_KEPT = tuple(column.name for column in events.c if column.name != "id")
_GIVEN = tuple(column.name for column in events.c if column.name != "category")


class SqlEventStore:
    """Stateless; everything is in the table."""

    async def add(self, tx: Transaction, event: HistoryEvent) -> bool:
        """Keep an event, once per announcement."""
        return await _ADD.run(tx, {name: getattr(event, name) for name in _KEPT})

    async def find(self, tx: Transaction, query: EventQuery) -> Sequence[HistoryEvent]:
        """Those asked for, in order."""
        order = (events.c.at, events.c.id) if query.ascending else (events.c.at.desc(), events.c.id.desc())
        found = _asked(select(events), query).order_by(*order).limit(query.limit)
        return [_from_row(row) for row in await sql(tx).rows(found)]

    async def count(self, tx: Transaction, query: EventQuery) -> int:
        """How many there are."""
        return int(await sql(tx).value(_asked(select(func.count()).select_from(events), query)))

    async def tally(self, tx: Transaction, query: EventQuery) -> Sequence[Tally]:
        """How many of each type and severity."""
        kinds = (events.c.type, events.c.category, events.c.severity)
        number = func.count().label("number")
        times = (
            func.min(events.c.at, type_=Instant).label("first"),
            func.max(events.c.at, type_=Instant).label("last"),
        )
        counted = _asked(select(*kinds, number, *times), query).group_by(*kinds).order_by(number.desc(), *kinds)
        return [
            Tally(
                type=row.type,
                category=row.category,
                severity=row.severity,
                count=row.number,
                first=row.first,
                last=row.last,
            )
            for row in await sql(tx).rows(counted)
        ]

    async def buckets(self, tx: Transaction, query: EventQuery, seconds: int) -> Sequence[Bucket]:
        """How many of each type in each part of the time."""
        width = timedelta(seconds=seconds)
        # A part holds its end and not its start, hence the moment before 1970.
        part = part_of(events.c.at, literal(EPOCH - MICROSECOND, Instant), literal(width // MICROSECOND))
        kinds = (part.label("part"), events.c.type, events.c.category)
        counted = _asked(select(*kinds, func.count().label("number")), query).group_by(*kinds).order_by(*kinds)
        return [
            Bucket(start=EPOCH + row.part * width, type=row.type, category=row.category, count=row.number)
            for row in await sql(tx).rows(counted)
        ]

    async def forget_before(self, tx: Transaction, moment: datetime, severity: str, most: int) -> int:
        """Forget the oldest events from before the moment."""
        old = (events.c.severity == severity) & (events.c.at < moment)
        oldest = select(events.c.id).where(old).order_by(events.c.at).limit(most)
        return await sql(tx).run(delete(events).where(events.c.id.in_(oldest)))

    async def forget_oldest(self, tx: Transaction, most: int) -> int:
        """Forget those that were stored first."""
        oldest = select(events.c.id).order_by(events.c.id).limit(most)
        return await sql(tx).run(delete(events).where(events.c.id.in_(oldest)))

    async def extent(self, tx: Transaction) -> Extent:
        """About how much there is."""
        return await _EXTENT.measure(tx)


def _asked(statement: Select[Any], query: EventQuery) -> Select[Any]:
    return statement.where(*_conditions(query), *_bounds(query))


def _conditions(query: EventQuery) -> Iterator[ColumnElement[bool]]:
    exact = {
        events.c.device_uuid: query.device_uuid,
        events.c.category: query.category,
        events.c.severity: query.severity,
        events.c.correlation_id: query.correlation_id,
    }
    for column, value in exact.items():
        if value is not None:
            yield column == value
    if query.types:
        yield events.c.type.in_(sorted({wire for name in query.types for wire in wire_types(name)}))
    if query.actor is not None:
        yield or_(events.c.actor == query.actor, events.c.actor.startswith(f"{query.actor}:", autoescape=True))
    if not query.private:
        yield events.c.category.not_in(PRIVATE_CATEGORIES)


def _bounds(query: EventQuery) -> Iterator[ColumnElement[bool]]:
    if query.since is not None:
        yield events.c.at >= query.since
    if query.until is not None:
        yield events.c.at <= query.until
    if query.after is not None:
        yield events.c.id > query.after
    if query.before is not None:
        # By time first, as the order is: an event that was stored late is not passed over.
        moment = select(events.c.at).where(events.c.id == query.before).scalar_subquery()
        yield or_(events.c.at < moment, (events.c.at == moment) & (events.c.id < query.before))


def _from_row(row: Row[Any]) -> HistoryEvent:
    fields = {name: getattr(row, name) for name in _GIVEN}
    return HistoryEvent(**fields | {"device_uuid": DeviceUuid(row.device_uuid) if row.device_uuid else None})
