"""What every store of sessions promises. Subclasses give `store` and `users`."""

from datetime import timedelta

from core.access import Session, SessionStore, User, UserStore
from core.ids import SessionId
from core.transactions import Transaction, Transactions
from tests.contracts.user_store import a_user
from tests.support.clock import NOON


def a_session(user: User, number: int = 0, *, days: int = 7) -> Session:
    """A session, begun as many minutes after noon as its number."""
    begun = NOON + timedelta(minutes=number)
    return Session(
        id=SessionId(f"session-{user.username}-{number}"),
        user_id=user.id,
        digest=f"digest {number}",
        created_at=begun,
        expires_at=begun + timedelta(days=days),
        address="198.51.100.7",
        user_agent="a browser",
    )


class SessionStoreContract:
    """The tests."""

    async def _two(self, users: UserStore, tx: Transaction) -> tuple[User, User]:
        return await users.add(tx, a_user("anna"), "verifier"), await users.add(tx, a_user("bert"), "verifier")

    async def test_a_session_stands_until_it_is_ended(
        self, store: SessionStore, users: UserStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            anna, _ = await self._two(users, tx)
            session = a_session(anna)
            await store.add(tx, session)
            assert await store.standing(tx, session.id) == (session, anna)
            assert await store.end(tx, session.id)
            assert await store.standing(tx, session.id) is None
            assert not await store.end(tx, session.id)

    async def test_all_sessions_of_one_person_end_and_those_of_others_stand(
        self, store: SessionStore, users: UserStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            anna, bert = await self._two(users, tx)
            for number in range(3):
                await store.add(tx, a_session(anna, number))
                await store.add(tx, a_session(bert, number))
            ended = await store.end_all(tx, anna.id)
            assert sorted(ended) == ["session-anna-0", "session-anna-1", "session-anna-2"]
            assert await store.standing(tx, SessionId("session-bert-0")) is not None
            assert await store.end_all(tx, anna.id) == []

    async def test_the_newest_sessions_can_be_spared(
        self, store: SessionStore, users: UserStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            anna, _ = await self._two(users, tx)
            for number in range(5):
                await store.add(tx, a_session(anna, number))
            assert sorted(await store.end_all(tx, anna.id, but_newest=3)) == ["session-anna-0", "session-anna-1"]

    async def test_sessions_go_with_their_person(
        self, store: SessionStore, users: UserStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            anna, _ = await self._two(users, tx)
            await store.add(tx, a_session(anna))
            await users.remove(tx, anna.id)
            assert await store.standing(tx, SessionId("session-anna-0")) is None

    async def test_only_sessions_whose_time_is_over_are_forgotten(
        self, store: SessionStore, users: UserStore, transactions: Transactions
    ) -> None:
        async with transactions.begin() as tx:
            anna, bert = await self._two(users, tx)
            await store.add(tx, a_session(anna, days=1))
            await store.add(tx, a_session(bert, days=2))
            assert await store.end_expired(tx, NOON + timedelta(days=1)) == 1
            assert await store.standing(tx, SessionId("session-bert-0")) is not None
