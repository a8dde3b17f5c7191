"""A real Mosquitto that keeps accounts of its own (dynamic-security), which we look after."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import aiomqtt
import pytest
from attrs import frozen

from adapters.mosquitto.address import BrokerAddress
from adapters.mosquitto.broker import MosquittoBroker
from adapters.mosquitto.dynamic_accounts import DynamicAccounts
from adapters.mosquitto.dynamic_security import Command, control_of
from core.actor import Role
from entrypoints.wiring.processes import worker_process
from entrypoints.wiring.running import Running
from entrypoints.wiring.scaled import Scaled
from tests.support.application import Api, EnrolledDevice
from tests.support.console import Console, granted, heard
from tests.support.mosquitto import ADMIN, Mosquitto, ready_made
from tests.support.mqtt import connected
from tests.support.redis import RedisServer
from tests.support.scaled import first_owner, scaled_environment, serving

SCRIPT = Path(__file__).parents[2] / "contrib" / "mosquitto" / "our-account.sh"
SOON = 10.0


@frozen
class Kept:
    """A control plane, its broker, and who makes their accounts agree."""

    api: Api
    broker: Mosquitto
    accounts: DynamicAccounts
    console: Console
    broker_account: tuple[str, str]
    environment: dict[str, str]


async def our_account(broker: Mosquitto, name: str, password: str) -> None:
    """What it has one do then."""
    options = ["-h", "127.0.0.1", "-p", str(broker.port), "-u", "admin", "-P", ADMIN]
    environment = {**os.environ, "MQTT_PASSWORD": password}
    process = await asyncio.create_subprocess_exec(SCRIPT, *options, name, env=environment)
    assert await process.wait() == 0


@pytest.fixture
async def kept(postgres_url: str) -> AsyncIterator[Kept]:
    """All of it, running."""
    found: list[Scaled] = []

    async def prepare(running: Running, inside: Scaled) -> None:
        found.append(inside)
        await first_owner(running, inside)

    async with AsyncExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="mosquitto-", ignore_cleanup_errors=True))
        broker = Mosquitto(Path(folder))
        environment = scaled_environment(postgres_url, broker.url, MQTT_ACCOUNTS_AT_BROKER="true")
        name, password = environment["MQTT_USERNAME"], environment["MQTT_PASSWORD"]
        broker.lines = ready_made(Path(folder))
        await broker.start()
        stack.push_async_callback(broker.stop)
        await our_account(broker, name, password)
        api = await stack.enter_async_context(serving(environment, prepare))
        carrier, accounts = api.running.services.broker, found[0].dynamic_accounts
        assert isinstance(carrier, MosquittoBroker)
        assert accounts is not None
        async with asyncio.timeout(SOON):
            await carrier.connected()
        yield Kept(api, broker, accounts, Console(api, await api.person(Role.OWNER)), (name, password), environment)


async def at_the_broker(kept: Kept, command: Command) -> None:
    """Somebody else changes something there."""
    name, password = kept.broker_account
    async with control_of(BrokerAddress.of(kept.broker.url, username=name, password=password)) as control:
        [answer] = await control.run(command)
    assert "error" not in answer


async def is_let_in(device: EnrolledDevice) -> bool:
    """Whether the device may connect."""
    try:
        async with connected(device.mqtt):
            return True
    except aiomqtt.MqttError:
        return False


async def test_a_new_device_may_do_what_agents_do_and_nothing_else(kept: Kept) -> None:
    device, other = await kept.api.device(), await kept.api.device()
    assert await kept.accounts.reconcile() == 2
    own = f"iot/device/{device.uuid}"
    expected = {
        f"{own}/jobs/notify-next": True,
        f"{own}/agent/update": True,
        f"{own}/state": False,
        f"{own}/#": False,
        f"iot/device/{other.uuid}/jobs/notify-next": False,
        "iot/device/+/agent/update": False,
        "#": False,
        "$SYS/#": False,
        f"$share/g/{own}/state": False,
    }
    async with asyncio.timeout(SOON), connected(device.mqtt) as client:
        assert {topic: await granted(client, topic) for topic in expected} == expected
        await kept.api.running.services.broker.publish(f"{own}/agent/update", b"{}")
        assert await heard(client) == (f"{own}/agent/update", b"{}")
        await client.publish(f"{own}/jobs/notify-next", b"forged", qos=1)
        await client.publish(f"iot/device/{other.uuid}/state", b"forged", qos=1)
        await kept.api.running.services.broker.publish(f"{own}/jobs/notify-next", b"real")
        assert await heard(client) == (f"{own}/jobs/notify-next", b"real")


async def is_cut(client: aiomqtt.Client) -> bool:
    """Waits until the broker has ended the connection."""
    with pytest.raises(aiomqtt.MqttError):
        await heard(client)
    return True


async def test_what_agrees_is_left_alone(kept: Kept) -> None:
    """Nobody is cut by a comparison that finds nothing."""
    device = await kept.api.device()
    await kept.console.account("anna", ("a/#", 3))
    assert await kept.accounts.reconcile() == 2
    async with asyncio.timeout(SOON), connected(device.mqtt) as client:
        assert await kept.accounts.reconcile() == 0
        topic = f"iot/device/{device.uuid}/agent/update"
        assert await granted(client, topic)
        await kept.api.running.services.broker.publish(topic, b"{}")
        assert await heard(client) == (topic, b"{}")


async def test_a_device_out_of_service_is_cut_and_back_in_service_let_in(kept: Kept) -> None:
    device = await kept.api.device()
    await kept.accounts.reconcile()
    async with asyncio.timeout(SOON), connected(device.mqtt) as client:
        await kept.console.owner.patch(f"/devices/{device.uuid}/active", {"is_active": False})
        assert await kept.accounts.reconcile() == 1
        assert await is_cut(client)
    assert not await is_let_in(device)
    assert await kept.accounts.reconcile() == 0
    await kept.console.owner.patch(f"/devices/{device.uuid}/active", {"is_active": True})
    assert await kept.accounts.reconcile() == 1
    assert await is_let_in(device)


async def test_a_device_that_is_removed_is_forgotten(kept: Kept) -> None:
    device = await kept.api.device()
    await kept.accounts.reconcile()
    await kept.console.owner.patch(f"/devices/{device.uuid}/active", {"is_active": False})
    removed = await kept.console.owner.delete(f"/devices/{device.uuid}")
    assert removed.status == 200, removed
    assert await kept.accounts.reconcile() == 1
    assert await kept.accounts.reconcile() == 0
    assert not await is_let_in(device)


async def test_a_device_that_registers_again_comes_in_with_its_new_password_only(kept: Kept) -> None:
    key = await kept.api.provisioning_key()
    device = await kept.api.device(key)
    await kept.accounts.reconcile()
    again = await kept.api.device(key, uuid=device.uuid, deviceApiKey=device.key)
    assert await kept.accounts.reconcile() == 1
    assert not await is_let_in(device)
    assert await is_let_in(again)


async def test_accounts_of_people_follow_what_the_console_says(kept: Kept) -> None:
    number = await kept.console.account("anna", ("a/+", 1), ("mine/%u/#", 3))
    row = await kept.console.row(number, "b", 1)
    await kept.console.row(number, "mine/anna/secret", 1, deny=True, priority=1)
    await kept.accounts.reconcile()
    expected = {"a/+": True, "a/b": True, "a/#": False, "mine/anna/x": True, "mine/bert/x": False, "b": True}
    async with asyncio.timeout(SOON), kept.console.client("anna") as anna:
        assert {topic: await granted(anna, topic) for topic in expected} == expected
        assert not await granted(anna, "mine/anna/secret")
        await kept.console.owner.delete(f"/auth/mqtt-acls/{row}")
        assert await kept.accounts.reconcile() == 1
        assert await is_cut(anna)
    async with asyncio.timeout(SOON), kept.console.client("anna") as anna:
        assert not await granted(anna, "b")
        await kept.console.owner.put(f"/auth/mqtt-users/{number}", {"password": "battery staple"})
        assert await kept.accounts.reconcile() == 1
        assert await is_cut(anna)
    async with asyncio.timeout(SOON), kept.console.client("anna", "battery staple"):
        pass


async def test_accounts_that_others_made_at_the_broker_stay(kept: Kept) -> None:
    await at_the_broker(kept, {"command": "createClient", "username": "nodered", "password": "theirs"})
    assert await kept.accounts.reconcile() == 0
    async with asyncio.timeout(SOON), kept.console.client("nodered", "theirs"):
        pass


async def test_what_somebody_changed_at_the_broker_is_put_right(kept: Kept) -> None:
    device = await kept.api.device()
    await kept.accounts.reconcile()
    username = device.mqtt["username"]
    wider = {"acltype": "publishClientSend", "topic": "#", "allow": True}
    await at_the_broker(kept, {"command": "addRoleACL", "rolename": username, **wider})
    await at_the_broker(kept, {"command": "disableClient", "username": username})
    assert await kept.accounts.reconcile() == 1
    assert await kept.accounts.reconcile() == 0
    assert await is_let_in(device)


async def test_a_broker_that_lost_its_file_is_filled_again_as_devices_register(kept: Kept) -> None:
    """We keep digests, no passwords: only who gets a new one can be brought back."""
    key = await kept.api.provisioning_key()
    device = await kept.api.device(key)
    await kept.accounts.reconcile()
    await kept.broker.stop()
    (kept.broker.folder / "accounts.json").unlink()
    ready_made(kept.broker.folder)
    await kept.broker.start()
    await our_account(kept.broker, *kept.broker_account)
    assert await kept.accounts.reconcile() == 0
    assert not await is_let_in(device)
    again = await kept.api.device(key, uuid=device.uuid, deviceApiKey=device.key)
    assert await kept.accounts.reconcile() == 1
    assert await is_let_in(again)


async def test_our_own_shared_subscriptions_and_messages_are_let_through(kept: Kept) -> None:
    """What `iotistic listen` needs."""
    device = await kept.api.device()
    await kept.accounts.reconcile()
    name, password = kept.broker_account
    async with asyncio.timeout(SOON), kept.console.client(name, password, identifier="listener") as ours:
        assert await granted(ours, "$share/iotistic/iot/device/+/sensor/+")
        async with connected(device.mqtt) as client:
            await client.publish(f"iot/device/{device.uuid}/sensor/modbus", b"{}", qos=1)
        assert await heard(ours) == (f"iot/device/{device.uuid}/sensor/modbus", b"{}")


async def test_the_worker_that_leads_lets_devices_in_and_out_by_itself(kept: Kept, redis_server: RedisServer) -> None:
    """And cuts them."""
    async with worker_process({**kept.environment, "REDIS_URL": redis_server.url}, installed=False):
        device = await kept.api.device()
        async with asyncio.timeout(SOON):
            while not await is_let_in(device):  # noqa: ASYNC110 - the broker tells nobody whom it would let in
                await asyncio.sleep(0.1)
        async with asyncio.timeout(SOON), connected(device.mqtt) as client:
            await kept.console.owner.patch(f"/devices/{device.uuid}/active", {"is_active": False})
            assert await is_cut(client)
