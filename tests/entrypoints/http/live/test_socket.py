"""The WebSocket: who may open it, and what is told on it (contract §5, §11.3 A-15, §12.3 items 44 and 48)."""

import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
import pytest_asyncio

from core.actor import Role
from tests.support.application import Api, EnrolledDevice, running_api
from tests.support.live import token_of, watching
from tests.support.mqtt import connected

METRICS = {"version": 1, "cpu_usage": 12.5, "memory_usage": 100, "memory_total": 400, "uptime": 7}
PROCESSES = [{"pid": 1, "name": "init", "cpu": 0.1, "mem": 0.2}]

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """The application, shared by the tests of this file."""
    async with running_api(tmp_path_factory.mktemp("socket")) as running:
        yield running


async def log(device: EnrolledDevice, *services: str) -> None:
    """The device logs a line of each service."""
    lines = "".join(f'{{"message":"from {service}","serviceName":"{service}"}}\n' for service in services)
    answer = await device.caller.post(f"/device/{device.uuid}/logs", data=lines.encode())
    assert answer.status == 200


async def status_of(api: Api, query: str, **headers: str) -> int:
    """What an attempt to open the socket is answered; 101 where it opens."""
    try:
        async with api.http.ws_connect(f"{api.running.url}/ws?{query}", headers=headers):
            return 101
    except aiohttp.WSServerHandshakeError as refused:
        return refused.status


async def test_a_socket_must_say_what_it_watches(api: Api) -> None:
    token = token_of(await api.person(Role.VIEWER))
    assert await status_of(api, f"token={token}") == 400
    assert await status_of(api, f"token={token}&deviceUuid=x") == 400
    assert await status_of(api, f"token={token}&deviceUuid={uuid4()}") == 404
    assert await status_of(api, f"token={token}&type=global") == 101
    assert await status_of(api, "type=global&token=forged") == 401
    assert (await api.stranger.get("/ws?type=global", root=True)).status == 400


async def test_people_say_who_they_are_in_whichever_way_their_browser_can(api: Api) -> None:
    device, viewer = await api.device(), await api.person(Role.VIEWER)
    token, query = token_of(viewer), f"deviceUuid={device.uuid}"
    ways: list[tuple[str, dict[str, Any]]] = [
        (f"{query}&token={token}", {}),
        (query, {"headers": viewer.headers}),
        (query, {"protocols": ("bearer", token)}),
        (query, {"headers": {"Cookie": await cookie_of(api)}}),
    ]
    for way, options in ways:
        async with watching(api, way, **options) as watcher:
            assert (await watcher.hear("connected"))["deviceUuid"] == device.uuid
    async with watching(api, query) as watcher:
        await watcher.say(type="auth", token=token)
        await watcher.hear("connected")


async def cookie_of(api: Api) -> str:
    """The cookie of a login, as a browser sends it."""
    body = {"username": "the-viewer", "password": "a password for tests"}
    answer = await api.stranger.post("/auth/login", body)
    return answer.headers["Set-Cookie"].partition(";")[0]


@pytest.mark.parametrize("message", ['{"type":"subscribe","channel":"logs"}', '{"type":"auth","token":"x"}', "hello"])
async def test_who_does_not_say_it_first_is_sent_away(api: Api, message: str) -> None:
    async with watching(api, "type=global") as watcher:
        await watcher.socket.send_str(message)
        assert await watcher.closed() == 4401


async def test_a_page_of_another_site_cannot_open_it_whatever_it_sends_along(api: Api) -> None:
    """A-15, A-22."""
    await api.person(Role.VIEWER)
    cookie = await cookie_of(api)
    assert await status_of(api, "type=global", Cookie=cookie, Origin="https://evil.example") == 403
    assert await status_of(api, "type=global", Cookie=cookie, Origin=api.running.url) == 101


async def test_a_cookie_lets_one_watch_and_do_nothing_else(api: Api) -> None:
    """A-22."""
    await api.person(Role.VIEWER)
    cookie = await cookie_of(api)
    for path in ("/devices", "/auth/me", "/events/recent", "/users"):
        assert (await api.stranger.get(path, headers={"Cookie": cookie})).status == 401
    token = cookie.partition("=")[2]
    assert (await api.stranger.get("/devices", headers={"Authorization": f"Bearer {token}"})).status == 401
    assert await status_of(api, f"type=global&token={token}") == 401


async def test_logs_are_told_within_two_seconds_of_one_service_where_one_is_named(api: Api) -> None:
    """Contract §12.3 item 44."""
    device, viewer = await api.device(), await api.person(Role.VIEWER)
    await log(device, "old")
    async with watching(api, f"deviceUuid={device.uuid}&token={token_of(viewer)}") as watcher:
        await watcher.say(type="subscribe", channel="logs", serviceName="nginx")
        await watcher.hear("subscribed")
        for _ in range(2):
            sent = time.monotonic()
            await log(device, "nginx", "other")
            message = await watcher.hear("logs")
            assert time.monotonic() - sent < 2
            [line] = message["data"]["logs"]
            assert (line["message"], line["serviceName"], line["service_name"]) == ("from nginx", "nginx", "nginx")
            assert {"timestamp", "isSystem", "isStdErr", "level"} < set(line)
        await watcher.say(type="unsubscribe", channel="logs")
        await watcher.hear("unsubscribed")
        await watcher.say(type="subscribe", channel="logs")
        assert len((await watcher.hear("logs"))["data"]["logs"]) == 5


async def test_vital_signs_are_told_at_once_and_with_each_report(api: Api) -> None:
    device, viewer = await api.device(), await api.person(Role.VIEWER)
    interfaces = [{"name": "eth0", "ip4": "192.0.2.7", "operstate": "up", "default": True}]
    fields = METRICS | {"top_processes": PROCESSES, "network_interfaces": interfaces}
    assert (await device.caller.patch("/device/state", {device.uuid: fields})).status == 200
    async with watching(api, f"deviceUuid={device.uuid}&token={token_of(viewer)}") as watcher:
        for channel in ("system-info", "processes", "history", "network-interfaces", "metrics", "events"):
            await watcher.say(type="subscribe", channel=channel)
        info = await watcher.hear("system-info")
        assert set(info) == {"type", "deviceUuid", "data", "timestamp"}
        assert set(info["data"]) == {"os", "architecture", "uptime", "hostname", "ipAddress", "macAddress"}
        assert info["data"]["uptime"] == 7
        assert (await watcher.hear("processes"))["data"] == {"top_processes": PROCESSES}
        history = (await watcher.hear("history"))["data"]
        assert (history["cpu"][0]["value"], history["memory"][0]["available"]) == (12.5, 300)
        assert (await watcher.hear("network-interfaces"))["data"]["interfaces"][0]["status"] == "connected"
        assert (await watcher.hear("metrics"))["data"]["metrics"][0]["cpu_usage"] == 12.5
        await watcher.hear("subscribed")
        assert (await device.caller.patch("/device/state", {device.uuid: METRICS | {"cpu_usage": 99}})).status == 200
        assert [point["value"] for point in (await watcher.hear("history"))["data"]["cpu"]] == [99]


async def test_events_are_told_as_they_happen(api: Api) -> None:
    device, manager = await api.device(), await api.person(Role.MANAGER)
    await api.settle()
    async with watching(api, f"deviceUuid={device.uuid}&token={token_of(manager)}") as watcher:
        await watcher.say(type="subscribe", channel="events")
        [first] = (await watcher.hear("events"))["data"]["events"]
        assert first["type"] == "device.provisioned"
        await manager.patch(f"/devices/{device.uuid}", {"deviceName": "another"})
        [edited] = (await watcher.hear("events"))["data"]["events"]
        assert edited["type"] == "device.edited"


async def test_the_broker_is_watched_on_the_global_socket(api: Api) -> None:
    """Contract §12.3 item 48: numbers, and the device's topics with their last message."""
    device, viewer = await api.device(), await api.person(Role.VIEWER)
    async with connected(device.mqtt) as client:
        topic = f"iot/device/{device.uuid}/agent/status"
        await client.publish(topic, b"fine", qos=1)
        async with watching(api, f"type=global&token={token_of(viewer)}") as watcher:
            for channel in ("mqtt-stats", "mqtt-topics"):
                await watcher.say(type="subscribe", channel=channel)
            stats = (await watcher.hear("mqtt-stats"))["data"]
            assert (stats["connected"], stats["clients"], stats["totalMessagesReceived"]) == (True, 1, 1)
            assert {"messageRate", "throughput", "systemStats", "retainedMessages", "subscriptions"} < set(stats)
            topics = (await watcher.hear("mqtt-topics"))["data"]
            assert topics["count"] == len(topics["topics"])
            [mine] = [topic for topic in topics["topics"] if device.uuid in topic["topic"]]
            assert (mine["topic"], mine["messageCount"], mine["lastMessage"]) == (topic, 1, "fine")
