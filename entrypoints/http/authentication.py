"""Who asks: a person with an access token, a device with its key, or a stranger."""

import re
from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import web

from core.actor import Actor, ActorKind
from core.checks import require
from core.devices import DeviceKeys, Liveness
from core.errors import Forbidden, Unauthenticated
from core.ids import DeviceUuid
from core.services import Services
from entrypoints.http.addresses import TrustedProxies
from entrypoints.http.cookies import COOKIE
from entrypoints.http.routing import Allow, Caller

DEVICE_KEY_HEADER = "X-Device-API-Key"
_BEARER = re.compile(r"(?i:bearer) +([A-Za-z0-9._~+/=-]{1,4096})")

REMEMBERED = 200_000

Identify = Callable[[web.Request], Awaitable[Actor]]


def bearer_of(request: web.Request) -> str | None:
    """The token of `Authorization: Bearer …` (RFC 6750 §2.1), or None. Refuses a malformed or repeated header."""
    values = request.headers.getall("Authorization", [])
    if not values:
        return None
    found = _BEARER.fullmatch(values[0].strip()) if len(values) == 1 else None
    if found is None:
        raise Unauthenticated("the Authorization header must read: Bearer, a blank, the token")
    return found[1]


class Authentication:
    """Finds out who asks and whether a route lets them pass."""

    def __init__(self, services: Services, proxies: TrustedProxies) -> None:
        self._sessions = services.sessions
        self._device_keys: DeviceKeys = services.device_keys
        self._liveness: Liveness = services.liveness
        self._proxies = proxies
        # Devices come back once a minute from where they were, and making an Actor costs as much as checking its key.
        self._devices: dict[DeviceUuid, Actor] = {}

    def of(self, allow: Allow) -> Identify:
        """What finds out who asks on a route, and lets pass whom it allows. Raises Unauthenticated or Forbidden."""
        identify: dict[Caller, Identify] = {
            Caller.ANYONE: self._stranger,
            Caller.SECRET: self._stranger,
            Caller.DEVICE: self._device,
            Caller.USER: partial(self._user, allow),
            Caller.DEVICE_OR_USER: partial(self._device_or_user, allow),
        }
        return identify[allow.caller]

    async def _stranger(self, request: web.Request) -> Actor:
        return Actor(kind=ActorKind.STRANGER, address=self._proxies.address_of(request))

    async def _device_or_user(self, allow: Allow, request: web.Request) -> Actor:
        if _device_key_of(request) is None:
            return await self._user(allow, request)
        return await self._device(request)

    async def _device(self, request: web.Request) -> Actor:
        key = _device_key_of(request)
        if key is None:
            raise Unauthenticated("a device key is needed")
        known = await self._device_keys.holder(key)
        named = request.match_info.get("uuid")
        if named is not None and named.lower() != known.uuid:
            raise Forbidden("a device may only speak for itself")
        if not known.active:
            raise Forbidden("Device is inactive: an operator has to activate it")
        self._liveness.seen(known.uuid)
        return self._actor(known.uuid, self._proxies.address_of(request))

    def _actor(self, uuid: DeviceUuid, address: str) -> Actor:
        actor = self._devices.get(uuid)
        if actor is None or actor.address != address:
            if len(self._devices) >= REMEMBERED:
                self._devices.clear()
            actor = self._devices[uuid] = Actor(kind=ActorKind.DEVICE, device_uuid=uuid, address=address)
        return actor

    async def _user(self, allow: Allow, request: web.Request) -> Actor:
        token = bearer_of(request) or (request.query.get("token") if allow.token_in_query else None)
        cookie = request.cookies.get(COOKIE) if allow.session_cookie else None
        if token is not None:
            actor: Actor = await self._sessions.actor(token, self._proxies.address_of(request))
        elif cookie:
            actor = await self._sessions.watcher(cookie, self._proxies.address_of(request))
        else:
            raise Unauthenticated("log in first: POST /api/v1/auth/login, then send Authorization: Bearer <token>")
        if allow.permission is not None:
            require(actor, allow.permission)
        return actor


def _device_key_of(request: web.Request) -> str | None:
    """The device key, from its own header or as a bearer token. Tokens of people contain dots, device keys do not."""
    keys = request.headers.getall(DEVICE_KEY_HEADER, [])
    if len(keys) > 1:
        raise Unauthenticated("one device key only")
    if keys:
        return keys[0].strip()
    token = bearer_of(request)
    return token if token is not None and "." not in token else None
