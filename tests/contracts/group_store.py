"""What a store of groups promises."""

from datetime import timedelta

import pytest
from attrs import evolve

from core.devices import DeviceStatus, ProvisioningState
from core.errors import Conflict, NotFound
from core.groups import DeviceSelector, Group, GroupStore
from core.ids import GroupId
from core.transactions import Transactions
from tests.support.clock import NOON

LATER = NOON + timedelta(seconds=1)
FULL = DeviceSelector(
    tags={"site": "Roth", "line": "4"},
    type="gateway",
    fleet_id="plant",
    status=DeviceStatus.ACTIVE,
    provisioning=ProvisioningState.REGISTERED,
    online=False,
    search="press",
)


def a_group(**fields: object) -> Group:
    """A group of presses."""
    plain: dict[str, object] = {
        "name": "presses",
        "selector": DeviceSelector(search="press"),
        "created_at": NOON,
        "created_by": "system",
        "updated_at": NOON,
    }
    return Group(**(plain | fields))  # type: ignore[arg-type]


class GroupStoreContract:
    """The tests."""

    @pytest.mark.parametrize("selector", [FULL, DeviceSelector(online=False)], ids=["full", "bare"])
    async def test_a_group_comes_back_as_it_was_added(
        self, store: GroupStore, transactions: Transactions, selector: DeviceSelector
    ) -> None:
        group = a_group(selector=selector, description="all of them")
        async with transactions.begin() as tx:
            added = await store.add(tx, group)
            assert added.id > 0
            assert added == evolve(group, id=added.id)
            assert await store.get(tx, added.id) == added

    async def test_groups_are_listed_by_name(self, store: GroupStore, transactions: Transactions) -> None:
        async with transactions.begin() as tx:
            for name in ("b", "c", "a"):
                await store.add(tx, a_group(name=name))
            assert [group.name for group in await store.all(tx)] == ["a", "b", "c"]

    async def test_a_saved_group_keeps_its_number_and_beginning(
        self, store: GroupStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            added = await store.add(tx, a_group())
            changed = evolve(added, name="others", description="d", selector=FULL, updated_at=LATER)
            await store.save(tx, changed)
            assert await store.get(tx, added.id) == changed

    async def test_a_name_is_given_once(self, store: GroupStore, transactions: Transactions) -> None:
        async with transactions.begin() as tx:
            await store.add(tx, a_group())
            other = await store.add(tx, a_group(name="others"))
        for attempt in (store.add, store.save):
            with pytest.raises(Conflict):
                async with transactions.begin() as tx:
                    await attempt(tx, evolve(other, name="presses"))

    async def test_an_unknown_group_is_not_found(self, store: GroupStore, transactions: Transactions) -> None:
        async with transactions.begin() as tx:
            added = await store.add(tx, a_group())
            await store.remove(tx, added.id)
            for operation in (store.get, store.remove):
                for unknown in (added.id, GroupId(2**62)):
                    with pytest.raises(NotFound):
                        await operation(tx, unknown)
