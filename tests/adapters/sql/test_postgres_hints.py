"""What watchers in other processes are told."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest_asyncio

from adapters.sql.notifications import Notifications
from adapters.sql.postgres import PostgresTransactions
from adapters.sql.postgres_hints import MOST_NOTIFIED, messages
from adapters.sql.signals import LocalSignals
from core.transactions import ELSEWHERE

PATIENCE = 10.0
TOPIC = "watched"


@pytest_asyncio.fixture
async def elsewhere(postgres_url: str) -> AsyncIterator["asyncio.Queue[str]"]:
    """What is heard in another process: the keys of the topic, and ELSEWHERE."""
    heard: asyncio.Queue[str] = asyncio.Queue()
    signals = LocalSignals()
    listening = Notifications(postgres_url, signals, origin="another")
    await listening.open()
    signals.on(TOPIC, heard.put_nowait)
    signals.on(ELSEWHERE, lambda _key: heard.put_nowait(ELSEWHERE))
    yield heard
    await listening.close()


@pytest_asyncio.fixture
async def units(postgres_url: str, signals: LocalSignals) -> AsyncIterator[PostgresTransactions]:
    """Units of this process."""
    opened = PostgresTransactions(postgres_url, signals)
    yield opened
    await opened.close()


async def next_of(heard: "asyncio.Queue[str]") -> str:
    async with asyncio.timeout(PATIENCE):
        return await heard.get()


async def test_each_is_told_once_here_at_once_and_there_soon(
    units: PostgresTransactions, signals: LocalSignals, elsewhere: "asyncio.Queue[str]"
) -> None:
    here: list[str] = []
    signals.on(TOPIC, here.append)
    async with units.begin() as tx:
        tx.hint(TOPIC, "a")
        tx.hint(TOPIC, "a")
    assert here == ["a"]
    signals.hint(TOPIC, "b")
    signals.hint(TOPIC, "b")
    assert [await next_of(elsewhere) for _ in range(2)] == ["a", "b"]


async def test_thousands_are_told_as_what_they_are(
    units: PostgresTransactions, elsewhere: "asyncio.Queue[str]"
) -> None:
    async with units.begin() as tx:
        for number in range(3000):
            tx.hint(TOPIC, str(number))
    assert [await next_of(elsewhere) for _ in range(3000)] == [str(number) for number in range(3000)]


async def test_what_a_unit_that_fails_has_hinted_at_is_told_nobody(
    units: PostgresTransactions, signals: LocalSignals, elsewhere: "asyncio.Queue[str]"
) -> None:
    try:
        async with units.begin() as tx:
            tx.hint(TOPIC, "undone")
            raise ZeroDivisionError
    except ZeroDivisionError:
        signals.hint(TOPIC, "done")
    assert await next_of(elsewhere) == "done"


def test_messages_are_as_long_as_they_may_be_and_no_longer() -> None:
    told = [("ü" * 40, str(number)) for number in range(500)]
    sent = list(messages("me", [*told, ("x" * MOST_NOTIFIED, "too long for any")]))
    assert all(len(message.encode()) <= MOST_NOTIFIED for message in sent)
    assert len(sent) == 6
    assert [tuple(each) for message in sent for each in json.loads(message)[1]] == told
