"""Workers woken through a real Redis."""

import asyncio
import signal
from collections.abc import AsyncIterator

import pytest
from attrs import define, field

from adapters.dramatiq.queue import DramatiqQueue, broker_of
from core.errors import Invalid, Unavailable
from tests.support.redis import RedisServer


@define
class Worker:
    """Notes which lanes were woken."""

    woken: asyncio.Queue[int] = field(factory=asyncio.Queue)
    more: int = 0

    async def deliver(self, lane: int) -> bool:
        """Deliver; whether to come again."""
        self.woken.put_nowait(lane)
        self.more -= 1
        return self.more >= 0

    async def next(self) -> int:
        """The next lane."""
        async with asyncio.timeout(30):
            return await self.woken.get()


@pytest.fixture
def worker() -> Worker:
    """Somebody who works."""
    return Worker()


@pytest.fixture
async def queue(redis_server: RedisServer, worker: Worker) -> AsyncIterator[DramatiqQueue]:
    """The queue, and a worker on it."""
    one = DramatiqQueue(broker_of(redis_server.url))
    one.work(worker.deliver, concurrency=2)
    yield one
    await one.stop()


async def test_a_lane_that_is_woken_is_delivered(queue: DramatiqQueue, worker: Worker) -> None:
    for lane in (3, 40):
        await queue.wake(lane)
    assert {await worker.next(), await worker.next()} == {3, 40}


async def test_who_has_more_is_called_again(queue: DramatiqQueue, worker: Worker) -> None:
    worker.more = 1
    await queue.wake(3)
    assert [await worker.next(), await worker.next()] == [3, 3]


async def test_a_queue_that_is_frozen_refuses_within_seconds_and_ends_no_worker(
    queue: DramatiqQueue, worker: Worker, redis_server: RedisServer
) -> None:
    assert redis_server.process is not None
    await queue.wake(1)
    await worker.next()
    redis_server.process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(Unavailable):
            async with asyncio.timeout(10):
                await queue.wake(2)
    finally:
        redis_server.process.send_signal(signal.SIGCONT)
    await queue.wake(7)
    while await worker.next() != 7:
        continue


def test_an_address_of_another_sort_is_refused() -> None:
    with pytest.raises(Invalid, match="QUEUE_URL"):
        broker_of("kafka://127.0.0.1")
