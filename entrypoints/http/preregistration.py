"""Devices that are expected (contract §4.5: POST /devices; §11.1 P-16)."""

from typing import Any

import msgspec
from aiohttp import web

from core.devices import DEVICE_WRITE
from core.provisioning import DEFAULT_FLEET, ExpectedDevice, Preregistration
from core.services import Services
from entrypoints.http.devices import device_as_json
from entrypoints.http.requests import actor_of, body_as
from entrypoints.http.responses import json
from entrypoints.http.routing import MIB, Route, user_with

SHOWN_ONCE = "Give this token to the device as its provisioning key: it is shown only this once."


class ExpectedDeviceBody(msgspec.Struct, rename="camel"):
    """POST /devices. With a MAC address, only a device that tells the same may take the place."""

    device_name: str
    device_type: str | None = None
    ip_address: str | None = None
    mac_address: str | None = None
    fleet_id: str | None = None


class PreregistrationRoutes:
    """Handlers."""

    def __init__(self, services: Services) -> None:
        self._preregistrations = services.preregistrations

    async def create(self, request: web.Request) -> web.Response:
        """Expect a device."""
        body = await body_as(request, ExpectedDeviceBody)
        wanted = ExpectedDevice(
            name=body.device_name,
            type=body.device_type or None,
            ip_address=body.ip_address or None,
            mac_address=body.mac_address,
            fleet_id=body.fleet_id or DEFAULT_FLEET,
        )
        made = await self._preregistrations.create(actor_of(request), wanted)
        return json(preregistration_as_json(made), status=201)


def preregistration_as_json(made: Preregistration) -> dict[str, Any]:
    """The pending device and its token."""
    device = device_as_json(made.device) | {
        "id": made.device.id,
        "fleetId": made.device.fleet_id,
        "provisioning_state": made.device.provisioning.value,
        "createdAt": made.device.created_at,
    }
    return {
        "success": True,
        "device": device,
        "enrolmentToken": made.token,
        "expiresAt": made.expires_at,
        "warning": SHOWN_ONCE,
    }


def preregistration_routes(services: Services) -> list[Route]:
    """The routes of pre-registration."""
    return [
        Route(
            method="POST",
            path="/devices",
            handler=PreregistrationRoutes(services).create,
            allow=user_with(DEVICE_WRITE),
            summary="Expect a device, and get the token by which it enrols",
            body=ExpectedDeviceBody,
            answers={201: "The pending device, and its token, shown only this once"},
            body_limit=MIB,
        ),
    ]
