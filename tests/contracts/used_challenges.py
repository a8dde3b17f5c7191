"""What a memory of used challenges promises."""

import asyncio
from datetime import timedelta
from uuid import uuid4

from core.provisioning import Challenge, UsedChallenges
from core.transactions import Transactions
from tests.support.clock import NOON
from tests.support.enrolment import new_uuid


def a_challenge(minutes: int = 10) -> Challenge:
    """A challenge that is good for that long."""
    return Challenge(text=str(uuid4()), uuid=new_uuid(), fingerprint="ab", expires_at=NOON + timedelta(minutes=minutes))


class UsedChallengesContract:
    """The tests."""

    async def test_a_challenge_is_used_once(self, store: UsedChallenges, transactions: Transactions) -> None:
        one, other = a_challenge(), a_challenge()
        async with transactions.begin() as tx:
            assert await store.use(tx, one, NOON)
            assert not await store.use(tx, one, NOON)
            assert await store.use(tx, other, NOON)
        async with transactions.begin() as tx:
            assert not await store.use(tx, one, NOON)

    async def test_of_many_that_use_it_at_once_one_is_the_first(
        self, store: UsedChallenges, transactions: Transactions
    ) -> None:
        challenge = a_challenge()

        async def use() -> bool:
            async with transactions.begin() as tx:
                return await store.use(tx, challenge, NOON)

        assert (await asyncio.gather(*(use() for _ in range(16)))).count(True) == 1

    async def test_only_the_expired_are_forgotten(self, store: UsedChallenges, transactions: Transactions) -> None:
        short, long = a_challenge(10), a_challenge(11)
        async with transactions.begin() as tx:
            await store.use(tx, short, NOON)
            await store.use(tx, long, NOON)
            assert await store.forget_expired(tx, NOON + timedelta(minutes=10)) == 1
            assert await store.use(tx, short, NOON)
            assert not await store.use(tx, long, NOON)
