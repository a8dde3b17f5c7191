"""Statements that are built once do the same each time they are run."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from adapters.sql.audit import audit_log
from adapters.sql.sqlite import SqliteTransactions
from adapters.sql.upserts import InsertOnce

AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def once() -> InsertOnce:
    return InsertOnce(audit_log, key="announcement_id")


def entry(number: int, **fields: Any) -> dict[str, Any]:
    row = {"announcement_id": number, "at": AT, "event": "test", "severity": "info", "actor": "system", "details": {}}
    return row | fields


async def test_a_row_is_written_once_and_keeps_what_was_written_first(
    transactions: SqliteTransactions, once: InsertOnce
) -> None:
    async with transactions.begin() as tx:
        assert [await once.run(tx, entry(1, actor=actor)) for actor in ("a", "b", "c", "d")] == [True] + [False] * 3
        assert [row.actor for row in await tx.rows(select(audit_log))] == ["a"]


async def test_rows_with_different_keys_are_all_written(transactions: SqliteTransactions, once: InsertOnce) -> None:
    for number in range(4):
        async with transactions.begin() as tx:
            assert await once.run(tx, entry(number))
    async with transactions.read() as tx:
        assert len(await tx.rows(select(audit_log))) == 4


async def test_a_row_that_is_wrong_otherwise_is_refused(transactions: SqliteTransactions, once: InsertOnce) -> None:
    for number in range(3):
        with pytest.raises(IntegrityError):
            async with transactions.begin() as tx:
                await once.run(tx, entry(number, actor=None))
