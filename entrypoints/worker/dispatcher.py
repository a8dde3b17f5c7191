"""The leader's part of the outbox: sees to it that every lane in which something waits has a worker."""

import asyncio
import logging
from collections.abc import Sequence

from attrs import frozen

from core.clock import Clock
from core.errors import Unavailable
from core.outbox import DELIVERED, Outbox
from core.queue import Queue
from core.transactions import ELSEWHERE, Signals

log = logging.getLogger(__name__)

# A lane that still has something to deliver so long after it was woken is woken again: the wake-up may be lost.
AGAIN_AFTER = 2.0
# A lane that was emptied just now rests for a moment: what comes meanwhile is worth a way of its own, one event is not.
REST = 0.5
# A lane that was woken so often, and nothing came of it, is not left to the queue alone.
MOST_WAKENINGS = 4
# What the leader delivers by itself keeps it from looking after the other lanes.
PATIENCE = 2.0
HERE_AT_ONCE = 4


@frozen
class _Woken:
    """When a lane was woken last, and how often since something of it was delivered."""

    at: float
    times: int


class Dispatcher:
    """Wakes a worker for each lane; while the queue does not work it delivers by itself."""

    def __init__(self, *, outbox: Outbox, queue: Queue, clock: Clock, signals: Signals) -> None:
        self._outbox = outbox
        self._queue = queue
        self._clock = clock
        self._woken: dict[int, _Woken] = {}
        self._resting: dict[int, float] = {}
        self._queue_works = True
        self._here = asyncio.Semaphore(HERE_AT_ONCE)
        self.delivered_here = 0
        # A lane in which something is new soon after it was emptied does not wait until it is woken again in any case.
        signals.on(DELIVERED, self._delivered)
        signals.on(ELSEWHERE, lambda _key: self._woken.clear())

    def _delivered(self, lane: str) -> None:
        self._woken.pop(int(lane), None)
        self._resting[int(lane)] = self._clock.monotonic() + REST

    async def dispatch(self) -> None:
        """Wake a worker for each lane that has waited since it was woken, or was not."""
        waiting = await self._outbox.waiting()
        now = self._clock.monotonic()
        self._woken = {lane: woken for lane, woken in self._woken.items() if lane in waiting}
        self._resting = {lane: until for lane, until in self._resting.items() if until > now}
        awake = [lane for lane in waiting if lane not in self._resting]
        due = [lane for lane in awake if lane not in self._woken or now - self._woken[lane].at >= AGAIN_AFTER]
        await self._deliver_here(await self._wake(due, now))

    async def _wake(self, lanes: Sequence[int], now: float) -> Sequence[int]:
        """Wake workers for these lanes; those that had better be delivered here are the answer."""
        left_over: list[int] = []
        for position, lane in enumerate(lanes):
            try:
                await self._queue.wake(lane)
            except Unavailable as refusal:
                if self._queue_works:
                    log.warning("%s: the leader delivers by itself meanwhile", refusal.message)
                self._queue_works = False
                return [*left_over, *lanes[position:]]
            if not self._queue_works:
                log.warning("the queue works again")
            self._queue_works = True
            before = self._woken.get(lane)
            self._woken[lane] = _Woken(now, before.times + 1 if before else 1)
            if self._woken[lane].times > MOST_WAKENINGS:
                left_over.append(lane)
        return left_over

    async def _deliver_here(self, lanes: Sequence[int]) -> None:
        await asyncio.gather(*(self._deliver_one(lane) for lane in lanes))

    async def _deliver_one(self, lane: int) -> None:
        async with self._here:
            self.delivered_here += 1
            try:
                await self._outbox.deliver(lane, patience=PATIENCE)
            except Unavailable as refusal:
                log.warning("lane %d has to wait: %s", lane, refusal.message)
