"""Starting, stopping, and clients that people really use."""

import asyncio

import aiomqtt
import pytest

from adapters.amqtt import EmbeddedBroker, Limits
from core.errors import Unavailable
from tests.adapters.amqtt.conftest import Dial, Start
from tests.adapters.amqtt.doubles import (
    DEVICE,
    PASSWORD,
    PUBACK,
    SOON,
    Box,
    Keeper,
    Raw,
    publish_packet,
    turns,
)

NAME = f"device_{DEVICE}"
STATE = f"iot/device/{DEVICE}/state"
UPDATE = f"iot/device/{DEVICE}/agent/update"


def client(broker: EmbeddedBroker, name: str, password: str = PASSWORD) -> aiomqtt.Client:
    return aiomqtt.Client(
        "127.0.0.1",
        broker.port,
        username=name,
        password=password,
        identifier=name,
        protocol=aiomqtt.ProtocolVersion.V311,
    )


@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_a_real_client_reports_and_hears_its_commands(broker: EmbeddedBroker, box: Box, qos: int) -> None:
    async with asyncio.timeout(SOON), client(broker, NAME) as device:
        await device.subscribe(UPDATE, qos=qos)
        await device.publish(STATE, b"{}", qos=qos)
        await box.until(stored=1)
        await broker.publish(UPDATE, b"go", qos=qos)
        message = await anext(aiter(device.messages))
    assert (str(message.topic), message.payload, message.qos) == (UPDATE, b"go", qos)


async def test_a_real_client_with_a_wrong_password_is_told_so(broker: EmbeddedBroker) -> None:
    with pytest.raises(aiomqtt.MqttError, match=r"(?i)bad user name|not authorized|code:4"):
        async with client(broker, NAME, "wrong"):
            pass


async def test_a_real_client_of_version_5_is_told_so(broker: EmbeddedBroker) -> None:
    with pytest.raises(aiomqtt.MqttError):
        async with aiomqtt.Client(
            "127.0.0.1",
            broker.port,
            username=NAME,
            password=PASSWORD,
            identifier=NAME,
            protocol=aiomqtt.ProtocolVersion.V5,
        ):
            pass


async def test_stopping_stores_and_acknowledges_what_has_come(start: Start, dial: Dial, box: Box) -> None:
    broker = await start()
    device = await dial(broker, NAME, will=(STATE, b"will", 1, False))
    box.open.clear()
    device.send(publish_packet(STATE, b"last", qos=1))
    await box.until(begun=1)
    stopping = asyncio.create_task(broker.stop())
    await turns(20)
    box.open.set()
    await device.expect(PUBACK)
    await device.closed()
    await stopping
    assert [message.payload for message in box.stored] == [b"last"]


async def test_stopping_does_not_wait_for_a_disk_that_hangs(start: Start, dial: Dial, box: Box) -> None:
    broker = await start(drain_seconds=0.1)
    device = await dial(broker, NAME)
    box.open.clear()
    device.send(publish_packet(STATE, b"stuck", qos=1))
    await box.until(begun=1)
    async with asyncio.timeout(1):
        await broker.stop()
    with pytest.raises(EOFError):
        await device.next()


async def test_a_stopped_broker_lets_nobody_in_and_can_be_started_again(keeper: Keeper, box: Box) -> None:
    broker = EmbeddedBroker(keeper, box, port=0, limits=Limits())
    with pytest.raises(Unavailable):
        await broker.ping()
    await broker.start()
    port = broker.port
    await broker.ping()
    await broker.stop()
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", port)
    await broker.start()
    raw = await Raw.dial(broker)
    await raw.login(NAME, NAME)
    await broker.stop()
    await raw.closed()


async def test_two_brokers_cannot_have_one_port(broker: EmbeddedBroker, keeper: Keeper, box: Box) -> None:
    second = EmbeddedBroker(keeper, box, port=broker.port)
    with pytest.raises(OSError, match="address already in use"):
        await second.start()
