"""Apps of a device and the catalogue over HTTP (contract §4.5, §4.11)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from core.actor import Role
from tests.support.application import Api, Caller, EnrolledDevice, running_api

pytestmark = pytest.mark.asyncio(loop_scope="module")

# A number below those that are given out, which other tests of this module get.
WEB: dict[str, Any] = {
    "appId": 77,
    "appName": "web",
    "services": [{"serviceName": "nginx", "image": "nginx:1.27", "ports": ["8080:80"], "environment": {"A": 1}}],
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """One application for all tests of this module; each has a device of its own."""
    async with running_api(tmp_path_factory.mktemp("apps")) as api:
        yield api


@pytest_asyncio.fixture(loop_scope="module")
async def manager(app: Api) -> Caller:
    """Somebody who may edit and deploy."""
    return await app.person(Role.MANAGER)


@pytest_asyncio.fixture(loop_scope="module")
async def device(app: Api) -> EnrolledDevice:
    """A device of the test's own."""
    return await app.device()


async def served(device: EnrolledDevice) -> Any:
    return (await device.caller.get(f"/device/{device.uuid}/state")).body[device.uuid]


async def test_an_app_is_added_changed_deployed_and_removed(manager: Caller, device: EnrolledDevice) -> None:
    path = f"/devices/{device.uuid}/apps"
    added = await manager.post(path, WEB)
    assert (added.status, added.body["appId"], added.body["deviceUuid"]) == (201, 77, device.uuid)
    [service] = added.body["services"]
    assert (service["serviceId"], service["imageName"]) == (1, "nginx:1.27")
    assert service["config"] == {"ports": ["8080:80"], "environment": {"A": "1"}}
    assert (await served(device))["apps"] == {}
    changed = await manager.patch(f"{path}/77", {"services": [{"serviceId": 1, "state": "stopped"}]})
    assert (changed.status, changed.body["services"][0]["state"]) == (200, "stopped")
    deployed = await manager.post(f"{path}/77/deploy", {"deployedBy": "somebody else"})
    assert (deployed.status, deployed.body["version"], deployed.body["appName"]) == (200, 2, "web")
    assert "the-manager" in deployed.body["deployedBy"]
    assert list((await served(device))["apps"]) == ["77"]
    assert (await manager.delete(f"{path}/77")).status == 200
    assert (await manager.post(f"{path}/77/deploy")).body["version"] == 3
    assert (await served(device))["apps"] == {}
    assert (await manager.delete(f"{path}/77")).status == 404
    assert (await manager.post(f"{path}/77/deploy")).status == 404


@pytest.mark.parametrize(
    ("service", "field"),
    [
        ({"ports": ["8080:80/udp"]}, "config.ports[0]"),
        ({"volumes": ["a:/b:ro"]}, "config.volumes[0]"),
        ({"config": {"ports": ["127.0.0.1:8080:80"]}}, "config.ports[0]"),
        ({"config": {"restart": "on-failure:5"}}, "config.restart"),
        ({"image": "no image"}, "imageName"),
    ],
)
async def test_what_makes_agents_loop_is_refused_by_field(
    manager: Caller, device: EnrolledDevice, service: dict[str, Any], field: str
) -> None:
    """§12.1 item 27, by all the ways there are."""
    services = [{"serviceName": "nginx", "image": "nginx:1.27", **service}]
    named = f"apps.77.services[0].{field}"
    added = await manager.post(f"/devices/{device.uuid}/apps", {**WEB, "services": services})
    assert (added.status, list(added.body["fields"])) == (400, [named])
    for method in (manager.put, manager.post):
        saved = await method(f"/devices/{device.uuid}/target-state", {"apps": {"77": {**WEB, "services": services}}})
        assert (saved.status, list(saved.body["fields"])) == (400, [named])


async def test_what_is_changed_is_told_with_its_reason(manager: Caller, device: EnrolledDevice) -> None:
    """§12.1 item 27."""
    services = [{"serviceName": "nginx", "imageName": "nginx", "config": {"ports": ["8080:80/tcp"]}}]
    saved = await manager.put(f"/devices/{device.uuid}/target-state", {"apps": [{**WEB, "services": services}]})
    assert saved.status == 200
    assert saved.body["apps"]["77"]["services"][0]["config"]["ports"] == ["8080:80"]
    assert [warning["field"] for warning in saved.body["warnings"]] == [
        "apps.77.services[0].imageName",
        "apps.77.services[0].config.ports[0]",
    ]


async def test_a_restart_interval_that_makes_agents_loop_is_refused(manager: Caller, device: EnrolledDevice) -> None:
    """§12.1 item 27: intervalDays 30."""
    config = {"settings": {"scheduledRestart": {"enabled": True, "intervalDays": 30}}}
    answer = await manager.put(f"/devices/{device.uuid}/target-state", {"config": config})
    assert (answer.status, list(answer.body["fields"])) == (400, ["config.settings.scheduledRestart.intervalDays"])


async def test_ids_are_whole_numbers_on_the_wire(manager: Caller, device: EnrolledDevice) -> None:
    """§4.11; §12.3 item 51, its part of the dialog of apps."""
    one = await manager.post("/apps/next-id", {"appName": "web", "metadata": {"a": 1}})
    assert (one.status, one.body["appName"], one.body["metadata"]) == (200, "web", {"a": 1})
    assert type(one.body["appId"]) is int
    assert one.body["appId"] >= 1000
    service = {"serviceName": "nginx", "appId": one.body["appId"], "imageName": "nginx:1.27"}
    other = await manager.post("/services/next-id", service)
    assert type(other.body["serviceId"]) is int
    assert (other.body["appId"], other.body["imageName"]) == (one.body["appId"], "nginx:1.27")
    added = await manager.post(f"/devices/{device.uuid}/apps", {"appId": one.body["appId"], "services": []})
    assert added.status == 201
    registry = await manager.get("/apps-services/registry?type=service")
    assert registry.body["entries"][0]["name"] == "nginx"
    shown = await manager.get(f"/apps-services/apps/{one.body['appId']}")
    assert (shown.status, shown.body["type"]) == (200, "app")
    assert (await manager.get("/apps-services/things/1")).status == 404
    assert (await manager.post("/services/next-id", {"serviceName": "x"})).status == 400


async def test_a_name_that_is_too_long_is_refused_in_the_words_of_its_sender(manager: Caller) -> None:
    for kind in ("app", "service"):
        body = {f"{kind}Name": "x" * 300, "appId": 1001}
        answer = await manager.post(f"/{kind}s/next-id", body)
        assert (answer.status, list(answer.body["fields"])) == (400, [f"{kind}Name"])


async def test_the_catalogue_is_kept(manager: Caller, device: EnrolledDevice) -> None:
    made = await manager.post("/applications", {"appName": "Web shop", "slug": "web-shop", "defaultConfig": {"a": 1}})
    assert made.status == 201
    path = f"/applications/{made.body['appId']}"
    fields = {"appId", "appName", "slug", "description", "defaultConfig", "createdAt", "modifiedAt"}
    assert set(made.body) >= fields
    assert (await manager.post("/applications", {"appName": "x", "slug": "web-shop"})).status == 409
    assert (await manager.patch(path, {"description": "sells"})).body["description"] == "sells"
    assert (await manager.get(path)).body["slug"] == "web-shop"
    listed = (await manager.get("/applications")).body["applications"]
    assert made.body["appId"] in {each["appId"] for each in listed}
    await manager.post(f"/devices/{device.uuid}/apps", {"appId": made.body["appId"], "services": []})
    assert (await manager.delete(path)).status == 409
    await manager.delete(f"/devices/{device.uuid}/target-state")
    assert (await manager.delete(path)).body["appId"] == made.body["appId"]
    assert (await manager.get(path)).status == 404
    assert (await manager.get("/applications/first")).status == 400


async def test_fields_that_nobody_asked_for_change_nothing(manager: Caller) -> None:
    """Abuse case 12."""
    body = {
        "appName": "x",
        "slug": "mass",
        "appId": 7,
        "app_id": 7,
        "createdAt": "1970-01-01T00:00:00Z",
        "isAdmin": True,
    }
    made = await manager.post("/applications", body)
    assert made.status == 201
    assert made.body["appId"] >= 1000
    assert not made.body["createdAt"].startswith("1970")
