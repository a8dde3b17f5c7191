"""Units of change on PostgreSQL: all or nothing, what is told afterwards, and what happens when it does not answer."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, InternalError

from adapters.sql.outbox import SqlOutboxStore
from adapters.sql.postgres import PostgresTransactions, notification
from adapters.sql.postgres_urls import conninfo_of, url_of
from adapters.sql.settings import SqlStoredSettings
from adapters.sql.signals import LocalSignals
from core.errors import Invalid, Unavailable
from core.transactions import ELSEWHERE
from tests.contracts.outbox_store import an_event
from tests.support.clock import NOON

STORE = SqlStoredSettings()


@pytest_asyncio.fixture
async def units(postgres_url: str, signals: LocalSignals) -> AsyncIterator[PostgresTransactions]:
    """Units of change on the test's own database."""
    opened = PostgresTransactions(postgres_url, signals, most=2, wait=0.05)
    await opened.open()
    yield opened
    await opened.close()


async def test_what_fails_leaves_nothing_behind(units: PostgresTransactions, signals: LocalSignals) -> None:
    heard: list[str] = []
    signals.on("settings", heard.append)
    with pytest.raises(ZeroDivisionError):
        async with units.begin() as tx:
            await STORE.put(tx, "key", "value")
            tx.signal("settings", "key")
            raise ZeroDivisionError
    async with units.read() as tx:
        assert await STORE.get(tx, "key") is None
    assert heard == []


async def test_listeners_are_called_once_after_the_commit(units: PostgresTransactions, signals: LocalSignals) -> None:
    heard: list[str] = []
    signals.on("settings", heard.append)
    async with units.begin() as tx:
        tx.signal("settings", "key")
        tx.signal("settings", "key")
        assert heard == []
    assert heard == ["key"]


async def test_an_event_is_stored_with_the_unit_that_announced_it(
    units: PostgresTransactions, signals: LocalSignals
) -> None:
    heard: list[str] = []
    signals.on("outbox", heard.append)
    event = an_event()
    async with units.begin() as tx:
        tx.announce(event)
    async with units.read() as tx:
        [announced] = await SqlOutboxStore().pending(tx, 10)
    assert announced.event == event
    assert heard == [""]


async def test_a_unit_that_goes_on_after_a_failed_statement_does_not_pass_for_committed(
    units: PostgresTransactions, signals: LocalSignals
) -> None:
    heard: list[str] = []
    signals.on("settings", heard.append)
    with pytest.raises(RuntimeError, match="has failed"):
        async with units.begin() as tx:
            await STORE.put(tx, "key", "value")
            tx.signal("settings", "key")
            with pytest.raises(IntegrityError):
                await tx.run(text("INSERT INTO settings (key, value) VALUES ('key', '1')"))
    assert heard == []


async def test_a_reader_sees_one_moment(units: PostgresTransactions) -> None:
    async with units.read() as reading:
        assert await STORE.get(reading, "key") is None
        async with units.begin() as tx:
            await STORE.put(tx, "key", "value")
        assert await STORE.get(reading, "key") is None
    async with units.read() as reading:
        assert await STORE.get(reading, "key") == "value"


async def test_a_reader_cannot_write(units: PostgresTransactions) -> None:
    with pytest.raises(InternalError, match="read-only"):
        async with units.read() as tx:
            await STORE.put(tx, "key", "value")


async def test_who_finds_no_connection_is_refused_and_the_others_go_on(units: PostgresTransactions) -> None:
    async with units.begin() as one, units.begin() as other:
        await STORE.put(one, "one", 1)
        await STORE.put(other, "other", 2)
        with pytest.raises(Unavailable) as caught:
            async with units.begin() as third:
                await STORE.put(third, "third", 3)
    assert caught.value.retry_after == pytest.approx(0.05)
    async with units.read() as tx:
        assert [await STORE.get(tx, key) for key in ("one", "other")] == [1, 2]


async def test_a_connection_that_breaks_costs_one_unit(units: PostgresTransactions) -> None:
    with pytest.raises(Unavailable):
        async with units.begin() as tx:
            await STORE.put(tx, "key", "value")
            async with units.begin() as other:
                number = await tx.value(text("SELECT pg_backend_pid()"))
                await other.rows(text("SELECT pg_terminate_backend(:number, 5000)"), {"number": number})
            await STORE.put(tx, "key", "other")
    async with units.begin() as tx:
        assert await STORE.get(tx, "key") is None


async def test_a_server_that_is_not_there_is_unavailable(signals: LocalSignals) -> None:
    units = PostgresTransactions("postgresql://nobody@127.0.0.1:1/nothing", signals)
    with pytest.raises(Unavailable):
        await units.open()
    await units.close()


async def test_of_two_who_deadlock_one_is_refused(units: PostgresTransactions) -> None:
    async with units.begin() as tx:
        await STORE.put(tx, "a", 0)
        await STORE.put(tx, "b", 0)
    both = asyncio.Barrier(2)

    async def write(first: str, second: str) -> bool:
        try:
            async with units.begin() as tx:
                await STORE.put(tx, first, 1)
                await both.wait()
                await STORE.put(tx, second, 1)
        except Unavailable:
            return False
        return True

    assert sorted(await asyncio.gather(write("a", "b"), write("b", "a"))) == [False, True]


async def test_audit_entries_are_never_changed(units: PostgresTransactions) -> None:
    async with units.begin() as tx:
        await tx.run(
            text(
                "INSERT INTO audit_log (announcement_id, at, event, severity, actor, details)"
                " VALUES (1, :at, 'x', 'info', 'user:1', '{}')"
            ),
            {"at": NOON},
        )
    with pytest.raises(IntegrityError, match="never changed"):
        async with units.begin() as tx:
            await tx.run(text("UPDATE audit_log SET at = :at"), {"at": NOON + timedelta(seconds=1)})


@pytest.mark.parametrize(("given", "kept"), [("a\0b", "a\ufffdb"), ("a\\u0000", "a\\u0000"), ("\\\0", "\\\ufffd")])
async def test_a_nul_is_told_by_another_character(units: PostgresTransactions, given: str, kept: str) -> None:
    async with units.begin() as tx:
        await STORE.put(tx, given, [given])
        assert await STORE.get(tx, kept) == [kept]


def test_more_signals_than_can_be_told_are_told_as_something_that_was_committed() -> None:
    few, many = [[("devices", str(n)) for n in range(count)] for count in (3, 3000)]
    assert notification("me", few + few) == '["me",[["devices","0"],["devices","1"],["devices","2"]]]'
    assert notification("me", many) == f'["me",[["{ELSEWHERE}",""]]]'


def test_a_url_is_taken_as_it_is_usually_written() -> None:
    assert url_of("postgres://u:p%40ss@db/name").render_as_string(hide_password=False) == (
        "postgresql+psycopg://u:p%40ss@db/name"
    )
    assert conninfo_of("postgresql+psycopg://u@db:6432/name?sslmode=require", connect_timeout=3) == (
        "host=db port=6432 user=u dbname=name sslmode=require connect_timeout=3"
    )


@pytest.mark.parametrize("url", ["sqlite:///file.db", "nonsense", "", "postgresql://host:port/name"])
def test_another_url_is_refused(url: str) -> None:
    with pytest.raises(Invalid):
        url_of(url)
