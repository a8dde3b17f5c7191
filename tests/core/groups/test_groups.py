"""Saved questions, and who answers to them now."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.actor import STRANGER, SYSTEM, Actor, Permission
from core.devices import DEVICE_READ, DEVICE_WRITE, DeviceOrder, DeviceQuery, DeviceStatus, ProvisioningState
from core.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from core.groups import DeviceSelector, Group, GroupCreated, GroupEdit, GroupEdited, GroupRemoved, NewGroup
from core.ids import DeviceUuid, GroupId
from tests.support.states import person
from tests.support.tagging import Tagging

WORD = st.text("abc %_'", min_size=1, max_size=5).filter(str.strip).map(str.strip)
SELECTORS = st.builds(
    DeviceSelector,
    tags=st.dictionaries(st.sampled_from(["site", "line"]), WORD, min_size=1),
    type=st.none() | WORD,
    fleet_id=st.none() | WORD,
    status=st.none() | st.sampled_from(DeviceStatus),
    provisioning=st.none() | st.sampled_from(ProvisioningState),
    online=st.none() | st.booleans(),
    search=st.none() | WORD,
)
UNKNOWN = GroupId(999)


async def a_group(tagging: Tagging, name: str = "g", **question: Any) -> Group:
    wanted = NewGroup(name=name, selector=DeviceSelector.of(question or {"type": "gateway"}))
    return await tagging.groups.create(SYSTEM, wanted)


async def members(tagging: Tagging, group: Group) -> list[DeviceUuid]:
    async with tagging.enrolling.transactions.read() as tx:
        return list(await tagging.groups.members(tx, group.id))


@given(selector=SELECTORS)
def test_a_selector_survives_being_written_down(selector: DeviceSelector) -> None:
    assert DeviceSelector.of(selector.document()) == selector


def test_null_and_empty_are_the_same_as_absent() -> None:
    document: dict[str, object] = {"tags": {}, "type": None, "search": "", "online": False}
    assert DeviceSelector.of(document) == DeviceSelector(online=False)


@pytest.mark.parametrize("document", [{}, {"tags": {}}, {"type": None, "search": ""}, None, [], "type", 7])
def test_a_question_without_conditions_is_refused(document: object) -> None:
    """Whoever forgot to ask does not mean all devices."""
    with pytest.raises(Invalid):
        DeviceSelector.of(document)


@pytest.mark.parametrize(
    "word",
    [
        "uuid",
        "id",
        "Type",
        "fleet_id",
        "status = 'active' OR 1=1 --",
        "tags.site",
        "devices.name",
        "",
        "limit",
        "order",
    ],
)
def test_only_known_words_are_understood(word: str) -> None:
    """§12.4 item 56; §9.6 rule 9: in the original these keys were SQL."""
    with pytest.raises(Invalid) as refusal:
        DeviceSelector.of({"type": "gateway", word: "x"})
    assert set(refusal.value.fields) == {f"query.{word}"}


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("tags", ["site"]),
        ("tags", {"Site": "a"}),
        ("tags", {"site": 4}),
        ("tags", {f"k{n}": "v" for n in range(51)}),
        ("type", 7),
        ("type", {"$ne": ""}),
        ("type", "a\0b"),
        ("search", "x" * 256),
        ("status", "asleep"),
        ("status", True),
        ("provisioningState", ["pending"]),
        ("online", "true"),
        ("online", 1),
    ],
)
def test_a_value_of_the_wrong_sort_is_refused_by_name(word: str, value: object) -> None:
    with pytest.raises(Invalid) as refusal:
        DeviceSelector.of({word: value})
    assert all(name.startswith(f"query.{word}") for name in refusal.value.fields)


async def test_members_are_those_that_answer_to_everything_now(tagging: Tagging) -> None:
    first = await tagging.device({"site": "Roth"}, type="gateway", name="press 1")
    second = await tagging.device({"site": "Roth"}, type="gateway", name="press 2")
    await tagging.device({"site": "Roth"}, type="sensor", name="press 3")
    await tagging.device({"site": "Ulm"}, type="gateway", name="press 4")
    await tagging.device({"site": "Roth"}, type="gateway", name="lathe")
    group = await a_group(tagging, tags={"site": "Roth"}, type="gateway", search="PRESS", fleetId="tests")
    assert await members(tagging, group) == [first, second]
    await tagging.tags.put(SYSTEM, first, "site", "Ulm")
    assert await members(tagging, group) == [second]


async def test_status_connection_and_enrolment_can_be_asked_for(tagging: Tagging) -> None:
    off, alive, released = [await tagging.device() for _ in range(3)]
    await tagging.enrolling.devices.switch(SYSTEM, off, active=False)
    await tagging.enrolling.devices.release(SYSTEM, released)
    tagging.enrolling.liveness.seen(alive)
    await tagging.enrolling.liveness.settle()
    assert await members(tagging, await a_group(tagging, "a", status="inactive")) == [off]
    assert await members(tagging, await a_group(tagging, "b", online=True)) == [alive]
    assert await members(tagging, await a_group(tagging, "c", online=False)) == [off, released]
    assert await members(tagging, await a_group(tagging, "d", provisioningState="released")) == [released]


async def test_what_is_searched_for_is_never_a_pattern(tagging: Tagging) -> None:
    """§12.4 item 56."""
    await tagging.device({"site": "Roth"})
    for probe in ("%", "_", "' OR '1'='1", "x') OR 1=1 --", "*", "\\"):
        assert await members(tagging, await a_group(tagging, f"s{probe}", search=probe)) == []
        assert await members(tagging, await a_group(tagging, f"t{probe}", type=probe)) == []
        assert await members(tagging, await a_group(tagging, f"v{probe}", tags={"site": probe})) == []


async def test_members_are_shown_in_the_order_and_on_the_page_asked_for(tagging: Tagging) -> None:
    for name in ("beta", "gamma", "alpha"):
        await tagging.device({"site": "Roth"}, name=name)
    await tagging.device(name="omega")
    group = await a_group(tagging, tags={"site": "Roth"})
    query = DeviceQuery(order=DeviceOrder.NAME, descending=True, limit=2, search="nothing of this name")
    page = await tagging.groups.page(SYSTEM, group.id, query)
    assert ([overview.device.name for overview in page.items], page.total) == (["gamma", "beta"], 3)


async def test_all_members_are_told_however_many_there_are(tagging: Tagging) -> None:
    """A list shows at most 500 at once; a group has them all."""
    _, secret = await tagging.enrolling.key(max_uses=600)
    for _ in range(501):
        await tagging.enrolling.register(secret)
    assert len(await members(tagging, await a_group(tagging, fleetId="tests"))) == 501


async def test_a_group_is_made_changed_and_removed_and_each_is_told(tagging: Tagging) -> None:
    group = await a_group(tagging, " presses ")
    assert group.name == "presses"
    edit = GroupEdit(name="lathes", selector=DeviceSelector(search="lathe"))
    edited = await tagging.groups.edit(SYSTEM, group.id, edit)
    assert await tagging.groups.get(SYSTEM, group.id) == edited
    assert await tagging.groups.all(SYSTEM) == [edited]
    assert (edited.name, edited.selector, edited.created_at) == ("lathes", edit.selector, group.created_at)
    await tagging.groups.remove(SYSTEM, group.id)
    assert await tagging.groups.all(SYSTEM) == []
    told = [*await tagging.enrolling.events(GroupCreated), *await tagging.enrolling.events(GroupEdited)]
    told += await tagging.enrolling.events(GroupRemoved)
    assert [(event.group_id, event.name) for event in told] == [
        (group.id, "presses"),
        (group.id, "lathes"),
        (group.id, "lathes"),
    ]


async def test_two_groups_cannot_have_the_same_name(tagging: Tagging) -> None:
    await a_group(tagging, "presses")
    other = await a_group(tagging, "lathes")
    with pytest.raises(Conflict):
        await a_group(tagging, "presses")
    with pytest.raises(Conflict):
        await tagging.groups.edit(SYSTEM, other.id, GroupEdit(name="presses"))
    assert (await tagging.groups.get(SYSTEM, other.id)).name == "lathes"


async def test_a_group_that_is_not_there_has_no_members(tagging: Tagging) -> None:
    for attempt in (
        tagging.groups.get(SYSTEM, UNKNOWN),
        tagging.groups.page(SYSTEM, UNKNOWN, DeviceQuery()),
        tagging.groups.remove(SYSTEM, UNKNOWN),
        tagging.groups.edit(SYSTEM, UNKNOWN, GroupEdit(name="a")),
    ):
        with pytest.raises(NotFound):
            await attempt
    async with tagging.enrolling.transactions.read() as tx:
        with pytest.raises(NotFound):
            await tagging.groups.members(tx, UNKNOWN)


async def test_an_edit_of_nothing_and_odd_names_are_refused(tagging: Tagging) -> None:
    group = await a_group(tagging)
    with pytest.raises(Invalid):
        await tagging.groups.edit(SYSTEM, group.id, GroupEdit())
    for wrong in ("", " ", "a\nb", "x" * 101):
        with pytest.raises(Invalid):
            await a_group(tagging, wrong)


Attempt = Callable[[Tagging, Actor], Awaitable[object]]
NEW = NewGroup(name="a", selector=DeviceSelector(online=True))
ATTEMPTS: dict[str, tuple[Permission, Attempt]] = {
    "all": (DEVICE_READ, lambda own, actor: own.groups.all(actor)),
    "get": (DEVICE_READ, lambda own, actor: own.groups.get(actor, UNKNOWN)),
    "page": (DEVICE_READ, lambda own, actor: own.groups.page(actor, UNKNOWN, DeviceQuery())),
    "create": (DEVICE_WRITE, lambda own, actor: own.groups.create(actor, NEW)),
    "edit": (DEVICE_WRITE, lambda own, actor: own.groups.edit(actor, UNKNOWN, GroupEdit(name="a"))),
    "remove": (DEVICE_WRITE, lambda own, actor: own.groups.remove(actor, UNKNOWN)),
}


@pytest.mark.parametrize("name", ATTEMPTS)
async def test_every_operation_needs_its_permission(tagging: Tagging, name: str) -> None:
    needed, attempt = ATTEMPTS[name]
    with pytest.raises(Unauthenticated):
        await attempt(tagging, STRANGER)
    with pytest.raises(Forbidden) as refusal:
        await attempt(tagging, person(*{DEVICE_READ, DEVICE_WRITE} - {needed}))
    assert refusal.value.needed == (needed,)
