"""Server-sent events: the same channels for those who only listen."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import aiohttp
import msgspec
import pytest
import pytest_asyncio

from core.actor import Role
from entrypoints.http.cookies import COOKIE
from tests.support.application import OWNER_PASSWORD, Api, Caller, running_api
from tests.support.live import listening, token_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """The application, shared by the tests of this file."""
    async with running_api(tmp_path_factory.mktemp("stream")) as running:
        yield running


def data(event: dict[str, str]) -> dict[str, Any]:
    """What an event tells."""
    return msgspec.json.decode(event["data"], type=dict[str, Any])


async def test_what_happens_on_a_device_is_streamed(api: Api) -> None:
    device, manager = await api.device(), await api.person(Role.MANAGER)
    await api.settle()
    async with listening(manager, f"/devices/{device.uuid}/live") as listener:
        assert listener.response.content_type == "text/event-stream"
        first = await listener.hear("events")
        assert data(first)["data"]["events"][0]["type"] == "device.provisioned"
        await device.caller.post(f"/device/{device.uuid}/logs", data=b'{"message":"hello"}\n')
        told = data(await listener.hear("logs"))
        assert (told["deviceUuid"], told["data"]["logs"][0]["message"]) == (device.uuid, "hello")
        await device.caller.patch("/device/state", {device.uuid: {"version": 1, "cpu_usage": 5}})
        assert data(await listener.hear("metrics"))["data"]["metrics"][0]["cpu_usage"] == 5


async def test_who_comes_back_gets_the_events_that_were_missed(api: Api) -> None:
    manager, device = await api.person(Role.MANAGER), await api.device()
    path = f"/devices/{device.uuid}/live?channels=events"
    await api.settle()
    async with listening(manager, path) as listener:
        last = (await listener.hear("events"))["id"]
    for name in ("one", "two"):
        await manager.patch(f"/devices/{device.uuid}", {"deviceName": name})
    await api.settle()
    async with listening(manager, path, **{"Last-Event-ID": last}) as listener:
        events = data(await listener.hear("events"))["data"]["events"]
    assert [event["type"] for event in events] == ["device.edited", "device.edited"]


async def test_pages_send_their_token_in_the_query(api: Api) -> None:
    token = token_of(await api.person(Role.VIEWER))
    nobody = Caller(api.http, api.running.url)
    async with listening(nobody, f"/live?channels=mqtt-stats&token={token}") as listener:
        assert data(await listener.hear("mqtt-stats"))["data"]["connected"] is True
    assert (await api.stranger.get("/live")).status == 401
    assert (await api.stranger.get("/live?token=forged")).status == 401
    assert (await api.stranger.get(f"/devices?token={token}")).status == 401


async def cookie_of(api: Api) -> dict[str, str]:
    """The cookie of a login, as a browser sends it."""
    await api.person(Role.VIEWER)
    answer = await api.stranger.post("/auth/login", {"username": "the-viewer", "password": OWNER_PASSWORD})
    return {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}


async def test_pages_of_ours_listen_with_the_cookie_of_their_login_and_other_sites_do_not(api: Api) -> None:
    device, cookie = await api.device(), await cookie_of(api)
    http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
    async with http:
        browser = Caller(http, api.running.url, cookie)
        for path in ("/live?channels=mqtt-stats", f"/devices/{device.uuid}/live?channels=metrics"):
            async with listening(browser, path, Origin=api.running.url) as listener:
                assert listener.response.content_type == "text/event-stream"
            for origin in ("https://evil.example", "null"):
                assert (await browser.get(path, headers={"Origin": origin})).status == 403
        assert (await browser.get("/devices")).status == 401
        ended = Caller(http, api.running.url, {"Cookie": f"{COOKIE}=forged"})
        assert (await ended.get("/live")).status == 401


@pytest.mark.parametrize("query", ["channels=logs", "channels=nope", "lastEventId=x"])
async def test_what_cannot_be_streamed_is_refused_at_once(api: Api, query: str) -> None:
    viewer = await api.person(Role.VIEWER)
    assert (await viewer.get(f"/live?{query}")).status == 400
    assert (await viewer.get(f"/devices/{uuid4()}/live")).status == 404


async def test_devices_do_not_listen(api: Api) -> None:
    device = await api.device()
    assert (await device.caller.get(f"/devices/{device.uuid}/live")).status == 401
