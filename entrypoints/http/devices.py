"""The registry of devices (contract §4.5; §2.5 for agents)."""

from typing import Any

import msgspec
from aiohttp import web

from core.actor import ActorKind
from core.device_state import drift
from core.devices import (
    DEVICE_DELETE,
    DEVICE_READ,
    DEVICE_WRITE,
    MOST_ROWS,
    Device,
    DeviceEdit,
    DeviceOrder,
    DeviceOverview,
    DeviceQuery,
    DeviceStatus,
    ProvisioningState,
)
from core.errors import Invalid
from core.pages import Page
from core.services import Services
from core.tags import selectors_of
from entrypoints.http.declarations import QueryParameter, boolean, integer, text, word
from entrypoints.http.device_state import reported_as_json, target_as_json
from entrypoints.http.mqtt_hearing import hearing_as_json
from entrypoints.http.requests import Query, actor_of, body_as, device_of
from entrypoints.http.responses import json
from entrypoints.http.routing import MIB, Route, device_or_user_with, user_with

ONE = "/devices/{uuid}"
ROWS_OF_A_PAGE = 10
MOST_PAGES = 1_000_000
LARGEST_ID = 2**53 - 1
PAGING = (
    text("sort", "What to sort by; with - before it the other way round"),
    integer("page", "Number of the page", lowest=1, highest=MOST_PAGES),
    integer("limit", "Devices of a page", lowest=1, highest=MOST_ROWS),
    integer("cursor", "`nextCursor` of the page before, in place of page", highest=LARGEST_ID),
)
FILTERS = (
    text("filter", "Only devices whose name, uuid, addresses or type contain this"),
    boolean("online", "Only devices that are online, or that are not"),
    word("status", "Only devices of this status", DeviceStatus),
    text("type", "Only devices of this type"),
    text("fleetId", "Only devices of this fleet"),
    word("provisioningState", "Only devices that have come so far with their enrolment", ProvisioningState),
    QueryParameter(
        name="tag",
        summary="Only devices with this tag, as key:value; given more than once, with all of them",
        schema={"type": "array", "items": {"type": "string", "maxLength": 512}},
    ),
    *PAGING,
)


class DeviceEditBody(msgspec.Struct, rename="camel"):
    """PATCH /devices/{uuid}."""

    device_name: str | None = None
    device_type: str | None = None
    ip_address: str | None = None
    mac_address: str | None = None


class ActiveBody(msgspec.Struct):
    """PATCH /devices/{uuid}/active."""

    is_active: bool


class DeviceRoutes:
    """Handlers."""

    def __init__(self, services: Services) -> None:
        self._devices = services.devices
        self._desired = services.desired_states
        self._reports = services.reports
        self._hearing = services.hearing
        self._clock = services.clock

    async def index(self, request: web.Request) -> web.Response:
        """List devices; all of them, up to five hundred, when no page is asked for."""
        query = query_of(request)
        page = await self._devices.page(actor_of(request), query)
        return json(page_as_json(page, query))

    async def show(self, request: web.Request) -> web.Response:
        """Show one device with what it shall run and does run. The device itself gets a part of it."""
        actor, uuid = actor_of(request), device_of(request)
        overview = await self._devices.overview(actor, uuid)
        target = await self._desired.view(actor, uuid)
        if actor.kind is ActorKind.DEVICE:
            return json({"device": own_as_json(overview.device), "target_state": target_as_json(target)})
        reported = await self._reports.latest(actor, uuid)
        answer = {"device": overview_as_json(overview), "target_state": target_as_json(target)}
        in_sync = drift(target.deployed, reported).in_sync
        current = reported_as_json(reported) if reported else None
        heard = hearing_as_json(await self._hearing.of(uuid), overview.device, self._clock.now())
        return json({**answer, "current_state": current, "inSync": in_sync, "mqtt": heard})

    async def edit(self, request: web.Request) -> web.Response:
        """Change what is known of a device."""
        body = await body_as(request, DeviceEditBody)
        edit = DeviceEdit(
            name=body.device_name, type=body.device_type, ip_address=body.ip_address, mac_address=body.mac_address
        )
        device = await self._devices.edit(actor_of(request), device_of(request), edit)
        return json({"success": True, "device": device_as_json(device)})

    async def switch(self, request: web.Request) -> web.Response:
        """Put a device in service or out of it."""
        wanted = (await body_as(request, ActiveBody)).is_active
        device = await self._devices.switch(actor_of(request), device_of(request), active=wanted)
        message = f"The device is {'in service' if device.active else 'out of service'}"
        return json({"status": "ok", "message": message, "device": device_as_json(device)})

    async def remove(self, request: web.Request) -> web.Response:
        """Forget a device for good."""
        device = await self._devices.remove(actor_of(request), device_of(request))
        return json({"status": "ok", "message": f"Device {device.name} is removed", "uuid": device.uuid})

    async def release(self, request: web.Request) -> web.Response:
        """Let a device enrol again with another key."""
        device = await self._devices.release(actor_of(request), device_of(request))
        message = "The device may register again, with another key"
        return json({"status": "ok", "message": message, "device": device_as_json(device)})


def query_of(request: web.Request) -> DeviceQuery:
    """Which devices are asked for."""
    query = Query(request)
    paged = query.text("page") is not None
    page = query.integer("page", default=1, lowest=1, highest=MOST_PAGES)
    limit = query.integer("limit", default=ROWS_OF_A_PAGE if paged else MOST_ROWS, lowest=1, highest=MOST_ROWS)
    after = query.integer("cursor", default=-1, highest=LARGEST_ID)
    order, descending = _order_of(query.text("sort"))
    return DeviceQuery(
        search=query.text("filter"),
        online=query.boolean("online"),
        status=query.word("status", DeviceStatus),
        type=query.text("type"),
        fleet_id=query.text("fleetId"),
        provisioning=query.word("provisioningState", ProvisioningState),
        tags=selectors_of(query.texts("tag")),
        order=order,
        descending=descending,
        limit=limit,
        page=page,
        after=None if after < 0 else after,
    )


def _order_of(text: str | None) -> tuple[DeviceOrder, bool]:
    """`name` or, the other way round, `-name`. Raises Invalid that names the words that are known."""
    if text is None:
        return DeviceOrder.ID, False
    known = {order.value: order for order in DeviceOrder}
    word = text.removeprefix("-")
    if word not in known:
        raise Invalid(f"sort must be one of {', '.join(known)}, with - before it for descending", field="sort")
    return known[word], text.startswith("-")


def page_as_json(page: Page[DeviceOverview], query: DeviceQuery) -> dict[str, Any]:
    """A page of devices; `nextCursor` leads to the next one in the order of ids."""
    total = page.total or 0
    pagination = {
        "page": query.page,
        "limit": query.limit,
        "totalDevices": total,
        "totalPages": -(-total // query.limit),
    }
    return {
        "count": len(page.items),
        "devices": [overview_as_json(overview) for overview in page.items],
        "pagination": pagination,
        "nextCursor": page.next,
    }


def overview_as_json(overview: DeviceOverview) -> dict[str, Any]:
    """A device as lists show it, in both spellings (contract §4.5); no key, no verifier."""
    device, vitals = overview.device, overview.vitals
    numbers = ("cpu_usage", "cpu_temp", "memory_usage", "memory_total", "storage_usage", "storage_total", "uptime")
    return {
        "id": device.id,
        "uuid": device.uuid,
        "name": device.name,
        "device_name": device.name,
        "device_type": device.type,
        "state": device.status.value,
        "is_active": device.active,
        "provisioning_state": device.provisioning.value,
        "status": "online" if device.is_online else "offline",
        "is_online": device.is_online,
        "fleet_id": device.fleet_id,
        "lastSeen": device.last_seen,
        "last_connectivity_event": device.connectivity_at,
        "ip_address": device.ip_address or vitals.get("local_ip"),
        "mac_address": device.mac_address,
        "os_version": vitals.get("os_version") or device.os_version,
        "agent_version": vitals.get("agent_version") or device.agent_version,
        **{name: vitals.get(name) for name in numbers},
        "target_apps_count": overview.target_apps,
        "current_apps_count": overview.current_apps,
        "last_reported": overview.last_reported,
        "provisioned_at": device.provisioned_at,
        "created_at": device.created_at,
        "modified_at": device.modified_at,
        "metrics": {"cpu": vitals.get("cpu_usage"), "memory": _share(vitals), "io": None, "pw": None},
    }


def device_as_json(device: Device) -> dict[str, Any]:
    """A device after a change."""
    return {
        "uuid": device.uuid,
        "deviceName": device.name,
        "deviceType": device.type,
        "ipAddress": device.ip_address,
        "macAddress": device.mac_address,
        "isOnline": device.is_online,
        "isActive": device.active,
        "is_active": device.active,
        "provisioningState": device.provisioning.value,
        "modifiedAt": device.modified_at,
    }


def own_as_json(device: Device) -> dict[str, Any]:
    """What a device may read of itself."""
    return {
        "uuid": device.uuid,
        "device_name": device.name,
        "device_type": device.type,
        "is_active": device.active,
        "provisioning_state": device.provisioning.value,
        "created_at": device.created_at,
    }


def _share(vitals: Any) -> float | None:
    """Used memory in percent, as the console draws it."""
    usage, total = vitals.get("memory_usage"), vitals.get("memory_total")
    return round(100 * usage / total, 1) if usage is not None and total else None


def device_routes(services: Services) -> list[Route]:
    """The routes of the registry."""
    own = DeviceRoutes(services)
    return [*_reading_routes(own), *_changing_routes(own)]


def _reading_routes(own: DeviceRoutes) -> list[Route]:
    return [
        Route(
            method="GET",
            path="/devices",
            handler=own.index,
            allow=user_with(DEVICE_READ),
            summary="List devices",
            query=FILTERS,
        ),
        Route(
            method="GET",
            path=ONE,
            handler=own.show,
            allow=device_or_user_with(DEVICE_READ),
            summary="Show a device with its states",
        ),
    ]


def _changing_routes(own: DeviceRoutes) -> list[Route]:
    return [
        Route(
            method="PATCH",
            path=ONE,
            handler=own.edit,
            allow=user_with(DEVICE_WRITE),
            summary="Change what is known of a device",
            body=DeviceEditBody,
            body_limit=MIB,
        ),
        Route(
            method="PATCH",
            path=ONE + "/active",
            handler=own.switch,
            allow=user_with(DEVICE_WRITE),
            summary="Put a device in service or out of it",
            body=ActiveBody,
            answers={402: "No more devices may be in service"},
            body_limit=MIB,
        ),
        Route(
            method="DELETE",
            path=ONE,
            handler=own.remove,
            allow=device_or_user_with(DEVICE_DELETE),
            summary="Remove a device",
        ),
        Route(
            method="POST",
            path=ONE + "/release",
            handler=own.release,
            allow=user_with(DEVICE_WRITE),
            summary="Let a device register again with another key",
            body=None,
            answers={409: "It is released already"},
        ),
    ]
