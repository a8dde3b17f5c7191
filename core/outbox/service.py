"""The relay: takes announced events to the reactions, at least once."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from core.actor import Actor, Permission
from core.checks import require
from core.clock import Clock
from core.errors import NotFound
from core.events import AnySubscription
from core.locks import Hold, Locks
from core.outbox.model import LANES, DeadLetter, OutboxStanding
from core.outbox.ports import OutboxStore
from core.outbox.reactions import Reactions
from core.transactions import Transactions

OUTBOX_READ = Permission("settings:read")
OUTBOX_RETRY = Permission("settings:write")
# Signalled, with the number of the lane, when something of it has been delivered.
DELIVERED = "outbox.delivered"

BATCH = 200
# After so many seconds the lane is left to whoever comes next: others wait as well.
PATIENCE = 20.0

Enough = Callable[[], bool]


class Outbox:
    """Delivers events to reactions and keeps the books on those that failed.

    A process that is alone calls `relay` and `retry`. Where there are several, each `deliver`s lanes in which something
    is `waiting`: those of fresh events are numbered from 0, those of what has to be tried again from LANES on.
    """

    def __init__(self, transactions: Transactions, store: OutboxStore, clock: Clock, locks: Locks) -> None:
        self._transactions = transactions
        self._locks = locks
        self._store = store
        self._clock = clock
        self._reactions = Reactions(clock)
        self._relaying = asyncio.Lock()
        self._finishing = False

    def subscribe(self, subscriptions: Sequence[AnySubscription]) -> None:
        """Deliver to these from now on. Names must differ, for failures are booked under them."""
        self._reactions.subscribe(subscriptions)

    async def relay(self) -> int:
        """Deliver what is waiting; how many events that were. Crash in between and they are delivered again."""
        async with self._relaying:  # two at once would deliver the same events twice
            return await self._relay(None, lambda: False)

    async def retry(self) -> int:
        """Try again those failures whose time has come; how many were tried."""
        return await self._retry(None, lambda: False)

    async def waiting(self) -> Sequence[int]:
        """The lanes in which there is something to deliver now."""
        async with self._transactions.read() as tx:
            again = await self._store.lanes_due(tx, self._clock.now())
            return [*await self._store.lanes(tx), *(LANES + lane for lane in again)]

    async def deliver(self, lane: int, *, patience: float = PATIENCE) -> bool:
        """Deliver what waits in one lane, unless another process is about it; whether to come again for the rest.

        Ends soon after `patience` seconds, at the latest with the reaction that is under way then. Crash in between, or
        lose the lock, and some events are delivered twice.
        """
        if self._finishing:
            return False
        until = self._clock.monotonic() + patience
        async with self._locks.try_hold(f"outbox.lane.{lane}") as hold:
            if hold is None:
                return False
            await _unless_lost(hold, self._empty(lane, lambda: self._finishing or self._clock.monotonic() >= until))
        # Who came while we were about to leave has found the lane taken: what he came for only we can know.
        return lane in await self.waiting()

    def finish(self) -> None:
        """Deliver nothing more but the event that is being delivered: the process is about to leave."""
        self._finishing = True

    async def _empty(self, lane: int, enough: Enough) -> None:
        fresh = lane < LANES
        while await (self._relay(lane, enough) if fresh else self._retry(lane - LANES, enough)):
            if enough():
                return

    async def _relay(self, lane: int | None, enough: Enough) -> int:
        async with self._transactions.read() as tx:
            batch = await self._store.pending(tx, BATCH, lane)
        if not batch:
            return 0
        told = await self._reactions.tell(batch, enough)
        async with self._transactions.begin() as tx:
            await self._store.relayed(tx, [announced.id for announced in batch[: told.count]], told.failures)
            if lane is not None:
                tx.signal(DELIVERED, str(lane))
        return told.count

    async def _retry(self, lane: int | None, enough: Enough) -> int:
        async with self._transactions.read() as tx:
            due = await self._store.due(tx, self._clock.now(), BATCH, lane)
        tried = 0
        for failure, announced in due:
            again = await self._reactions.tell_again(failure, announced)
            tried += 1
            async with self._transactions.begin() as tx:
                await self._store.settle(tx, failure, again)
                if lane is not None:
                    tx.signal(DELIVERED, str(LANES + lane))
            if enough():
                break
        return tried

    async def dead_letters(self, actor: Actor, limit: int = 100) -> Sequence[DeadLetter]:
        """Deliveries that were given up, newest first."""
        require(actor, OUTBOX_READ)
        async with self._transactions.read() as tx:
            return await self._store.dead(tx, limit)

    async def revive(self, actor: Actor, event_id: int, reaction: str) -> None:
        """Try a dead letter once more, with all its attempts ahead of it. Raises NotFound."""
        require(actor, OUTBOX_RETRY)
        async with self._transactions.begin() as tx:
            if not await self._store.revive(tx, event_id, reaction, self._clock.now()):
                raise NotFound("there is no such dead letter")

    async def backlog(self) -> int:
        """How many events wait for their first delivery."""
        async with self._transactions.read() as tx:
            return await self._store.backlog(tx)

    async def standing(self) -> OutboxStanding:
        """How it is doing, as of one moment."""
        async with self._transactions.read() as tx:
            return OutboxStanding(
                backlog=await self._store.backlog(tx),
                oldest=await self._store.oldest(tx),
                dead_letters=await self._store.count_dead(tx),
            )


async def _unless_lost(hold: Hold, work: Coroutine[Any, Any, None]) -> None:
    """Do it for as long as the lock is ours. Without it another may do the same, so it is broken off."""
    working, losing = asyncio.create_task(work), asyncio.create_task(hold.lost())
    try:
        await asyncio.wait({working, losing}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        for task in (working, losing):
            task.cancel()
        await asyncio.gather(working, losing, return_exceptions=True)
