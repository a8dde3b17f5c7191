"""Vital signs of devices, for people (contract §4.8)."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from core.services import Services
from core.telemetry import DATA_READ, MOST_METRICS, Condition, Period, Sample
from entrypoints.http.declarations import QueryParameter, integer, word
from entrypoints.http.requests import Query, actor_of, device_of
from entrypoints.http.responses import json
from entrypoints.http.routing import Route, user_with

LONGEST_HISTORY = 24 * 366
SIGNS = (
    "cpu_usage",
    "cpu_temp",
    "memory_usage",
    "memory_total",
    "storage_usage",
    "storage_total",
    "uptime",
    "top_processes",
)


class MetricRoutes:
    """Handlers."""

    def __init__(self, services: Services) -> None:
        self._metrics = services.metrics

    async def metrics(self, request: web.Request) -> web.Response:
        """The newest samples, or averages over a period."""
        query = Query(request)
        period = query.word("period", Period)
        actor, uuid = actor_of(request), device_of(request)
        if period is None:
            limit = query.integer("limit", default=100, lowest=1, highest=MOST_METRICS)
            samples = await self._metrics.last(actor, uuid, limit)
        else:
            samples = await self._metrics.series(actor, uuid, period)
        return json({"count": len(samples), "metrics": [sample_as_json(sample) for sample in samples]})

    async def processes(self, request: web.Request) -> web.Response:
        """What ran when the device last told."""
        condition = await self._metrics.condition(actor_of(request), device_of(request))
        return json(_about(condition) | {"top_processes": condition.vitals.top_processes or []})

    async def interfaces(self, request: web.Request) -> web.Response:
        """Through what the device is connected."""
        condition = await self._metrics.condition(actor_of(request), device_of(request))
        found = [interface_as_json(interface) for interface in condition.vitals.network_interfaces or []]
        return json(_about(condition) | {"interfaces": found})

    async def history(self, request: web.Request) -> web.Response:
        """What ran during the last hours."""
        query = Query(request)
        hours = query.integer("hours", default=24, lowest=1, highest=LONGEST_HISTORY)
        limit = query.integer("limit", default=50, lowest=1, highest=MOST_METRICS)
        uuid = device_of(request)
        samples = await self._metrics.processes(actor_of(request), uuid, hours, limit)
        history = [
            {"top_processes": sample.vitals.top_processes, "recorded_at": sample.recorded_at} for sample in samples
        ]
        return json({"device_uuid": uuid, "count": len(history), "history": history})


def sample_as_json(sample: Sample) -> dict[str, Any]:
    """Vital signs at a moment, in the words of the dashboard."""
    signs = {name: getattr(sample.vitals, name) for name in SIGNS}
    return signs | {"recorded_at": sample.recorded_at, "late": sample.late}


def _about(condition: Condition) -> dict[str, Any]:
    return {
        "device_uuid": condition.uuid,
        "is_online": condition.is_online,
        "last_updated": condition.updated_at,
    }


def interface_as_json(told: Mapping[str, Any]) -> dict[str, Any]:
    """An interface in the words of the dashboard. A loopback never says `up`; with an address it is connected."""
    address = told.get("ip4") or told.get("ip6")
    state = told.get("operstate")
    connected = state == "up" or (state == "unknown" and address is not None)
    interface = {
        "id": told.get("name"),
        "ipAddress": address,
        "status": "connected" if connected else "disconnected",
    }
    interface |= {name: told.get(name) for name in ("name", "type", "ip4", "ip6", "mac", "operstate")}
    interface |= {name: told.get(name, False) for name in ("default", "virtual")}
    wireless = {"ssid": told.get("ssid"), "signal": told.get("signalLevel")}
    return interface | {name: value for name, value in wireless.items() if value is not None}


def metric_routes(services: Services) -> list[Route]:
    """The routes of the vital signs."""
    handlers, people = MetricRoutes(services), user_with(DATA_READ)

    def get(path: str, handler: Any, summary: str, *query: QueryParameter) -> Route:
        return Route(method="GET", path=path, handler=handler, allow=people, summary=summary, query=query)

    return [
        get(
            "/devices/{uuid}/metrics",
            handlers.metrics,
            "Vital signs of a device: the newest, or averages",
            word("period", "Averages over this period", Period),
            integer("limit", "How many samples at most, without a period", default=100, lowest=1, highest=MOST_METRICS),
        ),
        get("/devices/{uuid}/processes", handlers.processes, "What runs on a device"),
        get(
            "/devices/{uuid}/processes/history",
            handlers.history,
            "What ran on a device during the last hours",
            integer("hours", "How far back", default=24, lowest=1, highest=LONGEST_HISTORY),
            integer("limit", "How many samples at most", default=50, lowest=1, highest=MOST_METRICS),
        ),
        get("/devices/{uuid}/network-interfaces", handlers.interfaces, "Through what a device is connected"),
    ]
