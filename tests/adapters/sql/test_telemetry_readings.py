"""Readings in SQL."""

import pytest
from sqlalchemy import text

from adapters.sql.sqlite import SqliteTransactions
from adapters.sql.telemetry_readings import SqlReadingStore
from tests.contracts.reading_store import ReadingStoreContract
from tests.contracts.telemetry_parts import NOW, a_reading, new_uuid


class TestReadings(ReadingStoreContract):
    """Readings."""

    @pytest.fixture
    def store(self) -> SqlReadingStore:
        """The store."""
        return SqlReadingStore()

    async def test_numbers_and_switches_can_be_reckoned_with_in_sql(
        self, store: SqlReadingStore, transactions: SqliteTransactions
    ) -> None:
        values = [26.5, True, False, "open", None]
        readings = [a_reading(n, value=value) for n, value in enumerate(values)]
        async with transactions.begin() as tx:
            await store.add(tx, new_uuid(), NOW, readings)
            rows = await tx.rows(text("SELECT value_number FROM readings ORDER BY measured_at DESC"))
        assert [row.value_number for row in rows] == [26.5, 1.0, 0.0, None, None]


async def test_a_page_is_read_off_the_index_of_times(transactions: SqliteTransactions) -> None:
    wanted = "SELECT * FROM readings WHERE device_uuid = 'x' ORDER BY measured_at DESC, id DESC LIMIT 10"
    async with transactions.read() as tx:
        steps = [row.detail for row in await tx.rows(text("EXPLAIN QUERY PLAN " + wanted))]
    assert steps[0] == "SEARCH readings USING INDEX sqlite_autoindex_readings_1 (device_uuid=?)"
    assert "USE TEMP B-TREE FOR ORDER BY" not in steps
