"""What devices are served, and how people change it."""

import json
from typing import Any

import pytest

from core.actor import STRANGER
from core.device_state import TEMPLATE, Expected, Served, Unmodified
from core.devices import DEVICE_READ
from core.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from tests.support.states import APPS, MANAGER, OTHER, UUID, States, device_actor, person


async def poll(states: States, tags: str | None = None) -> Served | Unmodified:
    return await states.desired.for_device(device_actor(), UUID, tags)


async def served(states: States) -> dict[str, Any]:
    answer = await poll(states)
    assert isinstance(answer, Served)
    document: dict[str, Any] = json.loads(answer.body)[UUID]
    return document


async def deploy(states: States, apps: Any) -> None:
    await states.desired.replace_draft(MANAGER, UUID, apps=apps)
    await states.desired.deploy(MANAGER, UUID)


async def test_the_first_poll_finds_the_default_state_in_version_1(states: States) -> None:
    """§12.1 item 7."""
    await states.enrol()
    document = await served(states)
    assert document["version"] == 1
    assert document["apps"] == {}
    assert document["config"]["settings"]["metricsIntervalMs"] == 60_000
    assert (document["needs_deployment"], document["last_deployed_at"]) == (False, None)


async def test_a_device_that_registers_again_keeps_its_state(states: States) -> None:
    device = await states.enrol()
    await deploy(states, APPS)
    async with states.transactions.begin() as tx:
        await states.first.issue(tx, device)
    assert (await served(states))["version"] == 2


async def test_a_template_is_merged_over_the_defaults(states: States) -> None:
    async with states.transactions.begin() as tx:
        template = {"apps": APPS, "config": {"logging": {"level": "debug"}}}
        await states.settings.put(tx, TEMPLATE, template)
    await states.enrol()
    document = await served(states)
    assert document["apps"] == APPS
    assert document["config"]["logging"] == {
        "level": "debug",
        "enableRemoteLogging": True,
        "enableFilePersistence": False,
    }


@pytest.mark.parametrize("template", ["text", [], {"config": 7}, {"apps": {"x": {}}}, {"apps": 1}])
async def test_a_wrong_template_does_not_keep_devices_from_registering(states: States, template: Any) -> None:
    async with states.transactions.begin() as tx:
        await states.settings.put(tx, TEMPLATE, template)
    await states.enrol()
    assert (await served(states))["apps"] == {}


async def test_a_device_that_knows_its_state_gets_nothing(states: States) -> None:
    """§12.1 item 8: quoted, unquoted, weak, lists, any; and after a deploy the new one."""
    await states.enrol()
    etag = (await poll(states)).etag
    assert etag.startswith('"sha256-')
    assert etag.endswith('"')
    for tags in (etag, etag.strip('"'), f"W/{etag}", f'"other", {etag}', "*"):
        assert await poll(states, tags) == Unmodified(etag=etag), tags
    assert isinstance(await poll(states, '"other"'), Served)
    await deploy(states, APPS)
    fresh = await poll(states, etag)
    assert isinstance(fresh, Served)
    assert fresh.etag != etag


async def test_a_draft_changes_nothing_for_the_device(states: States) -> None:
    """§12.1 item 9."""
    await states.enrol()
    before = await poll(states)
    await states.desired.replace_draft(MANAGER, UUID, apps=APPS)
    assert await poll(states) == before
    assert isinstance(await poll(states, before.etag), Unmodified)
    own = await states.desired.view(device_actor(), UUID)
    assert not own.needs_deployment


async def test_the_order_of_keys_does_not_depend_on_how_they_were_sent(states: States) -> None:
    """§12.1 item 10, within one process; tests/entrypoints/http/test_device_state.py restarts it."""
    await states.enrol()
    await states.desired.replace_draft(MANAGER, UUID, apps={}, config={"b": {"y": 1, "x": 2}, "a": 3})
    await states.desired.deploy(MANAGER, UUID)
    answer = await poll(states)
    assert isinstance(answer, Served)
    assert b'"config":{"a":3,"b":{"x":2,"y":1}}' in answer.body


async def test_what_is_served_comes_from_memory_the_second_time(states: States) -> None:
    await states.enrol()
    first = await poll(states)
    await states.transactions.close()
    assert await poll(states) == first


async def test_a_long_document_is_served_whole_and_its_tag_is_remembered(states: States) -> None:
    await states.enrol()
    await states.desired.replace_draft(MANAGER, UUID, config={"text": "x" * 10_000})
    await states.desired.deploy(MANAGER, UUID)
    first, second = await poll(states), await poll(states)
    assert first == second
    assert isinstance(second, Served)
    assert len(second.body) > 10_000


async def test_the_key_of_the_body_is_spelled_as_the_device_spells_itself(states: States) -> None:
    await states.enrol()
    answer = await states.desired.for_device(device_actor(), UUID, None, spelled=UUID.upper())
    assert isinstance(answer, Served)
    assert list(json.loads(answer.body)) == [UUID.upper()]


async def test_a_device_polls_only_for_itself(states: States) -> None:
    await states.enrol()
    with pytest.raises(Forbidden):
        await states.desired.for_device(device_actor(OTHER), UUID, None)
    with pytest.raises(Unauthenticated):
        await states.desired.for_device(STRANGER, UUID, None)
    with pytest.raises(Forbidden):
        await states.desired.for_device(MANAGER, UUID, None)


async def test_people_see_the_draft_until_it_is_deployed(states: States) -> None:
    await states.enrol()
    target = await states.desired.replace_draft(MANAGER, UUID, apps=APPS)
    assert target.needs_deployment
    assert await states.desired.view(MANAGER, UUID) == target
    deployed = await states.desired.deploy(MANAGER, UUID)
    assert (deployed.version, deployed.deployed_by) == (2, "user:7:anna")
    after = await states.desired.view(MANAGER, UUID)
    assert (after.needs_deployment, after.content.apps) == (False, APPS)
    assert [event.NAME for event in await states.events()] == ["target_state.drafted", "target_state.deployed"]


async def test_there_is_nothing_to_deploy_or_cancel_without_a_draft(states: States) -> None:
    await states.enrol()
    with pytest.raises(Invalid, match="Nothing to deploy"):
        await states.desired.deploy(MANAGER, UUID)
    with pytest.raises(Invalid, match="Nothing to cancel"):
        await states.desired.cancel(MANAGER, UUID)
    assert (await states.desired.discard(MANAGER, UUID)).version == 1


async def test_a_cancelled_draft_leaves_what_is_deployed(states: States) -> None:
    await states.enrol()
    before = await states.desired.view(MANAGER, UUID)
    await states.desired.replace_draft(MANAGER, UUID, apps=APPS)
    assert (await states.desired.cancel(MANAGER, UUID)).version == 1
    assert await states.desired.view(MANAGER, UUID) == before


async def test_the_second_of_two_editors_is_told_of_the_first(states: States) -> None:
    await states.enrol()
    seen = (await states.desired.view(MANAGER, UUID)).etag
    await states.desired.replace_draft(MANAGER, UUID, apps=APPS, expected=Expected(if_match=seen))
    with pytest.raises(Conflict, match="read it again"):
        await states.desired.replace_draft(MANAGER, UUID, apps={}, expected=Expected(if_match=seen))
    with pytest.raises(Conflict):
        await states.desired.deploy(MANAGER, UUID, expected=Expected(if_match=seen))


async def test_what_an_edit_does_not_name_stays(states: States) -> None:
    await states.enrol()
    await states.desired.replace_draft(MANAGER, UUID, apps=APPS)
    target = await states.desired.replace_draft(MANAGER, UUID, config={"a": 1})
    assert (target.content.apps, target.content.config) == (APPS, {"a": 1})
    with pytest.raises(Invalid, match="apps, config or both"):
        await states.desired.replace_draft(MANAGER, UUID)


async def test_the_versions_tell_who_deployed_what_when(states: States) -> None:
    await states.enrol()
    states.clock.advance(hours=1)
    await deploy(states, APPS)
    versions = await states.history.versions(MANAGER, UUID)
    assert [(entry.version, entry.deployed_by, entry.apps_count) for entry in versions] == [
        (2, "user:7:anna", 1),
        (1, "system", 0),
    ]
    assert versions[0].deployed_at == states.clock.now()


async def test_each_step_needs_its_permission(states: States) -> None:
    await states.enrol()
    viewer = person(DEVICE_READ)
    assert (await states.desired.view(viewer, UUID)).deployed.version == 1
    with pytest.raises(Forbidden):
        await states.desired.replace_draft(viewer, UUID, apps={})
    with pytest.raises(Forbidden):
        await states.desired.deploy(viewer, UUID)
    with pytest.raises(Forbidden):
        await states.desired.discard(viewer, UUID)
    with pytest.raises(Forbidden):
        await states.desired.view(device_actor(OTHER), UUID)


async def test_who_may_not_edit_sees_no_secrets(states: States) -> None:
    """T-35."""
    await states.enrol()
    service = {"serviceId": 1, "config": {"environment": {"DB_PASSWORD": "hunter2", "PORT": "80"}}}
    await deploy(states, {"1": {"appName": "db", "services": [service]}})
    seen = await states.desired.view(person(DEVICE_READ), UUID)
    assert seen.shown.apps["1"]["services"][0]["config"]["environment"] == {"DB_PASSWORD": "[redacted]", "PORT": "80"}
    edited = await states.desired.view(MANAGER, UUID)
    assert edited.shown == edited.content
    assert edited.etag == seen.etag
    assert "hunter2" in str(await served(states))


async def test_an_unknown_device_has_no_state(states: States) -> None:
    with pytest.raises(NotFound):
        await states.desired.view(MANAGER, UUID)
    with pytest.raises(NotFound):
        await states.desired.replace_draft(MANAGER, UUID, apps={})
    with pytest.raises(NotFound):
        await poll(states)


async def test_a_removed_device_is_served_no_more(states: States, signals: Any) -> None:
    await states.enrol()
    await poll(states)
    async with states.transactions.begin() as tx:
        await states.devices.remove(tx, UUID)
        tx.signal("devices", UUID)
    with pytest.raises(NotFound):
        await poll(states)


async def test_no_state_is_remembered_when_others_may_have_changed_anything(states: States, signals: Any) -> None:
    await states.enrol()
    await poll(states)
    async with states.transactions.begin() as tx:
        await states.devices.remove(tx, UUID)
    signals.send("elsewhere", "")
    with pytest.raises(NotFound):
        await poll(states)
