"""Live updates: a WebSocket (contract §5), and the same as server-sent events."""

import asyncio
from collections.abc import Coroutine, Mapping
from functools import partial
from typing import Any

from aiohttp import web

from core.actor import Actor
from core.checks import require
from core.errors import Forbidden, Invalid, NotFound, Refusal, Unauthenticated
from core.history import HISTORY_READ as WATCH
from core.ids import DeviceUuid, device_uuid
from core.services import Services
from entrypoints.http.addresses import TrustedProxies
from entrypoints.http.declarations import Answer, Secret, text
from entrypoints.http.live import socket as sockets
from entrypoints.http.live import stream as streams
from entrypoints.http.live.channels import Channel
from entrypoints.http.live.credentials import Credentials, check_origin
from entrypoints.http.live.devices import device_channels
from entrypoints.http.live.everywhere import global_channels
from entrypoints.http.live.hub import Hub
from entrypoints.http.live.visitors import LEFT, SESSION_ENDED, Encode, Ending, Visitor, Visitors
from entrypoints.http.requests import actor_of, device_of
from entrypoints.http.routing import SECRET, Allow, Caller, Route

PATH = "/ws"
DEVICE_DEFAULT = "logs,metrics,events"
GLOBAL_DEFAULT = "events"
TRY_LATER = 1013
# Close codes of our own for refusals that come when the socket is open already.
_CODES: Mapping[type[Refusal], int] = {Unauthenticated: SESSION_ENDED, Forbidden: 4403, NotFound: 4404}
_GONE = Ending(LEFT, "")


class Live:
    """Lets people watch. What nobody watches costs nothing."""

    def __init__(self, services: Services, *, proxies: TrustedProxies, origins: frozenset[str]) -> None:
        self._services = services
        self._origins = origins
        self._device_channels = device_channels(services)
        self._global_channels = global_channels(services)
        self._hub = Hub(services.signals, [*self._device_channels.values(), *self._global_channels.values()])
        self._visitors = Visitors(services.sessions, services.signals)
        self._credentials = Credentials(services.sessions, proxies)

    async def socket(self, request: web.Request) -> web.StreamResponse:
        """Open a WebSocket: of one device (`?deviceUuid=`), or of what concerns all (`?type=global`)."""
        device = _target_of(request)
        check_origin(request, self._origins)
        actor = await self._credentials.actor_of(request)
        if actor is not None:
            await self._let_in(actor, device)
        visitor = self._visitor(device, partial(sockets.encoded, self._services.clock))
        socket = sockets.websocket()
        try:
            if actor is None:
                actor = await self._introduced(request, socket, visitor)
            with self._visitors.place_for(visitor, actor):
                if not socket.prepared:
                    await socket.prepare(request)
                ending = await self._served(socket, visitor, actor)
        except Refusal as refusal:
            if not socket.prepared:
                raise
            ending = Ending(_CODES.get(type(refusal), TRY_LATER), refusal.message)
        await sockets.close(request, socket, ending)
        return socket

    async def device_stream(self, request: web.Request) -> web.StreamResponse:
        """What happens on a device, as server-sent events."""
        device = device_of(request)
        check_origin(request, self._origins)
        await self._let_in(actor_of(request), device)
        return await self._stream(request, device, DEVICE_DEFAULT)

    async def global_stream(self, request: web.Request) -> web.StreamResponse:
        """What happens, as server-sent events."""
        check_origin(request, self._origins)
        return await self._stream(request, None, GLOBAL_DEFAULT)

    def close(self) -> None:
        """Send everybody away, and let nobody in any more."""
        self._visitors.close()

    def routes(self) -> list[Route]:
        """All of them."""
        watch = Allow(Caller.USER, WATCH, token_in_query=True, session_cookie=True)
        query = (
            text("channels", "Names of channels, with commas between them"),
            text("serviceName", "Only lines of this service"),
            text("token", "The access token, where no header can be sent", longest=4096),
        )
        stream = {200: Answer("Server-sent events", media="text/event-stream")}
        return [
            Route(
                method="GET",
                path=PATH,
                handler=self.socket,
                allow=SECRET,
                summary="Watch over a WebSocket",
                root=True,
                query=(
                    text("deviceUuid", "The device to watch"),
                    text("type", "`global` to watch what concerns all"),
                    text("token", "The access token; it may also be offered as a subprotocol", longest=4096),
                ),
                secrets=(Secret.SESSION_COOKIE, Secret.TOKEN_IN_QUERY),
                answers={101: "The WebSocket is open", 401: "The token is not good", 403: "Not for this site's pages"},
            ),
            Route(
                method="GET",
                path="/devices/{uuid}/live",
                lasting=True,
                handler=self.device_stream,
                allow=watch,
                summary="Watch a device as server-sent events",
                query=query,
                answers=stream,
            ),
            Route(
                method="GET",
                path="/live",
                lasting=True,
                handler=self.global_stream,
                allow=watch,
                summary="Watch what happens as server-sent events",
                query=query,
                answers=stream,
            ),
        ]

    async def _let_in(self, actor: Actor, device: DeviceUuid | None) -> None:
        """Forbidden, or NotFound."""
        require(actor, WATCH)
        if device is not None:
            await self._services.devices.overview(actor, device)

    def _visitor(self, device: DeviceUuid | None, encode: Encode) -> Visitor:
        channels: Mapping[str, Channel] = self._global_channels if device is None else self._device_channels
        return Visitor(self._hub, channels, device, encode)

    async def _introduced(self, request: web.Request, socket: web.WebSocketResponse, visitor: Visitor) -> Actor:
        """Who it is, as the first message says. Raises what it is refused with."""
        with self._visitors.place_for(visitor, None):
            await socket.prepare(request)
            actor = await self._credentials.introduced(request, await sockets.token_from(socket))
            await self._let_in(actor, visitor.device)
        return actor

    async def _served(self, socket: web.WebSocketResponse, visitor: Visitor, actor: Actor) -> Ending:
        conversation = sockets.Conversation(socket, visitor, self._services.clock)
        return await self._until_ended(visitor, actor, conversation.listen(), conversation.speak())

    async def _stream(self, request: web.Request, device: DeviceUuid | None, default: str) -> web.StreamResponse:
        visitor, actor = self._visitor(device, streams.encoded), actor_of(request)
        wanted = [name.strip() for name in request.query.get("channels", default).split(",") if name.strip()]
        after = streams.last_event_of(request)
        with self._visitors.place_for(visitor, actor):
            for name in wanted:
                subscription = visitor.admit(name, request.query.get("serviceName"), after)
                if subscription is not None:
                    await visitor.begin(subscription)
            origin = request.headers.get("Origin", "")
            response = streams.opened(origin if origin in self._origins else None)
            await response.prepare(request)
            ending = await self._until_ended(visitor, actor, streams.speak(response, visitor))
            await streams.say_goodbye(response, ending.code, ending.reason)
        return response

    async def _until_ended(self, visitor: Visitor, actor: Actor, *works: Coroutine[Any, Any, None]) -> Ending:
        """Serve until the client leaves, the session ends or the server stops. A bug in the work is raised."""
        tasks = [asyncio.create_task(work) for work in (*works, self._visitors.stay(visitor, actor))]
        waited: list[asyncio.Future[Any]] = [*tasks, visitor.ended]
        try:
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return visitor.ended.result() if visitor.ended.done() else _GONE


def _target_of(request: web.Request) -> DeviceUuid | None:
    """The device that is to be watched, or None for what concerns all. Raises Invalid when nothing is named."""
    device = request.query.get("deviceUuid")
    if device:
        return device_uuid(device, "deviceUuid")
    if request.query.get("type") == "global":
        return None
    raise Invalid("say what to watch: ?deviceUuid=<uuid>, or ?type=global", field="deviceUuid")
