"""Versions, comparisons, the way back, and drift over HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from core.actor import Role
from tests.support.application import Api, Caller, EnrolledDevice, running_api
from tests.support.states import APPS

pytestmark = pytest.mark.asyncio(loop_scope="module")

RUNNING = {
    "1001": {
        "appId": 1001,
        "appName": "web",
        "services": [
            {
                "serviceId": 1,
                "serviceName": "nginx",
                "imageName": "nginx:1.27",
                "status": "running",
                "state": "running",
                "config": {"ports": ["8080:80"], "volumes": [], "environment": {"PATH": "/bin"}},
            }
        ],
    }
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """One application for all tests of this module; each has a device of its own."""
    async with running_api(tmp_path_factory.mktemp("history"), TARGET_STATE_VERSIONS_KEPT="3") as api:
        yield api


@pytest_asyncio.fixture(loop_scope="module")
async def manager(app: Api) -> Caller:
    """Somebody who may edit and deploy."""
    return await app.person(Role.MANAGER)


@pytest_asyncio.fixture(loop_scope="module")
async def device(app: Api) -> EnrolledDevice:
    """A device of the test's own."""
    return await app.device()


async def deploy(manager: Caller, device: EnrolledDevice, **content: Any) -> None:
    assert (await manager.put(f"/devices/{device.uuid}/target-state", content)).status == 200
    assert (await manager.post(f"/devices/{device.uuid}/deploy")).status == 200


async def test_a_version_is_shown_and_brought_back(app: Api, manager: Caller, device: EnrolledDevice) -> None:
    path = f"/devices/{device.uuid}/target-state"
    await deploy(manager, device, apps=APPS)
    await deploy(manager, device, apps={})
    shown = await manager.get(f"{path}/versions/2")
    assert (shown.status, shown.body["apps"], shown.body["version"]) == (200, APPS, 2)
    assert "the-manager" in shown.body["deployed_by"]
    drafted = await manager.post(f"{path}/versions/2/restore")
    assert (drafted.status, drafted.body["needs_deployment"], drafted.body["apps"]) == (200, True, APPS)
    operator = await app.person(Role.OPERATOR)
    assert (await operator.post(f"{path}/versions/1/restore")).status == 403
    deployed = await operator.post(f"{path}/versions/2/restore?deploy=true")
    assert (deployed.status, deployed.body["version"], deployed.body["appsCount"]) == (200, 4, 1)
    poll = await device.caller.get(f"/device/{device.uuid}/state")
    assert poll.body[device.uuid]["apps"] == APPS


async def test_old_versions_are_not_kept_for_ever(manager: Caller, device: EnrolledDevice) -> None:
    for number in range(4):
        await deploy(manager, device, config={"number": number})
    path = f"/devices/{device.uuid}/target-state/versions"
    assert [each["version"] for each in (await manager.get(path)).body["versions"]] == [5, 4, 3]
    assert (await manager.get(f"{path}/1")).status == 404
    assert (await manager.get(f"{path}/first")).status == 400


async def test_two_states_are_compared(app: Api, manager: Caller, device: EnrolledDevice) -> None:
    path = f"/devices/{device.uuid}/target-state/diff"
    await deploy(manager, device, apps=APPS)
    assert (await manager.get(path)).body["count"] == 0
    changed = {"1001": {**APPS["1001"], "appName": "site"}}
    await manager.put(f"/devices/{device.uuid}/target-state", {"apps": changed})
    found = (await manager.get(path)).body
    assert (found["from"]["name"], found["to"]["name"]) == ("2", "draft")
    change = {"path": "apps.1001.appName", "kind": "changed", "before": "web", "after": "site"}
    assert found["differences"] == [change]
    versions = await manager.get(path + "?from=1&to=2")
    assert [each["path"] for each in versions.body["differences"]] == ["apps.1001"]
    assert (await manager.get(path + "?from=last")).status == 400
    assert (await manager.get(path + "?from=99")).status == 404


async def test_a_viewer_hears_that_a_secret_changed_and_not_of_what(
    app: Api, manager: Caller, device: EnrolledDevice
) -> None:
    """T-35."""
    for password in ("first", "second"):
        service = {"serviceName": "db", "imageName": "db:1", "config": {"environment": {"DB_PASSWORD": password}}}
        await deploy(manager, device, apps={"1": {"appName": "db", "services": [service]}})
    viewer = await app.person(Role.VIEWER)
    answer = await viewer.get(f"/devices/{device.uuid}/target-state/diff?from=2&to=3")
    assert answer.body["count"] == 1
    assert b"first" not in answer.raw
    assert b"second" not in answer.raw
    assert b"second" not in (await viewer.get(f"/devices/{device.uuid}/target-state/versions/3")).raw


async def test_an_edit_of_something_else_than_was_seen_is_refused(manager: Caller, device: EnrolledDevice) -> None:
    """T-08: 412 for the header, 409 for the body."""
    path = f"/devices/{device.uuid}/target-state"
    seen = await manager.get(path)
    tag, revision = {"If-Match": seen.headers["Etag"]}, seen.body["revision"]
    assert (await manager.put(path, {"apps": APPS, "revision": revision}, headers=tag)).status == 200
    assert (await manager.put(path, {"apps": {}}, headers=tag)).status == 412
    assert (await manager.put(path, {"apps": {}, "revision": revision})).status == 409
    assert (await manager.post(f"{path}/versions/1/restore", headers=tag)).status == 412
    assert (await manager.post(f"/devices/{device.uuid}/deploy", headers=tag)).status == 412
    assert (await manager.post(f"/devices/{device.uuid}/deploy", headers={"If-Match": "*"})).status == 200


async def test_drift_goes_when_the_device_does_as_it_is_told(manager: Caller, device: EnrolledDevice) -> None:
    """§12.3 item 42: edit, deploy, version +1, and in sync after the agent's report; T-36."""
    path = f"/devices/{device.uuid}"
    await deploy(manager, device, apps=APPS)
    assert (await manager.get(path)).body["inSync"] is None
    assert (await manager.get(f"{path}/drift")).body["apps"][0]["status"] == "unknown"
    await device.caller.patch("/device/state", {device.uuid: {"version": 2, "apps": {}}})
    found = (await manager.get(f"{path}/drift")).body
    assert (found["inSync"], found["version"], found["seenVersion"]) == (False, 2, 2)
    assert (found["apps"][0]["appId"], found["apps"][0]["status"]) == (1001, "missing")
    await device.caller.patch("/device/state", {device.uuid: {"version": 2, "apps": RUNNING}})
    found = (await manager.get(f"{path}/drift")).body
    assert (found["inSync"], found["apps"][0]["status"]) == (True, "in_sync")
    detail = (await manager.get(path)).body
    assert {"device", "target_state", "current_state"} <= set(detail)
    assert (detail["inSync"], detail["current_state"]["version"]) == (True, detail["target_state"]["version"])
