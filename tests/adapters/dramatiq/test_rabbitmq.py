"""Workers woken through a real RabbitMQ, which confirms that it has a message."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from adapters.dramatiq.queue import DramatiqQueue, broker_of
from core.errors import Unavailable
from tests.support.rabbitmq import RabbitMq
from tests.support.server import free_port

SECONDS = 60


async def test_wake_ups_are_kept_until_somebody_works_and_come_again_after_the_queue_was_away() -> None:
    heard: asyncio.Queue[int] = asyncio.Queue()

    async def deliver(lane: int) -> bool:
        heard.put_nowait(lane)
        return False

    with TemporaryDirectory(prefix="rabbitmq-", ignore_cleanup_errors=True) as folder:
        server = RabbitMq(Path(folder), ["auth_backends.1 = internal"], amqp_port=free_port())
        await server.start()
        url = f"amqp://guest:guest@127.0.0.1:{server.amqp_port}"
        try:
            teller = DramatiqQueue(broker_of(url))
            for lane in (3, 5):
                await teller.wake(lane)
            await teller.stop()
            worker = DramatiqQueue(broker_of(url))
            worker.work(deliver, concurrency=1)
            async with asyncio.timeout(SECONDS):
                assert {await heard.get(), await heard.get()} == {3, 5}
            await server.stop()
            with pytest.raises(Unavailable):
                await worker.wake(7)
            await server.start()
            await _until_it_is_taken(worker, 7)
            async with asyncio.timeout(SECONDS):
                assert await heard.get() == 7
            await worker.stop()
        finally:
            await server.stop()


async def _until_it_is_taken(queue: DramatiqQueue, lane: int) -> None:
    """As the dispatcher does: try again."""
    async with asyncio.timeout(SECONDS):
        while True:
            try:
                await queue.wake(lane)
            except Unavailable:
                await asyncio.sleep(0.2)
            else:
                return
