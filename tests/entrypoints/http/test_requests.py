"""What handlers read from a request: bounded, typed, refused by name."""

import asyncio
import gzip
import zlib
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import msgspec
import pytest
from aiohttp import StreamReader, web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from entrypoints.http.requests import ROUTE, Query, body_bytes, decoded, inflated
from entrypoints.http.routing import ANYONE, MIB, Route

LIMIT = 10 * MIB


class Colour(Enum):
    """A word."""

    RED = "red"
    BLUE = "blue"


class Inner(msgspec.Struct, rename="camel"):
    """A part of a body."""

    how_many: int


class Body(msgspec.Struct, rename="camel"):
    """A body."""

    device_name: str
    parts: list[Inner] = []


def query(text: str) -> Query:
    """The query string of a request."""
    return Query(make_mocked_request("GET", f"/?{text}"))


async def nothing(_request: web.Request) -> web.Response:
    """Answer nothing."""
    return web.Response()


def uploading(*chunks: bytes, ends: bool = True, connected: bool = True, length: int | None = None) -> web.Request:
    """A request whose body comes in these chunks."""
    loop = asyncio.get_running_loop()
    protocol = BaseProtocol(loop)
    if connected:
        protocol.connection_made(asyncio.Transport())
    content = StreamReader(protocol, 2**16, loop=loop)
    for chunk in chunks:
        content.feed_data(chunk)
    if ends:
        content.feed_eof()
    headers = {} if length is None else {"Content-Length": str(length)}
    request = make_mocked_request("POST", "/", headers=headers, payload=content)
    request[ROUTE] = Route(method="POST", path="/", handler=nothing, allow=ANYONE, summary="", body_limit=100)
    return request


async def test_a_body_arrives_in_pieces() -> None:
    assert await body_bytes(uploading(b"a" * 60, b"b" * 40)) == b"a" * 60 + b"b" * 40


async def test_a_body_beyond_the_limit_is_refused_whatever_its_length_was_said_to_be() -> None:
    with pytest.raises(web.HTTPRequestEntityTooLarge):
        await body_bytes(uploading(b"a" * 60, b"b" * 41))
    with pytest.raises(web.HTTPRequestEntityTooLarge):
        await body_bytes(uploading(ends=False, length=101))


async def test_a_body_that_does_not_come_is_not_waited_for_for_ever() -> None:
    """Slow loris: nobody holds a handler for as long as they like."""
    with pytest.raises(Invalid, match="whole"):
        await body_bytes(uploading(b"a", ends=False), patience=0.01)


async def test_a_body_that_is_cut_off_is_refused() -> None:
    request = uploading(b"a", ends=False)
    request.content.set_exception(ConnectionResetError())
    for cut_off in (request, uploading(ends=False, connected=False)):
        with pytest.raises(Invalid, match="whole"):
            await body_bytes(cut_off)


@pytest.mark.parametrize("packed", [gzip.compress(b"text"), zlib.compress(b"text")], ids=["gzip", "deflate"])
@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate"])
def test_what_was_packed_is_unpacked_whichever_of_the_two_it_is_called(packed: bytes, encoding: str) -> None:
    assert inflated(packed, encoding, LIMIT) == b"text"


def test_what_packs_well_is_no_bomb_until_it_is_large() -> None:
    zeros = b"\0" * MIB
    assert inflated(gzip.compress(zeros), "gzip", LIMIT) == zeros
    with pytest.raises((web.HTTPRequestEntityTooLarge, Invalid)):
        inflated(gzip.compress(zeros * 3), "gzip", LIMIT)


@given(st.binary(max_size=200))
def test_no_bytes_unpack_into_anything_but_a_body_or_a_refusal(data: bytes) -> None:
    for encoding in ("gzip", "deflate", "br"):
        try:
            inflated(data, encoding, LIMIT)
        except Invalid as refusal:
            assert list(refusal.fields) == ["Content-Encoding"]  # noqa: PT017 - most bytes are refused, some are not


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (b"{}", "deviceName"),
        (b'{"deviceName": 7}', "deviceName"),
        (b'{"deviceName": "a", "parts": [{}]}', "parts[0].howMany"),
        (b'{"deviceName": "a", "parts": [{"howMany": "1"}]}', "parts[0].howMany"),
        (b'{"deviceName": "a", "parts": 1}', "parts"),
        (b"[]", "body"),
        (b"", "body"),
        (b"{", "body"),
        (b"[" * 100_000, "body"),
        (b'{"deviceName": "\xff"}', "body"),
    ],
)
def test_a_refusal_names_the_field_as_it_was_sent(data: bytes, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        decoded(data, Body)
    assert list(refusal.value.fields) == [field]


@pytest.mark.parametrize("kind", [Body, Any, dict[str, int]])
@given(data=st.binary(max_size=100) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_no_bytes_raise_anything_but_a_refusal(kind: Any, data: bytes) -> None:
    try:
        decoded(data, kind)
    except Invalid as refusal:
        assert refusal.fields  # noqa: PT017 - most bytes are refused, some are not


def test_what_is_absent_has_its_default() -> None:
    nothing_given = query("")
    assert nothing_given.text("q") is None
    assert nothing_given.boolean("q") is None
    assert nothing_given.word("q", Colour) is None
    assert nothing_given.moment("q") is None
    assert nothing_given.integer("q", default=7, highest=10) == 7


def test_what_is_given_has_its_type() -> None:
    given_all = query("t=a%20b&b=TRUE&n=%207&w=blue&m=2026-11-24T12:00:00Z")
    assert given_all.text("t") == "a b"
    assert given_all.boolean("b") is True
    assert given_all.integer("n", default=0, highest=10) == 7
    assert given_all.word("w", Colour) is Colour.BLUE
    assert given_all.moment("m") == datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize("number", ["11", "-1", "1.5", "1e3", "0x1", "\u0667", "9" * 5000, "1_0", "--1", "NaN"])
def test_a_number_that_is_none_or_out_of_bounds_is_refused_by_name(number: str) -> None:
    with pytest.raises(Invalid) as refusal:
        query(f"n={number}").integer("n", default=0, highest=10)
    assert list(refusal.value.fields) == ["n"]


@pytest.mark.parametrize("text", ["b=maybe", "b=2"])
def test_a_flag_that_is_neither_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        query(text).boolean("b")


@pytest.mark.parametrize("text", ["m=now", "m=2026-11-24T12:00:00", "m=2026-13-01T00:00:00Z", "m=9"])
def test_a_moment_without_its_time_zone_or_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        query(text).moment("m")


def test_an_unknown_word_and_a_long_text_are_refused_with_what_is_allowed() -> None:
    with pytest.raises(Invalid, match="red, blue"):
        query("w=green").word("w", Colour)
    with pytest.raises(Invalid, match="256"):
        query("t=" + "x" * 257).text("t")
