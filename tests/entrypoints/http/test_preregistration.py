"""Devices that are expected, over HTTP (contract §4.5, §11.1 P-16, §12.3 item 41)."""

from typing import Any
from uuid import uuid4

import pytest

from core.actor import Role
from core.digests import digest_of
from tests.support.application import Answer, Api, Caller, registration

MAC = "02:00:00:00:00:01"


async def expected(caller: Caller, **fields: Any) -> dict[str, Any]:
    answer = await caller.post("/devices", {"deviceName": "press 7", **fields})
    assert answer.status == 201, answer
    body: dict[str, Any] = answer.body
    return body


async def register(api: Api, token: str, **fields: Any) -> Answer:
    bearer = {"Authorization": f"Bearer {token}"}
    return await api.stranger.post("/device/register", registration(**fields), headers=bearer)


async def test_an_expected_device_is_listed_as_pending_with_every_field(api: Api) -> None:
    manager = await api.person(Role.MANAGER)
    made = await expected(manager, deviceType="gateway", macAddress=MAC, ipAddress="192.0.2.7", fleetId="plant")
    shown = {"uuid", "deviceName", "deviceType", "ipAddress", "macAddress", "isOnline", "isActive", "createdAt"}
    assert set(made["device"]) >= shown
    assert made["success"] is True
    assert made["enrolmentToken"]
    [listed] = (await manager.get("/devices")).body["devices"]
    assert (listed["uuid"], listed["device_name"]) == (made["device"]["uuid"], "press 7")
    assert (listed["provisioning_state"], listed["is_online"]) == ("pending", False)
    assert (listed["mac_address"], listed["fleet_id"]) == (MAC, "plant")
    assert (await manager.get("/devices?provisioningState=registered")).body["count"] == 0
    assert (await manager.get("/devices?provisioningState=pending")).body["count"] == 1
    detail = (await manager.get(f"/devices/{listed['uuid']}")).body
    assert set(detail) >= {"device", "target_state", "current_state"}


async def test_the_token_is_shown_only_once_and_kept_nowhere(api: Api) -> None:
    owner = await api.person(Role.OWNER)
    made = await expected(owner)
    await api.settle()
    uuid = made["device"]["uuid"]
    for path in ("/devices", f"/devices/{uuid}", "/provisioning-keys", "/audit-logs"):
        raw = (await owner.get(path)).raw.decode()
        assert made["enrolmentToken"] not in raw
        assert digest_of(made["enrolmentToken"]) not in raw


async def test_a_device_with_the_token_becomes_the_expected_one_with_its_tags_and_its_draft(api: Api) -> None:
    """P-16: the uuid that we made up goes, what was done under it stays."""
    manager = await api.person(Role.MANAGER)
    made = await expected(manager)
    pending = made["device"]["uuid"]
    await manager.put(f"/devices/{pending}/tags", {"tags": {"site": "Roth"}})
    drafted = await manager.put(f"/devices/{pending}/target-state", {"apps": {"1": {}}})
    assert drafted.status == 200
    uuid = str(uuid4())
    answer = await register(api, made["enrolmentToken"], uuid=uuid, deviceName="device-1")
    assert (answer.status, answer.body["id"], answer.body["uuid"]) == (200, made["device"]["id"], uuid)
    assert (answer.body["deviceName"], answer.body["mqtt"]["username"]) == ("press 7", f"device_{uuid}")
    assert (await manager.get(f"/devices/{pending}")).status == 404
    shown = (await manager.get(f"/devices/{uuid}")).body
    assert (shown["device"]["provisioning_state"], shown["target_state"]["needs_deployment"]) == ("registered", True)
    assert (await manager.get(f"/devices/{uuid}/tags")).body["tags"] == {"site": "Roth"}


async def test_the_device_works_from_then_on_like_any_other(api: Api) -> None:
    made = await expected(await api.person(Role.MANAGER))
    device = await api.device(made["enrolmentToken"])
    state = await device.caller.get(f"/device/{device.uuid}/state")
    assert (state.status, set(state.body)) == (200, {device.uuid})
    again = await register(api, made["enrolmentToken"], uuid=device.uuid, deviceApiKey=device.key)
    assert (again.status, again.body["id"]) == (200, made["device"]["id"])
    assert (await register(api, made["enrolmentToken"])).status == 401


async def test_another_machine_is_refused_like_any_bad_key_and_the_log_says_why(api: Api) -> None:
    manager = await api.person(Role.ADMIN)
    made = await expected(manager, macAddress="02:00:00:00:00:99")
    refused, unknown = await register(api, made["enrolmentToken"]), await register(api, "0" * 64)
    assert refused.status == unknown.status == 401
    assert refused.body == unknown.body
    await api.settle()
    [entry, _] = (await manager.get("/audit-logs?event=provisioning.refused")).body["entries"][::-1]
    assert "another MAC address" in str(entry)


async def test_removing_a_pending_device_revokes_its_token(api: Api) -> None:
    admin = await api.person(Role.ADMIN)
    made = await expected(admin)
    assert (await admin.delete(f"/devices/{made['device']['uuid']}")).status == 200
    assert (await register(api, made["enrolmentToken"])).status == 401
    await api.settle()
    [key] = (await admin.get("/provisioning-keys")).body["keys"]
    assert (key["is_active"], key["deviceUuid"]) == (False, made["device"]["uuid"])
    assert (await admin.get("/devices")).body["count"] == 0


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"deviceName": ""},
        {"deviceName": "a", "macAddress": "x"},
        {"deviceName": "a", "ipAddress": "x"},
        {"deviceName": 7},
    ],
)
async def test_what_is_no_device_is_refused(api: Api, body: Any) -> None:
    manager = await api.person(Role.MANAGER)
    assert (await manager.post("/devices", body)).status == 400
    assert (await manager.get("/devices")).body["count"] == 0


async def test_nothing_can_be_set_that_is_not_the_operators_to_set(api: Api) -> None:
    """Abuse 12."""
    body = {"uuid": str(uuid4()), "id": 7, "isOnline": True, "provisioning": "registered", "provisioning_state": "x"}
    made = await expected(await api.person(Role.MANAGER), **body)
    assert made["device"]["uuid"] != body["uuid"]
    assert (made["device"]["id"], made["device"]["isOnline"]) == (1, False)
    assert made["device"]["provisioning_state"] == "pending"
