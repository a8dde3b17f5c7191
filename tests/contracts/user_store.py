"""What every store of people promises. Subclasses give `store`."""

import pytest
from attrs import evolve

from core.access import User, UserStore
from core.actor import Role
from core.errors import Conflict, NotFound
from core.ids import UserId
from core.transactions import Transactions
from tests.support.clock import NOON


def a_user(username: str = "anna", role: Role = Role.VIEWER, *, is_active: bool = True) -> User:
    """An account, not yet stored."""
    return User(username=username, email=f"{username}@example.com", role=role, is_active=is_active, created_at=NOON)


class UserStoreContract:
    """The tests."""

    async def test_an_account_comes_back_as_it_was_saved(self, store: UserStore, transactions: Transactions) -> None:
        async with transactions.begin() as tx:
            added = await store.add(tx, evolve(a_user(), full_name="Anna Ä."), "verifier")
        assert added.id > 0
        async with transactions.read() as tx:
            assert await store.get(tx, added.id) == added
            assert await store.all(tx) == [added]

    async def test_numbers_are_never_given_again(self, store: UserStore, transactions: Transactions) -> None:
        async with transactions.begin() as tx:
            first = await store.add(tx, a_user(), "verifier")
            await store.remove(tx, first.id)
            assert (await store.add(tx, a_user(), "verifier")).id > first.id

    async def test_what_is_not_there_is_not_found(self, store: UserStore, transactions: Transactions) -> None:
        nobody = UserId(4711)
        async with transactions.begin() as tx:
            assert await store.credentials(tx, nobody) is None
            assert await store.known_as(tx, "nobody") is None
            for act in (
                store.get(tx, nobody),
                store.remove(tx, nobody),
                store.save(tx, evolve(a_user(), id=nobody, revision=2)),
            ):
                with pytest.raises(NotFound):
                    await act

    async def test_one_is_known_by_username_and_e_mail(self, store: UserStore, transactions: Transactions) -> None:
        async with transactions.begin() as tx:
            anna = await store.add(tx, a_user(), "verifier of anna")
            await store.add(tx, a_user("bert"), "verifier of bert")
        async with transactions.read() as tx:
            for name in ("anna", "anna@example.com"):
                found = await store.known_as(tx, name)
                assert found is not None
                assert (found.user, found.password_hash) == (anna, "verifier of anna")

    @pytest.mark.parametrize("field", ["username", "email"])
    async def test_what_is_taken_is_a_conflict_that_names_it(
        self, store: UserStore, transactions: Transactions, field: str
    ) -> None:
        async with transactions.begin() as tx:
            await store.add(tx, a_user(), "verifier")
        other = evolve(a_user("bert"), **{field: getattr(a_user(), field)})
        with pytest.raises(Conflict, match=field):
            async with transactions.begin() as tx:
                await store.add(tx, other, "verifier")

    async def test_an_e_mail_that_is_taken_cannot_be_changed_to(
        self, store: UserStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            await store.add(tx, a_user(), "verifier")
            bert = await store.add(tx, a_user("bert"), "verifier")
        with pytest.raises(Conflict, match="email"):
            async with transactions.begin() as tx:
                await store.save(tx, evolve(bert, email="anna@example.com", revision=2))

    async def test_a_change_of_an_old_revision_is_a_conflict(
        self, store: UserStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            added = await store.add(tx, a_user(), "verifier")
            again = evolve(added, role=Role.ADMIN, is_active=False, revision=2)
            await store.save(tx, again)
            assert await store.get(tx, added.id) == again
            with pytest.raises(Conflict):
                await store.save(tx, evolve(added, role=Role.OWNER, revision=2))

    async def test_a_new_password_and_a_login_make_no_new_revision(
        self, store: UserStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            added = await store.add(tx, a_user(), "verifier")
            await store.set_password(tx, added.id, "another")
            await store.logged_in(tx, added.id, NOON)
            found = await store.credentials(tx, added.id)
        assert found is not None
        assert (found.user, found.password_hash) == (evolve(added, last_login_at=NOON), "another")

    async def test_only_active_owners_are_counted(self, store: UserStore, transactions: Transactions) -> None:
        async with transactions.begin() as tx:
            assert await store.is_empty(tx)
            assert await store.count_owners(tx) == 0
            await store.add(tx, a_user("anna", Role.OWNER), "verifier")
            await store.add(tx, a_user("bert", Role.OWNER, is_active=False), "verifier")
            await store.add(tx, a_user("carla", Role.ADMIN), "verifier")
            assert await store.count_owners(tx) == 1
            assert not await store.is_empty(tx)
