"""What a device was to run before, what differed, and whether it runs what it shall."""

import re
from typing import Any

from aiohttp import web

from core.device_state import DEPLOYED, DRAFT, AppDrift, Comparison, Difference, Drift, ThingDrift, drift
from core.devices import DEVICE_CONTROL, DEVICE_READ
from core.errors import Invalid
from core.services import Services
from entrypoints.http import declarations
from entrypoints.http.device_state import TARGET, deployed_as_json, draft_as_answer, expected_of
from entrypoints.http.requests import Query, actor_of, device_of
from entrypoints.http.responses import json
from entrypoints.http.routing import Route, user_with

_NUMBER = re.compile(r"[0-9]{1,9}")
RESTORE = TARGET + "/versions/{version}/restore"


class StateHistoryRoutes:
    """Handlers."""

    def __init__(self, services: Services) -> None:
        self._history = services.state_history
        self._desired = services.desired_states
        self._reports = services.reports

    async def versions(self, request: web.Request) -> web.Response:
        """Who deployed which version when."""
        versions = await self._history.versions(actor_of(request), device_of(request))
        shown = [
            {
                "version": version.version,
                "deployed_at": version.deployed_at,
                "deployed_by": version.deployed_by,
                "apps_count": version.apps_count,
            }
            for version in versions
        ]
        return json({"uuid": device_of(request), "count": len(shown), "versions": shown})

    async def version(self, request: web.Request) -> web.Response:
        """One version, as it was deployed."""
        deployed = await self._history.version(actor_of(request), device_of(request), number_of(request, "version"))
        return json(
            {
                "uuid": deployed.uuid,
                "version": deployed.version,
                "apps": deployed.content.apps,
                "config": deployed.content.config,
                "deployed_at": deployed.deployed_at,
                "deployed_by": deployed.deployed_by,
            }
        )

    async def diff(self, request: web.Request) -> web.Response:
        """What two versions differ in. `from` and `to` are versions, `draft` or `deployed`."""
        before, after = _state_named(request, "from", DEPLOYED), _state_named(request, "to", DRAFT)
        comparison = await self._history.compare(actor_of(request), device_of(request), before, after)
        return json({"uuid": device_of(request), **_comparison_as_json(comparison)})

    async def restore(self, request: web.Request) -> web.Response:
        """Take a version back into the draft, or with `deploy=true` back to the device at once.

        The first needs device:write, for it is an edit; the second device:control only, for it was deployed before.
        """
        actor, uuid, version = actor_of(request), device_of(request), number_of(request, "version")
        if Query(request).boolean("deploy"):
            deployed = await self._history.deploy_again(actor, uuid, version, expected_of(request))
            return json(deployed_as_json(deployed))
        target = await self._history.restore(actor, uuid, version, expected_of(request))
        return draft_as_answer(target, f"Version {version} is the draft now; deploy it to send it to the device")

    async def drift(self, request: web.Request) -> web.Response:
        """Whether a device runs what is deployed, service by service and sensor by sensor."""
        actor, uuid = actor_of(request), device_of(request)
        target = await self._desired.view(actor, uuid)
        reported = await self._reports.latest(actor, uuid)
        found = drift(target.deployed, reported)
        return json({"uuid": uuid, **drift_as_json(found), "reportedAt": reported.reported_at if reported else None})


def number_of(request: web.Request, name: str) -> int:
    """A number that the path names. Invalid for anything else."""
    text = request.match_info[name]
    if not _NUMBER.fullmatch(text):
        raise Invalid(f"{name} must be a number", field=name)
    return int(text)


def _state_named(request: web.Request, name: str, default: str) -> str | int:
    text = Query(request).text(name, longest=16) or default
    if text in {DRAFT, DEPLOYED}:
        return text
    if not _NUMBER.fullmatch(text):
        raise Invalid(f"{name} must be a version, {DRAFT} or {DEPLOYED}", field=name)
    return int(text)


def _comparison_as_json(comparison: Comparison) -> dict[str, Any]:
    return {
        "from": {"name": comparison.before, "at": comparison.before_at, "by": comparison.before_by},
        "to": {"name": comparison.after, "at": comparison.after_at, "by": comparison.after_by},
        "count": len(comparison.differences),
        "differences": [_difference_as_json(each) for each in comparison.differences],
    }


def _difference_as_json(difference: Difference) -> dict[str, Any]:
    return {
        "path": difference.path,
        "kind": difference.kind,
        "before": difference.before,
        "after": difference.after,
    }


def drift_as_json(found: Drift) -> dict[str, Any]:
    """What a device runs against what it shall run."""
    return {
        "inSync": found.in_sync,
        "version": found.version,
        "seenVersion": found.seen_version,
        "apps": [_app_as_json(app) for app in found.apps],
        "sensors": [_thing_as_json(sensor) for sensor in found.sensors],
    }


def _app_as_json(app: AppDrift) -> dict[str, Any]:
    return {
        "appId": int(app.app_id) if app.app_id.isascii() and app.app_id.isdigit() else app.app_id,
        "appName": app.name,
        "status": app.standing.value,
        "fields": app.fields,
        "services": [_thing_as_json(service) for service in app.services],
    }


def _thing_as_json(thing: ThingDrift) -> dict[str, Any]:
    return {"id": thing.id, "name": thing.name, "status": thing.standing.value, "fields": thing.fields}


def state_history_routes(services: Services) -> list[Route]:
    """The routes of versions, comparisons and drift."""
    own = StateHistoryRoutes(services)
    sides = {"from": DEPLOYED, "to": DRAFT}
    compared = tuple(
        declarations.text(name, f"A version, {DRAFT} or {DEPLOYED}; {default} if it is absent", longest=16)
        for name, default in sides.items()
    )
    reading = [
        (TARGET + "/versions", own.versions, "List the deployed versions", ()),
        (TARGET + "/versions/{version}", own.version, "Show a deployed version", ()),
        (TARGET + "/diff", own.diff, "Compare two versions, or the draft with one", compared),
        ("/devices/{uuid}/drift", own.drift, "Compare what a device runs with what it shall run", ()),
    ]
    return [
        *(
            Route(method="GET", path=path, handler=handler, allow=user_with(DEVICE_READ), summary=summary, query=query)
            for path, handler, summary, query in reading
        ),
        Route(
            method="POST",
            path=RESTORE,
            handler=own.restore,
            allow=user_with(DEVICE_CONTROL),
            summary="Go back to a version, in the draft or at once",
            body=None,
            query=(declarations.boolean("deploy", "Deploy it at once and leave the draft alone"),),
            answers={409: "Someone else did something first", 412: "It was changed in between (If-Match)"},
        ),
    ]
