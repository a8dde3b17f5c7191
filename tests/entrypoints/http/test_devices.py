"""The registry of devices over HTTP (contract §4.5)."""

from typing import Any
from uuid import uuid4

import pytest

from core.actor import Role
from core.digests import digest_of
from tests.support.application import Api

FIELDS = {
    *("id", "uuid", "name", "device_name", "device_type", "state", "provisioning_state", "status", "is_online"),
    *("lastSeen", "last_connectivity_event", "ip_address", "mac_address", "os_version", "agent_version"),
    *("cpu_usage", "cpu_temp", "memory_usage", "memory_total", "storage_usage", "storage_total"),
    *("target_apps_count", "current_apps_count", "last_reported", "created_at", "metrics"),
}


async def names(api: Api, query: str) -> list[str]:
    viewer = await api.person(Role.VIEWER)
    answer = await viewer.get(f"/devices{query}")
    assert answer.status == 200, answer
    return [device["name"] for device in answer.body["devices"]]


async def test_a_list_has_every_field_that_the_console_reads(api: Api) -> None:
    device = await api.device()
    viewer = await api.person(Role.VIEWER)
    answer = await viewer.get("/devices")
    [listed] = answer.body["devices"]
    assert set(listed) >= FIELDS
    assert (listed["uuid"], listed["mac_address"]) == (device.uuid, "02:00:00:00:00:01")
    assert (listed["state"], listed["provisioning_state"]) == ("active", "registered")
    assert answer.body["pagination"] == {"page": 1, "limit": 500, "totalDevices": 1, "totalPages": 1}
    assert (answer.body["count"], answer.body["nextCursor"]) == (1, None)


async def test_all_devices_are_listed_when_no_page_is_asked_for(api: Api) -> None:
    """§4.5: a default of ten would hide devices from the console."""
    key = await api.provisioning_key()
    for _ in range(12):
        await api.device(key)
    assert len(await names(api, "")) == 12
    assert len(await names(api, "?page=2")) == 2


async def test_lists_are_filtered_sorted_and_paged(api: Api) -> None:
    key, other_fleet = await api.provisioning_key(), await api.provisioning_key(fleet_id="other")
    for name in ("beta", "Alpha", "gamma"):
        await api.device(key, deviceName=name)
    await api.device(other_fleet, deviceName="delta", deviceType="gateway")
    assert await names(api, "?sort=name") == ["Alpha", "beta", "delta", "gamma"]
    assert await names(api, "?sort=-name&limit=2") == ["gamma", "delta"]
    assert await names(api, "?sort=name&limit=3&page=2") == ["gamma"]
    assert await names(api, "?filter=LPH") == ["Alpha"]
    assert await names(api, "?filter=%25") == []
    assert await names(api, "?type=gateway") == ["delta"]
    assert await names(api, "?fleetId=other") == ["delta"]
    assert await names(api, "?status=inactive") == []


async def test_a_device_that_was_heard_of_is_listed_as_online(api: Api) -> None:
    device, _ = await api.device(), await api.device()
    await device.caller.get(f"/device/{device.uuid}/state")
    await api.settle()
    assert await names(api, "?online=true") == [f"device-{device.uuid[:8]}"]
    assert len(await names(api, "?online=false")) == 1


async def test_the_apps_that_shall_run_are_counted(api: Api) -> None:
    device = await api.device()
    manager = await api.person(Role.MANAGER)
    await manager.put(f"/devices/{device.uuid}/target-state", {"apps": {"1": {}, "2": {}}})
    await manager.post(f"/devices/{device.uuid}/deploy")
    await device.caller.patch("/device/state", {device.uuid: {"version": 2, "apps": {"1": {}}}})
    [listed] = (await manager.get("/devices")).body["devices"]
    assert (listed["target_apps_count"], listed["current_apps_count"]) == (2, 1)


async def test_a_cursor_leads_through_all_devices_once(api: Api) -> None:
    key = await api.provisioning_key()
    enrolled = [(await api.device(key)).uuid for _ in range(5)]
    viewer = await api.person(Role.VIEWER)
    seen: list[str] = []
    cursor: str | None = "0"
    while cursor is not None:
        answer = await viewer.get(f"/devices?limit=2&cursor={cursor}")
        seen += [device["uuid"] for device in answer.body["devices"]]
        cursor = answer.body["nextCursor"]
    assert seen == enrolled


async def test_a_word_that_is_not_known_is_refused_with_those_that_are(api: Api) -> None:
    viewer = await api.person(Role.VIEWER)
    wrong = {
        "sort=colour": "last_seen",
        "sort=--name": "created_at",
        "status=asleep": "inactive",
        "online=maybe": "true or false",
        "limit=0": "limit",
        "limit=501": "limit",
        "page=0": "page",
        "cursor=x": "cursor",
        "cursor=1&page=2": "cursor",
    }
    for query, told in wrong.items():
        answer = await viewer.get(f"/devices?{query}")
        assert answer.status == 400, query
        assert told in answer.body["message"], query


async def test_one_device_is_shown_with_both_its_states(api: Api) -> None:
    device = await api.device()
    viewer = await api.person(Role.VIEWER)
    answer = await viewer.get(f"/devices/{device.uuid}")
    assert set(answer.body) == {"device", "target_state", "current_state", "inSync", "mqtt"}
    assert answer.body["current_state"] is None
    wanted = {"apps", "config", "version", "needs_deployment", "last_deployed_at", "deployed_by", "updated_at"}
    assert set(answer.body["target_state"]) >= wanted
    assert (await viewer.get(f"/devices/{uuid4()}")).status == 404
    assert (await viewer.get("/devices/not-a-uuid")).status == 400


async def test_a_device_may_look_at_itself_and_sees_less(api: Api) -> None:
    """§2.5: with its key as a bearer token."""
    device, other = await api.device(), await api.device()
    bearer = {"Authorization": f"Bearer {device.key}"}
    answer = await api.stranger.get(f"/devices/{device.uuid}", headers=bearer)
    assert answer.status == 200
    assert set(answer.body) == {"device", "target_state"}
    assert "mac_address" not in answer.body["device"]
    assert (await api.stranger.get(f"/devices/{other.uuid}", headers=bearer)).status == 403


async def test_no_answer_contains_a_key_or_its_verifier(api: Api) -> None:
    device = await api.device()
    viewer = await api.person(Role.VIEWER)
    for path in ("/devices", f"/devices/{device.uuid}"):
        raw = (await viewer.get(path)).raw.decode()
        assert device.key not in raw
        assert digest_of(device.key) not in raw


async def test_a_device_is_edited(api: Api) -> None:
    """Abuse 12: fields that are nobody's to set are passed over."""
    device = await api.device()
    manager = await api.person(Role.MANAGER)
    path = f"/devices/{device.uuid}"
    edit = {"deviceName": "gateway 7", "macAddress": "02-00-00-00-00-ff", "is_active": False, "fleetId": "stolen"}
    answer = await manager.patch(path, edit)
    assert answer.status == 200
    assert answer.body["device"]["deviceName"] == "gateway 7"
    assert answer.body["device"]["macAddress"] == "02:00:00:00:00:FF"
    assert answer.body["device"]["isActive"] is True
    assert (await manager.get(path)).body["device"]["fleet_id"] == "tests"
    assert (await manager.patch(path, {})).status == 400
    assert (await manager.patch(path, {"deviceName": "a\nb"})).status == 400
    assert (await manager.patch(path, {"ipAddress": "no address"})).status == 400


@pytest.mark.parametrize("field", ["deviceName", "deviceType", "ipAddress", "macAddress"])
async def test_an_edit_is_refused_in_the_words_of_its_sender(api: Api, field: str) -> None:
    device = await api.device()
    answer = await (await api.person(Role.MANAGER)).patch(f"/devices/{device.uuid}", {field: "x" * 300})
    assert (answer.status, list(answer.body["fields"])) == (400, [field])


async def test_a_device_out_of_service_may_not_poll_until_it_is_back(api: Api) -> None:
    """§12.1 item 28, over HTTP."""
    device = await api.device()
    manager = await api.person(Role.MANAGER)
    path = f"/device/{device.uuid}/state"
    assert (await device.caller.get(path)).status == 200
    answer = await manager.patch(f"/devices/{device.uuid}/active", {"is_active": False})
    assert (answer.status, answer.body["device"]["is_active"]) == (200, False)
    assert (await device.caller.get(path)).status == 403
    await manager.patch(f"/devices/{device.uuid}/active", {"is_active": True})
    assert (await device.caller.get(path)).status == 200


async def test_a_removed_device_is_gone(api: Api) -> None:
    device = await api.device()
    admin = await api.person(Role.ADMIN)
    assert (await device.caller.get(f"/device/{device.uuid}/state")).status == 200
    assert (await admin.delete(f"/devices/{device.uuid}")).body["status"] == "ok"
    assert (await admin.get(f"/devices/{device.uuid}")).status == 404
    assert (await admin.delete(f"/devices/{device.uuid}")).status == 404
    assert (await device.caller.get(f"/device/{device.uuid}/state")).status == 401


async def test_a_device_may_remove_itself_and_no_other(api: Api) -> None:
    device, other = await api.device(), await api.device()
    assert (await device.caller.delete(f"/devices/{other.uuid}")).status == 403
    assert (await device.caller.delete(f"/devices/{device.uuid}")).status == 200
    assert await names(api, "") == [f"device-{other.uuid[:8]}"]


async def test_a_released_device_may_register_with_another_key(api: Api) -> None:
    """§12.1 item 4."""
    device = await api.device()
    manager = await api.person(Role.MANAGER)
    answer = await manager.post(f"/devices/{device.uuid}/release")
    assert (answer.status, answer.body["device"]["provisioningState"]) == (200, "released")
    again = await api.device(uuid=device.uuid)
    assert (await again.caller.get(f"/device/{device.uuid}/state")).status == 200
    assert (await device.caller.get(f"/device/{device.uuid}/state")).status == 401


WRITES: list[tuple[str, str, Any, Role]] = [
    ("PATCH", "", {"deviceName": "x"}, Role.OPERATOR),
    ("PATCH", "/active", {"is_active": False}, Role.OPERATOR),
    ("POST", "/release", None, Role.OPERATOR),
    ("DELETE", "", None, Role.MANAGER),
    ("PUT", "/target-state", {"apps": {}}, Role.OPERATOR),
    ("DELETE", "/target-state", None, Role.VIEWER),
    ("POST", "/deploy", None, Role.VIEWER),
    ("POST", "/deploy/cancel", None, Role.VIEWER),
]


@pytest.mark.parametrize(("method", "path", "body", "too_low"), WRITES)
async def test_a_change_needs_its_role(api: Api, method: str, path: str, body: Any, too_low: Role) -> None:
    device = await api.device()
    caller = await api.person(too_low)
    answer = await caller.call(method, f"/devices/{device.uuid}{path}", json=body)
    assert answer.status == 403
    assert (await api.stranger.call(method, f"/devices/{device.uuid}{path}", json=body)).status == 401
