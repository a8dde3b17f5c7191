"""How much devices talk (contract §4.21)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from aiohttp import web

from core.services import Services
from core.traffic import DATA_READ, MOST_SHOWN, DeviceTraffic, EndpointTraffic, TopicOrder, TopicTraffic
from entrypoints.http.declarations import integer, text
from entrypoints.http.requests import Query, actor_of, device_of
from entrypoints.http.responses import json
from entrypoints.http.routing import Route, user_with

DAY = 24
LONGEST = 366 * DAY
HOURS = integer("hours", "How far back", default=DAY, lowest=1, highest=LONGEST)
LIMIT = integer("limit", "How many at most", default=MOST_SHOWN, lowest=1, highest=MOST_SHOWN)
SORT_BY = text("sortBy", "messages, bytes, activity or topic")
# Nobody has written down which words pages sort by: what they say decides, and anything else is as good as nothing.
_ORDERS = {
    "byte": TopicOrder.SIZE,
    "size": TopicOrder.SIZE,
    "activ": TopicOrder.LATEST,
    "recent": TopicOrder.LATEST,
    "topic": TopicOrder.NAME,
    "name": TopicOrder.NAME,
}


class TrafficRoutes:
    """Handlers. All speak of the last 24 hours, or of as many as `hours` says."""

    def __init__(self, services: Services) -> None:
        self._traffic = services.traffic

    async def endpoints(self, request: web.Request) -> web.Response:
        """What devices asked, the busiest endpoints first."""
        found = await self._traffic.endpoints(actor_of(request), span=_span_of(request), limit=_limit_of(request))
        return json([_endpoint_as_json(each) for each in found])

    async def devices(self, request: web.Request) -> web.Response:
        """The same, added up by device."""
        found = await self._traffic.by_device(actor_of(request), span=_span_of(request), limit=_limit_of(request))
        return json([{"deviceId": each.device_uuid} | _device_as_json(each) for each in found])

    async def device(self, request: web.Request) -> web.Response:
        """What one device asked."""
        uuid = device_of(request)
        found = await self._traffic.of_device(actor_of(request), uuid, span=_span_of(request))
        endpoints = [_endpoint_as_json(each) for each in found]
        return json(
            {"deviceId": uuid, "summary": _device_as_json(DeviceTraffic.of(uuid, found)), "endpoints": endpoints}
        )

    async def topics(self, request: web.Request) -> web.Response:
        """What came over MQTT."""
        shown = await self._traffic.topics(actor_of(request), _order_of(request), _limit_of(request))
        totals = shown.totals
        summary = {
            "totalTopics": totals.topics,
            "totalMessages": totals.messages,
            "totalBytes": totals.size,
            "avgMessageSize": _average(totals.size, totals.messages),
        }
        topics = [_topic_as_json(each) for each in shown.topics]
        return json({"success": True, "timeWindow": "24h", "summary": summary, "topics": topics})


def _span_of(request: web.Request) -> timedelta:
    return timedelta(hours=Query(request).integer("hours", default=DAY, lowest=1, highest=LONGEST))


def _limit_of(request: web.Request) -> int:
    return Query(request).integer("limit", default=MOST_SHOWN, lowest=1, highest=MOST_SHOWN)


def _order_of(request: web.Request) -> TopicOrder:
    wanted = (Query(request).text("sortBy") or "").lower()
    return next((order for word, order in _ORDERS.items() if word in wanted), TopicOrder.MESSAGES)


def _endpoint_as_json(each: EndpointTraffic) -> dict[str, Any]:
    """Times are in milliseconds; sizes are of bodies, in both directions."""
    return {
        "deviceId": each.device_uuid,
        "endpoint": each.endpoint,
        "method": each.method,
        "count": each.count,
        "totalBytes": each.size,
        "bytesIn": each.bytes_in,
        "bytesOut": each.bytes_out,
        "totalTime": _milliseconds(each.seconds),
        "avgSize": _average(each.size, each.count),
        "avgTime": _average(_milliseconds(each.seconds), each.count),
        "success": each.count - each.failed,
        "failed": each.failed,
        "statuses": {str(status): count for status, count in each.statuses.items()},
    }


def _device_as_json(each: DeviceTraffic) -> dict[str, Any]:
    """`successRate` is in percent."""
    success = each.count - each.failed
    return {
        "totalRequests": each.count,
        "totalBytes": each.size,
        "avgResponseTime": _average(_milliseconds(each.seconds), each.count),
        "successRate": _average(100 * success, each.count),
        "totalSuccess": success,
        "totalFailed": each.failed,
        "endpointCount": each.endpoints,
    }


def _topic_as_json(each: TopicTraffic) -> dict[str, Any]:
    return {
        "topic": each.topic,
        "deviceUuid": each.device_uuid,
        "messageCount": each.messages,
        "bytesReceived": each.size,
        "avgMessageSize": _average(each.size, each.messages),
        "lastActivity": each.last_at,
    }


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)


def _average(total: float, count: int) -> float:
    return round(total / count, 3) if count else 0.0


def traffic_routes(services: Services) -> Sequence[Route]:
    """The routes of traffic."""
    own, allow = TrafficRoutes(services), user_with(DATA_READ)
    handlers = {
        "": (own.endpoints, "What devices asked over HTTP, by endpoint", (HOURS, LIMIT)),
        "/devices": (own.devices, "What devices asked over HTTP, by device", (HOURS, LIMIT)),
        "/devices/{uuid}": (own.device, "What a device asked over HTTP", (HOURS,)),
        "/mqtt": (own.topics, "What came over MQTT, by topic", (SORT_BY, LIMIT)),
    }
    return [
        Route(method="GET", path=f"/traffic-stats{path}", handler=handler, allow=allow, summary=summary, query=query)
        for path, (handler, summary, query) in handlers.items()
    ]
