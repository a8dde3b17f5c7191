"""Versions, what differs between them, and the way back."""

from typing import Any

import pytest

from core.device_state import DRAFT, Expected
from core.devices import DEVICE_CONTROL, DEVICE_READ
from core.errors import Conflict, Forbidden, Invalid, NotFound
from tests.support.states import APPS, MANAGER, OTHER, UUID, VERSIONS_KEPT, States, person

VIEWER = person(DEVICE_READ)
OPERATOR = person(DEVICE_READ, DEVICE_CONTROL)


def with_password(password: str) -> dict[str, Any]:
    """Apps with a secret."""
    service = {"serviceName": "db", "imageName": "db:1", "config": {"environment": {"DB_PASSWORD": password}}}
    return {"1": {"appName": "db", "services": [service]}}


async def deploy(states: States, apps: Any = None, config: Any = None) -> None:
    await states.desired.replace_draft(MANAGER, UUID, apps=apps, config=config)
    await states.desired.deploy(MANAGER, UUID)


async def served_apps(states: States) -> Any:
    target = await states.desired.view(MANAGER, UUID)
    return target.deployed.content.apps


async def test_a_version_is_shown_as_it_was_deployed(states: States) -> None:
    await states.enrol()
    await deploy(states, APPS)
    await deploy(states, {})
    version = await states.history.version(VIEWER, UUID, 2)
    assert (version.version, version.content.apps, version.deployed_by) == (2, APPS, "user:7:anna")
    with pytest.raises(NotFound, match="version 9"):
        await states.history.version(VIEWER, UUID, 9)
    with pytest.raises(NotFound, match="no such device"):
        await states.history.version(VIEWER, OTHER, 1)


async def test_who_may_not_edit_sees_no_secret_of_any_version(states: States) -> None:
    """T-35."""
    await states.enrol()
    await deploy(states, with_password("old"))
    assert "old" not in str((await states.history.version(VIEWER, UUID, 2)).content)
    assert "old" in str((await states.history.version(MANAGER, UUID, 2)).content)


async def test_the_draft_is_compared_with_what_is_deployed(states: States) -> None:
    await states.enrol()
    await deploy(states, APPS)
    assert (await states.history.compare(VIEWER, UUID, "deployed", DRAFT)).differences == []
    await states.desired.replace_draft(MANAGER, UUID, apps={})
    found = await states.history.compare(VIEWER, UUID, "deployed", DRAFT)
    assert (found.before, found.after, found.after_by) == ("2", "draft", "user:7:anna")
    assert [(each.path, each.kind) for each in found.differences] == [("apps.1001", "removed")]


async def test_any_two_versions_are_compared(states: States) -> None:
    await states.enrol()
    await deploy(states, APPS)
    await deploy(states, config={"logging": {"level": "debug"}})
    found = await states.history.compare(VIEWER, UUID, 3, 2)
    assert "config.features" in [each.path for each in found.differences]
    with pytest.raises(NotFound):
        await states.history.compare(VIEWER, UUID, 1, 99)


async def test_who_may_not_edit_hears_that_a_secret_changed_and_not_of_what(states: States) -> None:
    await states.enrol()
    await deploy(states, with_password("old"))
    await deploy(states, with_password("new"))
    [seen] = (await states.history.compare(VIEWER, UUID, 2, 3)).differences
    assert seen.path.endswith("environment.DB_PASSWORD")
    assert (seen.before, seen.after) == ("[redacted]", "[redacted]")
    [known] = (await states.history.compare(MANAGER, UUID, 2, 3)).differences
    assert (known.before, known.after) == ("old", "new")


async def test_a_version_comes_back_as_a_draft(states: States) -> None:
    await states.enrol()
    await deploy(states, APPS)
    await deploy(states, {})
    target = await states.history.restore(MANAGER, UUID, 2)
    assert (target.needs_deployment, target.content.apps, target.deployed.version) == (True, APPS, 3)
    assert await served_apps(states) == {}
    await states.desired.deploy(MANAGER, UUID)
    assert await served_apps(states) == APPS


async def test_a_version_is_deployed_again_and_a_draft_stays(states: States) -> None:
    await states.enrol()
    await deploy(states, APPS)
    await deploy(states, {})
    await states.desired.replace_draft(MANAGER, UUID, config={"a": 1})
    deployed = await states.history.deploy_again(OPERATOR, UUID, 2)
    assert (deployed.version, deployed.content.apps) == (4, APPS)
    target = await states.desired.view(MANAGER, UUID)
    assert target.draft is not None
    assert target.content.config == {"a": 1}


async def test_who_may_deploy_and_not_edit_may_only_go_back_at_once(states: States) -> None:
    await states.enrol()
    with pytest.raises(Forbidden):
        await states.history.restore(OPERATOR, UUID, 1)
    with pytest.raises(Forbidden):
        await states.history.deploy_again(VIEWER, UUID, 1)
    assert (await states.history.deploy_again(OPERATOR, UUID, 1)).version == 2


async def test_who_goes_back_is_told_of_who_was_first(states: States) -> None:
    await states.enrol()
    seen = Expected(if_match=(await states.desired.view(MANAGER, UUID)).etag)
    await deploy(states, APPS)
    with pytest.raises(Conflict) as refusal:
        await states.history.restore(MANAGER, UUID, 1, seen)
    assert refusal.value.stale
    with pytest.raises(Conflict):
        await states.history.deploy_again(MANAGER, UUID, 1, seen)


async def test_a_revision_in_the_body_is_another_conflict_than_a_tag(states: States) -> None:
    await states.enrol()
    seen = (await states.desired.view(MANAGER, UUID)).revision
    await states.desired.replace_draft(MANAGER, UUID, apps=APPS, expected=Expected(revision=seen))
    with pytest.raises(Conflict) as refusal:
        await states.desired.replace_draft(MANAGER, UUID, apps={}, expected=Expected(revision=seen))
    assert not refusal.value.stale


async def test_only_so_many_versions_are_kept_and_the_served_one_always(states: States) -> None:
    await states.enrol()
    for number in range(VERSIONS_KEPT + 2):
        await deploy(states, config={"number": number})
    kept = [entry.version for entry in await states.history.versions(VIEWER, UUID)]
    assert kept == list(range(VERSIONS_KEPT + 3, 3, -1))[:VERSIONS_KEPT]
    with pytest.raises(NotFound, match="kept no more"):
        await states.history.version(VIEWER, UUID, 1)


async def test_what_is_wrong_with_a_draft_is_told_and_nothing_is_kept(states: States) -> None:
    """§12.1 item 27."""
    await states.enrol()
    service = {"serviceName": "a", "imageName": "a:1", "config": {"ports": ["8080:80/udp"]}}
    with pytest.raises(Invalid) as refusal:
        await states.desired.replace_draft(MANAGER, UUID, apps={"1": {"appName": "a", "services": [service]}})
    assert list(refusal.value.fields) == ["apps.1.services[0].config.ports[0]"]
    assert not (await states.desired.view(MANAGER, UUID)).needs_deployment


async def test_a_draft_that_changes_nothing_is_kept_with_a_word_about_it(states: States) -> None:
    """G-05: whatever is deployed puts scheduled restarts off."""
    await states.enrol()
    seen = await states.desired.view(MANAGER, UUID)
    target = await states.desired.replace_draft(MANAGER, UUID, config=seen.content.config)
    assert target.needs_deployment
    assert ["puts scheduled restarts off" in caution.message for caution in target.cautions] == [True]


async def test_a_template_that_makes_agents_loop_is_passed_over(states: States) -> None:
    async with states.transactions.begin() as tx:
        service = {"serviceName": "a", "imageName": "a:1", "config": {"volumes": ["./a:/b"]}}
        template = {"apps": {"1": {"appName": "a", "services": [service]}}}
        await states.settings.put(tx, "default_target_state_template", template)
    await states.enrol()
    assert await served_apps(states) == {}
