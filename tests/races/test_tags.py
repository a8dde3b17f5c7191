"""People who tag devices, and change definitions and groups, at the same moment."""

from core.actor import SYSTEM
from core.errors import Conflict, NotFound
from core.groups import DeviceSelector, GroupEdit, NewGroup
from core.ids import DeviceUuid
from core.provisioning import ExpectedDevice
from core.tags import TagDefinitionEdit
from tests.support.enrolment import a_registration
from tests.support.races import Together, done, refused
from tests.support.tagging import Tagging


async def test_of_two_sets_of_tags_one_whole_set_stays(tagging: Tagging, transactions: Together) -> None:
    uuid = await tagging.device({"old": "x"})
    sets = {"a": "1"}, {"b": "2"}
    outcomes = await transactions.outcomes(*(tagging.tags.replace(SYSTEM, uuid, tags) for tags in sets))
    assert refused(outcomes) == []
    assert await tagging.tags.of(SYSTEM, uuid) in sets


async def test_tags_that_are_put_at_once_are_all_there(tagging: Tagging, transactions: Together) -> None:
    uuid = await tagging.device()
    await transactions.outcomes(*(tagging.tags.put(SYSTEM, uuid, f"key{number}", "x") for number in range(6)))
    assert len(await tagging.tags.of(SYSTEM, uuid)) == 6


async def test_many_devices_are_tagged_at_once_in_any_order(tagging: Tagging, transactions: Together) -> None:
    uuids = [await tagging.device() for _ in range(12)]
    calls = [
        tagging.tags.apply(SYSTEM, order, {"site": str(number)})
        for number, order in enumerate((uuids, uuids[::-1], uuids[6:] + uuids[:6]))
    ]
    assert refused(await transactions.outcomes(*calls)) == []
    tags = [(await tagging.tags.of(SYSTEM, uuid))["site"] for uuid in uuids]
    assert len(set(tags)) == 1


async def test_a_tag_that_is_put_while_the_device_takes_its_place_is_there_or_refused(
    tagging: Tagging, transactions: Together
) -> None:
    expected = await tagging.enrolling.preregistrations.create(SYSTEM, ExpectedDevice(name="pump"))
    wanted = a_registration()
    put = tagging.tags.put(SYSTEM, expected.device.uuid, "site", "berlin")
    tagged, _ = await transactions.outcomes(put, tagging.enrolling.register(expected.token, wanted))
    there = await tagging.tags.of(SYSTEM, DeviceUuid(wanted.uuid))
    assert there == ({} if isinstance(tagged, NotFound) else {"site": "berlin"})


async def test_changes_of_a_definition_are_all_kept(tagging: Tagging, transactions: Together) -> None:
    await tagging.define("site")
    edits = TagDefinitionEdit(description="where"), TagDefinitionEdit(allowed_values=["berlin"])
    await transactions.outcomes(*(tagging.definitions.edit(SYSTEM, "site", edit) for edit in edits))
    [after] = await tagging.definitions.all(SYSTEM)
    assert (after.description, after.allowed_values) == ("where", ("berlin",))


async def test_changes_of_a_group_are_all_kept(tagging: Tagging, transactions: Together) -> None:
    group = await tagging.groups.create(SYSTEM, NewGroup(name="pumps", selector=DeviceSelector.of({"type": "pump"})))
    edits = GroupEdit(name="all pumps"), GroupEdit(description="of the plant")
    await transactions.outcomes(*(tagging.groups.edit(SYSTEM, group.id, edit) for edit in edits))
    after = await tagging.groups.get(SYSTEM, group.id)
    assert (after.name, after.description) == ("all pumps", "of the plant")


async def test_the_name_of_a_group_is_given_once(tagging: Tagging, transactions: Together) -> None:
    wanted = NewGroup(name="pumps", selector=DeviceSelector.of({"type": "pump"}))
    outcomes = await transactions.outcomes(*(tagging.groups.create(SYSTEM, wanted) for _ in range(3)))
    assert (done(outcomes), refused(outcomes)) == (1, [Conflict])
