"""Events, to be looked back at (contract §4.20)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from aiohttp import web

from core.audit import Severity
from core.clock import Clock
from core.errors import Invalid
from core.history import (
    HISTORY_READ,
    MOST_CHANGES,
    MOST_EVENTS,
    Comparison,
    EventQuery,
    HistoryEvent,
    Period,
    Replay,
    Snapshot,
    Tally,
)
from core.ids import device_uuid
from core.services import Services
from entrypoints.http.requests import Query, actor_of, body_as, device_of
from entrypoints.http.responses import json
from entrypoints.http.routing import Route, user_with

SMALL = 16 * 1024
LONGEST_LOOK_BACK = 366
HIGHEST_ID = 2**62


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
        return json({"success": True} | _listed(found))

    async def recent(self, request: web.Request) -> web.Response:
        """The last events of all, newest first."""
        limit = Query(request).integer("limit", default=50, lowest=1, highest=MOST_EVENTS)
        found = await self._history.search(actor_of(request), EventQuery(limit=limit))
        return json({"success": True} | _listed(found))

    async def chain(self, request: web.Request) -> web.Response:
        """Everything that came of one request, the oldest first."""
        correlation_id = request.match_info["correlationId"]
        found = await self._history.chain(actor_of(request), correlation_id, MOST_EVENTS)
        return json({"success": True, "correlationId": correlation_id} | _listed(found))

    async def stats(self, request: web.Request) -> web.Response:
        """How often what happened during the last hours."""
        hours = Query(request).integer("hours", default=24, lowest=1, highest=7 * 24)
        tallies = await self._history.tally(actor_of(request), self._clock.now() - timedelta(hours=hours))
        return json({"success": True, "hours": hours, "stats": _summed(tallies)})

    async def of_device(self, request: web.Request) -> web.Response:
        """Events of a device, newest first; sinceEventId asks for those that were stored after that one."""
        uuid = device_of(request)
        found = await self._history.of_device(actor_of(request), uuid, _query_of(request))
        return json({"success": True, "deviceUuid": uuid} | _listed(found))

    async def timeline(self, request: web.Request) -> web.Response:
        """The same, as one looks at it: newest first."""
        uuid = device_of(request)
        found = await self._history.of_device(actor_of(request), uuid, _query_of(request))
        timeline = [as_json(event) for event in found]
        return json({"success": True, "deviceUuid": uuid, "count": len(timeline), "timeline": timeline})

    async def summary(self, request: web.Request) -> web.Response:
        """How often what happened to a device during the last days."""
        uuid = device_of(request)
        days = Query(request).integer("daysBack", default=7, lowest=1, highest=LONGEST_LOOK_BACK)
        tallies = await self._history.tally(actor_of(request), self._clock.now() - timedelta(days=days), uuid)
        return json({"success": True, "deviceUuid": uuid, "daysBack": days, "summary": _summed(tallies)})

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
        return json({"success": True, "deviceUuid": uuid, "fromTime": since, "toTime": until} | _replay_as_json(replay))

    async def snapshot(self, request: web.Request) -> web.Response:
        """How a device was at a moment."""
        body = await body_as(request, SnapshotBody)
        moment = _zoned(body.timestamp, "timestamp")
        snapshot = await self._replays.snapshot(actor_of(request), device_of(request), moment)
        return json({"success": True} | _snapshot_as_json(snapshot))

    async def compare(self, request: web.Request) -> web.Response:
        """What differs between two moments."""
        body, uuid = await body_as(request, CompareBody), device_of(request)
        one, other = _zoned(body.time1, "time1"), _zoned(body.time2, "time2")
        found = await self._replays.compare(actor_of(request), uuid, one, other)
        return json({"success": True, "deviceUuid": uuid, "time1": one, "time2": other} | _comparison_as_json(found))


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


def as_json(event: HistoryEvent) -> dict[str, Any]:
    """An event in the words of the dashboard; metadata has what we know beyond them."""
    return {
        "id": event.id,
        "event_id": str(event.id),
        "timestamp": event.at,
        "type": event.type,
        "category": event.category,
        "title": event.title,
        "description": event.description,
        "severity": event.severity,
        "actor": event.actor,
        "source": event.source,
        "device_uuid": event.device_uuid,
        "data": event.data,
        "metadata": {
            "name": event.name,
            "severity": event.severity,
            "actor": event.actor,
            "aggregateType": event.aggregate_type,
            "aggregateId": event.aggregate_id,
        },
        "correlation_id": event.correlation_id,
    }


def _listed(found: Sequence[HistoryEvent]) -> dict[str, Any]:
    return {"count": len(found), "events": [as_json(event) for event in found]}


def _summed(tallies: Sequence[Tally]) -> dict[str, Any]:
    severities: dict[str, int] = {}
    categories: dict[str, int] = {}
    for tally in tallies:
        severities[tally.severity] = severities.get(tally.severity, 0) + tally.count
        categories[tally.category] = categories.get(tally.category, 0) + tally.count
    return {
        "total": sum(tally.count for tally in tallies),
        "by_severity": severities,
        "by_category": categories,
        "by_type": [
            {
                "event_type": tally.type,
                "category": tally.category,
                "severity": tally.severity,
                "count": tally.count,
                "first_at": tally.first,
                "last_at": tally.last,
            }
            for tally in tallies
        ],
        "last_at": max((tally.last for tally in tallies), default=None),
    }


def _snapshot_as_json(snapshot: Snapshot) -> dict[str, Any]:
    """A snapshot. `current_state` may be null long after a device reported: only so much is remembered."""
    target, current = snapshot.states.target, snapshot.states.current
    return {
        "device_uuid": snapshot.uuid,
        "timestamp": snapshot.at,
        "target_state": snapshot.target and snapshot.target | {"deployed_at": target.deployed_at if target else None},
        "current_state": snapshot.current and snapshot.current | {"reported_at": current and current.reported_at},
        "is_online": snapshot.is_online,
    }


def _cut(shown: int, count: int, what: str) -> list[str]:
    return [f"there are {count} {what}; the first {shown} are shown"] if shown < count else []


def _replay_as_json(replay: Replay) -> dict[str, Any]:
    return {
        "events_replayed": replay.count,
        "final_state": _snapshot_as_json(replay.final),
        "errors": _cut(len(replay.events), replay.count, "events"),
        "events": [as_json(event) for event in replay.events],
    }


def _comparison_as_json(found: Comparison) -> dict[str, Any]:
    changes = [
        {
            "field": each.change.field,
            "old_value": each.change.before,
            "new_value": each.change.after,
            "events_involved": each.events,
        }
        for each in found.changes
    ]
    return {
        "changes_count": len(changes),
        "changes_truncated": len(changes) >= MOST_CHANGES,
        "events_between_count": found.count,
        "time1_snapshot": _snapshot_as_json(found.before),
        "time2_snapshot": _snapshot_as_json(found.after),
        "changes": changes,
        "events_between": [as_json(event) for event in found.events],
    }


def event_routes(services: Services) -> list[Route]:
    """The routes of the events. Whatever is asked by POST is read all the same: nothing is changed."""
    handlers, people = EventRoutes(services), user_with(HISTORY_READ)
    device = "/events/device/{uuid}"

    def get(path: str, handler: Any, summary: str) -> Route:
        return Route(method="GET", path=path, handler=handler, allow=people, summary=summary)

    def post(path: str, handler: Any, summary: str) -> Route:
        return Route(method="POST", path=path, handler=handler, allow=people, summary=summary, body_limit=SMALL)

    return [
        get("/events/search", handlers.search, "Find events, newest first"),
        get("/events/recent", handlers.recent, "The last events"),
        get("/events/stats", handlers.stats, "How often what happened"),
        get("/events/chain/{correlationId}", handlers.chain, "Everything that came of one request"),
        get(device, handlers.of_device, "Events of a device, newest first"),
        get(device + "/timeline", handlers.timeline, "Events of a device, as one looks at them"),
        get(device + "/aggregate", handlers.aggregate, "Events of a device, counted by hour, day, week or month"),
        get(device + "/summary", handlers.summary, "Events of a device, counted by type"),
        post(device + "/replay", handlers.replay, "What happened to a device between two moments"),
        post(device + "/snapshot", handlers.snapshot, "How a device was at a moment"),
        post(device + "/compare", handlers.compare, "What differs between two moments"),
    ]
