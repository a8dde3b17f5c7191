"""Server-sent events (HTML, §9.2): the same channels for programs and pages that only listen."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec
from aiohttp import web

from core.errors import Invalid
from entrypoints.http.live.channels import Key
from entrypoints.http.live.visitors import Visitor

KEEP_ALIVE_SECONDS = 15.0
SEND_SECONDS = 20.0
RECONNECT_MILLISECONDS = 3000
LAST_EVENT_ID = "Last-Event-ID"
HIGHEST_ID = 2**62

_encoder = msgspec.json.Encoder()


def encoded(key: Key, data: Mapping[str, Any], position: int) -> bytes:
    """What a channel has to tell, as an event. Only events of the history have ids: they can be asked for again."""
    message: dict[str, Any] = {"data": data}
    if key.device is not None:
        message["deviceUuid"] = key.device
    if key.service is not None:
        message["serviceName"] = key.service
    number = f"id: {position}\n" if key.channel == "events" else ""
    return f"event: {key.channel}\n{number}data: ".encode() + _encoder.encode(message) + b"\n\n"


def last_event_of(request: web.Request) -> int | None:
    """The last event that the reader has had, where it was here before. Raises Invalid."""
    named = request.headers.get(LAST_EVENT_ID) or request.query.get("lastEventId")
    if not named:
        return None
    if not named.isascii() or not named.isdigit() or int(named[:20]) > HIGHEST_ID:
        raise Invalid(f"{LAST_EVENT_ID} must be the id of an event", field=LAST_EVENT_ID)
    return int(named)


def opened(allowed_origin: str | None) -> web.StreamResponse:
    """The answer, not yet begun."""
    response = web.StreamResponse()
    response.content_type = "text/event-stream"
    response.charset = "utf-8"
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["X-Accel-Buffering"] = "no"  # proxies such as nginx would collect it first
    response.headers["Server"] = "iotistic"
    if allowed_origin is not None:
        response.headers["Access-Control-Allow-Origin"] = allowed_origin
        response.headers["Access-Control-Allow-Credentials"] = "true"
        response.headers["Vary"] = "Origin"
    return response


async def speak(response: web.StreamResponse, visitor: Visitor) -> None:
    """Send what waits, and something now and then; returns when the reader does not take it."""
    with suppress(TimeoutError, ConnectionError):
        await _write(response, f"retry: {RECONNECT_MILLISECONDS}\n\n".encode())
        while True:
            await _write(response, await _next(visitor))


async def say_goodbye(response: web.StreamResponse, code: int, reason: str) -> None:
    """Tell why it ends, if the reader still takes it."""
    body = _encoder.encode({"code": code, "message": reason})
    with suppress(TimeoutError, ConnectionError):
        await _write(response, b"event: closed\ndata: " + body + b"\n\n")
        await response.write_eof()


async def _next(visitor: Visitor) -> bytes:
    try:
        async with asyncio.timeout(KEEP_ALIVE_SECONDS):
            return await visitor.mailbox.next()
    except TimeoutError:
        return b": still here\n\n"


async def _write(response: web.StreamResponse, data: bytes) -> None:
    async with asyncio.timeout(SEND_SECONDS):
        await response.write(data)
