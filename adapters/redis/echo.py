"""What one process counts the others count too: limits hold for all of them together, a moment later."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from secrets import token_hex

import msgspec
from attrs import define, field
from redis.asyncio import Redis
from redis.exceptions import RedisError

from adapters.system.attempts import Window

log = logging.getLogger(__name__)

CHANNEL = "iotistic:counted"
ANSWER_SECONDS = 3.0
ASK_EVERY = 10.0
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
# Told or forgotten: whoever guesses faster than this is stopped by each process' own count.
MOST_UNTOLD = 1000

_decoder = msgspec.json.Decoder(tuple[str, str, str])


@define(eq=False)
class Echo:
    """Connects the windows of this process with those of the same name in others.

    While Redis is away each process counts for itself: an attacker then has as many tries as there are processes times
    the limit, and nobody is kept out.
    """

    url: str = field(repr=False)
    windows: Mapping[str, Window]
    origin: str = field(factory=lambda: token_hex(8))
    _untold: "asyncio.Queue[bytes]" = field(factory=lambda: asyncio.Queue(MOST_UNTOLD))
    _task: "asyncio.Task[None] | None" = None
    _hears: asyncio.Event = field(factory=asyncio.Event)

    async def open(self) -> None:
        """Begin to tell and to hear."""
        for name, window in self.windows.items():
            window.tell_others(lambda key, name=name: self._tell(name, key))  # type: ignore[misc]
        self._task = asyncio.create_task(self._stay_connected())

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def hears(self) -> None:
        """Returns when others are heard."""
        await self._hears.wait()

    def _tell(self, name: str, key: str) -> None:
        with suppress(asyncio.QueueFull):
            self._untold.put_nowait(msgspec.json.encode((self.origin, name, key)))

    async def _stay_connected(self) -> None:
        pause, alone = FIRST_PAUSE, False
        while True:
            client = Redis.from_url(self.url, socket_connect_timeout=ANSWER_SECONDS, health_check_interval=10)
            try:
                async with client.pubsub(ignore_subscribe_messages=True) as heard, asyncio.TaskGroup() as both:
                    await heard.subscribe(CHANNEL)
                    self._hears.set()
                    pause, alone = FIRST_PAUSE, False
                    both.create_task(self._say(client))
                    async for message in heard.listen():
                        self._heard(message["data"])
                    raise ConnectionError("Redis has ended the subscription")
            except* (RedisError, OSError) as errors:
                if not alone:
                    log.warning("guesses are counted by each process for itself: %s", errors.exceptions[0])
                alone = True
            finally:
                self._hears.clear()
                await client.aclose()
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _say(self, client: "Redis") -> None:
        while True:
            try:
                async with asyncio.timeout(ASK_EVERY):
                    told = await self._untold.get()
            except TimeoutError:
                told = None
            # A Redis that has been frozen or cut off says nothing: it shows when it is asked.
            async with asyncio.timeout(ANSWER_SECONDS):
                await (client.ping() if told is None else client.publish(CHANNEL, told))

    def _heard(self, message: bytes) -> None:
        try:
            origin, name, key = _decoder.decode(message)
        except msgspec.DecodeError:
            return  # of another version of ours
        window = self.windows.get(name)
        if window is not None and origin != self.origin:
            window.counted_elsewhere(key)
