"""Reports and drafts that are meant to do harm (abuse cases 9, 30, 33, 35 and 43)."""

import asyncio
import gzip
import json
from typing import Any

import pytest

from core.actor import Role
from tests.support.application import Answer, Api, EnrolledDevice
from tests.support.states import APPS


async def send(device: EnrolledDevice, report: bytes, *, zipped: bool = False) -> Answer:
    body = b'{"%s": %s}' % (device.uuid.encode(), report)
    headers = {"Content-Type": "application/json"} | ({"Content-Encoding": "gzip"} if zipped else {})
    return await device.caller.call(
        "PATCH", "/device/state", data=gzip.compress(body) if zipped else body, headers=headers
    )


async def current(api: Api, device: EnrolledDevice) -> Any:
    viewer = await api.person(Role.VIEWER)
    answer = await viewer.get(f"/devices/{device.uuid}/current-state")
    assert answer.status == 200, answer
    return answer.body


async def test_odd_values_never_lock_a_device_out(api: Api) -> None:
    """Abuse 43: every one of these is answered with 200, and the rest of the report counts."""
    device = await api.device()
    odd = (
        b'{"version": 1, "apps": {"1": {"appName": "a\\u0000b\\ud800"}}}',
        b'{"version": 1, "cpu_usage": NaN, "memory_usage": Infinity, "uptime": 1e999}',
        b'{"version": 99999999999999999999999999, "memory_total": 9223372036854775808}',
        b'{"version": "1", "apps": [], "config": 7, "is_online": "yes", "os_version": {}}',
        b'{"version": 1, "endpoints_health": {"\\u0000": {"status": "no such word"}}}',
        b'{"version": 1, "unheard_of": {"a": 1}, "top_processes": {"0": 1}, "network_interfaces": "eth0"}',
        b'{"version": 1, "version": 2, "os_version": "last"}',
    )
    for report in odd:
        assert (await send(device, report)).status == 200, report
    state = await current(api, device)
    assert state["apps"]["1"]["appName"] == "ab"
    assert state["system_info"]["os_version"] == "last"
    assert state["version"] == 2
    viewer = await api.person(Role.VIEWER)
    assert (await viewer.get("/devices")).status == 200
    assert (await viewer.get(f"/devices/{device.uuid}")).status == 200


@pytest.mark.parametrize("report", [b"[" * 100_000, b"[]", b'"text"', b"7", b"", b"{", b"\xff\xfe"])
async def test_what_is_no_report_is_refused_without_a_bug(api: Api, report: bytes) -> None:
    """Abuse 9."""
    device = await api.device()
    assert (await send(device, report)).status == 400


async def test_deep_values_within_a_report_are_cut_and_the_rest_is_kept(api: Api) -> None:
    """Abuse 9."""
    device = await api.device()
    deep = b'{"a":' * 500 + b"1" + b"}" * 500
    assert (await send(device, b'{"version": 1, "os_version": "kept", "config": %s}' % deep)).status == 200
    state = await current(api, device)
    assert state["system_info"]["os_version"] == "kept"
    assert len(json.dumps(state["config"])) < 1000


async def test_a_bomb_is_refused_before_it_expands(api: Api) -> None:
    """Abuse 9: 64 MB of blanks in 64 kB."""
    device = await api.device()
    answer = await send(device, b'{"version": 1}' + b" " * 64_000_000, zipped=True)
    assert answer.status == 413


async def test_a_wide_report_is_bounded(api: Api) -> None:
    device = await api.device()
    apps = {str(number): {"services": [1] * 10} for number in range(10_000)}
    assert (await send(device, json.dumps({"version": 1, "apps": apps}).encode())).status == 200
    assert len((await current(api, device))["apps"]) <= 2_000


@pytest.mark.parametrize(
    "body",
    [
        b'{"apps": {"1": {"appName": "a\\u0000"}}}',
        b'{"config": {"a": 9007199254740993}}',
        b'{"config": {"a": 1e999}}',
        b'{"config": ' + b'{"a":' * 500 + b"1" + b"}" * 501,
        b'{"config": ' + b"[" * 100_000,
        b'{"config": {"settings": {"scheduledRestart": {"intervalDays": 30}}}}',
        b'{"apps": "x", "config": {}}',
        b'{"isAdmin": true}',
        b"[]",
        b"NaN",
    ],
)
async def test_a_draft_that_no_device_could_read_is_refused(api: Api, body: bytes) -> None:
    """Abuse 9 and 12; §12.1 item 27 for the interval."""
    device = await api.device()
    manager = await api.person(Role.MANAGER)
    path = f"/devices/{device.uuid}/target-state"
    answer = await manager.call("PUT", path, data=body, headers={"Content-Type": "application/json"})
    assert answer.status == 400
    assert (await manager.get(path)).body["needs_deployment"] is False


async def test_a_draft_is_bounded(api: Api) -> None:
    device = await api.device()
    manager = await api.person(Role.MANAGER)
    path = f"/devices/{device.uuid}/target-state"
    assert (await manager.put(path, {"config": {"text": "x" * 1_500_000}})).status == 400


async def test_a_device_key_opens_nothing_of_another_device(api: Api) -> None:
    """Abuse 30 and 33: the routes that a device may call for itself."""
    device, other = await api.device(), await api.device()
    routes = [
        ("GET", f"/device/{other.uuid}/state"),
        ("GET", f"/devices/{other.uuid}"),
        ("DELETE", f"/devices/{other.uuid}"),
        ("GET", f"/devices/{other.uuid}/target-state"),
        ("GET", f"/devices/{other.uuid}/jobs/next"),
    ]
    for method, path in routes:
        assert (await device.caller.call(method, path)).status == 403, path
        assert (await device.caller.call(method, path.replace(other.uuid, other.uuid.upper()))).status == 403, path
    assert (await device.caller.get(f"/devices/{other.uuid}/current-state")).status == 401
    assert (await device.caller.get("/devices")).status == 401


async def test_many_who_deploy_at_once_deploy_once(api: Api) -> None:
    device = await api.device()
    manager = await api.person(Role.MANAGER)
    await manager.put(f"/devices/{device.uuid}/target-state", {"apps": APPS})
    answers = await asyncio.gather(*(manager.post(f"/devices/{device.uuid}/deploy") for _ in range(16)))
    assert sorted(answer.status for answer in answers) == [200] + [400] * 15
    versions = await manager.get(f"/devices/{device.uuid}/target-state/versions")
    assert [entry["version"] for entry in versions.body["versions"]] == [2, 1]


async def test_body_and_tag_are_of_one_moment_while_somebody_deploys(api: Api) -> None:
    """G-16: a wrong pair would be frozen in the device by 304s."""
    device = await api.device()
    manager = await api.person(Role.MANAGER)
    path = f"/device/{device.uuid}/state"
    seen: dict[str, bytes] = {}

    async def poll() -> None:
        for _ in range(30):
            answer = await device.caller.get(path)
            assert seen.setdefault(answer.headers["Etag"], answer.raw) == answer.raw

    async def deploy() -> None:
        for number in range(6):
            await manager.put(f"/devices/{device.uuid}/target-state", {"config": {"n": number}})
            await manager.post(f"/devices/{device.uuid}/deploy")

    await asyncio.gather(poll(), poll(), deploy())
    last = await device.caller.get(path)
    assert last.body[device.uuid]["config"] == {"n": 5}
