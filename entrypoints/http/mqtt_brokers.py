"""Brokers that devices are sent to (contract §4.16 brokers, §4.5 PUT broker)."""

from typing import Any

import msgspec
from aiohttp import web

from core.devices import DEVICE_CONTROL
from core.mqtt import (
    BROKER_READ,
    BROKER_WRITE,
    Assignment,
    BrokerId,
    BrokerWish,
    KnownBroker,
    ProbeOutcome,
)
from core.services import Services
from entrypoints.http.requests import actor_of, body_as, device_of, number_of
from entrypoints.http.responses import json
from entrypoints.http.routing import MIB, Route, user_with

_OPTIONS = (
    "client_id_prefix",
    "keep_alive",
    "clean_session",
    "reconnect_period",
    "connect_timeout",
    "verify_certificate",
    "ca_cert",
    "client_cert",
)
_VALUES = ("name", "description", "protocol", "host", "port", "path", "username", "password", "is_active")


class BrokerBody(msgspec.Struct, rename="camel"):
    """POST /mqtt/brokers, where `name` and `host` are required, and PUT /mqtt/brokers/{id}; what is absent stays."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    description: str | msgspec.UnsetType = msgspec.UNSET
    protocol: str | msgspec.UnsetType = msgspec.UNSET
    host: str | msgspec.UnsetType = msgspec.UNSET
    port: int | msgspec.UnsetType = msgspec.UNSET
    path: str | msgspec.UnsetType = msgspec.UNSET
    username: str | msgspec.UnsetType | None = msgspec.UNSET
    password: str | msgspec.UnsetType | None = msgspec.UNSET
    is_active: bool | msgspec.UnsetType = msgspec.UNSET
    is_default: bool | None = None
    use_tls: bool | None = None
    client_id_prefix: str | msgspec.UnsetType = msgspec.UNSET
    keep_alive: int | msgspec.UnsetType = msgspec.UNSET
    clean_session: bool | msgspec.UnsetType = msgspec.UNSET
    reconnect_period: int | msgspec.UnsetType = msgspec.UNSET
    connect_timeout: int | msgspec.UnsetType = msgspec.UNSET
    verify_certificate: bool | msgspec.UnsetType = msgspec.UNSET
    ca_cert: str | msgspec.UnsetType | None = msgspec.UNSET
    client_cert: str | msgspec.UnsetType | None = msgspec.UNSET


class AssignmentBody(msgspec.Struct, rename="camel"):
    """PUT /devices/{uuid}/broker; null sends the device to the usual broker."""

    broker_id: int | None


class MqttBrokerRoutes:
    """Handlers."""

    def __init__(self, services: Services) -> None:
        self._brokers = services.mqtt_brokers

    async def index(self, request: web.Request) -> web.Response:
        """List the brokers that are defined."""
        brokers = [broker_as_json(known) for known in await self._brokers.all(actor_of(request))]
        return json({"success": True, "count": len(brokers), "brokers": brokers})

    async def summary(self, request: web.Request) -> web.Response:
        """Tell in short which brokers there are, and which one devices are told of."""
        brokers = await self._brokers.all(actor_of(request))
        default = next((broker_as_json(known) for known in brokers if known.is_default), None)
        summary = {
            "total": len(brokers),
            "active": sum(known.broker.is_active for known in brokers),
            "withTls": sum(known.broker.uses_tls for known in brokers),
            "assignedDevices": sum(known.devices for known in brokers),
            "defaultBrokerId": None if default is None else default["id"],
            "defaultBroker": default,
            "overriddenBy": self._brokers.overridden_by,
        }
        return json({"success": True, "summary": summary})

    async def show(self, request: web.Request) -> web.Response:
        """Show a broker."""
        known = await self._brokers.get(actor_of(request), _broker_in(request))
        return json({"success": True, "broker": broker_as_json(known)})

    async def create(self, request: web.Request) -> web.Response:
        """Define a broker."""
        wish = wish_in(await body_as(request, BrokerBody))
        known = await self._brokers.create(actor_of(request), wish)
        return json({"success": True, "message": "The broker is defined", "broker": broker_as_json(known)}, status=201)

    async def change(self, request: web.Request) -> web.Response:
        """Change a broker. With another address it loses its password, unless that is given again."""
        wish = wish_in(await body_as(request, BrokerBody))
        known = await self._brokers.change(actor_of(request), _broker_in(request), wish)
        message = "The broker is changed; devices are told when they register again"
        return json({"success": True, "message": message, "broker": broker_as_json(known)})

    async def remove(self, request: web.Request) -> web.Response:
        """Forget a broker; its devices are told of the usual one when they register again."""
        broker = await self._brokers.remove(actor_of(request), _broker_in(request))
        return json({"success": True, "message": f"The broker {broker.name} is removed"})

    async def test(self, request: web.Request) -> web.Response:
        """Connect to a broker and log in, now."""
        outcome = await self._brokers.test(actor_of(request), _broker_in(request))
        passed = outcome is ProbeOutcome.ACCEPTED
        return json({"success": passed, "connected": passed, "outcome": outcome.value, "message": MESSAGES[outcome]})

    async def assign(self, request: web.Request) -> web.Response:
        """Send a device to a broker, from its next registration on."""
        body = await body_as(request, AssignmentBody)
        broker_id = None if body.broker_id is None else BrokerId(body.broker_id)
        assignment = await self._brokers.assign(actor_of(request), device_of(request), broker_id)
        return json(assignment_as_json(assignment))


MESSAGES: dict[ProbeOutcome, str] = {
    ProbeOutcome.ACCEPTED: "The broker has accepted a connection",
    ProbeOutcome.REFUSED_CREDENTIALS: "The broker answers, but refuses this username and password",
    ProbeOutcome.UNKNOWN_HOST: "The host name is not known",
    ProbeOutcome.REFUSED_ADDRESS: "We do not connect to this address: it is the network's own",
    ProbeOutcome.UNREACHABLE: "The host cannot be reached at this port",
    ProbeOutcome.TLS_FAILED: "No TLS connection comes about: it speaks no TLS, or we do not trust its certificate",
    ProbeOutcome.NO_BROKER: "What answers there is no MQTT broker",
    ProbeOutcome.TIMEOUT: "Nothing answers in time",
}


def wish_in(body: BrokerBody) -> BrokerWish:
    """What the body says of a broker."""

    def given(names: tuple[str, ...]) -> dict[str, Any]:
        values = {name: getattr(body, name) for name in names}
        return {name: value for name, value in values.items() if value is not msgspec.UNSET}

    return BrokerWish(values=given(_VALUES), options=given(_OPTIONS), use_tls=body.use_tls, is_default=body.is_default)


def broker_as_json(known: KnownBroker) -> dict[str, Any]:
    """A broker; of its password only whether there is one."""
    broker, options = known.broker, known.broker.options
    return {
        "id": broker.id,
        "name": broker.name,
        "description": broker.description,
        "protocol": broker.protocol,
        "host": broker.host,
        "port": broker.port,
        "path": broker.path,
        "url": broker.url,
        "useTls": broker.uses_tls,
        "username": broker.username,
        "hasPassword": bool(broker.password),
        "clientIdPrefix": options.client_id_prefix,
        "keepAlive": options.keep_alive,
        "cleanSession": options.clean_session,
        "reconnectPeriod": options.reconnect_period,
        "connectTimeout": options.connect_timeout,
        "verifyCertificate": options.verify_certificate,
        "caCert": options.ca_cert,
        "clientCert": options.client_cert,
        "isActive": broker.is_active,
        "isDefault": known.is_default,
        "deviceCount": known.devices,
        "createdAt": broker.created_at,
        "updatedAt": broker.updated_at,
    }


def assignment_as_json(assignment: Assignment) -> dict[str, Any]:
    """Where a device is sent. It has no shadow: today's agent does not listen for one."""
    device, broker = assignment.device, assignment.broker
    where = "the usual broker" if broker is None else f"the broker {broker.name}"
    message = f"The device is told of {where} at its next registration; this agent cannot be told before"
    if assignment.overridden:
        message += ". While MQTT_BROKER_URL is set, all devices are told of that address instead"
    return {
        "success": True,
        "message": message,
        "device": {
            "uuid": device.uuid,
            "deviceName": device.name,
            "mqttBrokerId": None if broker is None else broker.id,
        },
        "broker": None if broker is None else {"id": broker.id, "name": broker.name, "url": broker.url},
        "shadow": None,
    }


def _broker_in(request: web.Request) -> BrokerId:
    return BrokerId(number_of(request))


def mqtt_broker_routes(services: Services) -> list[Route]:
    """The routes of brokers."""
    own = MqttBrokerRoutes(services)
    every, one = "/mqtt/brokers", "/mqtt/brokers/{id}"
    read, write = user_with(BROKER_READ), user_with(BROKER_WRITE)
    return [
        Route(method="GET", path=every, handler=own.index, allow=read, summary="List brokers that are defined"),
        Route(method="GET", path=every + "/summary", handler=own.summary, allow=read, summary="Sum up the brokers"),
        Route(
            method="POST",
            path=every,
            handler=own.create,
            allow=write,
            summary="Define a broker",
            body=BrokerBody,
            body_limit=MIB,
            answers={201: "The broker", 409: "There are too many"},
        ),
        Route(method="GET", path=one, handler=own.show, allow=read, summary="Show a broker"),
        Route(
            method="PUT",
            path=one,
            handler=own.change,
            allow=write,
            summary="Change a broker",
            body=BrokerBody,
            body_limit=MIB,
        ),
        Route(method="DELETE", path=one, handler=own.remove, allow=write, summary="Forget a broker"),
        Route(
            method="POST",
            path=one + "/test",
            handler=own.test,
            allow=write,
            summary="Try to connect to a broker",
            body=None,
        ),
        _assignment_route(own),
    ]


def _assignment_route(own: MqttBrokerRoutes) -> Route:
    return Route(
        method="PUT",
        path="/devices/{uuid}/broker",
        handler=own.assign,
        allow=user_with(DEVICE_CONTROL),
        summary="Send a device to a broker",
        body=AssignmentBody,
        body_limit=MIB,
    )
