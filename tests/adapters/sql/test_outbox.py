"""The outbox in SQL."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from adapters.sql.outbox import SqlOutboxStore, UnknownEvent
from adapters.sql.sqlite import SqliteTransactions
from core.provisioning import RegistrationRefused
from tests.contracts.outbox_store import OutboxStoreContract, an_event
from tests.support.clock import NOON
from tests.support.enrolment import new_uuid

STORE = SqlOutboxStore()


class TestOutbox(OutboxStoreContract):
    """Events."""

    @pytest.fixture
    def store(self) -> SqlOutboxStore:
        """The store."""
        return SqlOutboxStore()


@pytest.fixture
def rewrite(database: Path) -> Callable[[str], None]:
    """Runs SQL beside the application, as an update of it would."""

    def run(statement: str) -> None:
        with closing(sqlite3.connect(database)) as other, other:
            other.execute(statement)

    return run


async def test_text_of_any_sort_comes_back_in_an_event(transactions: SqliteTransactions) -> None:
    event = RegistrationRefused(at=NOON, by="ü\u2028'\"\\", uuid=new_uuid(), reason="\U0001f600", address="::1")
    async with transactions.begin() as tx:
        tx.announce(event)
    async with transactions.read() as tx:
        assert [announced.event for announced in await STORE.pending(tx, 10)] == [event]


async def test_nothing_is_announced_by_a_unit_that_was_undone(transactions: SqliteTransactions) -> None:
    with pytest.raises(RuntimeError):
        async with transactions.begin() as tx:
            tx.announce(an_event())
            raise RuntimeError
    async with transactions.read() as tx:
        assert await STORE.backlog(tx) == 0


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE outbox SET name = 'plugin.gone' WHERE id = 1",
        "UPDATE outbox SET payload = json_remove(payload, '$.uuid') WHERE id = 1",
        "UPDATE outbox SET payload = json_set(payload, '$.uuid', json('[1]')) WHERE id = 1",
    ],
    ids=["its type is gone", "a field is gone", "a field is of another type"],
)
async def test_an_event_that_cannot_be_read_any_more_does_not_hold_up_the_others(
    transactions: SqliteTransactions, rewrite: Callable[[str], None], change: str
) -> None:
    other = an_event()
    async with transactions.begin() as tx:
        tx.announce(an_event())
        tx.announce(other)
    rewrite(change)
    async with transactions.read() as tx:
        first, second = await STORE.pending(tx, 10)
    assert second.event == other
    if "name" in change:
        assert first.event == UnknownEvent(at=NOON, by="system", name="plugin.gone")


async def test_numbers_of_events_are_never_given_twice(transactions: SqliteTransactions) -> None:
    """Reactions know by the number whether they have had an event."""
    numbers = []
    for _ in range(3):
        async with transactions.begin() as tx:
            tx.announce(an_event())
        async with transactions.begin() as tx:
            [announced] = await STORE.pending(tx, 10)
            numbers.append(announced.id)
            await STORE.relayed(tx, [announced.id], [])
    assert numbers == sorted(set(numbers))
