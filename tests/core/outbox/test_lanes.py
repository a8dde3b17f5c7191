"""Lanes: in order within one, side by side otherwise, and by one process at a time."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from attrs import define, field

from adapters.sql.outbox import SqlOutboxStore
from adapters.sql.signals import LocalSignals
from adapters.sql.sqlite import SqliteTransactions
from adapters.system.locks import OwnLocks
from core.devices import DeviceOffline, DeviceOnline
from core.events import Announced, Event, Subscription
from core.ids import DeviceUuid
from core.locks import Hold
from core.outbox import DELIVERED, LANES, Outbox, lane_of
from core.provisioning import RegistrationRefused
from tests.support.clock import NOON, TestClock
from tests.support.enrolment import new_uuid


@define
class Reaction:
    """Notes what it is told, waits until it may go on, and fails for as long as it has `failures` left."""

    failures: int = 0
    told: list[int] = field(factory=list)
    entered: asyncio.Event = field(factory=asyncio.Event)
    go: asyncio.Event = field(factory=asyncio.Event)

    def __attrs_post_init__(self) -> None:
        self.go.set()

    async def __call__(self, announced: Announced[Event]) -> None:
        """React."""
        self.entered.set()
        await self.go.wait()
        self.told.append(announced.id)
        if self.failures:
            self.failures -= 1
            raise RuntimeError("the mail server is down")


@define
class Losing:
    """A lock that can be lost."""

    gone: asyncio.Event = field(factory=asyncio.Event)

    async def lost(self) -> None:
        """Returns when it is."""
        await self.gone.wait()

    @asynccontextmanager
    async def try_hold(self, _name: str) -> AsyncIterator[Hold | None]:
        """Always ours, for a while."""
        yield self


@pytest.fixture
def locks() -> OwnLocks:
    """Locks that two workers share."""
    return OwnLocks()


@pytest.fixture
def reaction() -> Reaction:
    """Somebody who wants everything."""
    return Reaction()


def worker(transactions: SqliteTransactions, clock: TestClock, locks: OwnLocks | Losing, reaction: Reaction) -> Outbox:
    """One of several processes."""
    outbox = Outbox(transactions, SqlOutboxStore(), clock, locks)
    outbox.subscribe([Subscription(name="everything", events=(Event,), reaction=reaction)])
    return outbox


async def announce(transactions: SqliteTransactions, *uuids: DeviceUuid) -> None:
    """Something happens to these devices."""
    async with transactions.begin() as tx:
        for uuid in uuids:
            tx.announce(DeviceOnline(at=NOON, by="system", uuid=uuid))


def lane(uuid: DeviceUuid) -> int:
    """The lane of a device."""
    return lane_of(DeviceOnline(at=NOON, by="system", uuid=uuid))


def of_two_lanes() -> Sequence[DeviceUuid]:
    """Two devices that are not told of in the same lane."""
    first = second = new_uuid()
    while lane(second) == lane(first):
        second = new_uuid()
    return first, second


def test_all_events_of_a_device_have_one_lane_whatever_they_tell() -> None:
    uuid = new_uuid()
    events = [kind(at=NOON, by="system", uuid=uuid) for kind in (DeviceOnline, DeviceOffline)]
    assert {lane_of(event) for event in events} == {lane(uuid)}
    assert {lane(new_uuid()) for _ in range(1000)} == set(range(LANES))


def test_an_event_about_no_device_has_the_lane_of_its_name() -> None:
    one, other = (RegistrationRefused(at=NOON, by=who, uuid="", reason="", address="") for who in ("a", "b"))
    assert lane_of(one) == lane_of(other)


async def test_a_worker_delivers_its_lane_in_order_and_no_other(
    transactions: SqliteTransactions, clock: TestClock, locks: OwnLocks, reaction: Reaction
) -> None:
    outbox = worker(transactions, clock, locks, reaction)
    first, second = of_two_lanes()
    await announce(transactions, first, second, first)
    assert await outbox.waiting() == sorted([lane(first), lane(second)])
    assert await outbox.deliver(lane(first)) is False
    assert reaction.told == [1, 3]
    assert await outbox.waiting() == [lane(second)]


async def test_it_tells_when_something_of_a_lane_was_delivered(
    transactions: SqliteTransactions, clock: TestClock, locks: OwnLocks, reaction: Reaction, signals: LocalSignals
) -> None:
    delivered: list[str] = []
    signals.on(DELIVERED, delivered.append)
    uuid = new_uuid()
    await announce(transactions, uuid)
    await worker(transactions, clock, locks, reaction).deliver(lane(uuid))
    assert delivered == [str(lane(uuid))]


async def test_who_finds_the_lane_taken_leaves_and_what_he_came_for_is_not_forgotten(
    transactions: SqliteTransactions, clock: TestClock, locks: OwnLocks, reaction: Reaction
) -> None:
    first, second = (worker(transactions, clock, locks, reaction) for _ in range(2))
    uuid = new_uuid()
    await announce(transactions, uuid)
    reaction.go.clear()
    working = asyncio.create_task(first.deliver(lane(uuid), patience=0))
    await reaction.entered.wait()
    await announce(transactions, uuid)
    assert await second.deliver(lane(uuid)) is False
    reaction.go.set()
    assert await working is True
    assert await second.deliver(lane(uuid)) is False
    assert reaction.told == [1, 2]


@pytest.mark.parametrize("told", ["patience", "finish"])
async def test_enough_is_enough_and_what_is_left_over_is_told_by_the_next(
    transactions: SqliteTransactions, clock: TestClock, locks: OwnLocks, reaction: Reaction, told: str
) -> None:
    outbox = worker(transactions, clock, locks, reaction)
    uuid = new_uuid()
    await announce(transactions, uuid, uuid, uuid)
    reaction.go.clear()
    working = asyncio.create_task(outbox.deliver(lane(uuid), patience=10))
    await reaction.entered.wait()
    if told == "patience":
        clock.advance(seconds=11)
    else:
        outbox.finish()
    reaction.go.set()
    assert await working is True
    assert reaction.told == [1]
    await worker(transactions, clock, locks, reaction).deliver(lane(uuid))
    assert reaction.told == [1, 2, 3]


async def test_who_loses_the_lock_breaks_off(
    transactions: SqliteTransactions, clock: TestClock, reaction: Reaction
) -> None:
    locks = Losing()
    outbox = worker(transactions, clock, locks, reaction)
    uuid = new_uuid()
    await announce(transactions, uuid)
    reaction.go.clear()
    working = asyncio.create_task(outbox.deliver(lane(uuid)))
    await reaction.entered.wait()
    locks.gone.set()
    async with asyncio.timeout(5):
        assert await working is True
    assert (reaction.told, await outbox.backlog()) == ([], 1)


async def test_what_failed_is_tried_again_in_a_lane_of_its_own(
    transactions: SqliteTransactions, clock: TestClock, locks: OwnLocks
) -> None:
    reaction = Reaction(failures=1)
    outbox = worker(transactions, clock, locks, reaction)
    uuid = new_uuid()
    await announce(transactions, uuid)
    await outbox.deliver(lane(uuid))
    assert await outbox.waiting() == []
    clock.advance(seconds=1)
    assert await outbox.waiting() == [LANES + lane(uuid)]
    assert await outbox.deliver(LANES + lane(uuid)) is False
    assert reaction.told == [1, 1]
    assert await outbox.waiting() == []
