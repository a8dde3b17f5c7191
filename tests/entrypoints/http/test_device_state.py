"""What agents poll and report, and what people draft and deploy, over HTTP."""

import gzip
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiomqtt

from core.actor import Role
from tests.support.application import Api, EnrolledDevice, running_api
from tests.support.states import APPS, OTHER

REPORT: dict[str, Any] = {
    "apps": {},
    "is_online": True,
    "version": 1,
    "config": {"sensors": []},
    "endpoints_health": {"modbus1": {"connected": True}},
    "agent_version": "1.0.84",
    "temperature": 51.2,
    "cpu_usage": 12.5,
    "memory_usage": 512,
    "memory_total": 2048,
}


async def report(device: EnrolledDevice, **fields: Any) -> Any:
    body = gzip.compress(json.dumps({device.uuid: fields}).encode())
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    return await device.caller.call("PATCH", "/device/state", data=body, headers=headers)


async def publish(device: EnrolledDevice, payload: bytes) -> None:
    """Published and acknowledged, which is after it was stored."""
    broker = urlsplit(device.mqtt["broker"])
    async with aiomqtt.Client(
        hostname=broker.hostname or "",
        port=broker.port or 0,
        username=device.mqtt["username"],
        password=device.mqtt["password"],
        identifier=f"device_{device.uuid}",
    ) as client:
        await client.publish(f"iot/device/{device.uuid}/state", payload, qos=1)


async def shown(api: Api, device: EnrolledDevice) -> Any:
    viewer = await api.person(Role.VIEWER)
    return (await viewer.get(f"/devices/{device.uuid}")).body


async def deploy(api: Api, device: EnrolledDevice, **content: Any) -> None:
    manager = await api.person(Role.MANAGER)
    assert (await manager.put(f"/devices/{device.uuid}/target-state", content)).status == 200
    assert (await manager.post(f"/devices/{device.uuid}/deploy")).status == 200


async def test_the_first_poll_finds_version_1(api: Api) -> None:
    """§12.1 item 7."""
    device = await api.device()
    answer = await device.caller.get(f"/device/{device.uuid}/state")
    assert answer.status == 200
    assert list(answer.body) == [device.uuid]
    assert answer.body[device.uuid]["version"] == 1
    assert answer.body[device.uuid]["needs_deployment"] is False
    assert answer.headers["Etag"].startswith('"sha256-')


async def test_a_device_that_knows_gets_304_without_a_body(api: Api) -> None:
    """§12.1 item 8."""
    device = await api.device()
    path = f"/device/{device.uuid}/state"
    etag = (await device.caller.get(path)).headers["Etag"]
    for tags in (etag, etag.strip('"'), f"W/{etag}", f'"x", {etag}', "*"):
        answer = await device.caller.get(path, headers={"If-None-Match": tags})
        assert (answer.status, answer.raw, answer.headers["Etag"]) == (304, b"", etag), tags
    await deploy(api, device, apps=APPS)
    answer = await device.caller.get(path, headers={"If-None-Match": etag})
    assert (answer.status, answer.body[device.uuid]["version"]) == (200, 2)


async def test_a_draft_is_shown_to_people_and_not_to_the_device(api: Api) -> None:
    """§12.1 item 9, and the console's Save → Deploy flow of §4.6."""
    device = await api.device()
    manager = await api.person(Role.MANAGER)
    path = f"/device/{device.uuid}/state"
    before = await device.caller.get(path)
    saved = await manager.put(f"/devices/{device.uuid}/target-state", {"apps": list(APPS.values()), "config": {}})
    assert (saved.status, saved.body["needs_deployment"], saved.body["apps"]) == (200, True, APPS)
    assert (await device.caller.get(path)).raw == before.raw
    assert (await device.caller.get(path, headers={"If-None-Match": before.headers["Etag"]})).status == 304
    assert (await shown(api, device))["target_state"]["needs_deployment"] is True
    deployed = await manager.post(f"/devices/{device.uuid}/deploy", {"deployedBy": "somebody else"})
    assert deployed.status == 200
    assert (deployed.body["version"], deployed.body["appsCount"]) == (2, 1)
    assert deployed.body["deployedBy"] != "somebody else"
    assert (await device.caller.get(path)).body[device.uuid]["apps"] == APPS


async def test_the_order_of_keys_survives_a_restart(data: Path) -> None:
    """§12.1 item 10."""
    async with running_api(data) as api:
        device = await api.device()
        await deploy(api, device, apps=APPS, config={"b": {"y": 1, "x": 2}, "a": 1.5})
        path = f"/device/{device.uuid}/state"
        first, second = await device.caller.get(path), await device.caller.get(path)
    async with running_api(data) as again:
        third = await again.stranger.get(path, headers={"X-Device-API-Key": device.key})
    assert first.raw == second.raw == third.raw
    assert first.headers["Etag"] == third.headers["Etag"]


async def test_a_report_over_mqtt_and_one_over_http_leave_the_same_state(api: Api) -> None:
    """§12.1 item 11."""
    over_http, over_mqtt = await api.device(), await api.device()
    assert (await report(over_http, **REPORT)).body == {"status": "ok"}
    await publish(over_mqtt, json.dumps({over_mqtt.uuid: REPORT}).encode())
    states = [(await shown(api, device))["current_state"] for device in (over_http, over_mqtt)]
    for state in states:
        del state["reported_at"]
    assert states[0] == states[1]


async def test_absent_sections_stay_and_late_reports_replace_nothing(api: Api) -> None:
    """§12.1 item 12."""
    device = await api.device()
    await report(device, **REPORT)
    await report(device, version=2, apps=APPS)
    await report(device, apps={}, cpu_usage=99)
    state = (await shown(api, device))["current_state"]
    assert state["config"] == {"sensors": []}
    assert (state["version"], list(state["apps"])) == (2, ["1001"])


async def test_a_report_for_another_device_is_refused(api: Api) -> None:
    """§12.1 item 13."""
    device, other = await api.device(), await api.device()
    answer = await device.caller.patch("/device/state", {other.uuid: REPORT})
    assert answer.status == 403
    await publish(device, json.dumps({other.uuid: REPORT}).encode())
    assert (await shown(api, other))["current_state"] is None
    assert (await shown(api, device))["current_state"] is None


async def test_the_temperature_is_shown_in_the_list(api: Api) -> None:
    """§12.1 item 14."""
    device = await api.device()
    await report(device, **REPORT)
    viewer = await api.person(Role.VIEWER)
    [listed] = (await viewer.get("/devices")).body["devices"]
    assert listed["cpu_temp"] == 51.2
    assert listed["metrics"] == {"cpu": 12.5, "memory": 25.0, "io": None, "pw": None}
    assert listed["last_reported"] is not None
    assert (listed["target_apps_count"], listed["current_apps_count"]) == (0, 0)


async def test_the_current_state_is_missing_before_the_first_report(api: Api) -> None:
    device = await api.device()
    viewer = await api.person(Role.VIEWER)
    assert (await viewer.get(f"/devices/{device.uuid}/current-state")).status == 404
    await report(device, **REPORT)
    answer = await viewer.get(f"/devices/{device.uuid}/current-state")
    assert answer.status == 200
    assert answer.body["endpoints_health"] == {"modbus1": {"connected": True}}
    assert answer.body["system_info"]["agent_version"] == "1.0.84"


async def test_the_console_reads_and_writes_the_target_state(api: Api) -> None:
    """§4.6: the settings page does GET, then PUT or POST, with a person's token."""
    device = await api.device()
    manager = await api.person(Role.MANAGER)
    path = f"/devices/{device.uuid}/target-state"
    seen = await manager.get(path)
    assert seen.body["uuid"] == device.uuid
    posted = await manager.post(path, {"config": {"a": 1}}, headers={"If-Match": seen.headers["Etag"]})
    assert (posted.status, posted.body["config"]) == (200, {"a": 1})
    late = await manager.put(path, {"config": {}}, headers={"If-Match": seen.headers["Etag"]})
    assert late.status == 412
    behind = await manager.put(path, {"config": {}, "revision": seen.body["revision"]})
    assert behind.status == 409
    assert (await device.caller.get(path)).body["needs_deployment"] is False
    assert (await manager.delete(path)).status == 200
    assert (await manager.delete(path)).status == 200
    assert (await manager.get(path)).body["needs_deployment"] is False


async def test_there_is_nothing_to_deploy_or_cancel_without_a_draft(api: Api) -> None:
    device = await api.device()
    operator = await api.person(Role.OPERATOR)
    answer = await operator.post(f"/devices/{device.uuid}/deploy")
    assert (answer.status, answer.body["message"]) == (400, "Nothing to deploy")
    assert (await operator.post(f"/devices/{device.uuid}/deploy/cancel")).status == 400
    assert (await operator.post(f"/devices/{OTHER}/deploy")).status == 404


async def test_a_cancelled_draft_is_gone(api: Api) -> None:
    device = await api.device()
    manager = await api.person(Role.MANAGER)
    await manager.put(f"/devices/{device.uuid}/target-state", {"apps": APPS})
    answer = await manager.post(f"/devices/{device.uuid}/deploy/cancel")
    assert (answer.status, answer.body["version"], answer.body["deviceUuid"]) == (200, 1, device.uuid)
    assert (await shown(api, device))["target_state"]["apps"] == {}


async def test_the_versions_are_listed(api: Api) -> None:
    device = await api.device()
    await deploy(api, device, apps=APPS)
    viewer = await api.person(Role.VIEWER)
    answer = await viewer.get(f"/devices/{device.uuid}/target-state/versions")
    assert [entry["version"] for entry in answer.body["versions"]] == [2, 1]
    assert answer.body["count"] == 2


async def test_there_is_no_job_for_a_device(api: Api) -> None:
    """§12.1 item 17, its idle half."""
    device = await api.device()
    answer = await device.caller.get(f"/devices/{device.uuid}/jobs/next")
    assert (answer.status, answer.body["error"]) == (404, "No pending jobs")


async def test_people_may_not_report_and_devices_may_not_edit(api: Api) -> None:
    device = await api.device()
    owner = await api.person(Role.OWNER)
    assert (await owner.patch("/device/state", {device.uuid: REPORT})).status == 401
    assert (await owner.get(f"/device/{device.uuid}/state")).status == 401
    assert (await device.caller.put(f"/devices/{device.uuid}/target-state", {"apps": {}})).status == 401
    assert (await device.caller.post(f"/devices/{device.uuid}/deploy")).status == 401
