"""Abuse case 39, as far as bodies go: too long, cut off, not what they say they are; and names that lead astray."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from core.actor import Role
from tests.support.application import Api, EnrolledDevice, running_api

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOON = 5.0
TWO_GB = 2 * 1024**3
LINE = b'{"message":"half of it"}\n'
XXE = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """The application, shared by the tests of this file; each has a device of its own."""
    async with running_api(tmp_path_factory.mktemp("uploads") / "data") as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def device(api: Api) -> EnrolledDevice:
    """A device of the test's own."""
    return await api.device()


async def sent(api: Api, device: EnrolledDevice, route: str, length: int, body: bytes) -> bytes:
    """What is answered to a body of this length of which only this much comes; nothing where we hang up first."""
    address = urlsplit(api.running.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    method, path = route.split()
    head = f"{method} /api/v1{path} HTTP/1.1\r\nHost: x\r\nX-Device-API-Key: {device.key}\r\n"
    writer.write(f"{head}Content-Length: {length}\r\n\r\n".encode() + body)
    await writer.drain()
    answer = b""
    if length == TWO_GB:
        async with asyncio.timeout(SOON):
            answer = await reader.readuntil(b"\r\n")
    writer.close()
    await writer.wait_closed()
    return answer


async def test_abuse_39_a_body_of_two_gigabytes_is_refused_by_its_header(api: Api, device: EnrolledDevice) -> None:
    for route in (f"POST /device/{device.uuid}/logs", "PATCH /device/state", "POST /auth/login"):
        assert b" 413 " in await sent(api, device, route, TWO_GB, b"{"), route


async def test_abuse_39_an_upload_that_is_cut_off_leaves_nothing(api: Api, device: EnrolledDevice) -> None:
    await sent(api, device, f"POST /device/{device.uuid}/logs", 10 * len(LINE), LINE * 5)
    report = json.dumps({device.uuid: {"version": 1, "cpu_usage": 99}}).encode()
    await sent(api, device, "PATCH /device/state", len(report) + 1, report)
    whole = await device.caller.post(f"/device/{device.uuid}/logs", data=b'{"message":"all of it"}\n')
    assert whole.status == 200
    viewer = await api.person(Role.VIEWER)
    logs = (await viewer.get(f"/devices/{device.uuid}/logs")).body["logs"]
    assert [line["message"] for line in logs] == ["all of it"]
    assert (await viewer.get(f"/devices/{device.uuid}/metrics")).body["count"] == 0


@pytest.mark.parametrize(
    "body",
    [b"PK\x03\x04", gzip.compress(b"{}")[:-6], b"\x1f\x8b" + bytes(40), XXE],
    ids=["zip", "cut-off gzip", "gzip of nothing", "xml"],
)
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "identity"])
async def test_abuse_39_what_is_not_what_it_says_is_refused(
    api: Api, device: EnrolledDevice, body: bytes, encoding: str
) -> None:
    headers = {"Content-Encoding": encoding, "Content-Type": "application/json"}
    answer = await device.caller.call("PATCH", "/device/state", data=body, headers=headers)
    assert answer.status == 400
    assert b"root:" not in answer.raw
    assert (await (await api.person(Role.VIEWER)).get(f"/devices/{device.uuid}")).body["current_state"] is None


@pytest.mark.parametrize(
    "name", ["..%2f..%2fsecrets%2fjwt", "%2e%2e/%2e%2e/secrets/jwt", "....//secrets/jwt", "%2fetc%2fpasswd", "x%00.css"]
)
async def test_abuse_39_no_name_leads_out_of_a_folder(api: Api, name: str) -> None:
    address = urlsplit(api.running.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(f"GET /api/docs/{name} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert answer.split()[1] in {b"400", b"404"}
    assert b"root:" not in answer
