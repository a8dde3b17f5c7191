"""The sensors of a device, and how they are (contract §4.9)."""

from collections import Counter
from typing import Any

import msgspec
from aiohttp import web

from core.device_state import EditedSensor, EndpointChange, EndpointHealth, SensorList, SensorView
from core.devices import DEVICE_READ, DEVICE_WRITE
from core.services import Services
from entrypoints.http import declarations
from entrypoints.http.device_state import expected_of, warnings_of
from entrypoints.http.requests import Query, actor_of, body_as, device_of
from entrypoints.http.responses import json
from entrypoints.http.routing import MIB, Route, user_with

SENSORS = "/devices/{uuid}/sensors"
SENSOR = SENSORS + "/{name}"
MOST_HOURS = 24 * 366
STALE = {409: "It was changed in between (revision)", 412: "It was changed in between (If-Match)"}


class SensorBody(msgspec.Struct, rename="camel"):
    """POST and PUT of sensors. For PUT what is absent stays as it is, and `name` cannot change."""

    name: str | None = None
    protocol: str | None = None
    connection: dict[str, Any] | None = None
    connection_string: str | None = None
    enabled: bool | None = None
    poll_interval: int | None = None
    data_points: list[Any] | None = None
    registers: list[Any] | None = None
    metadata: dict[str, Any] | None = None
    revision: str | None = None

    def said(self) -> dict[str, Any]:
        """What was sent, by the names that agents know."""
        fields = {name: value for name, value in msgspec.to_builtins(self).items() if value is not None}
        fields.pop("revision", None)
        return fields


class SensorRoutes:
    """Handlers."""

    def __init__(self, services: Services) -> None:
        self._sensors = services.sensors
        self._devices = services.devices
        self._endpoints = services.endpoint_history

    async def index(self, request: web.Request) -> web.Response:
        """The sensors people asked for, as in the draft if there is one, and those the agent found by itself."""
        found = await self._sensors.all(actor_of(request), device_of(request))
        shown = [_sensor_as_json(sensor) for sensor in found.of_protocol(Query(request).text("protocol"))]
        answer = {"devices": shown, "count": len(shown), "pipelines": _pipelines(found), "isDraft": found.draft}
        return json({**answer, "restartNeeded": found.restart_needed})

    async def add(self, request: web.Request) -> web.Response:
        """Add a sensor to the draft."""
        body = await body_as(request, SensorBody)
        expected = expected_of(request, body.revision)
        edited = await self._sensors.add(actor_of(request), device_of(request), body.said(), expected)
        return _edited_as_answer(edited, "The sensor is in the draft; deploy it to send it to the device")

    async def change(self, request: web.Request) -> web.Response:
        """Change a sensor in the draft. The path names it, or has its id."""
        body, name = await body_as(request, SensorBody), request.match_info["name"]
        expected = expected_of(request, body.revision)
        edited = await self._sensors.change(actor_of(request), device_of(request), name, body.said(), expected)
        return _edited_as_answer(edited, "The sensor is changed in the draft; deploy it to send it to the device")

    async def remove(self, request: web.Request) -> web.Response:
        """Take a sensor out of the draft."""
        name = request.match_info["name"]
        target = await self._sensors.remove(actor_of(request), device_of(request), name, expected_of(request))
        message = "The sensor is taken out of the draft; deploy it to take it off the device"
        answer = {"status": "ok", "message": message, "version": target.deployed.version, "isDraft": True}
        return json({**answer, "warnings": warnings_of(target)}, headers={"ETag": target.etag})

    async def health(self, request: web.Request) -> web.Response:
        """How the sensors are, as the device last said; all are offline while the device is."""
        actor, uuid = actor_of(request), device_of(request)
        found = await self._sensors.all(actor, uuid)
        awake = (await self._devices.overview(actor, uuid)).device.is_online
        sensors = found.of_protocol(Query(request).text("protocolType"))
        shown = [_health_as_json(sensor, found, awake=awake) for sensor in sensors]
        answer = {"deviceUuid": uuid, "deviceOnline": awake, "summary": _summary(shown), "devices": shown}
        return json({**answer, "pipelines": _pipelines(found), "restartNeeded": found.restart_needed})

    async def history(self, request: web.Request) -> web.Response:
        """When a sensor went and came back."""
        hours = Query(request).integer("hours", default=24, lowest=1, highest=MOST_HOURS)
        protocol, name = request.match_info["protocol"], request.match_info["name"]
        changes = await self._endpoints.of(actor_of(request), device_of(request), protocol, name, hours)
        answer = {"device_uuid": device_of(request), "protocol_type": protocol, "device_name": name, "hours": hours}
        return json({**answer, "count": len(changes), "history": [_change_as_json(change) for change in changes]})


def _sensor_as_json(sensor: SensorView) -> dict[str, Any]:
    return {
        "id": sensor.id,
        "uuid": sensor.id,
        "configId": None if sensor.discovered else sensor.id,
        "name": sensor.name,
        "protocol": sensor.protocol,
        "enabled": sensor.enabled,
        "pollInterval": sensor.poll_interval,
        "connection": sensor.connection,
        "connectionString": sensor.connection_string,
        "dataPoints": sensor.data_points,
        "metadata": sensor.metadata,
        "configVersion": sensor.version,
        "syncedToConfig": sensor.synced,
        "deploymentStatus": sensor.stage.value,
        "lastDeployedAt": sensor.deployed_at,
        "deploymentError": None,
        "deploymentAttempts": 0,
        # Documents have one time and one author, their sensors none of their own.
        "createdAt": None,
        "createdBy": None,
        "updatedAt": sensor.changed_at,
        "updatedBy": sensor.changed_by,
        "discovered": sensor.discovered,
        "restartNeeded": sensor.restart_needed,
    }


def _health_as_json(sensor: SensorView, found: SensorList, *, awake: bool) -> dict[str, Any]:
    health = sensor.health or EndpointHealth()
    return {
        "name": sensor.name,
        "protocol": sensor.protocol,
        "status": sensor.status if awake else "offline",
        "connected": health.connected if awake else False,
        "enabled": sensor.enabled,
        "lastPoll": health.last_poll,
        "lastSeen": health.last_seen,
        "errorCount": health.error_count,
        "lastError": health.last_error,
        "responseTimeMs": health.response_ms,
        "pollSuccessRate": health.poll_success_rate,
        "communicationQuality": health.quality,
        "pollInterval": sensor.poll_interval,
        "connection": sensor.connection,
        "dataPoints": sensor.data_points,
        "lastUpdated": found.reported_at,
        "synced": sensor.synced,
        "discovered": sensor.discovered,
        "restartNeeded": sensor.restart_needed,
    }


def _summary(shown: list[dict[str, Any]]) -> dict[str, Any]:
    """The numbers; `online`, `offline` and `errors` are of those that are switched on."""
    statuses = Counter(each["status"] for each in shown if each["enabled"])
    enabled = sum(each["enabled"] for each in shown)
    return {
        "total": len(shown),
        "enabled": enabled,
        "disabled": len(shown) - enabled,
        "online": statuses["online"],
        "offline": statuses["offline"],
        "errors": statuses["error"],
        "byProtocol": dict(Counter(each["protocol"] for each in shown)),
    }


def _pipelines(found: SensorList) -> list[dict[str, Any]]:
    """The agent's own channels, one a protocol, by the names that it gives them."""
    return [{**pipe, "name": name} for name, pipe in found.pipelines.items() if isinstance(pipe, dict)]


def _change_as_json(change: EndpointChange) -> dict[str, Any]:
    return {
        "protocol_type": change.protocol,
        "device_name": change.name,
        "connected": change.connected,
        "last_poll": change.last_poll,
        "error_count": change.error_count,
        "last_error": change.last_error,
        "timestamp": change.at,
    }


def _edited_as_answer(edited: EditedSensor, message: str) -> web.Response:
    target = edited.target
    answer = {
        "status": "ok",
        "message": message,
        "device": _sensor_as_json(edited.sensor),
        "version": target.deployed.version,
        "isDraft": True,
        "revision": target.revision,
        "warnings": warnings_of(target),
    }
    return json(answer, headers={"ETag": target.etag})


def sensor_routes(services: Services) -> list[Route]:
    """The routes of sensors."""
    own = SensorRoutes(services)
    return [*_reading(own), *_writing(own)]


def _reading(own: SensorRoutes) -> list[Route]:
    adapters = "/devices/{uuid}/protocol-adapters/{protocol}/{name}/history"
    reading = [
        (SENSORS, own.index, "List the sensors", declarations.text("protocol", "Only sensors of this protocol")),
        (
            "/devices/{uuid}/device-health",
            own.health,
            "Show how the sensors are",
            declarations.text("protocolType", "Only sensors of this protocol"),
        ),
        (
            adapters,
            own.history,
            "Show when a sensor went and came back",
            declarations.integer("hours", "How far back", lowest=1, highest=MOST_HOURS, default=24),
        ),
    ]
    return [
        Route(
            method="GET", path=path, handler=handler, allow=user_with(DEVICE_READ), summary=summary, query=(parameter,)
        )
        for path, handler, summary, parameter in reading
    ]


def _writing(own: SensorRoutes) -> list[Route]:
    write = user_with(DEVICE_WRITE)
    return [
        Route(
            method="POST",
            path=SENSORS,
            handler=own.add,
            allow=write,
            summary="Add a sensor to the draft",
            body=SensorBody,
            body_limit=MIB,
            answers={**STALE, 409: "There is one of this name, or something was changed in between"},
        ),
        Route(
            method="PUT",
            path=SENSOR,
            handler=own.change,
            allow=write,
            summary="Change a sensor in the draft",
            body=SensorBody,
            body_limit=MIB,
            answers=STALE,
        ),
        Route(
            method="DELETE",
            path=SENSOR,
            handler=own.remove,
            allow=write,
            summary="Take a sensor out of the draft",
            body=None,
            answers=STALE,
        ),
    ]
