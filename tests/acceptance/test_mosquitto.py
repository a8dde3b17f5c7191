"""A device's life on a real Mosquitto, which asks us about everything (contract §3, §10, §12.2)."""

import asyncio
import json
from typing import Any

import aiomqtt
import pytest

from core.actor import Role
from tests.support.application import EnrolledDevice
from tests.support.mqtt import connected
from tests.support.scaled import Fleet

SECONDS = 5


async def granted(client: aiomqtt.Client, topic_filter: str) -> bool:
    """Whether the broker grants a subscription; it says so with 128 when it does not (MQTT 3.1.1 §3.9.3)."""
    codes = await client.subscribe(topic_filter, qos=1)
    return codes[0] < 128


def everything(fleet: Fleet) -> aiomqtt.Client:
    """A client with our own account, which may do everything."""
    name, password = fleet.environment["MQTT_USERNAME"], fleet.environment["MQTT_PASSWORD"]
    return aiomqtt.Client("127.0.0.1", fleet.broker.port, identifier="everything", username=name, password=password)


async def reaches(fleet: Fleet, device: EnrolledDevice, topic: str) -> bool:
    """Whether what the device publishes there reaches somebody who may hear everything."""
    heard: asyncio.Queue[str] = asyncio.Queue()
    async with everything(fleet) as listener:
        await listener.subscribe("#", qos=1)
        async with connected(device.mqtt) as client:
            await client.publish(topic, b"1", qos=1)
            await client.publish(f"iot/device/{device.uuid}/state", b"{}", qos=1)
        async for message in listener.messages:
            heard.put_nowait(message.topic.value)
            if message.topic.value.endswith("/state"):
                break
    return topic in [heard.get_nowait() for _ in range(heard.qsize())]


async def test_a_device_connects_and_may_do_what_agents_do(fleet: Fleet) -> None:
    device = await fleet.api.device()
    async with connected(device.mqtt) as client:
        assert await granted(client, f"iot/device/{device.uuid}/jobs/notify-next")
        assert await granted(client, f"iot/device/{device.uuid}/agent/update")
    assert await reaches(fleet, device, f"iot/device/{device.uuid}/sensor/modbus")


@pytest.mark.parametrize(
    "topic_filter",
    ["#", "iot/device/+/state", "iot/device/{other}/jobs/notify-next", "$SYS/#", "$share/g/iot/device/+/state"],
)
async def test_a_device_hears_nothing_of_others(fleet: Fleet, topic_filter: str) -> None:
    """12.2#34."""
    device, other = await fleet.api.device(), await fleet.api.device()
    async with connected(device.mqtt) as client:
        assert not await granted(client, topic_filter.format(other=other.uuid))


@pytest.mark.parametrize("topic", ["iot/device/{other}/state", "iot/device/{own}/jobs/notify-next", "elsewhere"])
async def test_a_device_speaks_only_for_itself_and_gives_itself_no_orders(fleet: Fleet, topic: str) -> None:
    """12.2#38."""
    device, other = await fleet.api.device(), await fleet.api.device()
    assert not await reaches(fleet, device, topic.format(own=device.uuid, other=other.uuid))


async def test_a_wrong_password_and_the_client_id_of_another_are_refused(fleet: Fleet) -> None:
    """12.2#37."""
    device, other = await fleet.api.device(), await fleet.api.device()
    for changes in ({"password": "wrong"}, {"identifier": other.mqtt["username"]}):
        with pytest.raises(aiomqtt.MqttError):
            async with connected(device.mqtt, **changes):
                raise AssertionError("nobody connects like this")


async def test_a_device_that_is_deactivated_is_cut_and_comes_back_only_when_it_is_activated(fleet: Fleet) -> None:
    """12.1#28."""
    device, operator = await fleet.api.device(), await fleet.api.person(Role.OWNER)
    async with asyncio.timeout(SECONDS):
        with pytest.raises(aiomqtt.MqttError):
            async with connected(device.mqtt) as client:
                answer = await operator.patch(f"/devices/{device.uuid}/active", {"is_active": False})
                assert answer.status == 200, answer
                await fleet.api.settle()
                async for _ in client.messages:
                    raise AssertionError("nothing was published")
    with pytest.raises(aiomqtt.MqttError):
        async with connected(device.mqtt):
            raise AssertionError("it is out of service")
    await operator.patch(f"/devices/{device.uuid}/active", {"is_active": True})
    async with connected(device.mqtt):
        pass


async def test_a_device_that_is_removed_leaves_nothing_behind_at_the_broker(fleet: Fleet) -> None:
    """12.1#29."""
    device, owner = await fleet.api.device(), await fleet.api.person(Role.OWNER)
    topic = f"iot/device/{device.uuid}/sensor/modbus"
    async with connected(device.mqtt) as client:
        await client.publish(topic, b"1", qos=1, retain=True)
    await owner.patch(f"/devices/{device.uuid}/active", {"is_active": False})
    removed = await owner.delete(f"/devices/{device.uuid}")
    assert removed.status == 200, removed
    await fleet.api.settle()
    async with everything(fleet) as looking:
        await looking.subscribe([("iot/#", 1), ("end", 1)])
        await looking.publish("end", b"")
        first = await anext(aiter(looking.messages))
    assert first.topic.value == "end"


async def test_what_we_publish_reaches_the_device(fleet: Fleet) -> None:
    device = await fleet.api.device()
    order = {"action": "update", "version": "1.2.3"}
    async with connected(device.mqtt) as client:
        topic = f"iot/device/{device.uuid}/agent/update"
        assert await granted(client, topic)
        await fleet.api.running.services.broker.publish(topic, json.dumps(order).encode(), qos=1)
        async with asyncio.timeout(SECONDS):
            message = await anext(aiter(client.messages))
    assert json.loads(bytes(message.payload)) == order


async def test_a_device_is_seen_when_it_connects(fleet: Fleet) -> None:
    device = await fleet.api.device()
    async with connected(device.mqtt):
        await fleet.api.settle()
    viewer = await fleet.api.person(Role.OWNER)
    assert (await viewer.get(f"/devices/{device.uuid}")).body["device"]["is_online"]


async def test_a_device_that_does_not_listen_is_shown_and_can_be_sent_away(fleet: Fleet) -> None:
    """Contract §3.6: it comes over HTTP while the broker refuses it."""
    device, operator = await fleet.api.device(), await fleet.api.person(Role.OPERATOR)
    hearing = fleet.api.running.services.hearing

    async def shown() -> Any:
        await hearing.settle()
        await fleet.api.settle()
        return (await operator.get(f"/devices/{device.uuid}")).body["mqtt"]

    assert await shown() is None
    async with asyncio.timeout(SECONDS):
        with pytest.raises(aiomqtt.MqttError):
            async with connected(device.mqtt) as client:
                assert (await shown())["listening"] is None
                assert await granted(client, f"iot/device/{device.uuid}/jobs/notify-next")
                assert (await shown())["listening"] is True
                answer = await operator.post(f"/devices/{device.uuid}/mqtt/reconnect")
                assert (answer.status, answer.body["awaySeconds"]) == (200, 40)
                async for _ in client.messages:
                    raise AssertionError("nothing was published")
    with pytest.raises(aiomqtt.MqttError):
        async with connected(device.mqtt):
            raise AssertionError("it is to stay away")
    assert (await device.caller.get(f"/device/{device.uuid}/state")).status == 200
