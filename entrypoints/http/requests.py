"""What handlers read from a request: bounded, typed, refused in words that name the field."""

import asyncio
import re
import zlib
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

import msgspec
from aiohttp import StreamReader, web
from aiohttp.http_exceptions import HttpProcessingError

from core.actor import STRANGER, Actor
from core.errors import Invalid
from core.ids import DeviceUuid, device_uuid
from entrypoints.http.routing import MIB, Route

T = TypeVar("T")
E = TypeVar("E", bound=Enum)

ACTOR: web.RequestKey[Actor] = web.RequestKey("actor", Actor)
ROUTE: web.RequestKey[Route] = web.RequestKey("route", Route)

# Seconds for a body to arrive: 10 MiB over a slow mobile connection.
PATIENCE = 120.0
# Real reports and logs compress 5 to 60 times. What expands further than this, beyond a first MiB, is a bomb.
MOST_EXPANSION = 200
_AT_PATH = re.compile(r"(?s)(.*) - at `(?:key in )?\$\.?(.*)`")


def actor_of(request: web.Request) -> Actor:
    """Who asks."""
    actor: Actor = request.get(ACTOR, STRANGER)
    return actor


def device_of(request: web.Request) -> DeviceUuid:
    """The device that the path names. Invalid when it is no uuid."""
    return device_uuid(request.match_info["uuid"])


def number_of(request: web.Request, name: str = "id") -> int:
    """The number that the path names. Invalid when it is none."""
    text = request.match_info[name]
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise Invalid(f"{name} must be a number", field=name)
    return int(text)


async def body_bytes(request: web.Request, *, patience: float = PATIENCE) -> bytes:
    """The body, inflated if it was compressed. Refused with 413 beyond the route's limit, before it is kept.

    Invalid when it is cut off, or has not arrived after `patience` seconds.
    """
    limit = request[ROUTE].body_limit
    if request.content_length is not None and request.content_length > limit:
        raise web.HTTPRequestEntityTooLarge(max_size=limit, actual_size=request.content_length)
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    try:
        async with asyncio.timeout(patience):
            raw = await _arrived(request.content, limit)
    except (ConnectionError, TimeoutError, RuntimeError, web.RequestPayloadError, HttpProcessingError) as error:
        # RuntimeError is what aiohttp raises where the connection was closed before we began to read.
        raise Invalid("the body did not arrive whole", field="body") from error
    return raw if encoding in {"identity", ""} else inflated(raw, encoding, limit)


async def _arrived(content: StreamReader, limit: int) -> bytes:
    raw = bytearray()
    async for chunk in content.iter_any():
        raw += chunk
        if len(raw) > limit:
            raise web.HTTPRequestEntityTooLarge(max_size=limit, actual_size=len(raw))
    return bytes(raw)


def inflated(raw: bytes, encoding: str, limit: int) -> bytes:
    """The bytes without their gzip or deflate coding (RFC 9110 §8.4.1), never more than `limit` of them."""
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        raise Invalid("Content-Encoding must be gzip or deflate", field="Content-Encoding")
    bound = min(limit, max(MIB, len(raw) * MOST_EXPANSION))
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        data = inflater.decompress(raw, bound)
    except zlib.error as error:
        raise Invalid(f"the body is not {encoding}", field="Content-Encoding") from error
    if inflater.unconsumed_tail:
        raise web.HTTPRequestEntityTooLarge(max_size=bound, actual_size=bound + 1)
    if not inflater.eof:
        raise Invalid(f"the {encoding} body ends too early", field="Content-Encoding")
    if inflater.unused_data:
        raise Invalid(f"the {encoding} body goes on after its end", field="Content-Encoding")
    return data


async def body_as(request: web.Request, kind: type[T]) -> T:
    """The JSON body as a value of this type (an msgspec.Struct). Fields it does not name are ignored."""
    return decoded(await body_bytes(request), kind)


def decoded(data: bytes, kind: type[T]) -> T:
    """JSON as a value of this type. Invalid names the field that is wrong."""
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        found = _AT_PATH.fullmatch(str(error))
        reason, field = (found[1], found[2] or "body") if found else (str(error), "body")
        if missing := re.fullmatch(r"Object missing required field `(.*)`", reason):
            field = missing[1] if field == "body" else f"{field}.{missing[1]}"
            raise Invalid(f"{field} is required", field=field) from error
        raise Invalid(f"{field}: {reason}", field=field) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"the body is not JSON: {error}", field="body") from error
    except RecursionError as error:
        raise Invalid("the body is nested too deeply", field="body") from error


async def json_of(request: web.Request) -> Any:
    """The JSON body, whatever it is."""
    return await body_as(request, Any)


class Query:
    """The query string, typed. Every reader names the parameter in its refusal."""

    def __init__(self, request: web.Request) -> None:
        self._values = request.query

    def text(self, name: str, *, longest: int = 256) -> str | None:
        """Text, or None when it is absent or empty."""
        value = self._values.get(name)
        if value is not None and len(value) > longest:
            raise Invalid(f"{name} must have at most {longest} characters", field=name)
        return value or None

    def texts(self, name: str, *, longest: int = 512) -> tuple[str, ...]:
        """Every value of a parameter that may be given more than once; empty ones are passed over."""
        values = tuple(value for value in self._values.getall(name, ()) if value)
        if any(len(value) > longest for value in values):
            raise Invalid(f"{name} must have at most {longest} characters", field=name)
        return values

    def integer(self, name: str, *, default: int, lowest: int = 0, highest: int) -> int:
        """A whole number within bounds."""
        value = self._values.get(name)
        if value is None or not value.strip():
            return default
        if not re.fullmatch(r"-?\d{1,18}", value.strip(), re.ASCII) or not lowest <= int(value) <= highest:
            raise Invalid(f"{name} must be a whole number between {lowest} and {highest}", field=name)
        return int(value)

    def boolean(self, name: str) -> bool | None:
        """true or false, or None when it is absent."""
        value = (self._values.get(name) or "").lower()
        if value not in {"", "true", "1", "false", "0"}:
            raise Invalid(f"{name} must be true or false", field=name)
        return value in {"true", "1"} if value else None

    def word(self, name: str, kind: type[E]) -> E | None:
        """One of the words of an enumeration, or None when it is absent."""
        value = self._values.get(name)
        if not value:
            return None
        try:
            return kind(value)
        except ValueError as error:
            known = ", ".join(str(word.value) for word in kind)
            raise Invalid(f"{name} must be one of {known}", field=name) from error

    def moment(self, name: str) -> datetime | None:
        """An ISO 8601 moment with its time zone, or None when it is absent."""
        value = self._values.get(name)
        if not value:
            return None
        try:
            moment = datetime.fromisoformat(value)
        except ValueError as error:
            raise Invalid(f"{name} must be a moment such as 2026-11-24T12:00:00Z", field=name) from error
        if moment.tzinfo is None:
            raise Invalid(f"{name} must name its time zone, such as Z", field=name)
        return moment
