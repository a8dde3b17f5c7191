"""Logs: taken from agents (contract §2.8, §2.9), shown to people (§4.7)."""

from typing import Any

from aiohttp import web

from core.services import Services
from core.telemetry import DATA_READ, MOST_LOGS, MOST_ROWS, DroppedSummary, LogQuery, Span, StoredLine
from entrypoints.http.declarations import Body, integer, text
from entrypoints.http.requests import Query, actor_of, body_bytes, device_of, json_of
from entrypoints.http.responses import json
from entrypoints.http.routing import DEVICE, MIB, Route, user_with

LARGEST_BATCH = 8 * MIB
LARGEST_SUMMARIES = MIB
BATCH_ID = "X-Batch-Id"
FARTHEST = 10_000_000


class LogRoutes:
    """Handlers."""

    def __init__(self, services: Services) -> None:
        self._logs = services.logs
        self._dropped = services.dropped_summaries

    async def receive(self, request: web.Request) -> web.Response:
        """Take a batch of lines from a device."""
        batch = request.headers.get(BATCH_ID)
        receipt = await self._logs.receive(actor_of(request), device_of(request), await body_bytes(request), batch)
        return json({"status": "ok", "received": receipt.received, "rejected": receipt.rejected})

    async def page(self, request: web.Request) -> web.Response:
        """Show some of the lines."""
        lines = await self._logs.page(actor_of(request), device_of(request), _query_of(request))
        uuid = device_of(request)
        return json({"count": len(lines), "logs": [_line_as_json(uuid, line) for line in lines]})

    async def services(self, request: web.Request) -> web.Response:
        """Show who has logged."""
        return json({"services": await self._logs.services(actor_of(request), device_of(request))})

    async def receive_summaries(self, request: web.Request) -> web.Response:
        """Take summaries of dropped lines from a device."""
        await self._dropped.receive(actor_of(request), device_of(request), await json_of(request))
        return json({"status": "ok"})

    async def summaries(self, request: web.Request) -> web.Response:
        """Show summaries of dropped lines."""
        limit = Query(request).integer("limit", default=100, lowest=1, highest=MOST_ROWS)
        summaries = await self._dropped.last(actor_of(request), device_of(request), limit)
        return json({"count": len(summaries), "summaries": [_summary_as_json(summary) for summary in summaries]})


def _query_of(request: web.Request) -> LogQuery:
    query = Query(request)
    return LogQuery(
        span=Span.of(query.text("from"), query.text("to")),
        service=query.text("service"),
        level=query.text("level", longest=16),
        search=query.text("search"),
        limit=query.integer("limit", default=1000, lowest=1, highest=MOST_LOGS),
        offset=query.integer("offset", default=0, highest=FARTHEST),
    )


def _line_as_json(uuid: str, stored: StoredLine) -> dict[str, Any]:
    line = stored.line
    return {
        "id": stored.id,
        "device_uuid": uuid,
        "service_name": line.service_name,
        "service_id": line.service_id,
        "container_id": line.container_id,
        "source": {"type": line.source_type, "name": line.source_name},
        "level": line.level,
        "message": line.message,
        "truncated": line.truncated,
        "is_system": line.is_system,
        "is_stderr": line.is_stderr,
        "context": line.context,
        "timestamp": line.at,
        "time_clamped": line.time_clamped,
        "created_at": stored.received_at,
    }


def _summary_as_json(summary: DroppedSummary) -> dict[str, Any]:
    """A summary in the words of the agent."""
    return {
        "droppedAt": summary.dropped_at,
        "timeClamped": summary.time_clamped,
        "timeRange": {"start": summary.began_at, "end": summary.ended_at},
        "totalCount": summary.total_count,
        "levelCounts": summary.level_counts,
        "serviceCounts": summary.service_counts,
        "errorSamples": summary.error_samples,
        "warningSamples": summary.warning_samples,
        "estimatedBytes": summary.estimated_bytes,
        "reason": summary.reason,
    }


def log_routes(services: Services) -> list[Route]:
    """The routes of the logs."""
    handlers = LogRoutes(services)
    return [*_for_devices(handlers), *_for_people(handlers)]


def _for_devices(handlers: LogRoutes) -> list[Route]:
    return [
        Route(
            method="POST",
            path="/device/{uuid}/logs",
            handler=handlers.receive,
            allow=DEVICE,
            summary="Take a batch of log lines (NDJSON) from a device",
            body=Body(kind=str, media=("application/x-ndjson",)),
            body_limit=LARGEST_BATCH,
        ),
        Route(
            method="POST",
            path="/device/{uuid}/logs/dropped-summaries",
            handler=handlers.receive_summaries,
            allow=DEVICE,
            summary="Take summaries of log lines that a device had to drop",
            body=Body(kind=Any),
            body_limit=LARGEST_SUMMARIES,
        ),
    ]


def _for_people(handlers: LogRoutes) -> list[Route]:
    theirs, people = "/devices/{uuid}/logs", user_with(DATA_READ)
    return [
        Route(
            method="GET",
            path=theirs,
            handler=handlers.page,
            allow=people,
            summary="Log lines, newest first",
            query=(
                text("from", "Not before"),
                text("to", "Not after"),
                text("service", "Only lines of this service"),
                text("level", "Only lines of this level", longest=16),
                text("search", "Only lines that contain this"),
                integer("limit", "Lines of a page", default=1000, lowest=1, highest=MOST_LOGS),
                integer("offset", "Lines to leave out", default=0, highest=FARTHEST),
            ),
        ),
        Route(
            method="GET",
            path=theirs + "/services",
            handler=handlers.services,
            allow=people,
            summary="Who has logged on a device",
        ),
        Route(
            method="GET",
            path=theirs + "/dropped-summaries",
            handler=handlers.summaries,
            allow=people,
            summary="Summaries of log lines that a device had to drop",
            query=(integer("limit", "How many at most", default=100, lowest=1, highest=MOST_ROWS),),
        ),
    ]
