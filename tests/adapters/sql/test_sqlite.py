"""SQLite: units of change, shared commits, and what happens when the file cannot be written."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select

from adapters.sql.settings import SqlStoredSettings, settings
from adapters.sql.signals import LocalSignals
from adapters.sql.sqlite import SqliteTransaction, SqliteTransactions
from core.errors import Unavailable

STORED = SqlStoredSettings()


async def stored_keys(transactions: SqliteTransactions) -> list[str]:
    async with transactions.read() as tx:
        return [row.key for row in await tx.rows(select(settings.c.key).order_by(settings.c.key))]


def rows_on_disk(database: Path) -> int:
    with closing(sqlite3.connect(database)) as other:
        return int(other.execute("SELECT count(*) FROM settings").fetchone()[0])


async def test_a_unit_is_on_disk_when_its_block_was_left(transactions: SqliteTransactions, database: Path) -> None:
    async with transactions.begin() as tx:
        await STORED.put(tx, "colour", "green")
    assert rows_on_disk(database) == 1


async def test_a_unit_that_raises_leaves_nothing(transactions: SqliteTransactions) -> None:
    with pytest.raises(RuntimeError):
        async with transactions.begin() as tx:
            await STORED.put(tx, "colour", "green")
            raise RuntimeError("between two writes")
    assert await stored_keys(transactions) == []


async def test_a_unit_that_raises_does_not_take_the_units_that_share_its_commit_with_it(
    transactions: SqliteTransactions,
) -> None:
    async def write(key: str, *, fail: bool) -> None:
        async with transactions.begin() as tx:
            await STORED.put(tx, key, 1)
            if fail:
                raise RuntimeError(key)

    outcomes = await asyncio.gather(*(write(f"key{n}", fail=n % 3 == 0) for n in range(30)), return_exceptions=True)
    kept = await stored_keys(transactions)
    assert len(kept) == 20
    assert [type(outcome) for outcome in outcomes].count(RuntimeError) == 10
    assert not any(int(key[3:]) % 3 == 0 for key in kept)


async def test_many_units_share_few_commits(transactions: SqliteTransactions) -> None:
    commits = 0

    def count(_key: str) -> None:
        nonlocal commits
        commits += 1

    transactions._signals.on("counted", count)

    async def write(n: int) -> None:
        async with transactions.begin() as tx:
            await STORED.put(tx, str(n), n)
            tx.signal("counted", "")

    await asyncio.gather(*(write(n) for n in range(200)))
    assert len(await stored_keys(transactions)) == 200
    assert commits < 20


async def test_readers_see_only_what_was_committed(transactions: SqliteTransactions) -> None:
    async with transactions.begin() as tx:
        await STORED.put(tx, "colour", "green")
        assert await stored_keys(transactions) == []
    assert await stored_keys(transactions) == ["colour"]


async def test_a_reader_cannot_write(transactions: SqliteTransactions) -> None:
    with pytest.raises(Unavailable):
        async with transactions.read() as tx:
            await STORED.put(tx, "colour", "green")


async def test_signals_are_told_after_the_commit_and_never_for_what_was_undone(
    transactions: SqliteTransactions, signals: LocalSignals
) -> None:
    told: list[str] = []
    signals.on("things", told.append)
    async with transactions.begin() as tx:
        tx.signal("things", "kept")
        assert told == []
    with pytest.raises(RuntimeError):
        async with transactions.begin() as tx:
            tx.signal("things", "undone")
            raise RuntimeError
    assert told == ["kept"]


async def test_a_database_locked_by_another_process_is_unavailable_and_recovers(
    database: Path, signals: LocalSignals
) -> None:
    transactions = SqliteTransactions(database, signals, wait=0.1)
    await transactions.open()
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="locked"):
            async with transactions.begin() as tx:
                await STORED.put(tx, "colour", "green")
        other.execute("ROLLBACK")
    async with transactions.begin() as tx:
        await STORED.put(tx, "colour", "blue")
    assert await stored_keys(transactions) == ["colour"]
    await transactions.close()


async def test_a_full_disk_is_unavailable_and_recovers(transactions: SqliteTransactions) -> None:
    async def fill(tx: SqliteTransaction) -> None:
        for n in range(2000):
            await STORED.put(tx, f"filler{n}", "x" * 1000)

    writer = transactions._writer
    assert writer is not None
    pages = writer.exec_driver_sql("PRAGMA page_count").scalar_one()
    writer.exec_driver_sql(f"PRAGMA max_page_count={pages + 20}")
    with pytest.raises(Unavailable):
        async with transactions.begin() as tx:
            await fill(tx)
    writer.exec_driver_sql("PRAGMA max_page_count=1073741823")
    async with transactions.begin() as tx:
        await STORED.put(tx, "colour", "blue")
    assert await stored_keys(transactions) == ["colour"]


async def test_a_caller_who_goes_away_while_waiting_for_the_commit_does_not_undo_it(
    transactions: SqliteTransactions,
) -> None:
    async def write() -> None:
        async with transactions.begin() as tx:
            await STORED.put(tx, "colour", "green")

    task = asyncio.create_task(write())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with transactions.begin() as tx:
        count = await tx.value(select(func.count()).select_from(settings))
    assert count in {0, 1}
    assert len(await stored_keys(transactions)) == count


async def test_units_one_after_the_other_never_wait_for_a_commit_that_does_not_come(
    transactions: SqliteTransactions,
) -> None:
    async with asyncio.timeout(10):
        for n in range(100):
            async with transactions.begin() as tx:
                await STORED.put(tx, "counter", n)
    async with transactions.read() as tx:
        assert await STORED.get(tx, "counter") == 99


async def test_closing_lets_the_last_commit_end(database: Path, signals: LocalSignals) -> None:
    transactions = SqliteTransactions(database, signals)
    await transactions.open()

    async def write(n: int) -> None:
        async with transactions.begin() as tx:
            await STORED.put(tx, str(n), n)

    writers = [asyncio.create_task(write(n)) for n in range(50)]
    await asyncio.gather(*writers)
    await transactions.close()
    assert rows_on_disk(database) == 50
