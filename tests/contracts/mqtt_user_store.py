"""What a store of accounts promises to those who look after them. Subclasses give `users`, `accounts`, `acls`."""

import pytest
from attrs import evolve

from core.devices import DeviceStatus, DeviceStore
from core.errors import Conflict, NotFound
from core.mqtt import (
    AclRow,
    MqttAccount,
    MqttAccountStore,
    MqttAclStore,
    MqttUser,
    MqttUserId,
    MqttUserStore,
    PasswordKind,
)
from core.transactions import Transactions
from tests.support.clock import NOON
from tests.support.enrolment import a_device


def an_account(username: str = "anna", *, is_superuser: bool = False) -> MqttUser:
    """An account, not yet stored."""
    return MqttUser(username=username, is_superuser=is_superuser, created_at=NOON, updated_at=NOON)


class MqttUserStoreContract:
    """The tests."""

    async def test_an_account_comes_back_with_a_number(self, users: MqttUserStore, transactions: Transactions) -> None:
        async with transactions.begin() as tx:
            added = await users.add(tx, an_account(is_superuser=True), "verifier")
            assert added == evolve(an_account(is_superuser=True), id=added.id)
            assert await users.get(tx, added.id) == added
            assert await users.named(tx, "anna") == added
            assert await users.named(tx, "Anna") is None

    async def test_the_brokers_questions_see_the_same_account(
        self,
        users: MqttUserStore,
        accounts: MqttAccountStore,
        acls: MqttAclStore,
        transactions: Transactions,
    ) -> None:
        async with transactions.begin() as tx:
            user = await users.add(tx, an_account(), "verifier")
            row = await acls.add(tx, AclRow(username="anna", topic="a/#", access=3, created_at=NOON))
            account = MqttAccount(
                username="anna", digest="verifier", kind=PasswordKind.BCRYPT, is_active=True, granted=(row.rule,)
            )
            assert await accounts.get(tx, "anna") == account
            await users.save(tx, evolve(user, is_active=False, is_superuser=True), "another")
            changed = evolve(account, digest="another", is_active=False, is_superuser=True)
            assert await accounts.get(tx, "anna") == changed
            await users.save(tx, user)
            assert (await accounts.get(tx, "anna")).digest == "another"

    async def test_a_name_that_is_taken_is_a_conflict(self, users: MqttUserStore, transactions: Transactions) -> None:
        async with transactions.begin() as tx:
            await users.add(tx, an_account(), "verifier")
        with pytest.raises(Conflict):
            async with transactions.begin() as tx:
                await users.add(tx, an_account(), "verifier")

    async def test_pages_have_people_first_and_the_total(
        self,
        users: MqttUserStore,
        accounts: MqttAccountStore,
        devices: DeviceStore,
        transactions: Transactions,
    ) -> None:
        async with transactions.begin() as tx:
            device = await devices.add(tx, a_device())
            await accounts.put(tx, MqttAccount(username="a", digest="x", is_active=True, device_uuid=device.uuid), NOON)
            for name in ("zoe", "bert"):
                await users.add(tx, an_account(name), "verifier")
            first = await users.page(tx, limit=2, offset=0)
            second = await users.page(tx, limit=2, offset=2)
            await devices.save(tx, device.changed(NOON, status=DeviceStatus.INACTIVE))
            [its] = (await users.page(tx, limit=2, offset=2)).items
        assert ([user.username for user in first.items], first.total) == (["bert", "zoe"], 3)
        assert ([user.device_uuid for user in second.items], second.total) == ([device.uuid], 3)
        assert (second.items[0].is_active, its.is_active) == (True, False)

    async def test_numbers_are_never_given_again(self, users: MqttUserStore, transactions: Transactions) -> None:
        async with transactions.begin() as tx:
            first = await users.add(tx, an_account(), "verifier")
            await users.remove(tx, first.id)
            assert (await users.add(tx, an_account(), "verifier")).id > first.id

    async def test_who_is_not_there_is_not_found(self, users: MqttUserStore, transactions: Transactions) -> None:
        nobody = MqttUserId(4711)
        async with transactions.begin() as tx:
            for act in (
                users.get(tx, nobody),
                users.remove(tx, nobody),
                users.save(tx, evolve(an_account(), id=nobody)),
                users.save(tx, evolve(an_account(), id=nobody), "verifier"),
            ):
                with pytest.raises(NotFound):
                    await act
