"""Readings over HTTP: what people see of what devices published (contract §3.2)."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import aiomqtt
import pytest
from yarl import URL

from core.actor import Role
from core.ids import DeviceUuid
from tests.support.application import Api, EnrolledDevice

BEGAN = datetime(2026, 11, 23, 15, 21, 39, 420000, tzinfo=UTC)


def batch(began: datetime = BEGAN, messages: int = 12) -> bytes:
    """A batch of messages with two readings each, as a Modbus adapter sends it."""
    texts = []
    for n in range(messages):
        at = (began + timedelta(seconds=2 * n)).isoformat()
        one = {"timestamp": at, "deviceName": "modbus1", "unit": "C", "quality": "GOOD", "value": n}
        texts.append(
            json.dumps({"timestamp": at, "readings": [one | {"registerName": name} for name in ("temp", "pressure")]})
        )
    return json.dumps({"sensor": "modbus-pipe", "timestamp": began.isoformat(), "messages": texts}).encode()


async def publish(api: Api, device: EnrolledDevice, payload: bytes) -> None:
    """Hand a message in as the broker does."""
    await api.running.services.readings.receive(DeviceUuid(device.uuid), "modbus", payload)


async def read(api: Api, device: EnrolledDevice, query: str = "") -> dict[str, Any]:
    """What a viewer sees."""
    viewer = await api.person(Role.VIEWER)
    answer = await viewer.get(f"/devices/{device.uuid}/readings{query}")
    assert answer.status == 200, answer
    body: dict[str, Any] = answer.body
    return body


async def test_a_batch_published_over_mqtt_is_on_disk_when_it_is_acknowledged(api: Api) -> None:
    device = await api.device()
    mqtt, broker = device.mqtt, URL(api.running.mqtt_url)
    async with aiomqtt.Client(
        broker.host or "",
        broker.port or 0,
        username=mqtt["username"],
        password=mqtt["password"],
        identifier=f"device_{device.uuid}",
    ) as client:
        await client.publish(f"iot/device/{device.uuid}/sensor/modbus", batch(), qos=1)
        assert (await read(api, device))["count"] == 24


async def test_a_batch_that_comes_again_adds_none(api: Api) -> None:
    """Contract §12.1 item 24."""
    device = await api.device()
    for _ in range(2):
        await publish(api, device, batch())
    body = await read(api, device, "?limit=1000")
    assert body["count"] == 24
    assert {reading["register"] for reading in body["readings"]} == {"temp", "pressure"}


async def test_a_reading_is_shown_with_all_it_says(api: Api) -> None:
    device = await api.device()
    await publish(api, device, batch(messages=1))
    reading = (await read(api, device, "?sensor=modbus1&register=temp"))["readings"][0]
    del reading["id"], reading["receivedAt"]
    assert reading == {
        "kind": "reading",
        "protocol": "modbus",
        "sensor": "modbus1",
        "register": "temp",
        "timestamp": "2026-11-23T15:21:39.420000Z",
        "timeClamped": False,
        "value": 0,
        "unit": "C",
        "quality": "GOOD",
        "qualityCode": None,
    }


async def test_what_could_not_be_read_is_shown_as_it_came(api: Api) -> None:
    device = await api.device()
    await publish(api, device, b"temp=21.5")
    (reading,) = (await read(api, device))["readings"]
    assert (reading["kind"], reading["raw"], reading["rawEncoding"]) == ("raw", "temp=21.5", None)


async def test_pages_go_back_in_time_to_the_first_reading(api: Api) -> None:
    device, seen, cursor = await api.device(), list[int](), ""
    await publish(api, device, batch())
    while True:
        body = await read(api, device, f"?limit=7{cursor}")
        seen += [reading["value"] for reading in body["readings"]]
        if body["nextCursor"] is None:
            break
        cursor = f"&cursor={body['nextCursor']}"
    assert seen == [n // 2 for n in range(23, -1, -1)]


async def test_readings_are_found_by_time(api: Api) -> None:
    device = await api.device()
    await publish(api, device, batch())
    since, until = BEGAN + timedelta(seconds=4), BEGAN + timedelta(seconds=6)
    query = f"?from={since.isoformat().replace('+00:00', 'Z')}&to={until.isoformat().replace('+00:00', 'Z')}"
    assert [reading["value"] for reading in (await read(api, device, query))["readings"]] == [3, 3, 2, 2]
    assert (await read(api, device, "?to=2026-11-22"))["count"] == 0


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "cursor=x", "from=now"])
async def test_questions_that_make_no_sense_are_refused(api: Api, query: str) -> None:
    device, viewer = await api.device(), await api.person(Role.VIEWER)
    assert (await viewer.get(f"/devices/{device.uuid}/readings?{query}")).status == 400


async def test_only_people_see_readings_and_only_of_devices_that_exist(api: Api) -> None:
    device, viewer = await api.device(), await api.person(Role.VIEWER)
    assert (await api.stranger.get(f"/devices/{device.uuid}/readings")).status == 401
    assert (await device.caller.get(f"/devices/{device.uuid}/readings")).status == 401
    assert (await viewer.get(f"/devices/{uuid4()}/readings")).status == 404
