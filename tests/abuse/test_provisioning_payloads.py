"""Abuse case 9: whatever is sent instead of a registration, we answer with a refusal and live on."""

import asyncio
import gzip
import json
import zlib
from collections.abc import Mapping
from urllib.parse import urlsplit

import pytest

from core.actor import Role
from tests.support.application import Api, registration

GOOD = json.dumps(registration()).encode()
DEEP = 100_000
GZIP = {"Content-Encoding": "gzip"}
PAYLOADS: Mapping[str, tuple[bytes, Mapping[str, str], set[int]]] = {
    "nothing": (b"", {}, {400}),
    "deep lists": (b"[" * DEEP, {}, {400}),
    "deep lists that end": (b"[" * DEEP + b"]" * DEEP, {}, {400}),
    "deep objects in a field nobody reads": (
        GOOD[:-1] + b', "x": ' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}",
        {},
        {200, 400},
    ),
    "NaN": (GOOD.replace(b'"standalone"', b"NaN"), {}, {400}),
    "infinity": (GOOD.replace(b'"standalone"', b"1e999"), {}, {400}),
    "a huge number": (GOOD.replace(b'"standalone"', b"9" * 100_000), {}, {400}),
    "a huge number that nobody reads": (GOOD[:-1] + b', "applicationId": ' + b"9" * 100_000 + b"}", {}, {200, 400}),
    "ten megabytes": (b'{"uuid": "' + b"x" * 10 * 1024 * 1024 + b'"}', {}, {413}),
    "a long name": (GOOD.replace(b'"standalone"', b'"' + b"x" * 500_000 + b'"'), {}, {400}),
    "a lone surrogate": (GOOD.replace(b"standalone", b"\\ud800"), {}, {400}),
    "NUL in text": (GOOD.replace(b"standalone", b"a\\u0000b"), {}, {400}),
    "no UTF-8": (GOOD.replace(b"standalone", b"\xff\xfe"), {}, {400}),
    "another encoding of text": (
        GOOD.decode().encode("utf-16"),
        {"Content-Type": "application/json; charset=utf-16"},
        {400},
    ),
    "a list": (b"[" + GOOD + b"]", {}, {400}),
    "null": (b"null", {}, {400}),
    "two documents": (GOOD + GOOD, {}, {400}),
    "half a document": (GOOD[: len(GOOD) // 2], {}, {400}),
    "a form": (b"uuid=1&deviceName=2", {"Content-Type": "application/x-www-form-urlencoded"}, {400}),
    "gzip that is none": (GOOD, GZIP, {400}),
    "gzip cut off": (gzip.compress(GOOD)[:-9], GZIP, {400}),
    "gzip without its checksum": (gzip.compress(GOOD)[:-4], GZIP, {400}),
    "gzip with a wrong checksum": (gzip.compress(GOOD)[:-8] + b"\0" * 8, GZIP, {400}),
    "gzip with something behind": (gzip.compress(GOOD) + b"x", GZIP, {400}),
    "gzip of nothing": (b"", GZIP, {400}),
    "a gzip bomb": (gzip.compress(b"\0" * 200 * 1024 * 1024), GZIP, {413}),
    "a gzip bomb in a gzip": (gzip.compress(gzip.compress(b"\0" * 200 * 1024 * 1024)), GZIP, {400}),
    "a deflate bomb": (zlib.compress(b"\0" * 100 * 1024 * 1024), {"Content-Encoding": "deflate"}, {413}),
    "an unknown coding": (GOOD, {"Content-Encoding": "br"}, {400}),
    "two codings": (gzip.compress(gzip.compress(GOOD)), {"Content-Encoding": "gzip, gzip"}, {400}),
}


async def test_every_payload_bomb_is_refused_and_the_next_device_gets_in(api: Api) -> None:
    """Abuse case 9: never a 5xx, and nothing is left behind."""
    bearer = {"Authorization": f"Bearer {await api.provisioning_key()}"}
    wrong = {}
    for name, (body, headers, expected) in PAYLOADS.items():
        sent = {"Content-Type": "application/json", **bearer, **headers}
        answer = await api.stranger.call("POST", "/device/register", data=body, headers=sent)
        if answer.status not in expected:
            wrong[name] = answer
    assert wrong == {}
    assert (await api.stranger.post("/device/register", registration(), headers=bearer)).status == 200


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ("Transfer-Encoding: chunked\r\n", b"zz\r\nnot a chunk\r\n"),
        ("Transfer-Encoding: chunked\r\n", b"-5\r\n{}\r\n0\r\n\r\n"),
        ("Content-Length: 5\r\nContent-Length: 7\r\n", b"{}{}{}"),
        ("Content-Length: -1\r\n", b"{}"),
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    ],
    ids=["no chunk", "a negative chunk", "two lengths", "a negative length", "length and chunks"],
)
async def test_broken_framing_is_refused_and_is_no_bug_of_ours(
    api: Api, headers: str, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Abuse case 9; request smuggling."""
    address = urlsplit(api.running.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    head = f"POST /api/v1/device/register HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {'0' * 64}\r\n{headers}\r\n"
    writer.write(head.encode() + body)
    writer.write_eof()
    async with asyncio.timeout(10):
        status_line = (await reader.readline()).decode()
    writer.close()
    assert status_line.split()[1:2] in ([], ["400"]), status_line
    assert "a bug" not in caplog.text
    assert (await api.stranger.get("/health", root=True)).status == 200


async def test_a_caller_who_hangs_up_in_the_middle_is_no_bug_of_ours(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    address = urlsplit(api.running.url)
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    head = f"POST /api/v1/device/register HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {'0' * 64}\r\n"
    writer.write(f"{head}Content-Length: 1000\r\n\r\n".encode() + b'{"uuid"')
    await writer.drain()
    writer.transport.abort()
    assert (await api.stranger.get("/health", root=True)).status == 200
    assert "a bug" not in caplog.text


async def test_odd_queries_and_paths_are_refused_and_are_no_bugs_of_ours(api: Api) -> None:
    owner = await api.person(Role.OWNER)
    for path in (
        "/provisioning-keys?fleetId=%ED%A0%80",
        "/provisioning-keys?fleetId=%00",
        "/provisioning-keys?fleetId=" + "x" * 5000,
        "/devices?limit=" + "9" * 5000,
        "/devices/%00",
        "/devices/%ED%A0%80",
        "/outbox/dead-letters?limit=1e9",
    ):
        assert (await owner.get(path)).status in {200, 400, 404}, path
    assert (await owner.post("/outbox/dead-letters/" + "9" * 5000 + "/mail/retry")).status in {400, 404}
    assert (await owner.delete("/provisioning-keys/%ED%A0%80")).status in {400, 404}
