"""What a store of tags and a store of their definitions promise."""

from datetime import timedelta

import pytest
from attrs import evolve

from core.devices import DeviceStore
from core.errors import Conflict, NotFound
from core.ids import DeviceUuid
from core.tags import TagDefinition, TagDefinitionStore, TagStore, TagUse
from core.transactions import Transactions
from tests.support.clock import NOON
from tests.support.enrolment import a_device, new_uuid

LATER = NOON + timedelta(seconds=1)


def a_definition(**fields: object) -> TagDefinition:
    """A definition of `site`."""
    plain: dict[str, object] = {"key": "site", "created_at": NOON, "created_by": "system", "updated_at": NOON}
    return TagDefinition(**(plain | fields))  # type: ignore[arg-type]


class TagStoreContract:
    """The tests for tags."""

    @pytest.fixture
    async def uuids(self, devices: DeviceStore, transactions: Transactions) -> list[DeviceUuid]:
        """Three devices."""
        async with transactions.begin() as tx:
            return [(await devices.add(tx, a_device())).uuid for _ in range(3)]

    async def test_tags_come_back_as_they_were_put_and_devices_without_are_left_out(
        self, store: TagStore, transactions: Transactions, uuids: list[DeviceUuid]
    ) -> None:
        first, second, _ = uuids
        async with transactions.begin() as tx:
            await store.put(tx, {first: {"site": "Nürnberg 七", "line": "4"}, second: {"site": "Roth"}}, NOON)
            tags = await store.of(tx, uuids)
            assert tags == {first: {"line": "4", "site": "Nürnberg 七"}, second: {"site": "Roth"}}
            assert await store.of(tx, [second]) == {second: {"site": "Roth"}}
            assert await store.of(tx, []) == {}

    async def test_a_tag_is_put_over_the_one_under_the_same_key(
        self, store: TagStore, transactions: Transactions, uuids: list[DeviceUuid]
    ) -> None:
        async with transactions.begin() as tx:
            await store.put(tx, {uuids[0]: {"site": "a", "line": "1"}}, NOON)
            await store.put(tx, {uuids[0]: {"site": "b"}, uuids[1]: {}}, LATER)
            assert await store.of(tx, uuids) == {uuids[0]: {"line": "1", "site": "b"}}

    async def test_keys_are_taken_off_one_device_only(
        self, store: TagStore, transactions: Transactions, uuids: list[DeviceUuid]
    ) -> None:
        async with transactions.begin() as tx:
            await store.put(tx, {uuid: {"site": "a", "line": "1"} for uuid in uuids[:2]}, NOON)
            await store.remove(tx, uuids[0], ["site", "unknown"])
            await store.remove(tx, uuids[1], [])
            assert await store.of(tx, uuids) == {uuids[0]: {"line": "1"}, uuids[1]: {"line": "1", "site": "a"}}

    async def test_tags_go_with_their_device(
        self, store: TagStore, devices: DeviceStore, transactions: Transactions, uuids: list[DeviceUuid]
    ) -> None:
        async with transactions.begin() as tx:
            await store.put(tx, {uuids[0]: {"site": "a"}}, NOON)
            await devices.remove(tx, uuids[0])
            assert await store.of(tx, uuids) == {}
            assert not await store.is_used(tx, "site")

    async def test_tags_come_along_when_their_device_is_known_by_another_uuid(
        self, store: TagStore, devices: DeviceStore, transactions: Transactions, uuids: list[DeviceUuid]
    ) -> None:
        new = new_uuid()
        async with transactions.begin() as tx:
            await store.put(tx, {uuids[0]: {"site": "a"}, uuids[1]: {"site": "b"}}, NOON)
            await devices.rename(tx, uuids[0], new)
            assert await store.of(tx, [*uuids, new]) == {new: {"site": "a"}, uuids[1]: {"site": "b"}}

    async def test_a_device_that_is_not_there_cannot_be_tagged(
        self, store: TagStore, transactions: Transactions
    ) -> None:
        with pytest.raises(NotFound):
            async with transactions.begin() as tx:
                await store.put(tx, {new_uuid(): {"site": "a"}}, NOON)

    async def test_what_is_in_use_is_counted_and_listed_in_order(
        self, store: TagStore, transactions: Transactions, uuids: list[DeviceUuid]
    ) -> None:
        first, second, third = uuids
        async with transactions.begin() as tx:
            await store.put(tx, {first: {"site": "b"}, second: {"site": "a", "line": "1"}, third: {"site": "b"}}, NOON)
            assert await store.uses(tx) == [TagUse(key="line", devices=1), TagUse(key="site", devices=3)]
            assert await store.values(tx, "site") == ["a", "b"]
            assert await store.values(tx, "unknown") == []
            assert (await store.is_used(tx, "site"), await store.is_used(tx, "unknown")) == (True, False)


class TagDefinitionStoreContract:
    """The tests for definitions."""

    async def test_a_definition_comes_back_as_it_was_added(
        self, store: TagDefinitionStore, transactions: Transactions
    ) -> None:
        full = a_definition(description="where", allowed_values=("b", "a"), is_required=True)
        async with transactions.begin() as tx:
            added = await store.add(tx, full)
            bare = await store.add(tx, a_definition(key="line"))
            assert added.id > 0
            assert added == evolve(full, id=added.id)
            assert await store.get(tx, "site") == added
            assert await store.all(tx) == [bare, added]

    async def test_a_key_is_defined_once(self, store: TagDefinitionStore, transactions: Transactions) -> None:
        async with transactions.begin() as tx:
            await store.add(tx, a_definition())
        with pytest.raises(Conflict):
            async with transactions.begin() as tx:
                await store.add(tx, a_definition(description="another"))

    async def test_a_saved_definition_keeps_its_number_and_beginning(
        self, store: TagDefinitionStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            added = await store.add(tx, a_definition())
            changed = evolve(added, description="d", allowed_values=("x",), is_required=True, updated_at=LATER)
            await store.save(tx, changed)
            assert await store.get(tx, "site") == changed

    async def test_an_unknown_definition_is_not_found(
        self, store: TagDefinitionStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            await store.add(tx, a_definition())
            await store.remove(tx, "site")
            for operation in (store.get, store.remove):
                with pytest.raises(NotFound):
                    await operation(tx, "site")
