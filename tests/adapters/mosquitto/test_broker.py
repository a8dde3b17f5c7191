"""What the use cases need of a broker, from a real Mosquitto that may go away at any time."""

import asyncio

import aiomqtt
import pytest

from adapters.mosquitto.address import BrokerAddress
from adapters.mosquitto.broker import MosquittoBroker
from core.errors import Invalid, Unavailable
from tests.adapters.mosquitto.conftest import SOON
from tests.support.mosquitto import Mosquitto

DEVICE = "device_5b0f8e5e-93a1-4b43-8b52-7a5c4a3f0f10"
TOPIC = "iot/device/5b0f8e5e-93a1-4b43-8b52-7a5c4a3f0f10/jobs/notify-next"


def a_client(mosquitto: Mosquitto, identifier: str, *, clean: bool = True, username: str = "") -> aiomqtt.Client:
    """Somebody else at the same broker."""
    return aiomqtt.Client(
        "127.0.0.1",
        mosquitto.port,
        identifier=identifier,
        username=username or identifier,
        password="its own",
        clean_session=clean,
        timeout=SOON,
    )


async def next_of(client: aiomqtt.Client) -> tuple[str, object, bool]:
    """Topic, payload, and whether it had been retained."""
    async with asyncio.timeout(SOON):
        message = await anext(aiter(client.messages))
    return message.topic.value, message.payload, message.retain


async def is_cut(client: aiomqtt.Client) -> bool:
    """Waits until the broker has ended the connection."""
    with pytest.raises(aiomqtt.MqttError):
        await next_of(client)
    return True


async def test_what_is_published_reaches_who_subscribed(ours: MosquittoBroker, mosquitto: Mosquitto) -> None:
    async with a_client(mosquitto, DEVICE) as device:
        await device.subscribe(TOPIC, qos=1)
        await ours.publish(TOPIC, b"{}", qos=1)
        assert await next_of(device) == (TOPIC, b"{}", False)


async def test_a_published_message_is_the_brokers_when_publishing_returns(
    ours: MosquittoBroker, mosquitto: Mosquitto
) -> None:
    """A durable session gets it after the broker was stopped and started, and we were gone meanwhile."""
    async with a_client(mosquitto, DEVICE, clean=False) as device:
        await device.subscribe(TOPIC, qos=1)
    await ours.publish(TOPIC, b"kept", qos=1)
    await mosquitto.stop()
    await mosquitto.start()
    async with a_client(mosquitto, DEVICE, clean=False) as device:
        assert (await next_of(device))[:2] == (TOPIC, b"kept")


async def test_several_hundred_messages_at_once_all_arrive(ours: MosquittoBroker, mosquitto: Mosquitto) -> None:
    async with a_client(mosquitto, DEVICE) as device, asyncio.TaskGroup() as publishing:
        await device.subscribe(TOPIC, qos=1)
        for number in range(500):
            publishing.create_task(ours.publish(TOPIC, b"%d" % number, qos=1))
        arrived = {(await next_of(device))[1] for _ in range(500)}
    assert arrived == {b"%d" % number for number in range(500)}


async def test_a_topic_with_a_wildcard_cannot_be_published_to(ours: MosquittoBroker) -> None:
    with pytest.raises(Invalid):
        await ours.publish("iot/device/+/agent/update", b"")


async def test_nothing_is_promised_while_the_broker_is_away_and_all_works_when_it_is_back(
    ours: MosquittoBroker, mosquitto: Mosquitto
) -> None:
    await mosquitto.kill()
    async with asyncio.timeout(SOON):
        await ours.lost()
    for attempt in (ours.ping(), ours.publish(TOPIC, b"{}"), ours.disconnect(DEVICE), ours.forget_retained("#")):
        with pytest.raises(Unavailable):
            await attempt
    await mosquitto.start()
    async with asyncio.timeout(SOON):
        await ours.connected()
    await ours.ping()
    await ours.publish(TOPIC, b"{}", qos=1)
    assert ours.reconnects >= 1


async def test_publishing_into_a_broker_that_died_a_moment_ago_is_no_success(
    ours: MosquittoBroker, mosquitto: Mosquitto
) -> None:
    await mosquitto.kill()
    with pytest.raises(Unavailable):
        await ours.publish(TOPIC, b"{}", qos=1)


async def test_opening_does_not_wait_for_a_broker_that_comes_later(mosquitto: Mosquitto) -> None:
    await mosquitto.stop()
    broker = MosquittoBroker(BrokerAddress.of(mosquitto.url, username="iotistic", password="secret"))
    await broker.open()
    with pytest.raises(Unavailable):
        await broker.ping()
    await mosquitto.start()
    async with asyncio.timeout(SOON):
        await broker.connected()
    await broker.close()


async def test_cutting_a_session_ends_the_connection_and_forgets_what_was_kept(
    ours: MosquittoBroker, mosquitto: Mosquitto
) -> None:
    async with a_client(mosquitto, DEVICE, clean=False) as device:
        await device.subscribe(TOPIC, qos=1)
        await ours.disconnect(DEVICE)
        assert await is_cut(device)
    await ours.publish(TOPIC, b"for nobody", qos=1)
    async with a_client(mosquitto, DEVICE, clean=False) as device:
        await device.subscribe("end", qos=1)
        await ours.publish("end", b"", qos=1)
        assert (await next_of(device))[0] == "end"


async def test_a_durable_session_of_somebody_who_is_away_is_forgotten_too(
    ours: MosquittoBroker, mosquitto: Mosquitto
) -> None:
    async with a_client(mosquitto, DEVICE, clean=False) as device:
        await device.subscribe(TOPIC, qos=1)
    await ours.disconnect(DEVICE)
    await ours.publish(TOPIC, b"for nobody", qos=1)
    async with a_client(mosquitto, DEVICE, clean=False) as device:
        await device.subscribe("end", qos=1)
        await ours.publish("end", b"", qos=1)
        assert (await next_of(device))[0] == "end"


async def test_cutting_one_session_leaves_others_alone(ours: MosquittoBroker, mosquitto: Mosquitto) -> None:
    async with a_client(mosquitto, DEVICE) as device, a_client(mosquitto, f"{DEVICE}0") as other:
        await other.subscribe("a", qos=1)
        await ours.disconnect(DEVICE)
        assert await is_cut(device)
        await ours.publish("a", b"still there", qos=1)
        assert (await next_of(other))[1] == b"still there"


async def test_forgotten_retained_messages_come_to_nobody_and_others_stay(
    ours: MosquittoBroker, mosquitto: Mosquitto
) -> None:
    for topic in ("a/1", "a/2/deep", "a", "b"):
        await ours.publish(topic, b"old", qos=1, retain=True)
    await ours.forget_retained("a/#")
    async with a_client(mosquitto, "reader") as reader:
        await reader.subscribe("#", qos=1)
        assert await next_of(reader) == ("b", b"old", True)
        await ours.publish("end", b"", qos=1)
        assert (await next_of(reader))[0] == "end"


async def test_the_broker_tells_how_it_is_doing(ours: MosquittoBroker, mosquitto: Mosquitto) -> None:
    async with a_client(mosquitto, DEVICE) as device:
        await device.subscribe(TOPIC, qos=1)
        await ours.publish(TOPIC, b"x" * 100, qos=1)
        async with asyncio.timeout(SOON):
            while True:
                found = ours.statistics()
                if found.clients_connected == 2 and found.messages_in:
                    break
                await asyncio.sleep(0.05)  # it tells every second or two
    assert found.subscriptions >= 2
    assert found.bytes_in > 100


@pytest.mark.parametrize(
    "url", ["http://broker", "mqtt://", "broker:1883", "mqtt://broker:port", "mqtt://broker:99999"]
)
def test_an_address_that_is_none_is_refused_in_words(url: str) -> None:
    with pytest.raises(Invalid, match="MQTT_URL must look like"):
        BrokerAddress.of(url, username="", password="")


def test_credentials_in_the_address_come_first_and_are_shown_to_nobody() -> None:
    address = BrokerAddress.of("mqtts://me:s%40cret@broker.example", username="other", password="other")
    assert (address.username, address.password, address.port, address.tls) == ("me", "s@cret", 8883, True)
    assert "s@cret" not in repr(address)
