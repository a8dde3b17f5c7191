"""Traffic of devices over HTTP (contract §4.21; checks 12.3#53)."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from core.actor import Role
from tests.support.application import Api, Caller, EnrolledDevice, running_api
from tests.support.mqtt import connected

pytestmark = pytest.mark.asyncio(loop_scope="module")

POLL = "/api/v1/device/{uuid}/state"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """The application, shared by these tests."""
    folder: Path = tmp_path_factory.mktemp("traffic")
    async with running_api(folder / "data") as api:
        yield api


@pytest_asyncio.fixture(loop_scope="module")
async def viewer(api: Api) -> Caller:
    """Somebody who may look."""
    return await api.person(Role.VIEWER)


@pytest_asyncio.fixture(loop_scope="module")
async def device(api: Api) -> EnrolledDevice:
    """A device that has polled three times, once with an ETag, and sent a report that is none."""
    device = await api.device()
    poll = await device.caller.get(f"/device/{device.uuid}/state")
    await device.caller.get(f"/device/{device.uuid}/state")
    headers = {"If-None-Match": poll.headers["ETag"]}
    assert (await device.caller.get(f"/device/{device.uuid}/state", headers=headers)).status == 304
    assert (await device.caller.patch("/device/state", data=b"{nonsense")).status == 400
    return device


async def of_device(viewer: Caller, device: EnrolledDevice) -> list[dict[str, Any]]:
    """The elements of /traffic-stats that are the device's."""
    stats = (await viewer.get("/traffic-stats")).body
    return [each for each in stats if each["deviceId"] == device.uuid]


async def test_53_requests_of_a_device_are_counted_by_endpoint(viewer: Caller, device: EnrolledDevice) -> None:
    poll, report = await of_device(viewer, device)
    assert (poll["endpoint"], poll["method"], poll["count"], poll["statuses"]) == (POLL, "GET", 3, {"200": 2, "304": 1})
    assert (poll["success"], poll["failed"], poll["bytesIn"]) == (3, 0, 0)
    assert poll["totalBytes"] == poll["bytesOut"] > 0
    assert poll["avgSize"] == pytest.approx(poll["totalBytes"] / 3, abs=0.01)
    assert poll["totalTime"] > 0
    assert poll["avgTime"] > 0
    assert (report["endpoint"], report["failed"], report["bytesIn"]) == ("/api/v1/device/state", 1, len(b"{nonsense"))


async def test_53_a_device_has_a_summary(viewer: Caller, device: EnrolledDevice) -> None:
    shown = (await viewer.get(f"/traffic-stats/devices/{device.uuid}")).body
    summary = shown["summary"]
    assert (shown["deviceId"], len(shown["endpoints"]), summary["endpointCount"]) == (device.uuid, 2, 2)
    assert (summary["totalRequests"], summary["totalSuccess"], summary["totalFailed"]) == (4, 3, 1)
    assert (summary["successRate"], summary["avgResponseTime"] > 0) == (75.0, True)
    listed = (await viewer.get("/traffic-stats/devices")).body
    assert [each for each in listed if each["deviceId"] == device.uuid] == [{"deviceId": device.uuid} | summary]


async def test_53_topics_of_devices_are_counted(viewer: Caller, device: EnrolledDevice) -> None:
    topic = f"iot/device/{device.uuid}/sensor/modbus"
    async with connected(device.mqtt) as client:
        for payload in (b"{}", b"[1,2]"):
            await client.publish(topic, payload, qos=1)
    shown = (await viewer.get("/traffic-stats/mqtt?limit=50&sortBy=messages")).body
    assert (shown["success"], shown["timeWindow"]) == (True, "24h")
    (counted,) = [each for each in shown["topics"] if each["topic"] == topic]
    assert (counted["messageCount"], counted["bytesReceived"], counted["avgMessageSize"]) == (2, 7, 3.5)
    assert counted["lastActivity"].endswith("Z")
    assert shown["summary"]["totalMessages"] >= 2
    assert {"totalTopics", "totalBytes", "avgMessageSize"} <= set(shown["summary"])


@pytest.mark.parametrize("word", ["bytes", "size", "recent", "lastActivity", "topic", "whatever", ""])
async def test_any_word_to_sort_by_gets_an_answer(viewer: Caller, word: str) -> None:
    assert (await viewer.get(f"/traffic-stats/mqtt?sortBy={word}")).status == 200


async def test_people_and_strangers_do_not_count_as_the_device_they_ask_about(
    api: Api, viewer: Caller, device: EnrolledDevice
) -> None:
    """Contract §11.2 T-33."""
    before = await of_device(viewer, device)
    for caller in (viewer, api.stranger, (await api.device()).caller):
        await caller.get(f"/devices/{device.uuid}")
        await caller.get(f"/device/{device.uuid}/state")
    assert await of_device(viewer, device) == before


async def test_traffic_survives_a_restart_and_goes_with_the_device(data: Path) -> None:
    async with running_api(data) as api:
        device = await api.device()
        await device.caller.get(f"/device/{device.uuid}/state")
    async with running_api(data) as api:
        owner = await api.person(Role.OWNER)
        assert len(await of_device(owner, device)) == 1
        await owner.delete(f"/devices/{device.uuid}")
        await api.settle()
        assert await of_device(owner, device) == []
        assert (await owner.get(f"/traffic-stats/devices/{device.uuid}")).status == 404


async def test_of_what_there_is_not_nothing_is_told(api: Api, viewer: Caller) -> None:
    assert (await viewer.get(f"/traffic-stats/devices/{uuid4()}")).status == 404
    assert (await viewer.get("/traffic-stats/devices/x")).status == 400
    silent = await api.device()
    summary = (await viewer.get(f"/traffic-stats/devices/{silent.uuid}")).body["summary"]
    assert (summary["totalRequests"], summary["successRate"]) == (0, 0.0)
    for query in ("hours=0", "limit=0", "limit=x"):
        assert (await viewer.get(f"/traffic-stats?{query}")).status == 400


async def test_prometheus_is_told_how_broker_outbox_and_devices_stand(api: Api, device: EnrolledDevice) -> None:
    await api.settle()
    async with connected(device.mqtt):
        told = (await api.stranger.get("/metrics", root=True)).raw.decode()
    assert "iotistic_mqtt_clients 1.0" in told
    for name in ("messages_received_total", "messages_sent_total", "messages_dropped_total", "queued_bytes"):
        assert f"iotistic_mqtt_{name} " in told
    assert "iotistic_outbox_backlog 0.0" in told
    assert "iotistic_outbox_dead_letters 0.0" in told
    assert 'iotistic_devices{online="true",status="active"}' in told
