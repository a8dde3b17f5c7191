"""Readings of sensors, for people."""

from typing import Any

from aiohttp import web

from core.services import Services
from core.telemetry import DATA_READ, MOST_ROWS, Position, ReadingQuery, Span, StoredReading
from entrypoints.http.declarations import integer, text
from entrypoints.http.requests import Query, actor_of, device_of
from entrypoints.http.responses import json
from entrypoints.http.routing import Route, user_with


class ReadingRoutes:
    """Handlers."""

    def __init__(self, services: Services) -> None:
        self._readings = services.readings

    async def page(self, request: web.Request) -> web.Response:
        """Show some of the readings."""
        page = await self._readings.page(actor_of(request), device_of(request), _query_of(request))
        shown = [_reading_as_json(stored) for stored in page.items]
        return json({"count": len(shown), "readings": shown, "nextCursor": page.next})


def _query_of(request: web.Request) -> ReadingQuery:
    query = Query(request)
    cursor = query.text("cursor")
    return ReadingQuery(
        span=Span.of(query.text("from"), query.text("to")),
        sensor=query.text("sensor"),
        register=query.text("register"),
        limit=query.integer("limit", default=100, lowest=1, highest=MOST_ROWS),
        after=Position.of(cursor) if cursor else None,
    )


def _reading_as_json(stored: StoredReading) -> dict[str, Any]:
    """A reading; `raw` only where there is one."""
    reading = stored.reading
    shown = {
        "id": stored.id,
        "kind": reading.kind.value,
        "protocol": reading.topic,
        "sensor": reading.sensor,
        "register": reading.register,
        "timestamp": reading.at,
        "timeClamped": reading.time_clamped,
        "value": reading.value,
        "unit": reading.unit,
        "quality": reading.quality,
        "qualityCode": reading.quality_code,
        "receivedAt": stored.received_at,
    }
    return shown if reading.raw is None else shown | {"raw": reading.raw, "rawEncoding": reading.raw_encoding}


def reading_routes(services: Services) -> list[Route]:
    """The route of the readings."""
    return [
        Route(
            method="GET",
            path="/devices/{uuid}/readings",
            handler=ReadingRoutes(services).page,
            allow=user_with(DATA_READ),
            summary="Readings of a device's sensors, newest first",
            query=(
                text("from", "Not before: a moment, or a span such as -24h"),
                text("to", "Not after"),
                text("sensor", "Only readings of this sensor"),
                text("register", "Only readings of this register"),
                integer("limit", "Readings of a page", default=100, lowest=1, highest=MOST_ROWS),
                text("cursor", "`nextCursor` of the page before"),
            ),
        )
    ]
