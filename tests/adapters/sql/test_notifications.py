"""Two processes on one PostgreSQL: what one commits, the other hears of."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest
import pytest_asyncio
from attrs import define, field

from adapters.sql.notifications import Notifications
from adapters.sql.postgres import PostgresTransactions
from adapters.sql.postgres_hints import CHANNEL
from adapters.sql.signals import LocalSignals
from core.errors import Unavailable
from core.transactions import ELSEWHERE

PATIENCE = 10.0


@define
class Process:
    """What a process of ours has to do with the database."""

    transactions: PostgresTransactions
    notifications: Notifications
    heard: "asyncio.Queue[tuple[str, str]]" = field(factory=asyncio.Queue)

    async def next(self) -> tuple[str, str]:
        """The next signal."""
        async with asyncio.timeout(PATIENCE):
            return await self.heard.get()


async def a_process(url: str) -> Process:
    """One that has just begun to listen."""
    signals = LocalSignals()
    transactions = PostgresTransactions(url, signals, most=2)
    process = Process(transactions, Notifications(url, signals, origin=transactions.origin))
    for topic in ("devices", ELSEWHERE):
        signals.on(topic, lambda key, topic=topic: process.heard.put_nowait((topic, key)))  # type: ignore[misc]
    await process.notifications.open()
    assert await process.next() == (ELSEWHERE, "")
    return process


@pytest_asyncio.fixture
async def processes(postgres_url: str) -> AsyncIterator[tuple[Process, Process]]:
    """Two of them."""
    one, other = await a_process(postgres_url), await a_process(postgres_url)
    yield one, other
    for process in (one, other):
        await process.notifications.close()
        await process.transactions.close()


async def signal(process: Process, *keys: str) -> None:
    async with process.transactions.begin() as tx:
        for key in keys:
            tx.signal("devices", key)


async def test_each_hears_once_what_either_commits(processes: tuple[Process, Process]) -> None:
    one, other = processes
    await signal(one, "a", "b")
    await signal(other, "c")
    for process in processes:
        assert sorted([await process.next() for _ in range(3)]) == [("devices", key) for key in "abc"]
    await signal(one, "last")
    assert await other.next() == await one.next() == ("devices", "last")


async def test_what_was_undone_is_not_heard(processes: tuple[Process, Process]) -> None:
    one, other = processes
    with pytest.raises(ZeroDivisionError):
        async with one.transactions.begin() as tx:
            tx.signal("devices", "undone")
            raise ZeroDivisionError
    await signal(one, "done")
    assert await other.next() == ("devices", "done")


async def test_of_more_than_can_be_told_it_is_heard_that_something_was_committed(
    processes: tuple[Process, Process],
) -> None:
    one, other = processes
    await signal(one, *map(str, range(3000)))
    assert await other.next() == (ELSEWHERE, "")


async def test_what_nobody_understands_is_heard_as_something_that_was_committed(
    postgres_url: str, processes: tuple[Process, Process]
) -> None:
    async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as connection:
        await connection.execute("SELECT pg_notify(%s, '{}')", (CHANNEL,))
    for process in processes:
        assert await process.next() == (ELSEWHERE, "")


async def test_after_a_gap_everything_is_forgotten_and_then_all_is_heard_again(
    postgres_url: str, processes: tuple[Process, Process]
) -> None:
    one, other = processes
    async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
        )
    for process in processes:
        assert await process.next() == (ELSEWHERE, "")
    await signal(one, "after")
    assert await other.next() == ("devices", "after")


async def test_a_server_that_is_not_there_is_unavailable(signals: LocalSignals) -> None:
    notifications = Notifications("postgresql://nobody@127.0.0.1:1/nothing", signals, origin="me")
    with pytest.raises(Unavailable):
        await notifications.open()
    await notifications.close()


async def test_what_is_done_once_is_done_where_it_was_committed(postgres_url: str) -> None:
    one_signals, other_signals = LocalSignals(), LocalSignals()
    one = PostgresTransactions(postgres_url, one_signals, most=2)
    other = Notifications(postgres_url, other_signals, origin="another")
    once: list[str] = []
    everywhere: asyncio.Queue[str] = asyncio.Queue()
    one_signals.on("devices", lambda key: once.append(f"here {key}"), own=True)
    other_signals.on("devices", lambda key: once.append(f"there {key}"), own=True)
    other_signals.on("devices", everywhere.put_nowait)
    await other.open()
    async with one.begin() as tx:
        tx.signal("devices", "a")
    async with asyncio.timeout(PATIENCE):
        assert await everywhere.get() == "a"
    assert once == ["here a"]
    await other.close()
    await one.close()
