"""The relay: at least once to everybody, and nobody waits for the failures of others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from attrs import define, field

from adapters.sql.outbox import SqlOutboxStore
from adapters.sql.signals import LocalSignals
from adapters.sql.sqlite import SqliteTransactions
from adapters.system.locks import OwnLocks
from core.actor import STRANGER, SYSTEM
from core.devices import DeviceOffline, DeviceOnline
from core.errors import Conflict, NotFound, Unauthenticated
from core.events import Announced, Event, Subscription
from core.outbox import Outbox
from core.outbox.service import BATCH
from tests.support.clock import TestClock
from tests.support.enrolment import new_uuid


@define
class Reaction:
    """Notes what it is told; fails for as long as it has `failures` left."""

    failures: int = 0
    error: Exception = field(factory=lambda: RuntimeError("the mail server is down"))
    told: list[int] = field(factory=list)

    async def __call__(self, announced: Announced[Event]) -> None:
        """React."""
        self.told.append(announced.id)
        if self.failures:
            self.failures -= 1
            raise self.error


def named(name: str, reaction: Reaction, *events: type[Event]) -> Subscription[Event]:
    """A subscription."""
    return Subscription(name=name, events=events or (Event,), reaction=reaction)


@pytest.fixture
def outbox(transactions: SqliteTransactions, clock: TestClock) -> Outbox:
    """A relay that nobody has subscribed to."""
    return Outbox(transactions, SqlOutboxStore(), clock, OwnLocks())


async def announce(
    transactions: SqliteTransactions, clock: TestClock, kind: type[DeviceOnline] | type[DeviceOffline]
) -> None:
    async with transactions.begin() as tx:
        tx.announce(kind(at=clock.now(), by="system", uuid=new_uuid()))


async def test_who_takes_many_at_once_is_told_of_the_next_before_it_has_done_with_the_first(
    outbox: Outbox, transactions: SqliteTransactions, clock: TestClock
) -> None:
    told: list[int] = []
    both = asyncio.Event()

    async def react(announced: Announced[Event]) -> None:
        told.append(announced.id)
        if len(told) > 1:
            both.set()
        await both.wait()
        if announced.id == min(told):
            raise RuntimeError("the first one fails")

    after = Reaction()
    outbox.subscribe([named("after", after), Subscription(name="many", events=(Event,), reaction=react, at_once=True)])
    for kind in (DeviceOnline, DeviceOffline):
        await announce(transactions, clock, kind)
    async with asyncio.timeout(5):
        assert await outbox.relay() == 2
    assert told == after.told == sorted(told)
    clock.advance(seconds=2)
    assert await outbox.retry() == 1


async def test_every_reaction_is_told_of_the_events_it_wants_once_and_in_order(
    outbox: Outbox, transactions: SqliteTransactions, clock: TestClock
) -> None:
    everything, online = Reaction(), Reaction()
    outbox.subscribe([named("everything", everything), named("online", online, DeviceOnline)])
    for kind in (DeviceOnline, DeviceOffline, DeviceOnline):
        await announce(transactions, clock, kind)
    assert await outbox.backlog() == 3
    assert await outbox.relay() == 3
    assert await outbox.relay() == 0
    assert (everything.told, online.told) == ([1, 2, 3], [1, 3])
    assert await outbox.backlog() == 0


async def test_more_events_than_fit_in_a_batch_are_told_in_several(
    outbox: Outbox, transactions: SqliteTransactions, clock: TestClock
) -> None:
    reaction = Reaction()
    outbox.subscribe([named("everything", reaction)])
    async with transactions.begin() as tx:
        for _ in range(BATCH + 1):
            tx.announce(DeviceOnline(at=clock.now(), by="system", uuid=new_uuid()))
    assert [await outbox.relay(), await outbox.relay(), await outbox.relay()] == [BATCH, 1, 0]
    assert len(reaction.told) == BATCH + 1


async def test_a_reaction_that_fails_is_tried_again_alone_with_longer_and_longer_waits(
    outbox: Outbox, transactions: SqliteTransactions, clock: TestClock
) -> None:
    failing, sound = Reaction(failures=3), Reaction()
    outbox.subscribe([named("failing", failing), named("sound", sound)])
    await announce(transactions, clock, DeviceOnline)
    await outbox.relay()
    for wait in (1, 2, 4):
        clock.advance(seconds=wait - 0.001)
        assert await outbox.retry() == 0
        clock.advance(seconds=0.001)
        assert await outbox.retry() == 1
    clock.advance(hours=2)
    assert await outbox.retry() == 0
    assert (failing.told, sound.told) == ([1] * 4, [1])


async def test_a_reaction_that_failed_does_not_hold_up_later_events(
    outbox: Outbox, transactions: SqliteTransactions, clock: TestClock
) -> None:
    failing = Reaction(failures=1)
    outbox.subscribe([named("failing", failing)])
    await announce(transactions, clock, DeviceOnline)
    await announce(transactions, clock, DeviceOnline)
    await outbox.relay()
    assert failing.told == [1, 2]
    clock.advance(seconds=1)
    await outbox.retry()
    assert failing.told == [1, 2, 1]


async def test_a_reaction_is_given_up_after_twelve_tries_and_can_be_revived(
    outbox: Outbox, transactions: SqliteTransactions, clock: TestClock
) -> None:
    failing = Reaction(failures=12, error=Conflict("the address is refused"))
    outbox.subscribe([named("failing", failing)])
    await announce(transactions, clock, DeviceOnline)
    await outbox.relay()
    for _ in range(20):
        clock.advance(hours=2)
        await outbox.retry()
    [letter] = await outbox.dead_letters(SYSTEM)
    assert len(failing.told) == 12
    assert (letter.event, letter.failure.attempts, letter.failure.dead) == ("device.online", 12, True)
    assert letter.failure.error == "the address is refused"
    await outbox.revive(SYSTEM, letter.failure.event_id, "failing")
    assert await outbox.retry() == 1
    assert len(failing.told) == 13
    assert await outbox.dead_letters(SYSTEM) == []


async def test_only_dead_letters_are_revived_and_only_by_those_who_may(outbox: Outbox) -> None:
    with pytest.raises(NotFound):
        await outbox.revive(SYSTEM, 1, "nobody")
    with pytest.raises(Unauthenticated):
        await outbox.revive(STRANGER, 1, "nobody")
    with pytest.raises(Unauthenticated):
        await outbox.dead_letters(STRANGER)


async def test_the_books_keep_a_short_reason(
    outbox: Outbox, transactions: SqliteTransactions, clock: TestClock
) -> None:
    outbox.subscribe([named("failing", Reaction(failures=99, error=ValueError("x" * 10_000)))])
    await announce(transactions, clock, DeviceOnline)
    await outbox.relay()
    for _ in range(12):
        clock.advance(hours=2)
        await outbox.retry()
    [letter] = await outbox.dead_letters(SYSTEM)
    assert letter.failure.error.startswith("ValueError: xxx")
    assert len(letter.failure.error) <= 500


async def test_a_reaction_whose_plugin_is_gone_waits_for_its_return(
    outbox: Outbox, transactions: SqliteTransactions, clock: TestClock
) -> None:
    reaction = Reaction(failures=1)
    outbox.subscribe([named("plugin", reaction)])
    await announce(transactions, clock, DeviceOnline)
    await outbox.relay()
    outbox.subscribe([])
    clock.advance(seconds=1)
    assert await outbox.retry() == 1
    outbox.subscribe([named("plugin", reaction)])
    clock.advance(seconds=2)
    await outbox.retry()
    assert reaction.told == [1, 1]


def test_two_reactions_of_the_same_name_are_refused(outbox: Outbox) -> None:
    with pytest.raises(ValueError, match="twin"):
        outbox.subscribe([named("twin", Reaction()), named("twin", Reaction())])


@asynccontextmanager
async def restarted(database: Path, clock: TestClock, reaction: Reaction) -> AsyncIterator[Outbox]:
    """The relay of a new process on the same file."""
    transactions = SqliteTransactions(database, LocalSignals())
    await transactions.open()
    outbox = Outbox(transactions, SqlOutboxStore(), clock, OwnLocks())
    outbox.subscribe([named("everything", reaction)])
    yield outbox
    await transactions.close()


async def test_a_crash_between_delivery_and_booking_delivers_again(
    outbox: Outbox, transactions: SqliteTransactions, clock: TestClock, database: Path
) -> None:
    hanging = asyncio.Event()

    async def hang(_announced: Announced[Event]) -> None:
        hanging.set()
        await asyncio.Event().wait()

    before, after = Reaction(), Reaction()
    outbox.subscribe([named("everything", before), Subscription(name="hanging", events=(Event,), reaction=hang)])
    await announce(transactions, clock, DeviceOnline)
    relaying = asyncio.create_task(outbox.relay())
    await hanging.wait()
    relaying.cancel()
    await asyncio.gather(relaying, return_exceptions=True)
    async with restarted(database, clock, after) as second:
        assert await second.relay() == 1
        assert await second.relay() == 0
    assert (before.told, after.told) == ([1], [1])
