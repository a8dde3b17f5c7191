"""Sensors over HTTP, as the pages of the console use them (contract §4.9, §12.3 item 46)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from core.actor import Role
from tests.support.application import Api, Caller, EnrolledDevice, running_api

pytestmark = pytest.mark.asyncio(loop_scope="module")

BOILER: dict[str, Any] = {
    "name": "boiler",
    "protocol": "modbus",
    "connection": {"type": "tcp", "host": "192.0.2.7", "port": 502, "slaveId": 1},
    "dataPoints": [{"name": "temperature", "address": 0, "functionCode": 3, "dataType": "int16"}],
}
SENSOR_FIELDS = {
    *("id", "uuid", "configId", "name", "protocol", "enabled", "pollInterval", "connection", "dataPoints", "metadata"),
    *("configVersion", "syncedToConfig", "deploymentStatus", "lastDeployedAt", "deploymentError", "deploymentAttempts"),
    *("createdAt", "updatedAt", "createdBy", "updatedBy"),
}
HEALTH_FIELDS = {
    *("name", "protocol", "status", "enabled", "pollInterval", "connection", "dataPoints", "lastUpdated", "synced"),
    *("connected", "lastPoll", "lastSeen", "errorCount", "lastError"),
}
GOOD = {
    "protocol": "modbus",
    "connected": True,
    "lastPoll": "2026-11-24T12:00:00.000Z",
    "lastSeen": "2026-11-24T12:00:00.000Z",
    "errorCount": 0,
    "lastError": None,
    "communicationQuality": "good",
}
BAD = {**GOOD, "connected": False, "errorCount": 3, "lastError": "no route"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """One application for all tests of this module; each has a device of its own."""
    async with running_api(tmp_path_factory.mktemp("sensors")) as api:
        yield api


@pytest_asyncio.fixture(loop_scope="module")
async def manager(app: Api) -> Caller:
    """Somebody who may edit and deploy."""
    return await app.person(Role.MANAGER)


@pytest_asyncio.fixture(loop_scope="module")
async def device(app: Api) -> EnrolledDevice:
    """A device of the test's own."""
    return await app.device()


async def report(device: EnrolledDevice, **fields: Any) -> None:
    answer = await device.caller.patch("/device/state", {device.uuid: {"version": 2, **fields}})
    assert answer.status == 200


async def deployed(manager: Caller, device: EnrolledDevice, *sensors: dict[str, Any]) -> None:
    for sensor in sensors:
        assert (await manager.post(f"/devices/{device.uuid}/sensors", sensor)).status == 200
    assert (await manager.post(f"/devices/{device.uuid}/deploy")).status == 200


async def test_the_console_adds_changes_and_removes_a_sensor(manager: Caller, device: EnrolledDevice) -> None:
    """§12.3 item 46."""
    path = f"/devices/{device.uuid}/sensors"
    added = await manager.post(path, BOILER)
    assert (added.status, added.body["status"], added.body["isDraft"], added.body["version"]) == (200, "ok", True, 1)
    assert added.body["device"]["pollInterval"] == 5000
    assert [warning["field"] for warning in added.body["warnings"]] == ["config.sensors"]
    changed = await manager.put(f"{path}/boiler", {"pollInterval": 1000})
    assert (changed.status, changed.body["device"]["pollInterval"]) == (200, 1000)
    by_id = await manager.put(f"{path}/{added.body['device']['uuid']}", {"enabled": False})
    assert (by_id.status, by_id.body["device"]["enabled"]) == (200, False)
    [listed] = (await manager.get(path)).body["devices"]
    assert set(listed) >= SENSOR_FIELDS
    assert (listed["deploymentStatus"], listed["syncedToConfig"]) == ("pending", False)
    removed = await manager.delete(f"{path}/boiler")
    assert (removed.status, removed.body["version"]) == (200, 1)
    assert (await manager.get(path)).body["count"] == 0
    assert (await manager.delete(f"{path}/boiler")).status == 404
    assert (await manager.put(f"{path}/boiler", {"enabled": True})).status == 404


async def test_a_sensor_that_agents_cannot_use_is_refused_by_field(manager: Caller, device: EnrolledDevice) -> None:
    path = f"/devices/{device.uuid}/sensors"
    refused = await manager.post(path, {**BOILER, "protocol": "bacnet"})
    assert (refused.status, list(refused.body["fields"])) == (400, ["config.sensors[0].protocol"])
    assert (await manager.post(path, {})).status == 400
    assert (await manager.post(path, {**BOILER, "pollInterval": "often"})).status == 400
    await manager.post(path, BOILER)
    assert (await manager.post(path, BOILER)).status == 409
    renamed = await manager.put(f"{path}/boiler", {"name": "kettle"})
    assert (renamed.status, list(renamed.body["fields"])) == (400, ["name"])


async def test_two_sensors_reach_the_device_with_an_id_each(manager: Caller, device: EnrolledDevice) -> None:
    """§12.1 item 25; after the agent has reported them, without data points, they are what they were."""
    await deployed(manager, device, BOILER, {**BOILER, "name": "pump"})
    poll = await device.caller.get(f"/device/{device.uuid}/state")
    sensors = poll.body[device.uuid]["config"]["sensors"]
    assert len({sensor["id"] for sensor in sensors}) == 2
    told = [{"id": "its own", "name": each["name"], "protocol": "modbus", "enabled": 1} for each in sensors]
    await report(device, config={"sensors": told})
    again = await device.caller.get(f"/device/{device.uuid}/state")
    assert again.raw == poll.raw


async def test_the_health_that_a_device_reports_is_shown(app: Api, manager: Caller, device: EnrolledDevice) -> None:
    """§12.1 item 26."""
    await deployed(manager, device, BOILER, {**BOILER, "name": "pump"}, {**BOILER, "name": "off", "enabled": False})
    pipes = {"modbus-pipe": {"state": "CONNECTED", "healthy": True}}
    found = [{"id": "x", "name": "meter", "protocol": "opcua", "enabled": 1}]
    health = {"boiler": GOOD, "pump": BAD}
    await report(device, endpoints_health=health, sensor_health=pipes, config={"sensors": found})
    await app.settle()
    viewer = await app.person(Role.VIEWER)
    answer = await viewer.get(f"/devices/{device.uuid}/device-health")
    assert (answer.body["deviceUuid"], answer.body["deviceOnline"]) == (device.uuid, True)
    assert answer.body["summary"] == {
        "total": 4,
        "enabled": 3,
        "disabled": 1,
        "online": 1,
        "offline": 1,
        "errors": 1,
        "byProtocol": {"modbus": 3, "opcua": 1},
    }
    assert all(set(each) >= HEALTH_FIELDS for each in answer.body["devices"])
    shown = {each["name"]: each for each in answer.body["devices"]}
    assert (shown["boiler"]["status"], shown["boiler"]["lastSeen"]) == ("online", GOOD["lastSeen"])
    assert (shown["pump"]["status"], shown["pump"]["errorCount"], shown["pump"]["lastError"]) == (
        "error",
        3,
        "no route",
    )
    assert (shown["meter"]["discovered"], shown["boiler"]["discovered"]) == (True, False)
    assert answer.body["pipelines"] == [{"state": "CONNECTED", "healthy": True, "name": "modbus-pipe"}]
    only = await viewer.get(f"/devices/{device.uuid}/device-health?protocolType=opcua")
    assert [each["name"] for each in only.body["devices"]] == ["meter"]


async def test_the_history_of_a_sensor_is_its_changes(manager: Caller, device: EnrolledDevice) -> None:
    for health in (GOOD, {**GOOD, "lastPoll": "later"}, BAD):
        await report(device, endpoints_health={"boiler / 1": health})
    path = f"/devices/{device.uuid}/protocol-adapters/modbus/boiler%20%2F%201/history"
    answer = await manager.get(path + "?hours=2")
    assert (answer.body["device_uuid"], answer.body["device_name"]) == (device.uuid, "boiler / 1")
    assert (answer.body["protocol_type"], answer.body["hours"], answer.body["count"]) == ("modbus", 2, 2)
    newest, oldest = answer.body["history"]
    assert (newest["connected"], newest["last_error"], oldest["connected"]) == (False, "no route", True)
    assert set(newest) >= {"protocol_type", "device_name", "last_poll", "error_count", "timestamp"}
    assert (await manager.get(path + "?hours=0")).status == 400


async def test_odd_health_breaks_no_page(manager: Caller, device: EnrolledDevice) -> None:
    """Abuse case 43: whatever a device reports."""
    odd = {"a": 7, "b": None, "c": {"connected": "x", "errorCount": 2**70, "lastError": ["\ud800"]}, "d" * 300: {}}
    sensors = [1, {"name": 7}, {"name": "s", "connectionString": "[" * 2000, "pollInterval": {}}]
    await report(device, endpoints_health=odd, sensor_health={"x": 1}, config={"sensors": sensors})
    for page in ("sensors", "device-health", "drift"):
        assert (await manager.get(f"/devices/{device.uuid}/{page}")).status == 200


async def test_an_edit_of_something_else_than_was_seen_is_refused(manager: Caller, device: EnrolledDevice) -> None:
    """T-08."""
    path = f"/devices/{device.uuid}/sensors"
    added = await manager.post(path, BOILER)
    tag = {"If-Match": added.headers["Etag"]}
    assert (await manager.put(f"{path}/boiler", {"pollInterval": 1000}, headers=tag)).status == 200
    assert (await manager.put(f"{path}/boiler", {"pollInterval": 2000}, headers=tag)).status == 412
    behind = {"pollInterval": 2000, "revision": added.body["revision"]}
    assert (await manager.put(f"{path}/boiler", behind)).status == 409
    assert (await manager.delete(f"{path}/boiler", headers=tag)).status == 412
