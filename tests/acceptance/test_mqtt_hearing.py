"""On the broker that is built in no device is deaf (contract §3.6, lever 1)."""

import asyncio

import pytest

from core.actor import Role
from core.ids import DeviceUuid
from core.mqtt import commands_of
from tests.support.application import Api
from tests.support.console import granted, heard
from tests.support.mqtt import connected

SOON = 5.0


@pytest.mark.parametrize("number", [0, 1])
async def test_a_device_that_never_subscribes_hears_its_commands(api: Api, number: int) -> None:
    """As the agent is after each reconnect."""
    device = await api.device()
    topic = commands_of(DeviceUuid(device.uuid))[number]
    for order in (b"first", b"after a reconnect"):
        async with asyncio.timeout(SOON), connected(device.mqtt) as client:
            await api.running.services.broker.publish(topic, order)
            assert await heard(client) == (topic, order)


async def test_a_device_that_subscribes_hears_everything_once(api: Api) -> None:
    device = await api.device()
    jobs, update = (f"iot/device/{device.uuid}/jobs/notify-next", f"iot/device/{device.uuid}/agent/update")
    async with asyncio.timeout(SOON), connected(device.mqtt) as client:
        assert await granted(client, jobs)
        assert await granted(client, update)
        for number in range(3):
            await api.running.services.broker.publish(jobs, b"%d" % number)
        assert [await heard(client) for _ in range(3)] == [(jobs, b"%d" % number) for number in range(3)]


async def test_nobody_else_hears_what_they_did_not_ask_for(api: Api) -> None:
    device, other = await api.device(), await api.device()
    topic = f"iot/device/{device.uuid}/jobs/notify-next"
    async with connected(device.mqtt), connected(other.mqtt) as client:
        await api.running.services.broker.publish(topic, b"not yours")
        await api.running.services.broker.publish(f"iot/device/{other.uuid}/jobs/notify-next", b"yours")
        async with asyncio.timeout(SOON):
            assert (await heard(client))[1] == b"yours"


async def test_a_device_that_is_sent_away_comes_again_at_once(api: Api) -> None:
    device, operator = await api.device(), await api.person(Role.OPERATOR)
    async with connected(device.mqtt):
        answer = await operator.post(f"/devices/{device.uuid}/mqtt/reconnect")
        assert (answer.status, answer.body["awaySeconds"]) == (200, 0)
    async with connected(device.mqtt):
        pass
    assert (await operator.get(f"/devices/{device.uuid}")).body["mqtt"] is None
