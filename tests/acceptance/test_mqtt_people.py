"""People's accounts on the embedded broker, with rows as the console makes them (contract 12.2, items 31 to 36)."""

import asyncio

import aiomqtt
import pytest

from core.actor import Role
from tests.support.application import Api
from tests.support.console import PASSWORD, Console, granted, heard

MODES = ("json", "form")
SOON = 5.0


@pytest.fixture
async def console(api: Api) -> Console:
    """Somebody at the console."""
    return Console(api, await api.person(Role.OWNER))


@pytest.mark.parametrize("mode", MODES)
async def test_31_all_three_questions_are_answered_for_people_too(console: Console, mode: str) -> None:
    await console.account("anna", ("a/#", 3))
    await console.account("root", is_superuser=True)
    assert await console.ask("user", mode, username="anna", password=PASSWORD, clientid="anna-1")
    assert not await console.ask("user", mode, username="anna", password="wrong one", clientid="anna-1")
    assert await console.ask("superuser", mode, username="root")
    assert not await console.ask("superuser", mode, username="anna")
    assert await console.may("anna", 2, "a/b", mode)
    assert not await console.may("anna", 2, "b", mode)


async def test_32_each_access_grants_what_its_bits_say(console: Console) -> None:
    """1 implies 4 (B-07); 2 alone allows neither 1 nor 4; what is asked is one of 1, 2 and 4."""
    await console.account("anna", *((f"with/{access}", access) for access in range(1, 8)))
    found = {
        access: {asked for asked in range(9) if await console.may("anna", asked, f"with/{access}")}
        for access in range(1, 8)
    }
    assert found == {1: {1, 4}, 2: {2}, 3: {1, 2, 4}, 4: {4}, 5: {1, 4}, 6: {2, 4}, 7: {1, 2, 4}}


async def test_32_an_account_made_in_the_console_subscribes_publishes_and_reads(console: Console) -> None:
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
    await console.account("anna", ("iot/device/U/#", 3), ("one/+/level", 3))
    for topic, expected in (
        ("iot/device/U", True),
        ("iot/device/U/", True),
        ("iot/device/U/a//b", True),
        ("iot/device/UX/state", False),
        ("one//level", True),
        ("one/a/level", True),
        ("one/a/b/level", False),
        ("one.a.level", False),
    ):
        assert await console.may("anna", 2, topic) is expected, topic
    async with asyncio.timeout(SOON), console.client("anna") as client:
        assert await granted(client, "iot/device/U")
        await client.publish("iot/device/U", b"parent", qos=1)
        assert await heard(client) == ("iot/device/U", b"parent")


async def test_34_a_wildcard_reaches_neither_the_servers_own_topics_nor_beyond_its_share(console: Console) -> None:
    await console.account("anna", ("#", 1))
    await console.account("bert", ("a/b", 1))
    await console.account("carl", ("$SYS/#", 1))
    assert not await console.may("anna", 4, "$SYS/#")
    assert not await console.may("anna", 1, "$SYS/broker/uptime")
    assert await console.may("carl", 4, "$SYS/#")
    assert await console.may("bert", 4, "$share/g/a/b")
    assert not await console.may("bert", 4, "$share/g/a/#")
    async with asyncio.timeout(SOON), console.client("anna") as anna:
        assert await granted(anna, "#")
        assert not await granted(anna, "$SYS/#")


async def test_35_a_row_does_not_admit_a_filter_that_reaches_beyond_it(console: Console) -> None:
    """Abuse case 14 (emqx#12312): containment, not a match of texts."""
    await console.account("anna", ("a/+", 1))
    async with asyncio.timeout(SOON), console.client("anna") as client:
        for topic, expected in (
            ("a/+", True),
            ("a/b", True),
            ("a/#", False),
            ("#", False),
            ("+/b", False),
            ("+/+", False),
        ):
            assert await granted(client, topic) is expected, topic


async def test_36_who_is_deactivated_is_out_and_denied_everything(console: Console) -> None:
    number = await console.account("anna", ("#", 3), is_superuser=True)
    async with asyncio.timeout(SOON):
        with pytest.raises(aiomqtt.MqttError):
            async with console.client("anna") as client:
                assert await granted(client, "a")
                switched = await console.owner.put(f"/auth/mqtt-users/{number}", {"is_active": False})
                assert switched.status == 200
                await heard(client)
        with pytest.raises(aiomqtt.MqttError):
            async with console.client("anna"):
                pass
    assert not any([await console.may("anna", access, "a") for access in (1, 2, 4)])
    assert not await console.ask("superuser", "json", username="anna")


@pytest.mark.parametrize("name", ["#", "+", "a/b", "$SYS"])
async def test_36_names_with_wildcards_are_refused_before_they_are_expanded(console: Console, name: str) -> None:
    """Abuse case 13 (CVE-2017-7650): nobody calls themselves `#` to read what `%c` grants."""
    refused = await console.owner.post("/auth/mqtt-users", {"username": name, "password": PASSWORD})
    assert refused.status == 400
    await console.account("anna", ("%u/own", 3), ("client/%c/#", 3))
    async with asyncio.timeout(SOON), console.client("anna") as client:
        assert await granted(client, "anna/own")
        assert await granted(client, "client/anna-1/#")
        assert not await granted(client, "client/+/x")
        assert not await granted(client, "%u/own")
    async with asyncio.timeout(SOON):
        with pytest.raises(aiomqtt.MqttError):
            async with console.client("anna", identifier=name):
                pass


async def test_denials_go_by_priority(console: Console) -> None:
    """Contract 10.3 item 5; B-05."""
    number = await console.account("anna", ("a/#", 3))
    await console.row(number, "a/secret/#", 3, deny=True)
    await console.row(number, "a/secret/mine", 3, priority=1)
    assert [await console.may("anna", 1, topic) for topic in ("a/x", "a/secret/x", "a/secret/mine")] == [
        True,
        False,
        True,
    ]


@pytest.mark.parametrize("what", ["password", "row changed", "row removed", "deleted"])
async def test_what_is_taken_away_cuts_the_session_at_once(console: Console, what: str) -> None:
    """B-08; abuse cases 17, 18 and 20: neither the connection nor its subscriptions go on."""
    number = await console.account("anna")
    row = await console.row(number, "a", 1)
    account, right = f"/auth/mqtt-users/{number}", f"/auth/mqtt-acls/{row}"
    async with asyncio.timeout(SOON):
        with pytest.raises(aiomqtt.MqttError):
            async with console.client("anna") as client:
                assert await granted(client, "a")
                answer = await {
                    "password": lambda: console.owner.put(account, {"password": "another one"}),
                    "row changed": lambda: console.owner.put(right, {"access": 2}),
                    "row removed": lambda: console.owner.delete(right),
                    "deleted": lambda: console.owner.delete(account),
                }[what]()
                assert answer.status == 200
                await heard(client)
    assert await console.may("anna", 4, "a") is (what == "password")
    old_password = await console.ask("user", "json", username="anna", password=PASSWORD, clientid="anna-1")
    assert old_password is what.startswith("row")


async def test_a_will_and_a_retained_message_do_not_outlive_the_right_to_write_them(console: Console) -> None:
    """Abuse cases 16 and 17 (CVE-2018-12546)."""
    number = await console.account("anna")
    row = await console.row(number, "news", 2)
    await console.account("reader", ("#", 1))
    will = aiomqtt.Will("news", b"will", qos=1, retain=True)
    async with asyncio.timeout(SOON):
        with pytest.raises(aiomqtt.MqttError):
            async with console.client("anna", will=will) as anna:
                await anna.publish("news", b"retained", qos=1, retain=True)
                await console.owner.delete(f"/auth/mqtt-acls/{row}")
                await heard(anna)
        async with console.client("reader") as reader:
            assert await granted(reader, "#")
            await console.api.running.services.broker.publish("last", b"of all")
            assert await heard(reader) == ("last", b"of all")


async def test_a_client_may_not_take_the_name_of_a_device_or_its_topics(console: Console) -> None:
    """Abuse case 22."""
    device = await console.api.device()
    name = device.mqtt["username"]
    await console.account("anna", ("#", 3))
    async with asyncio.timeout(SOON):
        with pytest.raises(aiomqtt.MqttError):
            async with console.client("anna", identifier=name):
                pass


async def test_39_a_thousand_clients_of_one_account_are_let_in_quickly(console: Console) -> None:
    """Contract 10.3 item 7 and 12.2 item 39: one slow check, and the others from memory."""
    await console.account("anna", ("#", 1))
    authenticate = console.api.running.services.mqtt_accounts.authenticate
    asking = (authenticate(username="anna", password=PASSWORD, client_id=f"c{number}") for number in range(1000))
    assert all(await asyncio.gather(*asking))
