"""What people do with tags and their definitions."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from core.actor import STRANGER, SYSTEM, Actor, Permission
from core.devices import DEVICE_READ, DEVICE_WRITE, DeviceQuery
from core.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from core.ids import DeviceUuid
from core.tags import (
    MOST_DEVICES_AT_ONCE,
    SETTINGS_READ,
    SETTINGS_WRITE,
    DeviceTagged,
    NewTagDefinition,
    TagDefinitionCreated,
    TagDefinitionEdit,
    TagDefinitionEdited,
    TagDefinitionRemoved,
)
from tests.support.enrolment import new_uuid
from tests.support.states import person
from tests.support.tagging import Tagging


async def told(tagging: Tagging) -> list[tuple[DeviceUuid, tuple[str, ...], tuple[str, ...]]]:
    events = await tagging.enrolling.events(DeviceTagged)
    return [(event.uuid, event.put, event.removed) for event in events]


async def test_a_tag_is_written_over_the_one_under_the_same_key_and_told_once(tagging: Tagging) -> None:
    uuid = await tagging.device()
    for value in ("Roth", "Roth", " Fürth "):
        await tagging.tags.put(SYSTEM, uuid, "site", value)
    assert await tagging.tags.of(SYSTEM, uuid) == {"site": "Fürth"}
    assert await told(tagging) == [(uuid, ("site=Roth",), ()), (uuid, ("site=Fürth",), ())]


async def test_replacing_leaves_only_what_was_given(tagging: Tagging) -> None:
    uuid = await tagging.device({"site": "Roth", "line": "4"})
    await tagging.tags.replace(SYSTEM, uuid, {"site": "Roth", "floor": "1"})
    assert await tagging.tags.of(SYSTEM, uuid) == {"floor": "1", "site": "Roth"}
    assert (await told(tagging))[-1] == (uuid, ("floor=1",), ("line",))
    await tagging.tags.replace(SYSTEM, uuid, {})
    assert await tagging.tags.of(SYSTEM, uuid) == {}


async def test_a_tag_is_taken_off_once(tagging: Tagging) -> None:
    uuid = await tagging.device({"site": "Roth", "line": "4"})
    await tagging.tags.remove(SYSTEM, uuid, "line")
    assert await tagging.tags.of(SYSTEM, uuid) == {"site": "Roth"}
    with pytest.raises(NotFound):
        await tagging.tags.remove(SYSTEM, uuid, "line")


async def test_definitions_are_asked_about_all_that_is_written(tagging: Tagging) -> None:
    uuid = await tagging.device({"site": "Roth"})
    await tagging.define("site", allowed_values=("Roth", "Ulm"), is_required=True)
    with pytest.raises(Invalid):
        await tagging.tags.put(SYSTEM, uuid, "site", "Paris")
    with pytest.raises(Invalid):
        await tagging.tags.replace(SYSTEM, uuid, {"line": "4"})
    with pytest.raises(Invalid):
        await tagging.tags.apply(SYSTEM, [uuid], {"line": "4", "site": "Paris"})
    with pytest.raises(Conflict):
        await tagging.tags.remove(SYSTEM, uuid, "site")
    assert await tagging.tags.of(SYSTEM, uuid) == {"site": "Roth"}
    await tagging.tags.put(SYSTEM, uuid, "site", "Ulm")


async def test_what_was_written_before_a_definition_stays(tagging: Tagging) -> None:
    uuid = await tagging.device({"site": "Paris"})
    await tagging.define("site", allowed_values=("Roth",))
    await tagging.tags.put(SYSTEM, uuid, "line", "4")
    assert await tagging.tags.of(SYSTEM, uuid) == {"line": "4", "site": "Paris"}


async def test_many_devices_are_tagged_at_once_and_named_twice_they_count_once(tagging: Tagging) -> None:
    first, second = await tagging.device({"site": "Roth"}), await tagging.device()
    assert await tagging.tags.apply(SYSTEM, [first, second, first], {"site": "Roth", "line": "4"}) == 2
    for uuid in (first, second):
        assert await tagging.tags.of(SYSTEM, uuid) == {"line": "4", "site": "Roth"}
    assert (await told(tagging))[1:] == [(first, ("line=4",), ()), (second, ("site=Roth", "line=4"), ())]


async def test_one_device_that_does_not_exist_stops_all_and_is_named(tagging: Tagging) -> None:
    known, unknown = await tagging.device(), [new_uuid(), new_uuid()]
    with pytest.raises(NotFound) as refusal:
        await tagging.tags.apply(SYSTEM, [unknown[0], known, unknown[1]], {"site": "Roth"})
    assert all(uuid in refusal.value.message for uuid in unknown)
    assert known not in refusal.value.message
    assert await tagging.tags.of(SYSTEM, known) == {}
    assert await told(tagging) == []


async def test_one_device_that_would_have_too_many_tags_stops_all(tagging: Tagging) -> None:
    full, other = await tagging.device({f"k{n}": "v" for n in range(50)}), await tagging.device()
    with pytest.raises(Invalid):
        await tagging.tags.apply(SYSTEM, [other, full], {"one-more": "v"})
    assert await tagging.tags.of(SYSTEM, other) == {}


async def test_bulk_has_its_bounds(tagging: Tagging) -> None:
    uuid = await tagging.device()
    wrong: list[tuple[list[DeviceUuid], dict[str, str]]] = [
        ([], {"site": "Roth"}),
        ([new_uuid() for _ in range(MOST_DEVICES_AT_ONCE + 1)], {"site": "Roth"}),
        ([uuid], {}),
        ([uuid], {"Site": "Roth"}),
        ([uuid], {f"k{n}": "v" for n in range(51)}),
    ]
    for uuids, tags in wrong:
        with pytest.raises(Invalid):
            await tagging.tags.apply(SYSTEM, uuids, tags)


async def test_two_who_tag_the_same_device_at_once_both_succeed_and_together_keep_the_bound(tagging: Tagging) -> None:
    uuid = await tagging.device({f"k{n}": "v" for n in range(45)})
    tries = (tagging.tags.put(SYSTEM, uuid, f"n{number}", "v") for number in range(10))
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(outcome, Invalid) for outcome in outcomes) == 5
    assert len(await tagging.tags.of(SYSTEM, uuid)) == 50


async def test_devices_are_found_by_all_tags_together(tagging: Tagging) -> None:
    both = await tagging.device({"site": "Roth", "line": "4"})
    await tagging.device({"site": "Roth", "line": "5"})
    await tagging.device({"site": "Ulm", "line": "4"})
    await tagging.device()
    page = await tagging.tags.find(SYSTEM, {"site": "Roth", "line": "4"}, DeviceQuery())
    [found] = page.items
    assert (found.device.uuid, found.tags, page.total) == (both, {"line": "4", "site": "Roth"}, 1)
    assert (await tagging.tags.find(SYSTEM, {"site": "roth"}, DeviceQuery())).items == ()
    with pytest.raises(Invalid):
        await tagging.tags.find(SYSTEM, {}, DeviceQuery())


async def test_what_is_in_use_can_be_looked_up(tagging: Tagging) -> None:
    await tagging.device({"site": "Ulm", "line": "4"})
    await tagging.device({"site": "Roth"})
    assert [(use.key, use.devices) for use in await tagging.tags.uses(SYSTEM)] == [("line", 1), ("site", 2)]
    assert await tagging.tags.values(SYSTEM, "site") == ["Roth", "Ulm"]


async def test_an_unknown_device_has_no_tags_to_read_or_write(tagging: Tagging) -> None:
    uuid = new_uuid()
    for attempt in (
        tagging.tags.of(SYSTEM, uuid),
        tagging.tags.put(SYSTEM, uuid, "site", "Roth"),
        tagging.tags.replace(SYSTEM, uuid, {}),
        tagging.tags.remove(SYSTEM, uuid, "site"),
    ):
        with pytest.raises(NotFound):
            await attempt


async def test_a_definition_is_made_changed_and_removed_and_each_is_told(tagging: Tagging) -> None:
    await tagging.define("site", allowed_values=("Roth",))
    with pytest.raises(Conflict):
        await tagging.define("site")
    edited = await tagging.definitions.edit(SYSTEM, "site", TagDefinitionEdit(is_required=True))
    assert (edited.allowed_values, edited.is_required) == (("Roth",), True)
    assert await tagging.definitions.all(SYSTEM) == [edited]
    await tagging.definitions.remove(SYSTEM, "site")
    for kind in (TagDefinitionCreated, TagDefinitionEdited, TagDefinitionRemoved):
        assert [event.tag for event in await tagging.enrolling.events(kind)] == ["site"]
    for attempt in (
        tagging.definitions.remove(SYSTEM, "site"),
        tagging.definitions.edit(SYSTEM, "site", TagDefinitionEdit(is_required=True)),
    ):
        with pytest.raises(NotFound):
            await attempt


async def test_a_definition_stays_while_a_device_has_the_tag(tagging: Tagging) -> None:
    uuid = await tagging.device({"site": "Roth"})
    await tagging.define("site")
    with pytest.raises(Conflict):
        await tagging.definitions.remove(SYSTEM, "site")
    assert len(await tagging.definitions.all(SYSTEM)) == 1
    await tagging.tags.remove(SYSTEM, uuid, "site")
    await tagging.definitions.remove(SYSTEM, "site")


Attempt = Callable[[Tagging, Actor], Awaitable[object]]
ATTEMPTS: dict[str, tuple[Permission, Attempt]] = {
    "of": (DEVICE_READ, lambda own, actor: own.tags.of(actor, new_uuid())),
    "find": (DEVICE_READ, lambda own, actor: own.tags.find(actor, {"a": "b"}, DeviceQuery())),
    "uses": (DEVICE_READ, lambda own, actor: own.tags.uses(actor)),
    "values": (DEVICE_READ, lambda own, actor: own.tags.values(actor, "a")),
    "put": (DEVICE_WRITE, lambda own, actor: own.tags.put(actor, new_uuid(), "a", "b")),
    "replace": (DEVICE_WRITE, lambda own, actor: own.tags.replace(actor, new_uuid(), {})),
    "remove": (DEVICE_WRITE, lambda own, actor: own.tags.remove(actor, new_uuid(), "a")),
    "apply": (DEVICE_WRITE, lambda own, actor: own.tags.apply(actor, [new_uuid()], {"a": "b"})),
    "definitions": (SETTINGS_READ, lambda own, actor: own.definitions.all(actor)),
    "define": (SETTINGS_WRITE, lambda own, actor: own.definitions.create(actor, NewTagDefinition(key="a"))),
    "edit": (SETTINGS_WRITE, lambda own, actor: own.definitions.edit(actor, "a", TagDefinitionEdit(is_required=True))),
    "undefine": (SETTINGS_WRITE, lambda own, actor: own.definitions.remove(actor, "a")),
}


@pytest.mark.parametrize("name", ATTEMPTS)
async def test_every_operation_needs_its_permission(tagging: Tagging, name: str) -> None:
    needed, attempt = ATTEMPTS[name]
    others = {DEVICE_READ, DEVICE_WRITE, SETTINGS_READ, SETTINGS_WRITE} - {needed}
    with pytest.raises(Unauthenticated):
        await attempt(tagging, STRANGER)
    with pytest.raises(Forbidden) as refusal:
        await attempt(tagging, person(*others))
    assert refusal.value.needed == (needed,)
