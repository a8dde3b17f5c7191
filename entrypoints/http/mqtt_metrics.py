"""How the MQTT broker is doing (contract §4.16)."""

from typing import Any

from aiohttp import web

from core.monitoring import DATA_READ, BrokerReport
from core.services import Services
from entrypoints.http.declarations import Answer
from entrypoints.http.requests import actor_of
from entrypoints.http.responses import json
from entrypoints.http.routing import Route, user_with


class MqttMetricRoutes:
    """Handlers."""

    def __init__(self, services: Services) -> None:
        self._statistics = services.mqtt_statistics

    async def metrics(self, request: web.Request) -> web.Response:
        """Counts and rates; 503 when the broker does not work."""
        return json(report_as_json(await self._statistics.working(actor_of(request))))

    async def health(self, request: web.Request) -> web.Response:
        """Does it work? 503 when it does not."""
        connected = (await self._statistics.report(actor_of(request))).connected
        status = "healthy" if connected else "unavailable"
        return json({"status": status, "connected": connected}, status=200 if connected else 503)


def report_as_json(report: BrokerReport) -> dict[str, Any]:
    """The object of `/mqtt/metrics` and of the channel `mqtt-stats`. Rates are per second."""
    counts = report.counts
    return {
        "connected": report.connected,
        "clients": counts.clients_connected,
        "sessions": counts.sessions,
        "subscriptions": counts.subscriptions,
        "retainedMessages": counts.retained,
        "queuedBytes": counts.queued_bytes,
        "totalMessagesSent": counts.messages_out,
        "totalMessagesReceived": counts.messages_in,
        "systemStats": {
            "publish": {
                "messages": {
                    "sent": counts.messages_out,
                    "received": counts.messages_in,
                    "dropped": counts.messages_dropped,
                }
            },
            "bytes": {"sent": counts.bytes_out, "received": counts.bytes_in},
        },
        **rates_as_json(report),
    }


def rates_as_json(report: BrokerReport) -> dict[str, Any]:
    """Messages and bytes a second. What clients publish is what the broker receives; it publishes to subscribers."""
    return {
        "messageRate": {"published": report.published, "received": report.received},
        "throughput": {"inbound": report.bytes_in, "outbound": report.bytes_out},
    }


def mqtt_metric_routes(services: Services) -> list[Route]:
    """The routes of the broker's numbers."""
    own, allow = MqttMetricRoutes(services), user_with(DATA_READ)
    return [
        Route(
            method="GET", path="/mqtt/metrics", handler=own.metrics, allow=allow, summary="Numbers of the MQTT broker"
        ),
        Route(
            method="GET",
            path="/mqtt/health",
            handler=own.health,
            allow=allow,
            summary="Does the MQTT broker work",
            answers={200: "It does", 503: Answer("It does not")},
        ),
    ]
