"""Facts that features announce, and the reactions to them."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

from attrs import frozen

EVENTS: dict[str, type["Event"]] = {}

# What events have in common that come of the same request. It is set where a request begins and where a reaction
# does, read where an event is written down, and spares every use case a parameter that it would only hand on.
CORRELATION: ContextVar[str | None] = ContextVar("correlation", default=None)


@frozen(kw_only=True)
class Event:
    """Something that happened. Past tense, immutable, told only after it was committed.

    NAME is how it is known outside (`device.registered`); SEVERITY is how loud the audit log says it.
    """

    NAME: ClassVar[str] = ""
    SEVERITY: ClassVar[str] = "info"

    at: datetime
    by: str

    def __init_subclass__(cls) -> None:
        # attrs makes slotted classes twice; the last one made is the one that stays.
        if cls.NAME:
            EVENTS[cls.NAME] = cls


E = TypeVar("E", bound=Event)


@frozen(kw_only=True)
class Announced(Generic[E]):
    """An event on its way to the reactions. The id is the same however often it is delivered.

    `correlation_id` is that of the request it comes of, also over the reactions in between; None where nobody asked.
    """

    id: int
    event: E
    correlation_id: str | None = None


@frozen(kw_only=True)
class Subscription(Generic[E]):
    """`reaction` wants to hear of events of these types; `name` tells it from all other reactions, for ever.

    It hears of the events of one device one after the other, in the order of their announcement; and so of the events
    of one name that are about no device. What is about different devices it may hear of at the same time, in different
    processes. With `at_once` it may hear of several of one device at the same time: for reactions that only write down,
    which then share the disk. What failed is tried again later, after events that came later.
    """

    name: str
    events: tuple[type[E], ...]
    reaction: Callable[[Announced[E]], Awaitable[None]]
    at_once: bool = False

    def wants(self, event: Event) -> bool:
        """Whether the event is of a type that was asked for."""
        return isinstance(event, self.events)


AnySubscription = Subscription[Any]
