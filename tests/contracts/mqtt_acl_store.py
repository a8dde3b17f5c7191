"""What a store of the broker's rights promises. Subclasses give `acls` and `users`."""

import pytest
from attrs import evolve

from core.errors import Conflict, NotFound
from core.mqtt import AclRow, MqttAclId, MqttAclStore, MqttUserStore
from core.transactions import Transactions
from tests.contracts.mqtt_user_store import an_account
from tests.support.clock import NOON


def a_row(username: str = "anna", topic: str = "a", access: int = 1, *, deny: bool = False) -> AclRow:
    """A right, not yet stored."""
    return AclRow(username=username, topic=topic, access=access, deny=deny, priority=-3, created_at=NOON)


class MqttAclStoreContract:
    """The tests."""

    async def test_a_row_comes_back_as_it_was_saved(
        self, acls: MqttAclStore, users: MqttUserStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            await users.add(tx, an_account(), "verifier")
            added = await acls.add(tx, a_row(deny=True))
            assert added == evolve(a_row(deny=True), id=added.id)
            assert await acls.get(tx, added.id) == added
            changed = evolve(added, topic="%u/#", access=7, priority=9, deny=False)
            await acls.save(tx, changed)
            assert await acls.get(tx, added.id) == changed

    async def test_rows_of_several_accounts_come_in_the_order_in_which_they_were_added(
        self, acls: MqttAclStore, users: MqttUserStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            for name in ("anna", "bert", "carl"):
                await users.add(tx, an_account(name), "verifier")
            rows = [await acls.add(tx, a_row(name, topic)) for topic in "ba" for name in ("bert", "anna", "carl")]
            assert await acls.of(tx, ["anna", "bert", "nobody"]) == [row for row in rows if row.username != "carl"]
            assert await acls.of(tx, []) == []

    async def test_of_rows_that_say_the_same_there_is_one(
        self, acls: MqttAclStore, users: MqttUserStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            for name in ("anna", "bert"):
                await users.add(tx, an_account(name), "verifier")
            await acls.add(tx, a_row())
            await acls.add(tx, a_row("bert"))
            other = await acls.add(tx, a_row(deny=True))
        for act in (lambda tx: acls.add(tx, a_row()), lambda tx: acls.save(tx, evolve(other, deny=False))):
            with pytest.raises(Conflict):
                async with transactions.begin() as tx:
                    await act(tx)

    async def test_rows_go_with_their_account(
        self, acls: MqttAclStore, users: MqttUserStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            user = await users.add(tx, an_account(), "verifier")
            await acls.add(tx, a_row())
            await users.remove(tx, user.id)
            assert await acls.of(tx, ["anna"]) == []

    async def test_what_is_not_there_is_not_found(
        self, acls: MqttAclStore, users: MqttUserStore, transactions: Transactions
    ) -> None:
        nothing = MqttAclId(4711)
        async with transactions.begin() as tx:
            await users.add(tx, an_account(), "verifier")
            gone = await acls.add(tx, a_row())
            await acls.remove(tx, gone.id)
            for act in (
                acls.get(tx, gone.id),
                acls.remove(tx, gone.id),
                acls.save(tx, evolve(a_row(), id=nothing)),
            ):
                with pytest.raises(NotFound):
                    await act
