"""Which topics the MQTT broker carries, and what their messages look like (contract §4.16)."""

from collections.abc import Sequence
from datetime import timedelta
from functools import wraps
from typing import Any

from aiohttp import web

from core.monitoring import DATA_READ, MOST_SHOWN, SETTINGS_WRITE, MqttMonitor, TimeWindow
from core.services import Services
from entrypoints.http.declarations import QueryParameter, integer, word
from entrypoints.http.mqtt_metrics import rates_as_json, report_as_json
from entrypoints.http.mqtt_topics import (
    LIMIT,
    LONGEST_LOOK_BACK,
    Answered,
    TopicRoutes,
    status_as_json,
    topic_as_json,
)
from entrypoints.http.requests import Query, actor_of
from entrypoints.http.responses import json
from entrypoints.http.routing import Handler, Route, user_with

MOST_ON_DASHBOARD = 10
BROKER = "embedded"
MINUTES_A_YEAR = 366 * 24 * 60
MINUTES = integer("minutes", "How far back", highest=MINUTES_A_YEAR)
TIME_WINDOW = word("timeWindow", "Only topics on which something came during this time", TimeWindow)


class MqttMonitorRoutes:
    """Handlers."""

    def __init__(self, services: Services) -> None:
        self._monitor = services.mqtt_monitor
        self._statistics = services.mqtt_statistics
        self._archive = services.topic_archive

    async def status(self, request: web.Request) -> web.Response:
        """Whether it runs; the one question that is answered in any case."""
        status = status_as_json(self._monitor.status(actor_of(request)))
        report = await self._statistics.report(actor_of(request))
        told = status | {"connected": report.connected, "broker": BROKER}
        return json({"success": True, "status": told, "data": told})

    async def start(self, request: web.Request) -> web.Response:
        """Watch from now on."""
        status = status_as_json(await self._monitor.start(actor_of(request)))
        return json({"success": True, "message": "Monitor started", "data": status})

    async def stop(self, request: web.Request) -> web.Response:
        """Watch no more."""
        status = status_as_json(await self._monitor.stop(actor_of(request)))
        return json({"success": True, "message": "Monitor stopped", "data": status})

    async def metrics(self, request: web.Request) -> web.Response:
        """Rates."""
        report = await self._statistics.report(actor_of(request))
        return json({"success": True, "data": report_as_json(report)})

    async def system_stats(self, request: web.Request) -> web.Response:
        """Counts since the broker started."""
        report = report_as_json(await self._statistics.report(actor_of(request)))
        return json({"success": True, "data": report["systemStats"] | report})

    async def stats(self, request: web.Request) -> web.Response:
        """Everything about the broker and its topics in one object."""
        return json({"success": True, "stats": await self._stats(request)})

    async def dashboard(self, request: web.Request) -> web.Response:
        """What a first page shows."""
        actor = actor_of(request)
        latest = self._monitor.topics(actor, limit=MOST_ON_DASHBOARD)
        busiest = self._monitor.activity(actor, LONGEST_LOOK_BACK)[:MOST_ON_DASHBOARD]
        told = {
            "status": status_as_json(self._monitor.status(actor)),
            "stats": await self._stats(request),
            "latestTopics": [topic_as_json(topic) for topic in latest],
            "busiestTopics": [{"topic": busy.topic.name, "messageCount": busy.messages} for busy in busiest],
        }
        return json({"success": True, "data": told})

    async def sync(self, request: web.Request) -> web.Response:
        """Save now."""
        count = await self._archive.sync(actor_of(request))
        return json({"success": True, "message": f"{count} topics saved", "count": count})

    async def tree(self, request: web.Request) -> web.Response:
        """Topics by their levels."""
        return json({"success": True, "data": self._monitor.tree(actor_of(request))})

    async def topics(self, request: web.Request) -> web.Response:
        """Topics, the one with the latest message first."""
        query = Query(request)
        window = query.word("timeWindow", TimeWindow)
        within = window.length if window is not None else _span_of(query)
        limit = query.integer("limit", default=MOST_SHOWN, lowest=1, highest=MOST_SHOWN)
        found = self._monitor.topics(actor_of(request), within=within, limit=limit)
        return json({"success": True, "count": len(found), "data": [topic_as_json(topic) for topic in found]})

    async def _stats(self, request: web.Request) -> dict[str, Any]:
        report = await self._statistics.report(actor_of(request))
        status = self._monitor.status(actor_of(request))
        counts = report.counts
        return {
            "connected": report.connected,
            "topicCount": status.topics,
            "messageCount": status.messages,
            "schemas": {"total": sum(status.types.values()), "byType": status.types},
            **rates_as_json(report),
            "clients": counts.clients_connected,
            "subscriptions": counts.subscriptions,
            "retainedMessages": counts.retained,
            "totalMessagesSent": counts.messages_out,
            "totalMessagesReceived": counts.messages_in,
            "broker": BROKER,
        }


def _span_of(query: Query) -> timedelta | None:
    """How far `minutes` looks back; None where nobody said."""
    minutes = query.integer("minutes", default=0, highest=MINUTES_A_YEAR)
    return timedelta(minutes=minutes) if minutes else None


def mqtt_monitor_routes(services: Services) -> list[Route]:
    """The routes of the monitor. All but status, start and stop are answered only while it runs."""
    own, topics, monitor = MqttMonitorRoutes(services), TopicRoutes(services), services.mqtt_monitor

    answered: Sequence[Answered] = [
        ("/stats", own.stats, "The broker and its topics in numbers", ()),
        ("/metrics", own.metrics, "Rates of the broker", ()),
        ("/system-stats", own.system_stats, "Counts of the broker since it started", ()),
        ("/dashboard", own.dashboard, "The monitor at a glance", ()),
        ("/topic-tree", own.tree, "Topics by their levels", ()),
        ("/topics", own.topics, "Topics with their latest messages", (TIME_WINDOW, MINUTES, LIMIT)),
        *topics.answered(),
    ]
    return [
        _read("/status", own.status, "Are topics watched"),
        _write("/start", own.start, "Watch topics"),
        _write("/stop", own.stop, "Watch topics no more"),
        _write("/sync", _while_running(monitor, own.sync), "Save now what was seen of topics"),
        *(_read(path, _while_running(monitor, handler), summary, query) for path, handler, summary, query in answered),
    ]


def _while_running(monitor: MqttMonitor, handler: Handler) -> Handler:
    """The handler, where the monitor runs; else what the original said then, word by word."""

    @wraps(handler)
    async def guarded(request: web.Request) -> web.StreamResponse:
        if monitor.running:
            return await handler(request)
        message = "start it: POST /api/v1/mqtt-monitor/start"
        return json({"success": False, "error": "Monitor not running", "message": message}, status=400)

    return guarded


def _read(path: str, handler: Handler, summary: str, query: tuple[QueryParameter, ...] = ()) -> Route:
    return Route(
        method="GET",
        path=f"/mqtt-monitor{path}",
        handler=handler,
        allow=user_with(DATA_READ),
        summary=summary,
        query=query,
        answers={400: "The monitor does not run, or what was sent is wrong"},
    )


def _write(path: str, handler: Handler, summary: str) -> Route:
    return Route(
        method="POST",
        path=f"/mqtt-monitor{path}",
        handler=handler,
        allow=user_with(SETTINGS_WRITE),
        summary=summary,
        body=None,
        answers={400: "The monitor does not run"},
    )
