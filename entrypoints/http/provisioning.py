"""Provisioning keys for people (contract §4.4), registration and key exchange for devices (§2.3, §2.4)."""

from datetime import datetime
from typing import Any

import msgspec
from aiohttp import web

from core.errors import Unauthenticated
from core.ids import ProvisioningKeyId, device_uuid
from core.provisioning import (
    API_KEY_CREATE,
    API_KEY_READ,
    API_KEY_REVOKE,
    DEFAULT_FLEET,
    NewProvisioningKey,
    ProvisioningKey,
    Registration,
)
from core.services import Services
from entrypoints.http.authentication import bearer_of
from entrypoints.http.declarations import Body, Secret, text
from entrypoints.http.requests import Query, actor_of, body_as, body_bytes, decoded, device_of
from entrypoints.http.responses import json
from entrypoints.http.routing import MIB, SECRET, Route, user_with

SHOWN_ONCE = "Store this key now: it is shown only this once."


class NewKeyBody(msgspec.Struct, rename="camel"):
    """POST /provisioning-keys. `maxUses` and `expiresAt` are the seed's words for the same."""

    fleet_id: str
    max_devices: int | None = None
    max_uses: int | None = None
    expires_in_days: int = 365
    expires_at: datetime | None = None
    description: str | None = None


class GenerateBody(msgspec.Struct, rename="camel"):
    """POST /provisioning-keys/generate."""

    fleet_id: str = DEFAULT_FLEET
    previous_key_id: str | None = None


class RevokeBody(msgspec.Struct):
    """DELETE /provisioning-keys/{keyId}; the body may be absent."""

    reason: str | None = None


class RegisterBody(msgspec.Struct, rename="camel"):
    """POST /device/register, as the agent sends it."""

    uuid: str
    device_name: str
    device_type: str
    device_api_key: str
    mac_address: str | None = None
    os_version: str | None = None
    agent_version: str | None = None


class KeyExchangeBody(msgspec.Struct, rename="camel"):
    """POST /device/{uuid}/key-exchange: the same key as in the header, and the uuid of the path."""

    uuid: str
    device_api_key: str


class ProvisioningRoutes:
    """Handlers."""

    def __init__(self, services: Services) -> None:
        self._keys = services.provisioning_keys
        self._enrolments = services.enrolments

    async def create(self, request: web.Request) -> web.Response:
        """Make a key."""
        body = await body_as(request, NewKeyBody)
        wanted = NewProvisioningKey(
            fleet_id=body.fleet_id,
            max_uses=next((most for most in (body.max_devices, body.max_uses) if most is not None), 100),
            expires_at=body.expires_at,
            expires_in_days=body.expires_in_days,
            description=body.description,
        )
        key, secret = await self._keys.create(actor_of(request), wanted)
        return json(as_json(key) | {"key": secret, "warning": SHOWN_ONCE}, status=201)

    async def generate(self, request: web.Request) -> web.Response:
        """Make a key for one device, in place of another if one is named."""
        body = decoded(await body_bytes(request) or b"{}", GenerateBody)
        replacing = ProvisioningKeyId(body.previous_key_id) if body.previous_key_id else None
        key, secret = await self._keys.generate(actor_of(request), body.fleet_id, replacing=replacing)
        return json(as_json(key) | {"key": secret, "warning": SHOWN_ONCE}, status=201)

    async def index(self, request: web.Request) -> web.Response:
        """List the keys of a fleet, or all."""
        fleet_id = Query(request).text("fleetId")
        keys = await self._keys.of_fleet(actor_of(request), fleet_id)
        return json({"fleet_id": fleet_id, "count": len(keys), "keys": [as_json(key) for key in keys]})

    async def revoke(self, request: web.Request) -> web.Response:
        """Let no more devices enrol with a key."""
        body = decoded(await body_bytes(request) or b"{}", RevokeBody)
        key_id = ProvisioningKeyId(request.match_info["keyId"])
        key = await self._keys.revoke(actor_of(request), key_id, body.reason)
        message = "Provisioning key revoked"
        return json({"status": "ok", "success": True, "message": message, "keyId": key.id, "reason": body.reason})

    async def register(self, request: web.Request) -> web.Response:
        """Enrol a device. Its provisioning key comes as a bearer token."""
        secret = bearer_of(request)
        if secret is None:
            raise Unauthenticated("send the provisioning key as Authorization: Bearer <key>")
        body = await body_as(request, RegisterBody)
        wanted = Registration(
            uuid=device_uuid(body.uuid),
            api_key=body.device_api_key,
            name=body.device_name,
            type=body.device_type,
            mac_address=body.mac_address,
            ip_address=actor_of(request).address or None,
            os_version=body.os_version,
            agent_version=body.agent_version,
        )
        enrolment = await self._enrolments.register(actor_of(request), secret, wanted)
        device = enrolment.device
        answer: dict[str, Any] = {
            "id": device.id,
            "uuid": device.uuid,
            "deviceName": device.name,
            "deviceType": device.type,
            "fleetId": device.fleet_id,
            "createdAt": device.created_at,
        }
        return json(answer | dict(enrolment.grants))

    async def exchange_key(self, request: web.Request) -> web.Response:
        """Confirm to a device that its key is known."""
        presented = bearer_of(request)
        if presented is None:
            raise Unauthenticated("send the device key as Authorization: Bearer <key>")
        body = await body_as(request, KeyExchangeBody)
        uuid = device_of(request)
        if device_uuid(body.uuid) != uuid:
            raise Unauthenticated("unknown device key")
        device = await self._enrolments.exchange_key(uuid, presented, body.device_api_key)
        described = {"id": device.id, "uuid": device.uuid, "deviceName": device.name}
        return json({"status": "ok", "message": "Key exchange successful", "device": described})


def as_json(key: ProvisioningKey) -> dict[str, Any]:
    """A key in both spellings; never its digest."""
    return {
        "id": key.id,
        "fleetId": key.fleet_id,
        "fleet_id": key.fleet_id,
        "description": key.description,
        "maxDevices": key.max_uses,
        "max_devices": key.max_uses,
        "maxUses": key.max_uses,
        "devicesProvisioned": key.uses,
        "devices_provisioned": key.uses,
        "currentUses": key.uses,
        "isActive": key.is_active,
        "is_active": key.is_active,
        "expiresAt": key.expires_at,
        "expires_at": key.expires_at,
        "createdAt": key.created_at,
        "created_at": key.created_at,
        "createdBy": key.created_by,
        "created_by": key.created_by,
        "deviceUuid": key.device_uuid,
        "lastUsedAt": key.last_used_at,
        "last_used_at": key.last_used_at,
    }


def provisioning_routes(services: Services) -> list[Route]:
    """The routes of provisioning."""
    own = ProvisioningRoutes(services)
    return [*_for_people(own), *_for_agents(own)]


def _for_people(own: ProvisioningRoutes) -> list[Route]:
    return [
        Route(
            method="POST",
            path="/provisioning-keys",
            handler=own.create,
            allow=user_with(API_KEY_CREATE),
            summary="Make a provisioning key",
            body=NewKeyBody,
            answers={201: "The key, shown only this once"},
        ),
        Route(
            method="GET",
            path="/provisioning-keys",
            handler=own.index,
            allow=user_with(API_KEY_READ),
            summary="List provisioning keys",
            query=(text("fleetId", "Only keys of this fleet"),),
        ),
        Route(
            method="POST",
            path="/provisioning-keys/generate",
            handler=own.generate,
            allow=user_with(API_KEY_CREATE),
            summary="Make a key for one device",
            body=Body(kind=GenerateBody, required=False),
            answers={201: "The key, shown only this once", 404: "There is no key to replace"},
        ),
        Route(
            method="DELETE",
            path="/provisioning-keys/{keyId}",
            handler=own.revoke,
            allow=user_with(API_KEY_REVOKE),
            summary="Revoke a provisioning key",
            body=Body(kind=RevokeBody, required=False),
        ),
    ]


def _for_agents(own: ProvisioningRoutes) -> list[Route]:
    return [
        Route(
            method="POST",
            path="/device/register",
            handler=own.register,
            allow=SECRET,
            summary="Register a device (agents)",
            body=RegisterBody,
            answers={
                200: "What the device needs from now on",
                402: "No more devices may be in service",
                409: "The device is registered with another key",
                429: "Too many wrong keys",
            },
            secrets=(Secret.PROVISIONING_KEY,),
            body_limit=MIB,
        ),
        Route(
            method="POST",
            path="/device/{uuid}/key-exchange",
            handler=own.exchange_key,
            allow=SECRET,
            summary="Confirm a device's key (agents)",
            body=KeyExchangeBody,
            answers={429: "Too many wrong keys"},
            secrets=(Secret.DEVICE_KEY,),
            body_limit=MIB,
        ),
    ]
