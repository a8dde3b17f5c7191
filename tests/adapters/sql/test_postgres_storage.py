"""How much room a PostgreSQL database has, as far as can be told from outside."""

from collections.abc import AsyncIterator

import pytest_asyncio
from sqlalchemy import text

from adapters.sql.postgres import PostgresTransactions
from adapters.sql.postgres_storage import UNSEEN, PostgresStorage
from adapters.sql.signals import LocalSignals

LIMIT = 1024**3
FILL = "INSERT INTO device_logs SELECT n, 'd', now(), now(), false, 'info', repeat('x', 900), false, NULL, NULL, NULL, NULL, NULL, false, false, NULL FROM generate_series(1, 2000) AS n"  # noqa: E501 - one statement


@pytest_asyncio.fixture
async def opened(postgres_url: str) -> AsyncIterator[PostgresTransactions]:
    """A database of the test's own."""
    transactions = PostgresTransactions(postgres_url, LocalSignals())
    yield transactions
    await transactions.close()


async def test_what_is_left_of_the_limit_shrinks_as_the_database_grows(opened: PostgresTransactions) -> None:
    storage = PostgresStorage(opened, most_bytes=LIMIT)
    before = await storage.space()
    async with opened.begin() as tx:
        await tx.run(text(FILL))
    after = await storage.space()
    assert before.limit == after.limit == LIMIT
    assert before.limit_left is not None
    assert after.limit_left is not None
    assert 1_800_000 < before.limit_left - after.limit_left < 6_000_000


async def test_a_database_larger_than_its_limit_has_nothing_left(opened: PostgresTransactions) -> None:
    assert (await PostgresStorage(opened, most_bytes=1000).space()).limit_left == 0


async def test_without_a_limit_there_is_as_much_room_as_the_server_has(opened: PostgresTransactions) -> None:
    space = await PostgresStorage(opened).space()
    assert (space.limit, space.limit_left, space.disk_free) == (None, None, UNSEEN)
