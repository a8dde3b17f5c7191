"""The catalogue of applications and the numbers of apps and services (contract §4.11)."""

import asyncio
from typing import Any

import pytest

from core.applications import ApplicationChange, IdKind, NewApplication
from core.devices import DEVICE_CONTROL, DEVICE_READ
from core.errors import Conflict, Forbidden, Invalid, NotFound
from tests.support.states import MANAGER, UUID, States, person

OPERATOR = person(DEVICE_READ, DEVICE_CONTROL)


def wanted(name: str = "Web shop", slug: str = "web-shop", **fields: Any) -> NewApplication:
    return NewApplication(appName=name, slug=slug, **fields)


async def test_an_application_gets_a_number_that_apps_have_too(states: States) -> None:
    first = await states.applications.add(MANAGER, wanted())
    app = await states.applications.next_id(MANAGER, IdKind.APP, "other", metadata={})
    second = await states.applications.add(MANAGER, wanted(slug="second"))
    assert [first.app_id, app.id, second.app_id] == [1000, 1001, 1002]
    assert [each.app_id for each in await states.applications.all(OPERATOR)] == [1000, 1002]


async def test_a_slug_is_taken_once_and_its_number_is_not_lost(states: States) -> None:
    await states.applications.add(MANAGER, wanted())
    with pytest.raises(Conflict):
        await states.applications.add(MANAGER, wanted("Other"))
    assert (await states.applications.add(MANAGER, wanted(slug="x"))).app_id == 1001


async def test_numbers_are_never_given_out_twice(states: States) -> None:
    asked = [states.applications.next_id(MANAGER, IdKind.SERVICE, "s", app_id=1000, metadata={}) for _ in range(20)]
    numbers = [issued.id for issued in await asyncio.gather(*asked)]
    assert sorted(numbers) == list(range(1, 21))


async def test_what_a_number_was_given_out_for_is_known(states: States) -> None:
    issued = await states.applications.next_id(
        MANAGER, IdKind.SERVICE, "nginx", app_id=1000, image_name="nginx:1", metadata={"a": 1}
    )
    assert await states.applications.issued_for(OPERATOR, IdKind.SERVICE, issued.id) == issued
    assert await states.applications.issued(OPERATOR, None) == [issued]
    with pytest.raises(NotFound):
        await states.applications.issued_for(OPERATOR, IdKind.APP, issued.id)


async def test_an_application_is_changed(states: States) -> None:
    app_id = (await states.applications.add(MANAGER, wanted())).app_id
    states.clock.advance(hours=1)
    changed = await states.applications.change(MANAGER, app_id, ApplicationChange(appName="Shop", description="sells"))
    assert (changed.app_name, changed.slug, changed.description) == ("Shop", "web-shop", "sells")
    assert changed.modified_at > changed.created_at
    assert await states.applications.get(OPERATOR, app_id) == changed
    with pytest.raises(Invalid):
        await states.applications.change(MANAGER, app_id, ApplicationChange())
    with pytest.raises(NotFound):
        await states.applications.change(MANAGER, 7, ApplicationChange(slug="x"))


async def test_an_application_that_a_device_runs_or_drafts_stays(states: States) -> None:
    """T-16: the check of the original never matched."""
    app_id = (await states.applications.add(MANAGER, wanted())).app_id
    await states.enrol()
    await states.apps.add(MANAGER, UUID, {"appId": app_id, "services": []})
    with pytest.raises(Conflict, match=UUID):
        await states.applications.remove(MANAGER, app_id)
    await states.desired.deploy(MANAGER, UUID)
    await states.apps.remove(MANAGER, UUID, app_id)
    with pytest.raises(Conflict):
        await states.applications.remove(MANAGER, app_id)
    await states.desired.deploy(MANAGER, UUID)
    await states.applications.remove(MANAGER, app_id)
    with pytest.raises(NotFound):
        await states.applications.get(OPERATOR, app_id)


async def test_the_catalogue_announces_what_happens_to_it(states: States) -> None:
    app_id = (await states.applications.add(MANAGER, wanted())).app_id
    await states.applications.change(MANAGER, app_id, ApplicationChange(slug="shop"))
    await states.applications.remove(MANAGER, app_id)
    names = [event.NAME for event in await states.events()]
    assert names == ["application.added", "application.changed", "application.removed"]


@pytest.mark.parametrize("slug", ["", "Web", "web shop", "-web", "web--shop", "wéb", "x" * 65, "a\nb", "a'; --"])
def test_a_slug_is_lower_case_and_short(slug: str) -> None:
    with pytest.raises(Invalid) as refusal:
        wanted(slug=slug)
    assert list(refusal.value.fields) == ["slug"]


@pytest.mark.parametrize("name", ["", " ", "x" * 300, "a\x00b"])
def test_a_name_is_one_line(name: str) -> None:
    with pytest.raises(Invalid) as refusal:
        wanted(name)
    assert list(refusal.value.fields) == ["appName"]


async def test_writing_needs_its_permission(states: States) -> None:
    app_id = (await states.applications.add(MANAGER, wanted())).app_id
    with pytest.raises(Forbidden):
        await states.applications.add(OPERATOR, wanted(slug="x"))
    with pytest.raises(Forbidden):
        await states.applications.change(OPERATOR, app_id, ApplicationChange(slug="x"))
    with pytest.raises(Forbidden):
        await states.applications.remove(OPERATOR, app_id)
    with pytest.raises(Forbidden):
        await states.applications.next_id(OPERATOR, IdKind.APP, "x", metadata={})
    with pytest.raises(Forbidden):
        await states.applications.all(person())


@pytest.mark.parametrize("config", [{"a": "\x00"}, {"a": 2**60}, {"a": "x" * 70_000}, {"a": [[[]]] * 30_000}])
def test_what_is_kept_with_an_application_is_bounded(config: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refusal:
        wanted(defaultConfig=config)
    assert list(refusal.value.fields) == ["defaultConfig"]


@pytest.mark.parametrize("app_id", [0, -1, 2**31, 2**70])
async def test_a_service_belongs_to_an_app_that_can_be(states: States, app_id: int) -> None:
    with pytest.raises(Invalid) as refusal:
        await states.applications.next_id(MANAGER, IdKind.SERVICE, "x", app_id=app_id, metadata={})
    assert list(refusal.value.fields) == ["appId"]


@pytest.mark.parametrize("app_id", [0, -1, 2**53, 2**70])
async def test_an_app_has_a_number_that_agents_can_keep(states: States, app_id: int) -> None:
    await states.enrol()
    with pytest.raises(Invalid) as refusal:
        await states.apps.add(MANAGER, UUID, {"appId": app_id, "services": []})
    assert list(refusal.value.fields) == ["appId"]
    target = await states.apps.add(MANAGER, UUID, {"appId": 2**53 - 1, "services": []})
    assert target.content.apps[str(2**53 - 1)]["appName"] == f"app-{2**53 - 1}"
