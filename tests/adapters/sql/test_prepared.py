"""Statements that are run on the driver itself mean the same as those that take the usual way."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import IntegrityError

from adapters.sql.outbox import outbox, outbox_failures
from adapters.sql.sqlite import SqliteTransactions

AT = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)
EVENT = {"name": "test.happened", "payload": {"a": [1, None, "ü"]}, "announced_at": AT, "relayed": 0}
ADD = outbox.insert()
BY_NAME = select(outbox).where(outbox.c.name == bindparam("name")).order_by(outbox.c.id)
RENAME = update(outbox).where(outbox.c.name == bindparam("old")).values(name=bindparam("new"))
ADD_FAILURE = outbox_failures.insert()


async def test_rows_read_the_second_time_equal_those_of_the_first(transactions: SqliteTransactions) -> None:
    async with transactions.begin() as tx:
        for _ in range(3):
            assert await tx.run(ADD, EVENT) == 1
        read = [await tx.rows(BY_NAME, {"name": "test.happened"}) for _ in range(3)]
        first = [await tx.row(BY_NAME, {"name": "test.happened"}) for _ in range(3)]
    assert read[0] == read[1] == read[2]
    assert [row.payload for row in read[2]] == [EVENT["payload"]] * 3
    assert read[2][0].announced_at == AT
    assert read[2][0]._mapping.keys() == read[0][0]._mapping.keys()
    assert first == [read[0][0]] * 3


async def test_nothing_found_is_none_and_empty(transactions: SqliteTransactions) -> None:
    async with transactions.read() as tx:
        for _ in range(3):
            assert await tx.row(BY_NAME, {"name": "nobody"}) is None
            assert await tx.value(BY_NAME, {"name": "nobody"}) is None
            assert list(await tx.rows(BY_NAME, {"name": "nobody"})) == []


async def test_changes_count_rows_also_many_at_once(transactions: SqliteTransactions) -> None:
    async with transactions.begin() as tx:
        for _ in range(3):
            await tx.run(ADD, [EVENT, EVENT])
        assert len(await tx.rows(BY_NAME, {"name": "test.happened"})) == 6
        counts = [await tx.run(RENAME, {"old": "test.happened", "new": "test.happened"}) for _ in range(3)]
    assert counts == [6, 6, 6]


async def test_an_insert_that_names_other_columns_is_another_statement(transactions: SqliteTransactions) -> None:
    without = {key: value for key, value in EVENT.items() if key != "relayed"}
    async with transactions.begin() as tx:
        for parameters in (EVENT, EVENT, without, without):
            await tx.run(ADD, parameters)
        assert [row.relayed for row in await tx.rows(BY_NAME, {"name": "test.happened"})] == [0] * 4


async def test_conflicts_are_sqlalchemy_s(transactions: SqliteTransactions) -> None:
    async with transactions.begin() as tx:
        await tx.run(ADD, EVENT)
        number = await tx.value(BY_NAME, {"name": "test.happened"})
        failure = {"event_id": number, "reaction": "r", "attempts": 1, "error": "e", "retry_at": None}
        await tx.run(ADD_FAILURE, failure)
        for _ in range(3):
            with pytest.raises(IntegrityError):
                await tx.run(ADD_FAILURE, failure)
