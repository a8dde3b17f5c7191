"""The applications of a simulated device: what a target state turns into, without any container engine."""

import json
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from attrs import field, frozen

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
STATUS = {"running": "running", "paused": "paused", "stopped": "exited"}
FLAT = ("image", "ports", "environment", "volumes", "networks", "networkMode", "restart", "labels")


@frozen(kw_only=True)
class Target:
    """The target state as last received."""

    apps: Mapping[str, Any] = field(factory=dict)
    config: Mapping[str, Any] = field(factory=dict)
    version: int = 1

    @staticmethod
    def from_body(body: Mapping[str, Any]) -> "Target":
        """What the agent reads of it, with the agent's defaults."""
        return Target(
            apps=body.get("apps") or {}, config=body.get("config") or {}, version=int(body.get("version") or 1)
        )


class Containers:
    """Remembers which container runs which service: it is made anew when the service is changed."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._ids: dict[str, str] = {}

    def applied(self, target: Target) -> dict[str, Any]:
        """The `apps` of a report once the target state has been applied."""
        wanted: dict[str, str] = {}
        apps = {str(key): self._app(app, wanted) for key, app in target.apps.items()}
        self._ids = wanted
        return apps

    def _app(self, app: Mapping[str, Any], wanted: dict[str, str]) -> dict[str, Any]:
        services = [self._service(app, service, wanted) for service in app.get("services") or ()]
        return {"appId": _number(app.get("appId")), "appName": app.get("appName"), "services": services}

    def _service(self, app: Mapping[str, Any], service: Mapping[str, Any], wanted: dict[str, str]) -> dict[str, Any]:
        mark = json.dumps([app.get("appId"), service], sort_keys=True)
        wanted[mark] = self._ids.get(mark) or f"{self._chance.getrandbits(256):064x}"
        state = service.get("state") or "running"
        return {
            "serviceId": _number(service.get("serviceId")),
            "serviceName": service.get("serviceName"),
            "imageName": service.get("imageName"),
            "appId": _number(app.get("appId")),
            "appName": app.get("appName"),
            "containerId": wanted[mark],
            "status": STATUS.get(state, "running"),
            "state": state,
            "config": _config(app, service),
        }


def _config(app: Mapping[str, Any], service: Mapping[str, Any]) -> dict[str, Any]:
    given = service.get("config") or {key: service[key] for key in FLAT if key in service}
    environment = {name: str(value) for name, value in (given.get("environment") or {}).items()}
    return {
        "image": given.get("image") or service.get("imageName"),
        "ports": list(given.get("ports") or ()),
        "volumes": list(given.get("volumes") or ()),
        "networks": list(given.get("networks") or ()),
        "environment": {**environment, "PATH": PATH},
        "restart": given.get("restart") or "unless-stopped",
        "labels": {
            "iotistic.app-id": str(app.get("appId")),
            "iotistic.app-name": str(app.get("appName")),
            "iotistic.service-id": str(service.get("serviceId")),
            "iotistic.service-name": str(service.get("serviceName")),
        },
        "networkMode": given.get("networkMode") or "bridge",
    }


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isdigit() else value


def reported_sensors(uuids: Mapping[str, str], sensors: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """`config.sensors` of a report: the agent's own ids, no data points, no uuid of the cloud."""
    return [
        {
            "id": uuids[sensor["name"]],
            "name": sensor["name"],
            "protocol": sensor.get("protocol", "modbus"),
            "connectionString": sensor.get("connectionString") or json.dumps(sensor.get("connection") or {}),
            "pollInterval": sensor.get("pollInterval", 5000),
            "enabled": int(bool(sensor.get("enabled", True))),
            "metadata": sensor.get("metadata") or {},
        }
        for sensor in sensors
    ]
