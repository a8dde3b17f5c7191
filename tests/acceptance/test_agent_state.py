"""Contract 12.1, items 8 to 13: desired and reported state."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from core.actor import Role
from tests.support.application import Answer, Api, Caller, EnrolledDevice, running_api
from tests.support.mqtt import connected

APPS = {
    "1001": {
        "appId": 1001,
        "appName": "web",
        "services": [{"serviceId": 1, "serviceName": "nginx", "imageName": "nginx:alpine", "config": {"b": 1, "a": 2}}],
    }
}
CONFIG = {"settings": {"metricsIntervalMs": 30000}, "logging": {"level": "debug"}}


async def poll(device: EnrolledDevice, etag: str | None = None) -> Answer:
    headers = {} if etag is None else {"If-None-Match": etag}
    return await device.caller.get(f"/device/{device.uuid}/state", headers=headers)


async def deploy(person: Caller, uuid: str, apps: Any = APPS, config: Any = CONFIG) -> Answer:
    drafted = await person.put(f"/devices/{uuid}/target-state", {"apps": apps, "config": config})
    assert drafted.status == 200, drafted
    answer = await person.post(f"/devices/{uuid}/deploy", {"deployedBy": "console"})
    assert answer.status == 200, answer
    return answer


def report(uuid: str, **fields: Any) -> dict[str, Any]:
    return {uuid: {"apps": {}, "is_online": True, "version": 1} | fields}


async def send_over_http(device: EnrolledDevice, body: Any) -> Answer:
    packed = gzip.compress(json.dumps(body).encode())
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    return await device.caller.call("PATCH", "/device/state", data=packed, headers=headers)


async def send_over_mqtt(device: EnrolledDevice, body: Any) -> None:
    async with connected(device.mqtt) as client:
        await client.publish(f"iot/device/{device.uuid}/state", json.dumps(body), qos=1)


async def test_08_every_form_of_if_none_match_is_understood(api: Api) -> None:
    device = await api.device()
    etag = (await poll(device)).headers["ETag"]
    bare = etag.strip('"')
    for form in (etag, bare, f"W/{etag}", f'"other", {etag}', f'"other",W/{etag}', "*"):
        answer = await poll(device, form)
        assert answer.status == 304, form
        assert answer.raw == b""
    for form in ('"other"', "other", 'W/"other"', '"one", "two"', ""):
        assert (await poll(device, form)).status == 200, form
    await deploy(await api.person(Role.MANAGER), device.uuid)
    after = await poll(device, etag)
    assert after.status == 200
    assert after.headers["ETag"] != etag
    assert after.body[device.uuid]["version"] == 2


async def test_09_a_draft_is_not_seen_by_the_device(api: Api) -> None:
    device = await api.device()
    before = await poll(device)
    manager = await api.person(Role.MANAGER)
    drafted = await manager.put(f"/devices/{device.uuid}/target-state", {"apps": APPS, "config": CONFIG})
    assert drafted.status == 200
    shown = await manager.get(f"/devices/{device.uuid}")
    assert shown.body["target_state"]["needs_deployment"] is True
    assert shown.body["target_state"]["apps"].keys() == APPS.keys()
    unconditional = await poll(device)
    assert unconditional.raw == before.raw
    assert (await poll(device, before.headers["ETag"])).status == 304


async def test_10_the_order_of_keys_is_the_same_over_polls_and_restarts(data: Path) -> None:
    async with running_api(data) as first:
        device = await first.device()
        await deploy(await first.person(Role.MANAGER), device.uuid)
        polled = [await poll(device), await poll(device)]
    async with running_api(data) as second:
        caller = Caller(second.http, second.running.url, device.caller.headers)
        polled.append(await caller.get(f"/device/{device.uuid}/state"))
    assert len({answer.raw for answer in polled}) == 1
    assert len({answer.headers["ETag"] for answer in polled}) == 1


async def test_11_a_report_means_the_same_over_mqtt_and_over_http(api: Api) -> None:
    manager = await api.person(Role.MANAGER)
    stored = []
    for send in (send_over_http, send_over_mqtt):
        device = await api.device()
        apps = {"1001": {**APPS["1001"], "services": [{"serviceId": 1, "serviceName": "nginx", "status": "running"}]}}
        body = report(device.uuid, apps=apps, config={"sensors": []}, cpu_usage=12.5, os_version="Debian")
        await send(device, body)
        answer = await manager.get(f"/devices/{device.uuid}/current-state")
        assert answer.status == 200
        stored.append({key: value for key, value in answer.body.items() if key != "reported_at"})
    assert stored[0] == stored[1]
    assert stored[0]["apps"].keys() == {"1001"}


async def test_12_what_a_report_leaves_out_is_kept(api: Api) -> None:
    device = await api.device()
    manager = await api.person(Role.MANAGER)
    sensors = [{"name": "boiler", "protocol": "modbus"}]
    full = report(device.uuid, apps={"1": {"appId": 1, "appName": "a", "services": []}}, config={"sensors": sensors})
    assert (await send_over_http(device, full)).status == 200
    partial = report(device.uuid, apps={"2": {"appId": 2, "appName": "b", "services": []}}, version=2)
    assert (await send_over_http(device, partial)).status == 200
    replay = {device.uuid: {"apps": {}, "is_online": False, "cpu_usage": 99}}
    assert (await send_over_http(device, replay)).status == 200
    state = (await manager.get(f"/devices/{device.uuid}/current-state")).body
    assert state["config"]["sensors"][0]["name"] == "boiler"
    assert state["apps"].keys() == {"2"}
    shown = (await manager.get(f"/devices/{device.uuid}")).body
    assert shown["current_state"]["version"] == 2


@pytest.mark.parametrize("extra", [False, True])
async def test_13_over_http_a_device_cannot_report_for_another(api: Api, extra: bool) -> None:
    device, victim = await api.device(), await api.device()
    body = report(victim.uuid) | (report(device.uuid) if extra else {})
    assert (await send_over_http(device, body)).status in {400, 403}
    manager = await api.person(Role.MANAGER)
    assert (await manager.get(f"/devices/{victim.uuid}/current-state")).status == 404


async def test_13_over_mqtt_it_is_ignored_and_audited(api: Api) -> None:
    device, victim = await api.device(), await api.device()
    await send_over_mqtt(device, report(victim.uuid))
    await api.settle()
    admin = await api.person(Role.ADMIN)
    assert (await admin.get(f"/devices/{victim.uuid}/current-state")).status == 404
    entries = (await admin.get(f"/audit-logs?device={device.uuid}")).body
    assert "refused" in json.dumps(entries)
