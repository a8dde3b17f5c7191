"""Somebody who watches, over the WebSocket or as server-sent events."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
from attrs import define, field

from tests.support.application import Api, Caller

PATIENCE = 5.0


@define
class Watcher:
    """An open WebSocket."""

    socket: aiohttp.ClientWebSocketResponse
    _passed_over: list[dict[str, Any]] = field(factory=list)

    async def say(self, **message: Any) -> None:
        """Send a message."""
        await self.socket.send_json(message)

    async def hear(self, kind: str) -> dict[str, Any]:
        """The next message of this type; others are kept until they are asked for."""
        for place, message in enumerate(self._passed_over):
            if message["type"] == kind:
                return self._passed_over.pop(place)
        async with asyncio.timeout(PATIENCE):
            while True:
                message = msgspec.json.decode(await self.socket.receive_str(), type=dict[str, Any])
                if message["type"] == kind:
                    return message
                self._passed_over.append(message)

    async def closed(self) -> int | None:
        """The code that the socket is closed with."""
        async with asyncio.timeout(PATIENCE):
            while not self.socket.closed:
                await self.socket.receive()
        return self.socket.close_code


def token_of(person: Caller) -> str:
    """Their access token."""
    return person.headers["Authorization"].removeprefix("Bearer ")


@asynccontextmanager
async def watching(api: Api, query: str, **options: Any) -> AsyncIterator[Watcher]:
    """Somebody who has opened the WebSocket."""
    async with api.http.ws_connect(f"{api.running.url}/ws?{query}", **options) as socket:
        yield Watcher(socket)


@define
class Listener:
    """An open stream of server-sent events."""

    response: aiohttp.ClientResponse

    async def hear(self, kind: str) -> dict[str, str]:
        """The next event of this type, field by field; others are passed over."""
        async with asyncio.timeout(PATIENCE):
            while True:
                event = await self._next()
                if event.get("event") == kind:
                    return event

    async def _next(self) -> dict[str, str]:
        block = (await self.response.content.readuntil(b"\n\n")).decode().strip()
        return dict(line.split(": ", 1) for line in block.splitlines())


@asynccontextmanager
async def listening(caller: Caller, path: str, **headers: str) -> AsyncIterator[Listener]:
    """Somebody who listens to a stream."""
    async with caller.http.get(f"{caller.url}/api/v1{path}", headers={**caller.headers, **headers}) as response:
        assert response.status == 200, await response.text()
        yield Listener(response)
