"""How reactions and messages of devices fare, each counted by what it is and how it ended."""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import count
from secrets import token_hex
from time import perf_counter
from typing import Any

from attrs import evolve
from prometheus_client import CollectorRegistry

from core.durations import Durations
from core.errors import Refusal
from core.events import CORRELATION, Announced, AnySubscription
from core.ids import DeviceUuid
from entrypoints.observing.figures import Figures, Spread, counter

log = logging.getLogger(__name__)

Handler = Callable[[DeviceUuid, str, bytes], Awaitable[None]]
DONE, FAILED = "done", "failed"
_THIS_START = token_hex(4)
_messages = count(1)


def kind_of(error: BaseException) -> str:
    """`refused` with one of the seven refusals, else a bug of ours, or the end of the time that it had."""
    return type(error).__name__.lower() if isinstance(error, Refusal) else FAILED


class Reactions:
    """Counts the reactions to events, in the process in which they run."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._outcomes: Counter[tuple[str, ...]] = Counter()
        self._durations: dict[tuple[str, ...], Durations] = {}
        words = "Reactions to events, each time they were tried"
        Figures(
            registry,
            [
                counter("iotistic_reactions", words, lambda: self._outcomes, ("reaction", "outcome")),
                Spread("iotistic_reaction_seconds", "How long one took", lambda: self._durations, ("reaction",)),
            ],
        )

    def counted(self, subscription: AnySubscription) -> AnySubscription:
        """The same subscription, counted."""
        name, react = subscription.name, subscription.reaction
        durations = self._durations[(name,)] = Durations()
        outcomes = self._outcomes
        outcomes[name, DONE] = 0

        async def counted(announced: Announced[Any]) -> None:
            began, outcome = perf_counter(), FAILED
            try:
                await react(announced)
                outcome = DONE
            except Refusal as refusal:
                outcome = kind_of(refusal)
                raise
            finally:
                outcomes[name, outcome] += 1
                durations.add(perf_counter() - began)
                log.debug("reaction %s to event %d: %s", name, announced.id, outcome)

        return evolve(subscription, reaction=counted)


class Intake:
    """Counts the messages of devices, and gives each a name for the log and for the events that come of it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._outcomes: Counter[tuple[str, ...]] = Counter()
        self._durations: dict[tuple[str, ...], Durations] = {}
        words = "Messages of devices, each time one was to be stored"
        Figures(
            registry,
            [
                counter("iotistic_device_messages", words, lambda: self._outcomes, ("kind", "outcome")),
                Spread("iotistic_device_message_seconds", "How long it took to store one", self._times, ("kind",)),
            ],
        )

    def counted(self, kind: str, handle: Handler) -> Handler:
        """The same handler, counted."""
        durations = self._durations[(kind,)] = Durations()
        outcomes = self._outcomes
        outcomes[kind, DONE] = 0

        async def counted(uuid: DeviceUuid, rest: str, payload: bytes) -> None:
            outside = CORRELATION.set(f"{_THIS_START}-m{next(_messages)}")
            began, outcome = perf_counter(), FAILED
            try:
                await handle(uuid, rest, payload)
                outcome = DONE
            except Refusal as refusal:
                outcome = kind_of(refusal)
                raise
            finally:
                outcomes[kind, outcome] += 1
                durations.add(perf_counter() - began)
                CORRELATION.reset(outside)

        return counted

    def _times(self) -> dict[tuple[str, ...], Durations]:
        return self._durations
