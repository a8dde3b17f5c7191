"""Workers are woken through Redis or RabbitMQ, by dramatiq. Implements `core.queue.Queue`."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any
from urllib.parse import urlsplit

import dramatiq
from attrs import define, field
from dramatiq import Broker, Worker
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AgeLimit, Middleware

from core.errors import Invalid, Unavailable

log = logging.getLogger(__name__)

QUEUE = "iotistic"
ANSWER_SECONDS = 3
WAKE_SECONDS = 5.0
DELIVERY_SECONDS = 600.0
STOP_MILLISECONDS = 5000
# A wake-up that nobody has heard for so long is worth nothing: the lane has been woken again since.
AGE_MILLISECONDS = 60_000

Deliver = Callable[[int], Awaitable[bool]]


def broker_of(url: str) -> Broker:
    """The broker of the queue at this address: redis://, rediss://, amqp:// or amqps://. Invalid when it is none."""
    scheme = urlsplit(url).scheme
    middleware: Sequence[Middleware] = (AgeLimit(max_age=AGE_MILLISECONDS),)
    if scheme in {"redis", "rediss", "unix"}:
        limits: dict[str, Any] = {"socket_timeout": ANSWER_SECONDS, "socket_connect_timeout": ANSWER_SECONDS}
        made: Broker = RedisBroker(  # type: ignore[no-untyped-call]
            url=url, middleware=[*middleware], namespace=QUEUE, **limits
        )
        return made
    if scheme in {"amqp", "amqps"}:
        # Without the broker's word that it has a message, messages are lost when we leave soon after.
        return RabbitmqBroker(url=url, middleware=[*middleware], confirm_delivery=True)
    raise Invalid(
        "QUEUE_URL must look like redis://127.0.0.1:6379/0 or amqp://iotistic:password@127.0.0.1", field="QUEUE_URL"
    )


@define(eq=False)
class DramatiqQueue:
    """Wakes workers, and is one once it was told to `work`."""

    _broker: Broker
    woken: int = 0
    failed: int = 0
    _deliver: Deliver | None = None
    _loop: asyncio.AbstractEventLoop | None = None
    _worker: Worker | None = None
    _actor: "dramatiq.Actor[[int], None]" = field(init=False)
    # One thread, because the library for RabbitMQ has a connection for each.
    _thread: ThreadPoolExecutor = field(factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="queue"))

    def __attrs_post_init__(self) -> None:
        self._actor = dramatiq.Actor(
            self._run,
            broker=self._broker,
            actor_name="deliver",
            queue_name=QUEUE,
            priority=0,
            options={"max_retries": 0},
        )

    async def wake(self, lane: int) -> None:
        """See `core.queue.Queue`."""
        try:
            async with asyncio.timeout(WAKE_SECONDS):
                await asyncio.get_running_loop().run_in_executor(self._thread, self._actor.send, lane)
        except Exception as error:
            # Whatever the library of the one queue or the other raises.
            raise Unavailable("the queue does not answer", context={"reason": repr(error)}) from error

    def work(self, deliver: Deliver, *, concurrency: int) -> None:
        """From now on `deliver` is called for lanes that were woken, so many at a time. True asks to come again."""
        self._loop = asyncio.get_running_loop()
        self._deliver = deliver
        self._broker.emit_after("process_boot")
        self._worker = Worker(self._broker, queues={QUEUE}, worker_threads=concurrency, worker_timeout=200)
        self._worker.start()

    async def stop(self) -> None:
        """Take nothing more, and finish what is in work."""
        worker, self._worker = self._worker, None
        if worker is not None:
            await asyncio.to_thread(worker.stop, STOP_MILLISECONDS)
        await asyncio.to_thread(self._broker.close)
        self._thread.shutdown(wait=False, cancel_futures=True)

    def waiting(self) -> int:
        """How many wake-ups nobody has taken yet. Blocks for a moment; raises what the library raises."""
        if isinstance(self._broker, RedisBroker):
            return int(self._broker.client.llen(f"{self._broker.namespace}:{QUEUE}"))
        ready, _, _ = self._broker.get_queue_message_counts(QUEUE)  # type: ignore[attr-defined]
        return int(ready)

    def _run(self, lane: int) -> None:
        """In a thread of dramatiq: the loop has the features."""
        if self._loop is None or self._deliver is None:
            raise RuntimeError("woken before there is anybody to work")
        future = asyncio.run_coroutine_threadsafe(self._awaited(lane), self._loop)
        try:
            again = future.result(DELIVERY_SECONDS)
        except (CancelledError, FutureTimeout):
            future.cancel()
            self.failed += 1
            return
        except Exception:
            log.exception("lane %d could not be delivered, and is woken again when its time comes", lane)
            self.failed += 1
            return
        self.woken += 1
        if again:
            self._actor.send(lane)

    async def _awaited(self, lane: int) -> bool:
        return self._deliver is not None and await self._deliver(lane)
