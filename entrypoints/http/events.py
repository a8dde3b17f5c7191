"""Events, to be looked back at (contract §4.20)."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from aiohttp import web

from core.audit import Severity
from core.clock import Clock
from core.errors import Invalid
from core.history import HISTORY_READ, MOST_EVENTS, EventQuery, Period
from core.ids import device_uuid
from core.services import Services
from entrypoints.http.declarations import QueryParameter, integer, moment, text, word
from entrypoints.http.event_views import (
    comparison_as_json,
    event_as_json,
    listed,
    replay_as_json,
    snapshot_as_json,
    summed,
)
from entrypoints.http.requests import Query, actor_of, body_as, device_of
from entrypoints.http.responses import json
from entrypoints.http.routing import Route, user_with

SMALL = 16 * 1024
LONGEST_LOOK_BACK = 366
LONGEST_STATS = 7 * 24
HIGHEST_ID = 2**62
FILTERS = (
    text("deviceUuid", "Only events of this device"),
    text("eventType", "Only events of these types, with commas between them", longest=1000),
    text("category", "Only events of this category"),
    word("severity", "Only events of this severity", Severity),
    text("actor", "Only what this actor did, such as user:7"),
    text("correlationId", "Only what came of this request"),
    moment("dateFrom", "Not before"),
    moment("dateTo", "Not after"),
    moment("from", "Another word for dateFrom"),
    moment("to", "Another word for dateTo"),
    integer("sinceEventId", "Only events that were stored after this one", highest=HIGHEST_ID),
    integer("beforeEventId", "Only events that come after this one in the list", highest=HIGHEST_ID),
    integer("limit", "How many at most", default=100, lowest=1, highest=MOST_EVENTS),
)


class ReplayBody(msgspec.Struct, rename="camel"):
    """POST …/replay."""

    from_time: datetime
    to_time: datetime


class SnapshotBody(msgspec.Struct):
    """POST …/snapshot."""

    timestamp: datetime


class CompareBody(msgspec.Struct):
    """POST …/compare."""

    time1: datetime
    time2: datetime


class EventRoutes:
    """Handlers."""

    def __init__(self, services: Services) -> None:
        self._history = services.history
        self._replays = services.replays
        self._clock: Clock = services.clock

    async def search(self, request: web.Request) -> web.Response:
        """Events by what they say, newest first; eventType may name several, with commas between them."""
        found = await self._history.search(actor_of(request), _query_of(request))
        return json({"success": True} | listed(found))

    async def recent(self, request: web.Request) -> web.Response:
        """The last events of all, newest first."""
        limit = Query(request).integer("limit", default=50, lowest=1, highest=MOST_EVENTS)
        found = await self._history.search(actor_of(request), EventQuery(limit=limit))
        return json({"success": True} | listed(found))

    async def chain(self, request: web.Request) -> web.Response:
        """Everything that came of one request, the oldest first."""
        correlation_id = request.match_info["correlationId"]
        found = await self._history.chain(actor_of(request), correlation_id, MOST_EVENTS)
        return json({"success": True, "correlationId": correlation_id} | listed(found))

    async def stats(self, request: web.Request) -> web.Response:
        """How often what happened during the last hours."""
        hours = Query(request).integer("hours", default=24, lowest=1, highest=LONGEST_STATS)
        tallies = await self._history.tally(actor_of(request), self._clock.now() - timedelta(hours=hours))
        return json({"success": True, "hours": hours, "stats": summed(tallies)})

    async def of_device(self, request: web.Request) -> web.Response:
        """Events of a device, newest first; sinceEventId asks for those that were stored after that one."""
        uuid = device_of(request)
        found = await self._history.of_device(actor_of(request), uuid, _query_of(request))
        return json({"success": True, "deviceUuid": uuid} | listed(found))

    async def timeline(self, request: web.Request) -> web.Response:
        """The same, as one looks at it: newest first."""
        uuid = device_of(request)
        found = await self._history.of_device(actor_of(request), uuid, _query_of(request))
        timeline = [event_as_json(event) for event in found]
        return json({"success": True, "deviceUuid": uuid, "count": len(timeline), "timeline": timeline})

    async def summary(self, request: web.Request) -> web.Response:
        """How often what happened to a device during the last days."""
        uuid = device_of(request)
        days = Query(request).integer("daysBack", default=7, lowest=1, highest=LONGEST_LOOK_BACK)
        tallies = await self._history.tally(actor_of(request), self._clock.now() - timedelta(days=days), uuid)
        return json({"success": True, "deviceUuid": uuid, "daysBack": days, "summary": summed(tallies)})

    async def aggregate(self, request: web.Request) -> web.Response:
        """How often what happened to a device, by hour, day, week or month."""
        query, uuid = Query(request), device_of(request)
        period = query.word("period", Period) or Period.DAY
        until = query.moment("dateTo") or self._clock.now()
        since = query.moment("dateFrom") or until - timedelta(days=1 if period is Period.HOUR else 30)
        found = await self._history.aggregate(actor_of(request), uuid, period, since, until)
        aggregates = [
            {"period_start": each.start, "event_type": each.type, "category": each.category, "count": each.count}
            for each in found
        ]
        asked = {"deviceUuid": uuid, "period": period.value, "dateFrom": since, "dateTo": until}
        return json({"success": True, **asked, "count": len(aggregates), "aggregates": aggregates})

    async def replay(self, request: web.Request) -> web.Response:
        """What happened to a device between two moments, the oldest first, and how it was then."""
        body, uuid = await body_as(request, ReplayBody), device_of(request)
        since, until = _zoned(body.from_time, "fromTime"), _zoned(body.to_time, "toTime")
        replay = await self._replays.replay(actor_of(request), uuid, since, until)
        return json({"success": True, "deviceUuid": uuid, "fromTime": since, "toTime": until} | replay_as_json(replay))

    async def snapshot(self, request: web.Request) -> web.Response:
        """How a device was at a moment."""
        body = await body_as(request, SnapshotBody)
        moment = _zoned(body.timestamp, "timestamp")
        snapshot = await self._replays.snapshot(actor_of(request), device_of(request), moment)
        return json({"success": True} | snapshot_as_json(snapshot))

    async def compare(self, request: web.Request) -> web.Response:
        """What differs between two moments."""
        body, uuid = await body_as(request, CompareBody), device_of(request)
        one, other = _zoned(body.time1, "time1"), _zoned(body.time2, "time2")
        found = await self._replays.compare(actor_of(request), uuid, one, other)
        return json({"success": True, "deviceUuid": uuid, "time1": one, "time2": other} | comparison_as_json(found))


def _zoned(moment: datetime, name: str) -> datetime:
    if moment.tzinfo is None:
        raise Invalid(f"{name} must name its time zone, such as Z", field=name)
    return moment


def _query_of(request: web.Request) -> EventQuery:
    query = Query(request)
    device, severity = query.text("deviceUuid"), query.word("severity", Severity)
    return EventQuery(
        device_uuid=None if device is None else device_uuid(device, "deviceUuid"),
        types=tuple(name.strip() for name in (query.text("eventType", longest=1000) or "").split(",") if name.strip()),
        category=query.text("category"),
        severity=None if severity is None else severity.value,
        actor=query.text("actor"),
        correlation_id=query.text("correlationId"),
        since=query.moment("dateFrom") or query.moment("from"),
        until=query.moment("dateTo") or query.moment("to"),
        after=query.integer("sinceEventId", default=0, highest=HIGHEST_ID) or None,
        before=query.integer("beforeEventId", default=0, highest=HIGHEST_ID) or None,
        limit=query.integer("limit", default=100, lowest=1, highest=MOST_EVENTS),
    )


def event_routes(services: Services) -> list[Route]:
    """The routes of the events. Whatever is asked by POST is read all the same: nothing is changed."""
    handlers, people = EventRoutes(services), user_with(HISTORY_READ)
    device = "/events/device/{uuid}"

    limit = integer("limit", "How many at most", default=100, lowest=1, highest=MOST_EVENTS)
    period = word("period", "How long the parts are", Period)
    times = (moment("dateFrom", "Not before"), moment("dateTo", "Not after"))

    def get(path: str, handler: Any, summary: str, *query: QueryParameter) -> Route:
        return Route(method="GET", path=path, handler=handler, allow=people, summary=summary, query=query)

    def post(path: str, handler: Any, summary: str, body: type[msgspec.Struct]) -> Route:
        return Route(
            method="POST", path=path, handler=handler, allow=people, summary=summary, body=body, body_limit=SMALL
        )

    hours = integer("hours", "How far to look back", default=24, lowest=1, highest=LONGEST_STATS)
    days = integer("daysBack", "How far to look back", default=7, lowest=1, highest=LONGEST_LOOK_BACK)
    return [
        get("/events/search", handlers.search, "Find events, newest first", *FILTERS),
        get("/events/recent", handlers.recent, "The last events", limit),
        get("/events/stats", handlers.stats, "How often what happened", hours),
        get("/events/chain/{correlationId}", handlers.chain, "Everything that came of one request"),
        get(device, handlers.of_device, "Events of a device, newest first", *FILTERS),
        get(device + "/timeline", handlers.timeline, "Events of a device, as one looks at them", *FILTERS),
        get(device + "/aggregate", handlers.aggregate, "Events of a device, counted by parts of time", period, *times),
        get(device + "/summary", handlers.summary, "Events of a device, counted by type", days),
        post(device + "/replay", handlers.replay, "What happened to a device between two moments", ReplayBody),
        post(device + "/snapshot", handlers.snapshot, "How a device was at a moment", SnapshotBody),
        post(device + "/compare", handlers.compare, "What differs between two moments", CompareBody),
    ]
