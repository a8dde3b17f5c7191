"""People who change what a device shall run at the same moment."""

from typing import Any

import pytest

from core.actor import SYSTEM
from core.applications import ApplicationChange, IdKind, NewApplication
from core.errors import Conflict, Invalid
from tests.support.races import Together, done, refused
from tests.support.states import UUID, States


def an_app(number: int) -> dict[str, Any]:
    """An app of one service."""
    service = {"serviceId": number, "serviceName": "web", "imageName": "nginx:alpine"}
    return {"appId": number, "appName": f"app-{number}", "services": [service]}


async def test_apps_that_are_added_at_once_are_all_in_the_draft(states: States, transactions: Together) -> None:
    await states.enrol()
    adding = (states.apps.add(SYSTEM, UUID, an_app(1000 + number)) for number in range(6))
    outcomes = await transactions.outcomes(*adding)
    assert refused(outcomes) == []
    assert len((await states.desired.view(SYSTEM, UUID)).content.apps) == 6


async def test_no_edit_is_lost_to_a_deployment_at_the_same_moment(states: States, transactions: Together) -> None:
    await states.enrol()
    await states.apps.add(SYSTEM, UUID, an_app(1001))
    adding, deploying = states.apps.add(SYSTEM, UUID, an_app(1002)), states.desired.deploy(SYSTEM, UUID)
    outcomes = await transactions.outcomes(adding, deploying)
    assert refused(outcomes) == []
    assert set((await states.desired.view(SYSTEM, UUID)).content.apps) == {"1001", "1002"}


async def test_a_draft_is_deployed_once(states: States, transactions: Together) -> None:
    await states.enrol()
    await states.apps.add(SYSTEM, UUID, an_app(1001))
    outcomes = await transactions.outcomes(*(states.desired.deploy(SYSTEM, UUID) for _ in range(4)))
    assert (done(outcomes), refused(outcomes)) == (1, [Invalid])
    assert (await states.desired.view(SYSTEM, UUID)).deployed.version == 2


async def test_a_draft_is_deployed_or_cancelled(states: States, transactions: Together) -> None:
    await states.enrol()
    await states.apps.add(SYSTEM, UUID, an_app(1001))
    outcomes = await transactions.outcomes(states.desired.deploy(SYSTEM, UUID), states.desired.cancel(SYSTEM, UUID))
    assert (done(outcomes), refused(outcomes)) == (1, [Invalid])


async def test_apps_that_are_deployed_at_once_are_all_deployed(states: States, transactions: Together) -> None:
    await states.enrol()
    for number in range(4):
        await states.apps.add(SYSTEM, UUID, an_app(1000 + number))
    deploying = (states.apps.deploy(SYSTEM, UUID, 1000 + number) for number in range(4))
    assert refused(await transactions.outcomes(*deploying)) == []
    target = await states.desired.view(SYSTEM, UUID)
    assert (target.deployed.version, len(target.deployed.content.apps)) == (5, 4)


async def test_versions_brought_back_at_once_follow_each_other(states: States, transactions: Together) -> None:
    await states.enrol()
    outcomes = await transactions.outcomes(*(states.history.deploy_again(SYSTEM, UUID, 1) for _ in range(3)))
    assert sorted(each.version for each in outcomes) == [2, 3, 4]


async def test_numbers_are_given_out_once(states: States, transactions: Together) -> None:
    calls = (states.applications.next_id(SYSTEM, IdKind.APP, "web", metadata={}) for _ in range(8))
    numbers = [issued.id for issued in await transactions.outcomes(*calls)]
    assert sorted(numbers) == list(range(1000, 1008))


async def test_changes_of_an_application_are_all_kept(states: States, transactions: Together) -> None:
    added = await states.applications.add(SYSTEM, NewApplication(appName="web", slug="web"))
    changes = ApplicationChange(appName="Web"), ApplicationChange(description="pages")
    await transactions.outcomes(*(states.applications.change(SYSTEM, added.app_id, change) for change in changes))
    after = await states.applications.get(SYSTEM, added.app_id)
    assert (after.app_name, after.description) == ("Web", "pages")


async def test_a_slug_is_given_once(states: States, transactions: Together) -> None:
    wanted = NewApplication(appName="web", slug="web")
    outcomes = await transactions.outcomes(*(states.applications.add(SYSTEM, wanted) for _ in range(3)))
    assert (done(outcomes), refused(outcomes)) == (1, [Conflict])


@pytest.mark.parametrize("edits", [4])
async def test_whole_drafts_that_are_put_at_once_are_one_after_the_other(
    states: States, transactions: Together, edits: int
) -> None:
    await states.enrol()
    putting = (states.desired.replace_draft(SYSTEM, UUID, apps={"1001": an_app(1001)}) for _ in range(edits))
    outcomes = await transactions.outcomes(*putting)
    assert sorted(each.draft.revision for each in outcomes) == list(range(1, edits + 1))
