"""Traffic by the hour in SQL. Implements `core.traffic.TrafficStore`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Float,
    Index,
    Integer,
    Row,
    Select,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    case,
    delete,
    distinct,
    func,
    select,
)

from adapters.sql.batches import Rows
from adapters.sql.transactions import sql
from adapters.sql.types import Instant, metadata
from core.ids import DeviceUuid
from core.traffic import (
    FIRST_FAILURE,
    DeviceTraffic,
    EndpointTraffic,
    RequestCount,
    TopicCount,
    TopicOrder,
    TopicTotals,
    TopicTraffic,
)
from core.transactions import Transaction

_RowId = BigInteger().with_variant(Integer(), "sqlite")
_REQUEST_KEY = ("hour", "device_uuid", "endpoint", "method", "status")
_ENDPOINT = ("device_uuid", "endpoint", "method")

device_traffic = Table(
    "device_traffic",
    metadata,
    Column("id", _RowId, primary_key=True),
    Column("hour", Instant, nullable=False),
    Column("device_uuid", Text, nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("requests", BigInteger, nullable=False),
    Column("bytes_in", BigInteger, nullable=False),
    Column("bytes_out", BigInteger, nullable=False),
    Column("seconds", Float, nullable=False),
    UniqueConstraint(*_REQUEST_KEY),
    Index("ix_device_traffic_device_uuid_hour", "device_uuid", "hour"),
)
topic_traffic = Table(
    "topic_traffic",
    metadata,
    Column("id", _RowId, primary_key=True),
    Column("hour", Instant, nullable=False),
    Column("topic", Text, nullable=False),
    Column("device_uuid", Text),
    Column("messages", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("last_at", Instant, nullable=False),
    UniqueConstraint("hour", "topic"),
    Index("ix_topic_traffic_device_uuid", "device_uuid"),
)

_requests, _topics = device_traffic.c, topic_traffic.c
_MOST = bindparam("most", type_=Integer)
_SINCE = bindparam("since", type_=Instant)
_COUNT = func.sum(_requests.requests)
_FAILED = func.sum(case((_requests.status >= FIRST_FAILURE, _requests.requests), else_=0))
_DEVICES = (
    select(
        _requests.device_uuid,
        _COUNT.label("requests"),
        _FAILED.label("failed"),
        func.sum(_requests.bytes_in + _requests.bytes_out).label("bytes"),
        func.sum(_requests.seconds).label("seconds"),
        func.count(distinct(_requests.method + " " + _requests.endpoint)).label("endpoints"),
    )
    .where(_requests.hour >= _SINCE)
    .group_by(_requests.device_uuid)
    .order_by(_COUNT.desc(), _requests.device_uuid)
    .limit(_MOST)
)
_MESSAGES, _BYTES = func.sum(_topics.messages), func.sum(_topics.bytes)
_LATEST = func.max(_topics.last_at, type_=Instant)
_ORDERS: dict[TopicOrder, ColumnElement[Any]] = {
    TopicOrder.MESSAGES: _MESSAGES.desc(),
    TopicOrder.SIZE: _BYTES.desc(),
    TopicOrder.LATEST: _LATEST.desc(),
    TopicOrder.NAME: _topics.topic.asc(),
}
_TOPICS = (
    select(
        _topics.topic,
        func.max(_topics.device_uuid).label("device_uuid"),
        _MESSAGES.label("messages"),
        _BYTES.label("bytes"),
        _LATEST.label("last_at"),
    )
    .where(_topics.hour >= _SINCE)
    .group_by(_topics.topic)
    .limit(_MOST)
)
_TOTALS = select(
    func.count(distinct(_topics.topic)).label("topics"),
    func.coalesce(_MESSAGES, 0).label("messages"),
    func.coalesce(_BYTES, 0).label("bytes"),
).where(_topics.hour >= _SINCE)


def _busiest(theirs: ColumnElement[bool]) -> Select[Any]:
    """The busiest endpoints, one row for each status of each."""
    named = [_requests[name] for name in _ENDPOINT]
    lately = (_requests.hour >= _SINCE) & theirs
    top = select(*named, _COUNT.label("total")).where(lately).group_by(*named)
    chosen = top.order_by(_COUNT.desc(), *named).limit(_MOST).subquery()
    same = [_requests[name] == chosen.c[name] for name in _ENDPOINT]
    sums = [func.sum(_requests[name]).label(name) for name in ("requests", "bytes_in", "bytes_out", "seconds")]
    return (
        select(*named, _requests.status, chosen.c.total, *sums)
        .join(chosen, same[0] & same[1] & same[2])
        .where(lately)
        .group_by(*named, _requests.status, chosen.c.total)
        .order_by(chosen.c.total.desc(), *named, _requests.status)
    )


_ENDPOINTS = _busiest(_requests.device_uuid.is_not(None))
_ENDPOINTS_OF_ONE = _busiest(_requests.device_uuid == bindparam("uuid"))


def _dropping(table: Table) -> tuple[Any, Any]:
    """How to forget some old rows, and some rows of a device."""
    old = select(table.c.id).where(table.c.hour < bindparam("moment", type_=Instant)).limit(_MOST)
    until = table.c.hour <= bindparam("until", type_=Instant)
    theirs = select(table.c.id).where(table.c.device_uuid == bindparam("uuid"), until).limit(_MOST)
    return delete(table).where(table.c.id.in_(old)), delete(table).where(table.c.id.in_(theirs))


_COUNTED = ("requests", "bytes_in", "bytes_out", "seconds")


def _adding_requests(insert: Any) -> Any:
    changes = {name: _requests[name] + insert.excluded[name] for name in _COUNTED}
    return insert.on_conflict_do_update(index_elements=list(_REQUEST_KEY), set_=changes)


def _adding_topics(insert: Any) -> Any:
    changes: dict[str, Any] = {name: _topics[name] + insert.excluded[name] for name in ("messages", "bytes")}
    changes["last_at"] = insert.excluded.last_at
    return insert.on_conflict_do_update(index_elements=["hour", "topic"], set_=changes)


_ADD_REQUESTS = Rows(device_traffic, (*_REQUEST_KEY, *_COUNTED), conflict=_adding_requests, order=_REQUEST_KEY)
_TOPIC_NAMES = ("hour", "topic", "device_uuid", "messages", "bytes", "last_at")
_ADD_TOPICS = Rows(topic_traffic, _TOPIC_NAMES, conflict=_adding_topics, order=("hour", "topic"))
_DROP = [_dropping(table) for table in (device_traffic, topic_traffic)]


class SqlTrafficStore:
    """One row an hour for each sort of request, and for each topic."""

    async def add_requests(self, tx: Transaction, counts: Sequence[RequestCount]) -> None:
        """Count these on top of what is known of the same keys."""
        if counts:
            await sql(tx).add(_ADD_REQUESTS, [_request_row(each) for each in counts])

    async def add_topics(self, tx: Transaction, counts: Sequence[TopicCount]) -> None:
        """Count these on top of what is known of the same topics in the same hours."""
        if counts:
            await sql(tx).add(_ADD_TOPICS, [_topic_row(each) for each in counts])

    async def endpoints(
        self, tx: Transaction, since: datetime, limit: int, uuid: DeviceUuid | None = None
    ) -> Sequence[EndpointTraffic]:
        """What devices, or this one, asked, the busiest endpoints first."""
        given: dict[str, Any] = {"since": since, "most": limit}
        if uuid is None:
            return _folded(await sql(tx).rows(_ENDPOINTS, given))
        return _folded(await sql(tx).rows(_ENDPOINTS_OF_ONE, given | {"uuid": uuid}))

    async def devices(self, tx: Transaction, since: datetime, limit: int) -> Sequence[DeviceTraffic]:
        """The same, added up by device, the busiest first."""
        return [
            DeviceTraffic(
                device_uuid=DeviceUuid(row.device_uuid),
                count=int(row.requests),
                failed=int(row.failed),
                size=int(row.bytes),
                seconds=row.seconds,
                endpoints=row.endpoints,
            )
            for row in await sql(tx).rows(_DEVICES, {"since": since, "most": limit})
        ]

    async def topics(self, tx: Transaction, since: datetime, order: TopicOrder, limit: int) -> Sequence[TopicTraffic]:
        """The topics on which something came."""
        statement = _TOPICS.order_by(_ORDERS[order], _topics.topic)
        return [
            TopicTraffic(
                topic=row.topic,
                device_uuid=DeviceUuid(row.device_uuid) if row.device_uuid else None,
                messages=int(row.messages),
                size=int(row.bytes),
                last_at=row.last_at,
            )
            for row in await sql(tx).rows(statement, {"since": since, "most": limit})
        ]

    async def topic_totals(self, tx: Transaction, since: datetime) -> TopicTotals:
        """All of them together."""
        (row,) = await sql(tx).rows(_TOTALS, {"since": since})
        return TopicTotals(topics=row.topics, messages=int(row.messages), size=int(row.bytes))

    async def drop_before(self, tx: Transaction, moment: datetime, most: int) -> int:
        """Forget up to `most` rows of each kind from hours before the moment."""
        return max([await sql(tx).run(old, {"moment": moment, "most": most}) for old, _ in _DROP])

    async def drop_device(self, tx: Transaction, uuid: DeviceUuid, until: datetime, most: int) -> int:
        """Forget up to `most` rows of each kind of the device up to the moment."""
        return max([await sql(tx).run(theirs, {"uuid": uuid, "until": until, "most": most}) for _, theirs in _DROP])


def _folded(rows: Sequence[Row[Any]]) -> list[EndpointTraffic]:
    """One value for the rows of an endpoint, which follow each other."""
    together: dict[tuple[str, ...], list[Row[Any]]] = {}
    for row in rows:
        together.setdefault((row.device_uuid, row.endpoint, row.method), []).append(row)
    return [
        EndpointTraffic(
            device_uuid=DeviceUuid(uuid),
            endpoint=endpoint,
            method=method,
            bytes_in=int(sum(row.bytes_in for row in each)),
            bytes_out=int(sum(row.bytes_out for row in each)),
            seconds=sum(row.seconds for row in each),
            statuses={row.status: int(row.requests) for row in each},
        )
        for (uuid, endpoint, method), each in together.items()
    ]


def _request_row(each: RequestCount) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(each.key, name) for name in _REQUEST_KEY}
    return row | {
        "requests": each.count,
        "bytes_in": each.bytes_in,
        "bytes_out": each.bytes_out,
        "seconds": each.seconds,
    }


def _topic_row(each: TopicCount) -> dict[str, Any]:
    return {
        "hour": each.hour,
        "topic": each.topic,
        "device_uuid": each.device_uuid,
        "messages": each.messages,
        "bytes": each.size,
        "last_at": each.last_at,
    }
