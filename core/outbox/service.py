"""The relay: takes announced events to the reactions, at least once."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from core.actor import Actor, Permission
from core.checks import require
from core.clock import Clock
from core.errors import NotFound, Refusal
from core.events import CORRELATION, Announced, AnySubscription
from core.locks import Locks
from core.outbox.model import DeadLetter, Failure, OutboxStanding, failed
from core.outbox.ports import OutboxStore
from core.transactions import Transactions

log = logging.getLogger(__name__)

OUTBOX_READ = Permission("settings:read")
OUTBOX_RETRY = Permission("settings:write")

BATCH = 200
# After so many the lane is left to whoever comes next: others wait as well.
MOST_BATCHES = 10
REACTION_TIMEOUT = 60.0
LONGEST_ERROR = 500


class Outbox:
    """Delivers events to reactions and keeps the books on those that failed."""

    def __init__(self, transactions: Transactions, store: OutboxStore, clock: Clock, locks: Locks) -> None:
        self._transactions = transactions
        self._locks = locks
        self._store = store
        self._clock = clock
        self._subscriptions: Sequence[AnySubscription] = ()
        self._relaying = asyncio.Lock()

    def subscribe(self, subscriptions: Sequence[AnySubscription]) -> None:
        """Deliver to these from now on. Names must differ, for failures are booked under them."""
        names = [subscription.name for subscription in subscriptions]
        doubles = sorted({name for name in names if names.count(name) > 1})
        if doubles:
            raise ValueError(f"two reactions have the same name: {', '.join(doubles)}")
        self._subscriptions = tuple(subscriptions)

    async def relay(self) -> int:
        """Deliver what is waiting; how many events that were. Crash in between and they are delivered again."""
        async with self._relaying:  # two at once would deliver the same events twice
            return await self._relay(None)

    async def waiting(self) -> Sequence[int]:
        """The lanes in which events wait for their first delivery."""
        async with self._transactions.read() as tx:
            return await self._store.lanes(tx)

    async def deliver(self, lane: int) -> bool:
        """Deliver what waits in one lane, unless another process is about it; whether to come again for the rest.

        Crash in between, or lose the lock, and some events are delivered twice.
        """
        async with self._locks.try_hold(f"outbox.lane.{lane}") as hold:
            if hold is None:
                return False
            for _ in range(MOST_BATCHES):
                if not await self._relay(lane):
                    return False
        return True

    async def _relay(self, lane: int | None) -> int:
        async with self._transactions.read() as tx:
            batch = await self._store.pending(tx, BATCH, lane)
        failures = await self._deliver(batch)
        if batch:
            async with self._transactions.begin() as tx:
                await self._store.relayed(tx, [announced.id for announced in batch], failures)
        return len(batch)

    async def retry(self) -> int:
        """Try again those failures whose time has come; how many were tried."""
        async with self._transactions.read() as tx:
            due = await self._store.due(tx, self._clock.now(), BATCH)
        for failure, announced in due:
            again = await self._try_again(failure, announced)
            async with self._transactions.begin() as tx:
                await self._store.settle(tx, failure, again)
        return len(due)

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

    async def _deliver(self, batch: Sequence[Announced[Any]]) -> list[Failure]:
        """To those who take many at once first, then to the others, one by one."""
        wanting = [
            (subscription, announced)
            for announced in batch
            for subscription in self._subscriptions
            if subscription.wants(announced.event)
        ]
        at_once = [self._react(each, announced, attempts=1) for each, announced in wanting if each.at_once]
        outcomes = await asyncio.gather(*at_once)
        outcomes += [await self._react(each, announced, attempts=1) for each, announced in wanting if not each.at_once]
        return [outcome for outcome in outcomes if outcome is not None]

    async def _try_again(self, failure: Failure, announced: Announced[Any]) -> Failure | None:
        for subscription in self._subscriptions:
            if subscription.name == failure.reaction:
                return await self._react(subscription, announced, attempts=failure.attempts + 1)
        # Its plugin is not installed now; it may be tomorrow.
        error = f"nobody here is called {failure.reaction}"
        return self._failed(announced, failure.reaction, failure.attempts + 1, error)

    async def _react(
        self, subscription: AnySubscription, announced: Announced[Any], *, attempts: int
    ) -> Failure | None:
        # What a reaction announces belongs to what it reacts to.
        outside = CORRELATION.set(announced.correlation_id)
        try:
            async with asyncio.timeout(REACTION_TIMEOUT):
                await subscription.reaction(announced)
        except Exception as error:  # noqa: BLE001 - whatever a reaction raises is booked as its failure
            reason = error.message if isinstance(error, Refusal) else f"{type(error).__name__}: {error}"
            log.warning("reaction %s failed on event %s: %s", subscription.name, announced.id, reason)
            return self._failed(announced, subscription.name, attempts, reason)
        finally:
            CORRELATION.reset(outside)
        return None

    def _failed(self, announced: Announced[Any], reaction: str, attempts: int, error: str) -> Failure:
        return failed(
            event_id=announced.id,
            reaction=reaction,
            attempts=attempts,
            error=error[:LONGEST_ERROR],
            now=self._clock.now(),
        )
