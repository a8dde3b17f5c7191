"""What devices shall run and what they say they run: for agents (contract §2.6, §2.7) and for people (§4.6)."""

from typing import Any

import msgspec
from aiohttp import web

from core.device_state import Deployed, Expected, Reported, Target, Unmodified, lenient_json
from core.devices import DEVICE_CONTROL, DEVICE_READ, DEVICE_WRITE
from core.services import Services
from entrypoints.http.declarations import Body
from entrypoints.http.requests import actor_of, body_as, body_bytes, device_of
from entrypoints.http.responses import json
from entrypoints.http.routing import DEVICE, MIB, Route, device_or_user_with, user_with

# Devices keep what they got and ask with its tag; nobody between may answer for us.
REVALIDATE = "private, no-cache"
TARGET = "/devices/{uuid}/target-state"
LARGEST_EDIT = 2 * MIB
LARGEST_REPORT = 2 * MIB


class TargetStateBody(msgspec.Struct):
    """PUT and POST /devices/{uuid}/target-state. What is absent stays as it is; `apps` is an object or a list.

    `revision` is what was read before: 409 if it has changed since. If-Match does the same, and answers 412.
    """

    apps: Any = None
    config: Any = None
    revision: str | None = None


class DeviceStateRoutes:
    """Handlers."""

    def __init__(self, services: Services) -> None:
        self._desired = services.desired_states
        self._reports = services.reports

    async def poll(self, request: web.Request) -> web.Response:
        """Tell a device what it shall run, or that it knows."""
        tags = ",".join(request.headers.getall("If-None-Match", [])) or None
        actor, spelled = actor_of(request), request.match_info["uuid"]
        served = await self._desired.for_device(actor, actor.device_uuid or device_of(request), tags, spelled=spelled)
        headers = {"ETag": served.etag, "Cache-Control": REVALIDATE}
        if isinstance(served, Unmodified):
            return web.Response(status=304, headers=headers)
        return web.Response(body=served.body, headers=headers, content_type="application/json", charset="utf-8")

    async def report(self, request: web.Request) -> web.Response:
        """Keep what a device says of itself."""
        await self._reports.receive(actor_of(request), lenient_json(await body_bytes(request)))
        return json({"status": "ok"})

    async def target(self, request: web.Request) -> web.Response:
        """Show what a device shall run: people see the draft if there is one, the device what is deployed."""
        target = await self._desired.view(actor_of(request), device_of(request))
        return json({"uuid": target.deployed.uuid, **target_as_json(target)}, headers={"ETag": target.etag})

    async def edit(self, request: web.Request) -> web.Response:
        """Change the draft."""
        body = await body_as(request, TargetStateBody)
        target = await self._desired.replace_draft(
            actor_of(request),
            device_of(request),
            apps=body.apps,
            config=body.config,
            expected=expected_of(request, body.revision),
        )
        return draft_as_answer(target, "Target state saved as a draft; deploy it to send it to the device")

    async def discard(self, request: web.Request) -> web.Response:
        """Drop the draft, if there is one."""
        deployed = await self._desired.discard(actor_of(request), device_of(request))
        message = "There is no draft any more; what is deployed stays"
        return json({"status": "ok", "message": message, "uuid": deployed.uuid, "version": deployed.version})

    async def current(self, request: web.Request) -> web.Response:
        """Show what a device says it runs."""
        reported = await self._reports.current(actor_of(request), device_of(request))
        return json(reported_as_json(reported))

    async def deploy(self, request: web.Request) -> web.Response:
        """Make the draft what the device shall run."""
        deployed = await self._desired.deploy(actor_of(request), device_of(request), expected=expected_of(request))
        return json(deployed_as_json(deployed))

    async def cancel(self, request: web.Request) -> web.Response:
        """Drop the draft."""
        deployed = await self._desired.cancel(actor_of(request), device_of(request))
        message = "Draft cancelled; what is deployed stays"
        return json({"status": "ok", "message": message, "deviceUuid": deployed.uuid, "version": deployed.version})


def target_as_json(target: Target) -> dict[str, Any]:
    """What people see of the desired state, as in GET /devices/{uuid}."""
    deployed, shown = target.deployed, target.shown
    return {
        "apps": shown.apps,
        "config": shown.config,
        "version": deployed.version,
        "needs_deployment": target.needs_deployment,
        "revision": target.revision,
        "last_deployed_at": deployed.last_deployed_at,
        "deployed_by": deployed.deployed_by,
        "updated_at": target.updated_at,
        "updated_by": target.draft.updated_by if target.draft else deployed.deployed_by,
    }


def reported_as_json(reported: Reported) -> dict[str, Any]:
    """What a device says it runs; sections it never told are empty."""
    return {
        "apps": reported.apps or {},
        "config": reported.config or {},
        "version": reported.version,
        "is_online": reported.is_online,
        "system_info": reported.system_info,
        "endpoints_health": reported.endpoints_health or {},
        "sensor_health": reported.sensor_health or {},
        "reported_at": reported.reported_at,
    }


def deployed_as_json(deployed: Deployed) -> dict[str, Any]:
    """What came of a deployment."""
    return {
        "status": "ok",
        "message": f"Version {deployed.version} is deployed; the device gets it at its next poll",
        "deviceUuid": deployed.uuid,
        "version": deployed.version,
        "deployedBy": deployed.deployed_by,
        "deployedAt": deployed.deployed_at,
        "appsCount": len(deployed.content.apps),
    }


def draft_as_answer(target: Target, message: str) -> web.Response:
    """The draft after an edit, with its tag for the next one, and with what was changed of it or may disappoint."""
    answer = {"status": "ok", "message": message, "uuid": target.deployed.uuid, **target_as_json(target)}
    return json({**answer, "warnings": warnings_of(target)}, headers={"ETag": target.etag})


def warnings_of(target: Target) -> list[dict[str, str]]:
    """What the one who has just edited it shall know, field by field."""
    return [{"field": each.field, "message": each.message} for each in target.cautions]


def expected_of(request: web.Request, revision: str | None = None) -> Expected:
    """What the caller had seen when they decided: the If-Match header, and what they sent in the body."""
    return Expected(if_match=",".join(request.headers.getall("If-Match", [])) or None, revision=revision)


def device_state_routes(services: Services) -> list[Route]:
    """The routes of what devices shall run and do run."""
    own = DeviceStateRoutes(services)
    return [*_for_agents(own), *_for_readers(own), *_for_editors(own)]


def _for_agents(own: DeviceStateRoutes) -> list[Route]:
    return [
        Route(
            method="GET",
            path="/device/{uuid}/state",
            handler=own.poll,
            allow=DEVICE,
            summary="Poll what to run (agents)",
            answers={200: "What to run, with its ETag", 304: "It is as the device knows it"},
        ),
        Route(
            method="PATCH",
            path="/device/state",
            handler=own.report,
            allow=DEVICE,
            summary="Report the current state (agents)",
            body=Body(kind=dict[str, Any]),
            body_limit=LARGEST_REPORT,
        ),
    ]


def _for_readers(own: DeviceStateRoutes) -> list[Route]:
    return [
        Route(
            method="GET",
            path=TARGET,
            handler=own.target,
            allow=device_or_user_with(DEVICE_READ),
            summary="Show what a device shall run",
        ),
        Route(
            method="GET",
            path="/devices/{uuid}/current-state",
            handler=own.current,
            allow=user_with(DEVICE_READ),
            summary="Show what a device says it runs",
        ),
    ]


def _for_editors(own: DeviceStateRoutes) -> list[Route]:
    editing = [
        Route(
            method=method,
            path=TARGET,
            handler=own.edit,
            allow=user_with(DEVICE_WRITE),
            summary="Edit the draft of what a device shall run",
            body=TargetStateBody,
            answers={409: "It was changed in between (revision)", 412: "It was changed in between (If-Match)"},
            body_limit=LARGEST_EDIT,
        )
        for method in ("PUT", "POST")
    ]
    deciding = [
        ("DELETE", TARGET, own.discard, "Drop the draft"),
        ("POST", "/devices/{uuid}/deploy", own.deploy, "Deploy the draft"),
        ("POST", "/devices/{uuid}/deploy/cancel", own.cancel, "Cancel the draft"),
    ]
    return editing + [
        Route(
            method=method,
            path=path,
            handler=handler,
            allow=user_with(DEVICE_CONTROL),
            summary=summary,
            body_limit=MIB,
            body=None,
            answers={409: "There is nothing to do this to", 412: "It was changed in between (If-Match)"},
        )
        for method, path, handler, summary in deciding
    ]
