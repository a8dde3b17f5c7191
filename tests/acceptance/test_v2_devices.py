"""Devices that enrolled by v2 live like the others, on the seed's topics (contract 2.11, 3.2)."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiomqtt

from core.actor import Role
from entrypoints.simulator.fleet import Fleet
from entrypoints.simulator.options import Options
from tests.acceptance.test_agent_state import report
from tests.acceptance.test_agent_telemetry import batch
from tests.support.application import Api
from tests.support.mqtt import connected
from tests.support.sealing import SealingDevice, enrolled

REFUSED = 0x80


async def mqtt_of(api: Api, device: SealingDevice) -> Mapping[str, Any]:
    """The device enrols; what it is told of MQTT."""
    answer = await enrolled(api.stranger, device, await api.provisioning_key())
    told = device.opened(answer.body)["mqtt"]
    return {**told, "broker": told["brokerUrl"]}


async def granted(client: aiomqtt.Client, topic: str) -> bool:
    """Does the broker let the client subscribe?"""
    [code] = await client.subscribe(topic, qos=1)
    return (code if isinstance(code, int) else code.value) < REFUSED


async def test_what_a_v2_device_says_on_the_seeds_topics_means_what_it_means_on_the_others(api: Api) -> None:
    device = SealingDevice()
    async with connected(await mqtt_of(api, device)) as client:
        said = json.dumps(report(device.uuid, temperature=51.2))
        await client.publish(f"state/{device.uuid}", said, qos=1)
        await client.publish(f"sensor/{device.uuid}/modbus", json.dumps(batch(12)), qos=1)
        await client.publish(f"iot/device/{device.uuid}/sensor/modbus", json.dumps(batch(12)), qos=1)
    viewer = await api.person(Role.VIEWER)
    [shown] = (await viewer.get("/devices")).body["devices"]
    assert (shown["cpu_temp"], shown["is_online"]) == (51.2, True)
    readings = (await viewer.get(f"/devices/{device.uuid}/readings?limit=500")).body["readings"]
    assert len(readings) == 24


async def test_a_v2_device_may_use_its_own_branches_and_no_others(api: Api) -> None:
    """Abuse cases 14 and 15."""
    device, other = SealingDevice(), SealingDevice()
    await mqtt_of(api, other)
    async with connected(await mqtt_of(api, device)) as client:
        for topic, allowed in (
            (f"agent/{device.uuid}/#", True),
            (f"state/{device.uuid}/#", True),
            (f"sensor/{device.uuid}/#", False),
            (f"agent/{other.uuid}/#", False),
            ("state/+", False),
            ("agent/#", False),
        ):
            assert await granted(client, topic) is allowed, topic
        await client.publish(f"agent/{device.uuid}/notes", b"mine", qos=1)
        async with asyncio.timeout(5):
            message = await anext(aiter(client.messages))
        assert (str(message.topic), message.payload) == (f"agent/{device.uuid}/notes", b"mine")


async def test_a_device_that_enrolled_by_v1_has_none_of_them(api: Api) -> None:
    device = await api.device()
    async with connected(device.mqtt) as client:
        for topic in (f"agent/{device.uuid}/#", f"state/{device.uuid}"):
            assert not await granted(client, topic)
        await client.publish(f"sensor/{device.uuid}/modbus", json.dumps(batch(1)), qos=1)
    viewer = await api.person(Role.VIEWER)
    assert (await viewer.get(f"/devices/{device.uuid}/readings")).body["readings"] == []


async def test_a_v2_device_that_registers_again_by_v1_is_one_of_the_others_from_then_on(api: Api) -> None:
    device, secret = SealingDevice(), await api.provisioning_key()
    told = device.opened((await enrolled(api.stranger, device, secret)).body)
    again = await api.device(secret, uuid=device.uuid, deviceApiKey=told["api"]["deviceApiKey"])
    assert again.answer["id"] == told["device"]["deviceId"]
    async with connected(again.mqtt) as client:
        assert not await granted(client, f"agent/{device.uuid}/#")
    back = device.opened((await enrolled(api.stranger, device, secret)).body)["mqtt"]
    async with connected({**back, "broker": back["brokerUrl"]}) as client:
        assert await granted(client, f"agent/{device.uuid}/#")


async def test_what_a_removed_v2_device_left_on_its_branches_is_forgotten(api: Api) -> None:
    device = SealingDevice()
    async with connected(await mqtt_of(api, device)) as client:
        await client.publish(f"agent/{device.uuid}/notes", b"kept", qos=1, retain=True)
    assert api.running.services.broker.statistics().retained == 1
    admin = await api.person(Role.ADMIN)
    assert (await admin.delete(f"/devices/{device.uuid}")).status == 200
    await api.settle()
    assert api.running.services.broker.statistics().retained == 0


async def test_the_simulator_speaks_v2(api: Api, tmp_path: Path) -> None:
    """Twice: the second time the devices are known, and nobody registers again."""
    options = Options(
        url=api.running.url,
        key=await api.provisioning_key(),
        devices=2,
        v2=True,
        duration=1.5,
        interval=0.2,
        readings_per_minute=1200,
        batch=2,
        time_scale=0.01,
        ramp=0,
        state_dir=tmp_path / "devices",
        ledger=tmp_path / "ledger",
    )
    for _ in range(2):
        went = await Fleet(options).run(asyncio.Event())
        assert (went.registered, went.errors) == (2, 0), went
    items = [json.loads(line) for line in (tmp_path / "ledger").read_text().splitlines()]
    registered = [item["uuid"] for item in items if item["kind"] == "registration"]
    assert len(registered) == len(set(registered)) == 2
    assert {item["via"] for item in items if item["kind"] == "report"} == {"mqtt"}
    viewer = await api.person(Role.VIEWER)
    for uuid in registered:
        assert (await viewer.get(f"/devices/{uuid}/readings")).body["readings"]
