"""The apps of a device, one at a time (contract §4.5)."""

from typing import Any

import msgspec
from aiohttp import web

from core.device_state import Target
from core.devices import DEVICE_CONTROL, DEVICE_WRITE
from core.services import Services
from entrypoints.http.declarations import Body
from entrypoints.http.device_state import LARGEST_EDIT, expected_of, warnings_of
from entrypoints.http.requests import actor_of, body_as, device_of
from entrypoints.http.responses import json
from entrypoints.http.routing import MIB, Route, user_with
from entrypoints.http.state_history import number_of

APPS = "/devices/{uuid}/apps"
APP = APPS + "/{appId}"
STALE = {409: "It was changed in between (revision)", 412: "It was changed in between (If-Match)"}


class NewAppBody(msgspec.Struct, rename="camel"):
    """POST /devices/{uuid}/apps. Services may say everything beside `serviceName`, or in `config`."""

    app_id: int
    services: list[Any] = []
    app_name: str | None = None
    revision: str | None = None


class AppChangeBody(msgspec.Struct, rename="camel"):
    """PATCH /devices/{uuid}/apps/{appId}. What is absent stays; of `services` those that are listed stay."""

    app_name: str | None = None
    services: list[Any] | None = None
    revision: str | None = None


class DeployedByBody(msgspec.Struct, rename="camel"):
    """POST …/deploy. Who deploys is who asks, whatever stands here."""

    deployed_by: Any = None


class DeviceAppRoutes:
    """Handlers."""

    def __init__(self, services: Services) -> None:
        self._apps = services.device_apps

    async def add(self, request: web.Request) -> web.Response:
        """Add an app to the draft. Without a name it gets that of the catalogue."""
        body = await body_as(request, NewAppBody)
        app = {"appId": body.app_id, "services": body.services} | ({"appName": body.app_name} if body.app_name else {})
        expected = expected_of(request, body.revision)
        target = await self._apps.add(actor_of(request), device_of(request), app, expected)
        return _answer(target, body.app_id, "The app is in the draft; deploy it to send it to the device", status=201)

    async def change(self, request: web.Request) -> web.Response:
        """Change an app in the draft."""
        body, app_id = await body_as(request, AppChangeBody), number_of(request, "appId")
        target = await self._apps.change(
            actor_of(request),
            device_of(request),
            app_id,
            name=body.app_name,
            services=body.services,
            expected=expected_of(request, body.revision),
        )
        return _answer(target, app_id, "The app is changed in the draft; deploy it to send it to the device")

    async def remove(self, request: web.Request) -> web.Response:
        """Take an app out of the draft."""
        app_id = number_of(request, "appId")
        target = await self._apps.remove(actor_of(request), device_of(request), app_id, expected_of(request))
        return _answer(target, app_id, "The app is taken out of the draft; deploy it to take it off the device")

    async def deploy(self, request: web.Request) -> web.Response:
        """Deploy what the draft says of one app, and nothing else of the draft."""
        done = await self._apps.deploy(
            actor_of(request), device_of(request), number_of(request, "appId"), expected_of(request)
        )
        verb = "is deployed" if done.app else "is taken off"
        return json(
            {
                "status": "ok",
                "message": f"App {done.app_id} {verb} with version {done.deployed.version}",
                "version": done.deployed.version,
                "appId": done.app_id,
                "appName": done.app["appName"] if done.app else None,
                "deployedBy": done.deployed.deployed_by,
                "deployedAt": done.deployed.deployed_at,
            }
        )


def _answer(target: Target, app_id: int, message: str, *, status: int = 200) -> web.Response:
    app = target.content.apps.get(str(app_id), {})
    answer = {
        "status": "ok",
        "message": message,
        "deviceUuid": target.deployed.uuid,
        "appId": app_id,
        "appName": app.get("appName"),
        "services": app.get("services", []),
        "version": target.deployed.version,
        "needs_deployment": target.needs_deployment,
        "revision": target.revision,
        "warnings": warnings_of(target),
    }
    return json(answer, status=status, headers={"ETag": target.etag})


def app_routes(services: Services) -> list[Route]:
    """The routes of the apps of a device."""
    own = DeviceAppRoutes(services)
    write = user_with(DEVICE_WRITE)
    return [
        Route(
            method="POST",
            path=APPS,
            handler=own.add,
            allow=write,
            summary="Add an app to the draft",
            body=NewAppBody,
            body_limit=LARGEST_EDIT,
            answers={**STALE, 201: "The app as it is in the draft", 409: "It is there already, or changed in between"},
        ),
        Route(
            method="PATCH",
            path=APP,
            handler=own.change,
            allow=write,
            summary="Change an app in the draft",
            body=AppChangeBody,
            body_limit=LARGEST_EDIT,
            answers=STALE,
        ),
        Route(
            method="DELETE",
            path=APP,
            handler=own.remove,
            allow=write,
            summary="Take an app out of the draft",
            body=None,
            answers=STALE,
        ),
        Route(
            method="POST",
            path=APP + "/deploy",
            handler=own.deploy,
            allow=user_with(DEVICE_CONTROL),
            summary="Deploy one app of the draft",
            body=Body(kind=DeployedByBody, required=False),
            body_limit=MIB,
            answers=STALE,
        ),
    ]
