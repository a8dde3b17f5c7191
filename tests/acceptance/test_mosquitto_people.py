"""People's accounts on a real Mosquitto that asks us: contract 12.2, items 32 to 37, as a client meets them."""

import asyncio

import aiomqtt
import pytest

from core.actor import Role
from tests.support.console import PASSWORD, Console, granted, heard
from tests.support.scaled import Fleet

SOON = 5.0


@pytest.fixture
async def console(fleet: Fleet) -> Console:
    """Somebody at the console."""
    return Console(fleet.api, await fleet.api.person(Role.OWNER))


async def hears_only(client: aiomqtt.Client, console: Console, topic: str) -> bool:
    """Whether nothing comes to the client before what we publish there now."""
    await console.api.running.services.broker.publish(topic, b"the end")
    return await heard(client) == (topic, b"the end")


async def test_32_an_account_made_in_the_console_subscribes_publishes_and_reads(console: Console) -> None:
    """Read (1) brings subscribing (4) with it, and writing (2) brings neither (B-07)."""
    await console.account("reader", ("plant/#", 1))
    await console.account("writer", ("plant/#", 2))
    async with asyncio.timeout(SOON), console.client("reader") as reader, console.client("writer") as writer:
        assert await granted(reader, "plant/+/temperature")
        assert not await granted(writer, "plant/#")
        await reader.publish("plant/1/temperature", b"forged", qos=1)
        await writer.publish("elsewhere", b"lost", qos=1)
        await writer.publish("plant/1/temperature", b"21.5", qos=1)
        assert await heard(reader) == ("plant/1/temperature", b"21.5")


async def test_33_rows_match_level_by_level(console: Console) -> None:
    await console.account("anna", ("iot/device/U/#", 3))
    async with asyncio.timeout(SOON), console.client("anna") as client:
        assert await granted(client, "iot/device/U/#")
        for topic in ("iot/device/UX/state", "iot/device", "iot/device/U", "iot/device/U/a//b"):
            await client.publish(topic, b"1", qos=1)
        assert [await heard(client) for _ in range(2)] == [("iot/device/U", b"1"), ("iot/device/U/a//b", b"1")]


async def test_34_a_wildcard_reaches_neither_the_servers_own_topics_nor_beyond_its_share(console: Console) -> None:
    await console.account("anna", ("#", 1))
    await console.account("bert", ("a/b", 1))
    await console.account("carl", ("$SYS/#", 1))
    expected = {
        "anna": {"#": True, "$SYS/#": False, "$SYS/broker/uptime": False},
        "bert": {"$share/g/a/b": True, "$share/g/a/#": False},
        "carl": {"$SYS/#": True, "#": False},
    }
    async with asyncio.timeout(SOON):
        for name, filters in expected.items():
            async with console.client(name) as client:
                assert {topic: await granted(client, topic) for topic in filters} == filters


async def test_35_a_row_does_not_admit_a_filter_that_reaches_beyond_it(console: Console) -> None:
    await console.account("anna", ("a/+", 1))
    expected = {"a/+": True, "a/b": True, "a/#": False, "#": False, "+/b": False, "+/+": False}
    async with asyncio.timeout(SOON), console.client("anna") as client:
        assert {topic: await granted(client, topic) for topic in expected} == expected


async def test_36_who_is_deactivated_hears_nothing_more_and_does_not_come_back(console: Console) -> None:
    """We do not know the client ids of people, so the session stays; but it is asked about at each action."""
    number = await console.account("anna", ("#", 3), is_superuser=True)
    await console.account("bert", ("#", 1))
    async with asyncio.timeout(SOON), console.client("anna") as anna, console.client("bert") as bert:
        assert await granted(anna, "news")
        assert await granted(bert, "#")
        assert await hears_only(anna, console, "news")
        assert await heard(bert) == ("news", b"the end")
        switched = await console.owner.put(f"/auth/mqtt-users/{number}", {"is_active": False})
        assert switched.status == 200
        await anna.publish("news", b"forged", qos=1)
        assert not await granted(anna, "other")
        assert await hears_only(bert, console, "news")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await heard(anna)
        with pytest.raises(aiomqtt.MqttError):
            async with console.client("anna", identifier="anna-2"):
                pass


@pytest.mark.parametrize("name", ["#", "+", "a/b", "$SYS"])
async def test_36_client_ids_with_wildcards_are_refused_before_they_are_expanded(console: Console, name: str) -> None:
    """CVE-2017-7650."""
    await console.account("anna", ("client/%c/#", 3))
    async with asyncio.timeout(SOON), console.client("anna") as client:
        assert await granted(client, "client/anna-1/#")
        assert not await granted(client, "client/+/x")
        with pytest.raises(aiomqtt.MqttError):
            async with console.client("anna", identifier=name):
                pass


async def test_37_nobody_takes_the_session_of_a_device(console: Console) -> None:
    device = await console.api.device()
    await console.account("anna", ("#", 3))
    async with asyncio.timeout(SOON):
        with pytest.raises(aiomqtt.MqttError):
            async with console.client("anna", identifier=device.mqtt["username"]):
                pass


async def test_our_own_account_can_be_neither_made_nor_guessed(fleet: Fleet, console: Console) -> None:
    """It is in the settings and in no table: an account of the same name changes nothing."""
    name = fleet.environment["MQTT_USERNAME"]
    made = await console.owner.post("/auth/mqtt-users", {"username": name, "password": PASSWORD})
    assert made.status in {201, 400}
    async with asyncio.timeout(SOON):
        with pytest.raises(aiomqtt.MqttError):
            async with console.client(name):
                pass


async def test_a_broker_that_cannot_ask_lets_nobody_in(fleet: Fleet, console: Console) -> None:
    """Whoever is in stays in, and may do nothing that it has to ask about."""
    await console.account("anna", ("#", 3))
    fleet.broker.lines = [line.replace("/mosquitto-auth", "/nothing-here") for line in fleet.broker.lines]
    await fleet.broker.stop()
    await fleet.broker.start()
    async with asyncio.timeout(SOON):
        with pytest.raises(aiomqtt.MqttError):
            async with console.client("anna"):
                pass
