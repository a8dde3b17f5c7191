"""Whether a device hears what we publish, and a way to make it ask over HTTP instead."""

from datetime import datetime
from typing import Any

from aiohttp import web

from core.devices import DEVICE_CONTROL, Device
from core.mqtt import Heard
from core.services import Services
from entrypoints.http.requests import actor_of, device_of
from entrypoints.http.responses import json
from entrypoints.http.routing import Route, user_with


def hearing_as_json(heard: Heard | None, device: Device, now: datetime) -> dict[str, Any] | None:
    """What the broker's questions say of the device; null where the broker does not ask us.

    `listening` is null while nothing can be said: shortly after it connected, and of a device that is offline.
    """
    if heard is None:
        return None
    return {
        "connectedAt": heard.connected_at,
        "listening": heard.listening(now) if device.is_online else None,
        "deafSince": heard.deaf_since,
    }


class MqttHearingRoutes:
    """Handlers."""

    def __init__(self, services: Services) -> None:
        self._hearing = services.hearing

    async def reconnect(self, request: web.Request) -> web.Response:
        """Cut a device's MQTT connection and keep it away for a while."""
        uuid = device_of(request)
        away = await self._hearing.bring_back(actor_of(request), uuid)
        seconds = int(away.total_seconds())
        message = "The connection is cut" + (f"; the device is kept away for {seconds} seconds" if seconds else "")
        return json({"success": True, "message": message, "uuid": uuid, "awaySeconds": seconds})


def mqtt_hearing_routes(services: Services) -> list[Route]:
    """The routes."""
    return [
        Route(
            method="POST",
            path="/devices/{uuid}/mqtt/reconnect",
            handler=MqttHearingRoutes(services).reconnect,
            allow=user_with(DEVICE_CONTROL),
            summary="Cut a device's MQTT connection, so that it asks over HTTP",
            body=None,
        )
    ]
