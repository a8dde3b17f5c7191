"""Everything here runs on PostgreSQL, where units of several processes run side by side (READ COMMITTED)."""

from collections.abc import AsyncIterator

import pytest_asyncio

from adapters.sql.postgres import PostgresTransactions
from adapters.sql.signals import LocalSignals
from tests.support.races import Together

CONNECTIONS = 12


@pytest_asyncio.fixture
async def transactions(postgres_url: str, signals: LocalSignals) -> AsyncIterator[Together]:
    """Units of change on a database of the test's own."""
    real = PostgresTransactions(postgres_url, signals, most=CONNECTIONS, wait=10.0)
    await real.open()
    yield Together(real)
    await real.close()
