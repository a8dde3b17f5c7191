"""Every lane in which something waits has a worker, whatever becomes of the queue."""

import pytest
from attrs import define, field

from adapters.sql.outbox import SqlOutboxStore
from adapters.sql.signals import LocalSignals
from adapters.sql.sqlite import SqliteTransactions
from adapters.system.locks import OwnLocks
from core.devices import DeviceOnline
from core.errors import Unavailable
from core.outbox import DELIVERED, Outbox, lane_of
from entrypoints.worker.dispatcher import AGAIN_AFTER, MOST_WAKENINGS, REST, Dispatcher
from tests.support.clock import NOON, TestClock
from tests.support.enrolment import new_uuid


@define
class Eating:
    """A queue that takes every wake-up, while it is there, and wakes nobody."""

    woken: list[int] = field(factory=list)
    away: bool = False
    asked: int = 0

    async def wake(self, lane: int) -> None:
        """See `core.queue.Queue`."""
        self.asked += 1
        if self.away:
            raise Unavailable("the queue does not answer")
        self.woken.append(lane)


@pytest.fixture
def queue() -> Eating:
    """The queue."""
    return Eating()


@pytest.fixture
def outbox(transactions: SqliteTransactions, clock: TestClock) -> Outbox:
    """The outbox."""
    return Outbox(transactions, SqlOutboxStore(), clock, OwnLocks())


@pytest.fixture
def dispatcher(outbox: Outbox, queue: Eating, clock: TestClock, signals: LocalSignals) -> Dispatcher:
    """The leader's."""
    return Dispatcher(outbox=outbox, queue=queue, clock=clock, signals=signals)


@pytest.fixture
async def lane(transactions: SqliteTransactions) -> int:
    """A lane in which something waits."""
    event = DeviceOnline(at=NOON, by="system", uuid=new_uuid())
    async with transactions.begin() as tx:
        tx.announce(event)
    return lane_of(event)


async def test_a_lane_is_woken_once_and_again_when_nothing_comes_of_it(
    dispatcher: Dispatcher, queue: Eating, clock: TestClock, lane: int
) -> None:
    for _ in range(3):
        await dispatcher.dispatch()
    assert queue.woken == [lane]
    clock.advance(seconds=AGAIN_AFTER)
    await dispatcher.dispatch()
    assert queue.woken == [lane, lane]


async def test_a_lane_of_which_something_was_delivered_rests_and_is_woken_when_there_is_more(
    dispatcher: Dispatcher, queue: Eating, signals: LocalSignals, clock: TestClock, lane: int
) -> None:
    await dispatcher.dispatch()
    signals.send(DELIVERED, str(lane))
    await dispatcher.dispatch()
    assert queue.woken == [lane]
    clock.advance(seconds=REST)
    await dispatcher.dispatch()
    assert queue.woken == [lane, lane]


async def test_while_the_queue_is_away_the_leader_delivers_and_asks_it_once_in_a_round(
    dispatcher: Dispatcher, queue: Eating, outbox: Outbox, transactions: SqliteTransactions
) -> None:
    queue.away = True
    async with transactions.begin() as tx:
        for _ in range(100):
            tx.announce(DeviceOnline(at=NOON, by="system", uuid=new_uuid()))
    await dispatcher.dispatch()
    assert (await outbox.backlog(), queue.asked) == (0, 1)


async def test_a_queue_that_loses_every_message_loses_no_event(
    dispatcher: Dispatcher, queue: Eating, outbox: Outbox, clock: TestClock, lane: int
) -> None:
    for _ in range(MOST_WAKENINGS + 1):
        await dispatcher.dispatch()
        clock.advance(seconds=AGAIN_AFTER)
    assert await outbox.backlog() == 0
    assert set(queue.woken) == {lane}
