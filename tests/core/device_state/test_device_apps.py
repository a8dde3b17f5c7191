"""Single apps of a device: added, changed, removed, deployed (contract §4.5)."""

from typing import Any

import pytest

from core.applications import NewApplication
from core.device_state import Expected
from core.devices import DEVICE_CONTROL, DEVICE_READ
from core.errors import Conflict, Forbidden, Invalid, NotFound
from tests.support.states import APPS, MANAGER, OTHER, UUID, States, person

OPERATOR = person(DEVICE_READ, DEVICE_CONTROL)
WEB: dict[str, Any] = {
    "appId": 1001,
    "appName": "web",
    "services": [{"serviceName": "nginx", "image": "nginx:1.27", "ports": ["8080:80"]}],
}


async def added(states: States, *apps: dict[str, Any]) -> None:
    await states.enrol()
    for app in apps:
        await states.apps.add(MANAGER, UUID, app)


async def test_an_app_is_added_to_the_draft_only(states: States) -> None:
    """T-05: nothing is live without a deployment."""
    await states.enrol()
    target = await states.apps.add(MANAGER, UUID, WEB)
    assert target.content.apps == APPS
    assert (target.needs_deployment, target.deployed.content.apps) == (True, {})


async def test_an_app_is_added_once(states: States) -> None:
    await added(states, WEB)
    with pytest.raises(Conflict, match="already"):
        await states.apps.add(MANAGER, UUID, WEB)


async def test_an_app_without_a_name_gets_that_of_the_catalogue(states: States) -> None:
    await states.enrol()
    fits = await states.applications.add(MANAGER, NewApplication(appName="web", slug="the-web"))
    does_not = await states.applications.add(MANAGER, NewApplication(appName="Web shop", slug="web-shop"))
    names = []
    for app_id in (fits.app_id, does_not.app_id, 5000):
        target = await states.apps.add(MANAGER, UUID, {"appId": app_id, "services": []})
        names.append(target.content.apps[str(app_id)]["appName"])
    assert names == ["web", "web-shop", "app-5000"]


async def test_a_listed_service_keeps_what_is_not_said_of_it(states: States) -> None:
    await added(states, WEB)
    changes = [{"serviceName": "nginx", "state": "stopped"}, {"serviceName": "cache", "image": "redis:7"}]
    target = await states.apps.change(MANAGER, UUID, 1001, services=changes)
    [nginx, cache] = target.content.apps["1001"]["services"]
    assert (nginx["serviceId"], nginx["imageName"], nginx["state"]) == (1, "nginx:1.27", "stopped")
    assert nginx["config"] == {"ports": ["8080:80"]}
    assert (cache["serviceId"], cache["imageName"]) == (2, "redis:7")


async def test_what_is_said_of_a_service_counts_wherever_it_stands(states: States) -> None:
    await added(states, WEB)
    changes = [{"serviceId": 1, "image": "nginx:1.28", "ports": ["9090:80"], "state": None}]
    target = await states.apps.change(MANAGER, UUID, 1001, name="site", services=changes)
    app = target.content.apps["1001"]
    assert (app["appName"], app["services"][0]["imageName"]) == ("site", "nginx:1.28")
    assert app["services"][0]["config"] == {"ports": ["9090:80"]}


async def test_a_service_that_is_not_listed_goes(states: States) -> None:
    await added(states, WEB)
    target = await states.apps.change(MANAGER, UUID, 1001, services=[])
    assert target.content.apps["1001"]["services"] == []
    with pytest.raises(Invalid):
        await states.apps.change(MANAGER, UUID, 1001)


async def test_an_app_is_taken_out_of_the_draft(states: States) -> None:
    await added(states, WEB)
    await states.desired.deploy(MANAGER, UUID)
    target = await states.apps.remove(MANAGER, UUID, 1001)
    assert target.content.apps == {}
    assert target.deployed.content.apps == APPS


async def test_an_app_that_is_not_there_is_not_found(states: States) -> None:
    await states.enrol()
    with pytest.raises(NotFound):
        await states.apps.change(MANAGER, UUID, 7, name="x")
    with pytest.raises(NotFound):
        await states.apps.remove(MANAGER, UUID, 7)
    with pytest.raises(NotFound):
        await states.apps.deploy(MANAGER, UUID, 7)
    with pytest.raises(NotFound):
        await states.apps.add(MANAGER, OTHER, WEB)


async def test_one_app_is_deployed_and_the_rest_of_the_draft_stays_a_draft(states: States) -> None:
    await added(states, WEB, {"appId": 7, "appName": "other", "services": []})
    await states.desired.replace_draft(MANAGER, UUID, config={"a": 1})
    done = await states.apps.deploy(OPERATOR, UUID, 1001)
    assert (done.deployed.version, done.app_id) == (2, 1001)
    assert list(done.deployed.content.apps) == ["1001"]
    assert "a" not in done.deployed.content.config
    target = await states.desired.view(MANAGER, UUID)
    assert (target.needs_deployment, list(target.content.apps), target.content.config) == (
        True,
        ["1001", "7"],
        {"a": 1},
    )


async def test_the_last_app_of_a_draft_ends_it(states: States) -> None:
    await added(states, WEB)
    await states.apps.deploy(OPERATOR, UUID, 1001)
    assert not (await states.desired.view(MANAGER, UUID)).needs_deployment
    with pytest.raises(Invalid, match="Nothing to deploy"):
        await states.apps.deploy(OPERATOR, UUID, 1001)


async def test_an_app_that_was_taken_out_is_taken_off_by_deploying_it(states: States) -> None:
    await added(states, WEB)
    await states.desired.deploy(MANAGER, UUID)
    await states.apps.remove(MANAGER, UUID, 1001)
    done = await states.apps.deploy(OPERATOR, UUID, 1001)
    assert done.app is None
    assert done.deployed.content.apps == {}


async def test_what_is_wrong_with_one_app_is_told_by_its_field(states: States) -> None:
    """§12.1 item 27."""
    await states.enrol()
    services = [{"serviceName": "nginx", "image": "nginx:1", "ports": ["8080:80/udp"]}]
    with pytest.raises(Invalid) as refusal:
        await states.apps.add(MANAGER, UUID, {**WEB, "services": services})
    assert list(refusal.value.fields) == ["apps.1001.services[0].config.ports[0]"]


async def test_the_second_of_two_editors_is_told_of_the_first(states: States) -> None:
    """T-08."""
    await states.enrol()
    seen = Expected(if_match=(await states.desired.view(MANAGER, UUID)).etag)
    await states.apps.add(MANAGER, UUID, WEB, seen)
    with pytest.raises(Conflict):
        await states.apps.add(MANAGER, UUID, {**WEB, "appId": 7}, seen)
    with pytest.raises(Conflict):
        await states.apps.change(MANAGER, UUID, 1001, name="x", expected=seen)
    with pytest.raises(Conflict):
        await states.apps.remove(MANAGER, UUID, 1001, seen)
    with pytest.raises(Conflict):
        await states.apps.deploy(MANAGER, UUID, 1001, seen)


async def test_each_step_needs_its_permission(states: States) -> None:
    await added(states, WEB)
    with pytest.raises(Forbidden):
        await states.apps.add(OPERATOR, UUID, {**WEB, "appId": 7})
    with pytest.raises(Forbidden):
        await states.apps.change(OPERATOR, UUID, 1001, name="x")
    with pytest.raises(Forbidden):
        await states.apps.remove(OPERATOR, UUID, 1001)
    with pytest.raises(Forbidden):
        await states.apps.deploy(person(DEVICE_READ), UUID, 1001)
