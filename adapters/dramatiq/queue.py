"""Workers are woken through Redis or RabbitMQ, by dramatiq. Implements `core.queue.Queue`."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import dramatiq
from attrs import define, field
from dramatiq import Broker, Worker
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AgeLimit, Middleware
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeout

from core.errors import Invalid, Unavailable

log = logging.getLogger(__name__)

QUEUE = "iotistic"
ANSWER_SECONDS = 3
WAKE_SECONDS = 5.0
# Longer than a delivery takes that ends when it is told to.
DELIVERY_SECONDS = 120.0
STOP_MILLISECONDS = 5000
GOODBYE_SECONDS = 8.0
# A wake-up that nobody has heard for so long is worth nothing: the lane has been woken again since.
AGE_MILLISECONDS = 60_000

_LIMITS = {
    "heartbeat": "10",
    "socket_timeout": str(ANSWER_SECONDS),
    "stack_timeout": str(ANSWER_SECONDS + 1),
    "blocked_connection_timeout": str(ANSWER_SECONDS),
}

Deliver = Callable[[int], Awaitable[bool]]


def broker_of(url: str) -> Broker:
    """The broker of the queue at this address: redis://, rediss://, amqp:// or amqps://. Invalid when it is none."""
    scheme = urlsplit(url).scheme
    middleware: Sequence[Middleware] = (AgeLimit(max_age=AGE_MILLISECONDS),)
    if scheme in {"redis", "rediss", "unix"}:
        client = _Impatient.from_url(url, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS)
        made: Broker = RedisBroker(  # type: ignore[no-untyped-call]
            client=client, middleware=[*middleware], namespace=QUEUE
        )
        return made
    if scheme in {"amqp", "amqps"}:
        # Without the broker's word that it has a message, messages are lost when we leave soon after.
        return RabbitmqBroker(url=_impatient(url), middleware=[*middleware], confirm_delivery=True)
    raise Invalid(
        "QUEUE_URL must look like redis://127.0.0.1:6379/0 or amqp://iotistic:password@127.0.0.1", field="QUEUE_URL"
    )


class _Impatient(Redis):
    """dramatiq survives a connection that is refused or breaks, but not one that is silent: its threads would end."""

    def execute_command(self, *arguments: Any, **options: Any) -> Any:
        """As the library does it, with one error for both."""
        try:
            return super().execute_command(*arguments, **options)  # type: ignore[no-untyped-call]
        except RedisTimeout as error:
            raise RedisConnectionError(str(error)) from error


def _impatient(url: str) -> str:
    """With limits in seconds to what the library for RabbitMQ waits for, unless the URL has its own."""
    parts = urlsplit(url)
    given = dict(parse_qsl(parts.query))
    return urlunsplit(parts._replace(query=urlencode(_LIMITS | given)))


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
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):  # to a queue that does not answer any more
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
        future = asyncio.run_coroutine_threadsafe(self._delivered(lane), self._loop)
        try:
            future.result(DELIVERY_SECONDS)
        except (CancelledError, FutureTimeout):
            future.cancel()
            self.failed += 1
            return
        except Exception:
            log.exception("lane %d could not be delivered, and is woken again when its time comes", lane)
            self.failed += 1
            return
        self.woken += 1

    async def _delivered(self, lane: int) -> None:
        """Deliver, and have somebody come again if that is wanted."""
        if self._deliver is None or not await self._deliver(lane):
            return
        try:
            await self.wake(lane)
        except Unavailable as refusal:
            log.info("lane %d has more and waits for the leader: %s", lane, refusal.message)
