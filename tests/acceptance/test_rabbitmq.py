"""RabbitMQ as the broker: a device's life on it, and what people may do (contract §3.5, §10.3, §12.2)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import aiomqtt
import pytest
import pytest_asyncio
from attrs import frozen

from adapters.mosquitto.broker import MosquittoBroker
from core.actor import Role
from tests.support.application import Api
from tests.support.console import Console, granted, heard
from tests.support.mqtt import connected
from tests.support.postgres import Server
from tests.support.rabbitmq import RabbitMq, asking_http
from tests.support.scaled import scaled_environment, serving
from tests.support.server import free_port

# It takes so long to start that all tests share one.
pytestmark = pytest.mark.asyncio(loop_scope="module")
SOON = 10.0
DATABASE = "behind_rabbitmq"


@frozen
class Fleet:
    """A control plane and its broker."""

    api: Api
    broker: RabbitMq
    console: Console
    account: tuple[str, str]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fleet(postgres_server: Server, postgres_template: str) -> AsyncIterator[Fleet]:
    """All of it, running."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="rabbitmq-", ignore_cleanup_errors=True))
        url = postgres_server.create(DATABASE, postgres_template)
        stack.callback(postgres_server.drop, DATABASE)
        port = free_port()
        broker = RabbitMq(Path(folder), asking_http(f"http://127.0.0.1:{port}"))
        environment = scaled_environment(url, broker.url, PORT=str(port))
        api = await stack.enter_async_context(serving(environment))
        stack.push_async_callback(broker.stop)
        await broker.start()
        carrier = api.running.services.broker
        assert isinstance(carrier, MosquittoBroker)
        async with asyncio.timeout(30 + SOON):
            await carrier.connected()
        console = Console(api, await api.person(Role.OWNER))
        yield Fleet(api, broker, console, (environment["MQTT_USERNAME"], environment["MQTT_PASSWORD"]))


async def test_a_device_may_do_what_agents_do_and_nothing_else(fleet: Fleet) -> None:
    device, other = await fleet.api.device(), await fleet.api.device()
    own = f"iot/device/{device.uuid}"
    async with asyncio.timeout(SOON), connected(device.mqtt) as client:
        assert await granted(client, f"{own}/jobs/notify-next")
        assert await granted(client, f"{own}/agent/update")
        await fleet.api.running.services.broker.publish(f"{own}/agent/update", b"{}", qos=1)
        assert await heard(client) == (f"{own}/agent/update", b"{}")
    for denied in ("#", f"{own}/state", f"iot/device/{other.uuid}/jobs/notify-next", "iot/device/+/agent/update"):
        assert await is_denied(fleet, device.mqtt, denied), denied


async def is_denied(fleet: Fleet, mqtt: object, topic_filter: str) -> bool:
    """RabbitMQ answers 128, or ends the connection; either way nothing is heard."""
    assert isinstance(mqtt, dict)
    try:
        async with asyncio.timeout(2), connected(mqtt) as client:
            return not await granted(client, topic_filter)
    except (aiomqtt.MqttError, TimeoutError):
        return True


async def test_what_a_device_reports_arrives_and_what_it_forges_does_not(fleet: Fleet) -> None:
    device, other = await fleet.api.device(), await fleet.api.device()
    name, password = fleet.account
    async with asyncio.timeout(SOON), fleet.console.client(name, password, identifier="listener") as ours:
        assert await granted(ours, "iot/device/+/state")
        assert await granted(ours, "iot/device/+/jobs/+")
        for forged in (f"iot/device/{other.uuid}/state", f"iot/device/{device.uuid}/jobs/notify-next"):
            try:
                async with connected(device.mqtt) as client:
                    await client.publish(forged, b"forged", qos=1, timeout=1)
            except aiomqtt.MqttError:
                pass  # it ends the connection of whoever publishes where he may not
        async with connected(device.mqtt) as client:
            await client.publish(f"iot/device/{device.uuid}/state", b"{}", qos=1)
        assert await heard(ours) == (f"iot/device/{device.uuid}/state", b"{}")


async def test_who_is_not_who_he_says_is_refused(fleet: Fleet) -> None:
    device, other = await fleet.api.device(), await fleet.api.device()
    for changes in ({"password": "wrong"}, {"identifier": other.mqtt["username"]}):
        with pytest.raises(aiomqtt.MqttError):
            async with connected(device.mqtt, **changes):
                raise AssertionError("nobody connects like this")


async def test_a_device_out_of_service_is_cut_and_does_not_come_back(fleet: Fleet) -> None:
    device = await fleet.api.device()
    async with asyncio.timeout(SOON):
        with pytest.raises(aiomqtt.MqttError):
            async with connected(device.mqtt) as client:
                await fleet.console.owner.patch(f"/devices/{device.uuid}/active", {"is_active": False})
                await fleet.api.settle()
                await heard(client)
    with pytest.raises(aiomqtt.MqttError):
        async with connected(device.mqtt):
            raise AssertionError("it is out of service")


async def test_accounts_of_people_do_what_their_rows_say(fleet: Fleet) -> None:
    await fleet.console.account("anna", ("plant/#", 3))
    async with asyncio.timeout(SOON), fleet.console.client("anna") as anna:
        assert await granted(anna, "plant/+/temperature")
        await anna.publish("plant/1/temperature", b"21.5", qos=1)
        assert await heard(anna) == ("plant/1/temperature", b"21.5")
    mqtt = {"broker": fleet.broker.url, "username": "anna", "password": "correct horse"}
    assert await is_denied(fleet, mqtt, "elsewhere/#")
    device = await fleet.api.device()
    with pytest.raises(aiomqtt.MqttError):
        async with fleet.console.client("anna", identifier=device.mqtt["username"]):
            raise AssertionError("it is the device's own")


async def test_a_device_that_does_not_listen_is_noticed_here_too(fleet: Fleet) -> None:
    device = await fleet.api.device()
    hearing = fleet.api.running.services.hearing
    async with asyncio.timeout(SOON), connected(device.mqtt) as client:
        await fleet.api.settle()
        await hearing.settle()
        assert (await fleet.console.owner.get(f"/devices/{device.uuid}")).body["mqtt"]["listening"] is None
        assert await granted(client, f"iot/device/{device.uuid}/jobs/notify-next")
        await hearing.settle()
        assert (await fleet.console.owner.get(f"/devices/{device.uuid}")).body["mqtt"]["listening"] is True
