"""The leader's part of the outbox: sees to it that every lane in which something waits has a worker."""

import logging

from core.clock import Clock
from core.errors import Unavailable
from core.outbox import Outbox
from core.queue import Queue

log = logging.getLogger(__name__)

# A lane that still has something to deliver so long after it was woken is woken again: the wake-up may be lost.
AGAIN_AFTER = 2.0


class Dispatcher:
    """Wakes a worker for each lane; while the queue does not work it delivers by itself."""

    def __init__(self, *, outbox: Outbox, queue: Queue, clock: Clock) -> None:
        self._outbox = outbox
        self._queue = queue
        self._clock = clock
        self._woken: dict[int, float] = {}
        self._queue_works = True
        self.delivered_here = 0

    async def dispatch(self) -> None:
        """Wake a worker for each lane that has waited since it was woken, or was not."""
        waiting = await self._outbox.waiting()
        now = self._clock.monotonic()
        self._woken = {lane: at for lane, at in self._woken.items() if lane in waiting and now - at < AGAIN_AFTER}
        for lane in waiting:
            if lane not in self._woken:
                await self._wake(lane)

    async def _wake(self, lane: int) -> None:
        try:
            await self._queue.wake(lane)
        except Unavailable as refusal:
            if self._queue_works:
                log.warning("%s: the leader delivers by itself meanwhile", refusal.message)
            self._queue_works = False
            self.delivered_here += 1
            await self._outbox.deliver(lane)
            return
        if not self._queue_works:
            log.warning("the queue works again")
        self._queue_works = True
        self._woken[lane] = self._clock.monotonic()
