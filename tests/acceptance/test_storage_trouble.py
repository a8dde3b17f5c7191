"""A locked database, a full one, and a full disk: refused with 503 and Retry-After, nothing acknowledged is lost."""

import resource
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import aiomqtt
import pytest

from adapters.sql.settings import SqlStoredSettings, settings
from adapters.sql.sqlite import SqliteTransactions
from core.actor import Role
from core.errors import Unavailable
from tests.support.application import Answer, Api, Caller, EnrolledDevice, registration, running_api
from tests.support.mqtt import connected
from tests.support.server import Server

STORED = SqlStoredSettings()
_CLEAR = settings.delete().where(settings.c.key.like("filler%"))
MOST_SMALL_ROWS = 100
LINES: dict[str, Any] = {"data": b'{"message": "hello"}\n', "headers": {"Content-Type": "application/x-ndjson"}}


async def publish(device: EnrolledDevice, value: int) -> None:
    """Send a reading; returns when it is acknowledged."""
    async with connected(device.mqtt, timeout=1) as client:
        await client.publish(f"iot/device/{device.uuid}/sensor/modbus", b'{"value": %d}' % value, qos=1)


def stored_values(data: Path) -> list[float]:
    with closing(sqlite3.connect(data / "iotistic.db")) as database:
        return [row[0] for row in database.execute("SELECT value_number FROM readings ORDER BY id")]


async def assert_refused(api: Api, device: EnrolledDevice) -> int:
    """Writes get 503 with Retry-After or no PUBACK, reads and polls work as ever; the last reading acknowledged.

    A database that is full may take some small rows until its last pages are full as well.
    """
    await until_503(lambda: device.caller.post(f"/device/{device.uuid}/logs", **LINES))
    await until_503(lambda: device.caller.patch("/device/state", {device.uuid: {"cpu_usage": 1.5}}))
    acknowledged = 1
    with pytest.raises(aiomqtt.MqttError):
        while acknowledged < MOST_SMALL_ROWS:
            await publish(device, acknowledged + 1)
            acknowledged += 1
    assert (await device.caller.get(f"/device/{device.uuid}/state")).status == 200
    owner = await api.person(Role.OWNER)
    assert (await owner.get(f"/devices/{device.uuid}")).status == 200
    return acknowledged


async def until_503(send: Callable[[], Awaitable[Answer]]) -> None:
    """Send until there is no room for one more."""
    for _ in range(MOST_SMALL_ROWS):
        answer = await send()
        if answer.status == 503:
            assert int(answer.headers["Retry-After"]) >= 1
            return
        assert answer.status == 200, answer
    raise AssertionError("everything was taken")


async def assert_recovered(device: EnrolledDevice, data: Path, acknowledged: int = 1) -> None:
    """All that was acknowledged is there, what was not is sent again, and the rest is as if nothing had been."""
    await publish(device, acknowledged + 1)
    assert (await device.caller.post(f"/device/{device.uuid}/logs", **LINES)).status == 200
    assert (await device.caller.patch("/device/state", {device.uuid: {"cpu_usage": 1.5}})).status == 200
    assert stored_values(data) == list(range(1, acknowledged + 2))


def transactions_of(api: Api) -> SqliteTransactions:
    transactions = api.running.services.transactions
    assert isinstance(transactions, SqliteTransactions)
    return transactions


async def ready_device(api: Api) -> EnrolledDevice:
    """A device that is known to all caches, and an owner who has logged in."""
    device = await api.device()
    await publish(device, 1)
    await api.person(Role.OWNER)
    await api.settle()
    return device


async def test_a_locked_database_refuses_and_recovers_by_itself(api: Api) -> None:
    device = await ready_device(api)
    transactions_of(api)._wait = 0.1
    with closing(sqlite3.connect(api.data / "iotistic.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        acknowledged = await assert_refused(api, device)
        new = {"Authorization": f"Bearer {'x' * 64}"}
        assert (await api.stranger.post("/device/register", registration(), headers=new)).status in {401, 503}
        ready = await api.stranger.get("/ready", root=True)
        assert (ready.status, ready.body["failing"]) == (503, ["database"])
        other.execute("ROLLBACK")
    await assert_recovered(device, api.data, acknowledged)
    assert (await api.stranger.get("/ready", root=True)).status == 200


async def test_a_full_database_refuses_and_recovers_when_there_is_room_again(data: Path) -> None:
    async with running_api(data, DATABASE_MAX_BYTES="16MB", DISK_RESERVE="0") as api:
        device, transactions = await ready_device(api), transactions_of(api)
        for size in (400_000, 4000, 1):
            await fill(transactions, size)
        acknowledged = await assert_refused(api, device)
        owner = await api.person(Role.OWNER)
        assert (data / "iotistic.db").stat().st_size <= 16 * 1024**2
        async with transactions.begin() as tx:
            await tx.run(_CLEAR)
        await assert_recovered(device, data, acknowledged)
        assert (await owner.post("/provisioning-keys", {"fleetId": "x"})).status == 201


async def fill(transactions: SqliteTransactions, size: int) -> None:
    """Store something of that size until there is no room for one more."""
    with pytest.raises(Unavailable):
        for number in range(10_000):
            async with transactions.begin() as tx:
                await STORED.put(tx, f"filler {size} {number}", "x" * size)


async def test_while_the_disk_is_nearly_full_telemetry_waits_and_people_work(data: Path) -> None:
    async with running_api(data, DISK_RESERVE="900TB") as api:
        room = api.running.services.room
        await room.look()
        device, owner = await api.device(), await api.person(Role.OWNER)
        refused = await device.caller.post(f"/device/{device.uuid}/logs", **LINES)
        assert (refused.status, refused.headers["Retry-After"]) == (503, "30")
        with pytest.raises(aiomqtt.MqttError):
            await publish(device, 1)
        assert (await device.caller.patch("/device/state", {device.uuid: {"apps": {}}})).status == 200
        assert (await device.caller.get(f"/device/{device.uuid}/state")).status == 200
        assert (await owner.post("/provisioning-keys", {"fleetId": "x"})).status == 201
        room._reserve = 0
        await room.look()
        await publish(device, 1)
        await assert_recovered(device, data)


@contextmanager
def full_disk(server: Server) -> Iterator[None]:
    """No file of the server may become longer than the log that the database writes ahead is now."""
    assert server.process is not None
    pid, before = server.process.pid, resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    size = (server.data / "iotistic.db-wal").stat().st_size
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, before[1]))
    yield
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


async def test_writes_that_the_disk_does_not_take_are_refused_and_the_server_recovers(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", environment={"HEARTBEAT_CHECK_INTERVAL": "1h", "PASSWORD_HASH_COST": "4"})
    await server.start()
    bearer = {"Authorization": f"Bearer {server.credentials()['provisioningKey']}"}
    try:
        async with aiohttp.ClientSession() as http:
            body = registration()
            answer = await Caller(http, server.url).post("/device/register", body, headers=bearer)
            caller = Caller(http, server.url, {"X-Device-API-Key": body["deviceApiKey"]})
            device = EnrolledDevice(uuid=body["uuid"], key=body["deviceApiKey"], answer=answer.body, caller=caller)
            await publish(device, 1)
            with full_disk(server):
                refused = await caller.post(f"/device/{device.uuid}/logs", **LINES)
                assert (refused.status, "Retry-After" in refused.headers) == (503, True)
                with pytest.raises(aiomqtt.MqttError):
                    await publish(device, 2)
                assert (await caller.get(f"/device/{device.uuid}/state")).status == 200
            await assert_recovered(device, server.data)
    finally:
        assert await server.terminate() == 0
