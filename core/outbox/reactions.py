"""Who reacts to what, and what becomes of it when they fail."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from attrs import frozen

from core.clock import Clock
from core.errors import Refusal
from core.events import CORRELATION, Announced, AnySubscription
from core.outbox.model import Failure, failed

log = logging.getLogger(__name__)

REACTION_TIMEOUT = 60.0
LONGEST_ERROR = 500


@frozen
class Told:
    """The first `count` events of a batch have been told to everybody; these reactions to them failed."""

    count: int
    failures: Sequence[Failure]


class Reactions:
    """All reactions of this process. They never raise: what they raise is booked as a failure."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._subscriptions: Sequence[AnySubscription] = ()

    def subscribe(self, subscriptions: Sequence[AnySubscription]) -> None:
        """Tell these from now on. Names must differ, for failures are booked under them."""
        names = [subscription.name for subscription in subscriptions]
        doubles = sorted({name for name in names if names.count(name) > 1})
        if doubles:
            raise ValueError(f"two reactions have the same name: {', '.join(doubles)}")
        self._subscriptions = tuple(subscriptions)

    async def tell(self, batch: Sequence[Announced[Any]], enough: Callable[[], bool]) -> Told:
        """Tell of the events, in order, until it is `enough`: asked after each event.

        Those who take many at once are told first, of all of them; of what is left over they will hear again.
        """
        wanting = [(announced, self._wanting(announced)) for announced in batch]
        at_once = [(each, announced) for announced, those in wanting for each in those if each.at_once]
        outcomes = await asyncio.gather(*(self._react(each, announced, attempts=1) for each, announced in at_once))
        count = 0
        for announced, those in wanting:
            for each in those:
                if not each.at_once:
                    outcomes.append(await self._react(each, announced, attempts=1))
            count += 1
            if enough():
                break
        told = {announced.id for announced in batch[:count]}
        return Told(count, [outcome for outcome in outcomes if outcome is not None and outcome.event_id in told])

    async def tell_again(self, failure: Failure, announced: Announced[Any]) -> Failure | None:
        """Try once more what failed; None when it went through."""
        for subscription in self._subscriptions:
            if subscription.name == failure.reaction:
                return await self._react(subscription, announced, attempts=failure.attempts + 1)
        # Its plugin is not installed now; it may be tomorrow.
        error = f"nobody here is called {failure.reaction}"
        return self._failed(announced, failure.reaction, failure.attempts + 1, error)

    def _wanting(self, announced: Announced[Any]) -> Sequence[AnySubscription]:
        return [subscription for subscription in self._subscriptions if subscription.wants(announced.event)]

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
