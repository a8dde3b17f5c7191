"""Used challenges in SQL."""

import pytest
from sqlalchemy import select

from adapters.sql.enrolment_sessions import SqlUsedChallenges, enrolment_sessions
from adapters.sql.sqlite import SqliteTransactions
from tests.contracts.used_challenges import UsedChallengesContract, a_challenge
from tests.support.clock import NOON


class TestUsedChallenges(UsedChallengesContract):
    """Challenges."""

    @pytest.fixture
    def store(self) -> SqlUsedChallenges:
        """The store."""
        return SqlUsedChallenges()


async def test_the_challenge_itself_is_not_kept(transactions: SqliteTransactions) -> None:
    challenge = a_challenge()
    async with transactions.begin() as tx:
        await SqlUsedChallenges().use(tx, challenge, NOON)
        [row] = await tx.rows(select(enrolment_sessions))
    assert challenge.text not in map(str, row)
