"""Who asks: a person with an access token, a device with its key, or a stranger."""

import re

from aiohttp import web

from core.actor import Actor, ActorKind
from core.checks import require
from core.devices import DeviceKeys, Liveness
from core.errors import Forbidden, Unauthenticated
from core.services import Services
from entrypoints.http.addresses import TrustedProxies
from entrypoints.http.routing import Allow, Caller

DEVICE_KEY_HEADER = "X-Device-API-Key"
_BEARER = re.compile(r"(?i:bearer) +([A-Za-z0-9._~+/=-]{1,4096})")


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

    async def actor_for(self, request: web.Request, allow: Allow) -> Actor:
        """Who asks, if the route lets them pass. Raises Unauthenticated or Forbidden."""
        address = self._proxies.address_of(request)
        if allow.caller in {Caller.ANYONE, Caller.SECRET}:
            return Actor(kind=ActorKind.STRANGER, address=address)
        if allow.caller is not Caller.USER:
            key = _device_key_of(request)
            if key is not None:
                return await self._device(request, key, address)
        if allow.caller is Caller.DEVICE:
            raise Unauthenticated("a device key is needed")
        return await self._user(request, allow, address)

    async def _device(self, request: web.Request, key: str, address: str) -> Actor:
        known = await self._device_keys.holder(key)
        named = request.match_info.get("uuid")
        if named is not None and named.lower() != known.uuid:
            raise Forbidden("a device may only speak for itself")
        if not known.active:
            raise Forbidden("Device is inactive: an operator has to activate it")
        self._liveness.seen(known.uuid)
        return Actor(kind=ActorKind.DEVICE, device_uuid=known.uuid, address=address)

    async def _user(self, request: web.Request, allow: Allow, address: str) -> Actor:
        token = bearer_of(request) or (request.query.get("token") if allow.token_in_query else None)
        if token is None:
            raise Unauthenticated("log in first: POST /api/v1/auth/login, then send Authorization: Bearer <token>")
        actor: Actor = await self._sessions.actor(token, address)
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
