"""What all connections of a broker share."""

from collections.abc import Sequence
from typing import Protocol

from attrs import frozen

from adapters.amqtt.door import Door
from adapters.amqtt.gauge import Counters, Gauge
from adapters.amqtt.limits import Limits
from adapters.amqtt.questions import Questions
from adapters.amqtt.retained import Retained
from adapters.amqtt.router import Router
from adapters.amqtt.sessions import Sessions
from core.mqtt import Gatekeeper, Inbox, MessageObserver


class Revocable(Protocol):
    """A connection that is not in any session yet."""

    def revoke(self) -> None:
        """Close now, without the will."""


@frozen(kw_only=True, eq=False)
class Interior:
    """The collaborators of a connection."""

    gatekeeper: Gatekeeper
    inbox: Inbox
    limits: Limits
    counters: Counters
    door: Door
    sessions: Sessions
    retained: Retained
    router: Router
    storing: Gauge
    logging_in: dict[str, set[Revocable]]

    @classmethod
    def of(
        cls, gatekeeper: Gatekeeper, inbox: Inbox, limits: Limits, observers: Sequence[MessageObserver] = ()
    ) -> "Interior":
        """An empty broker."""
        counters = Counters()
        sessions = Sessions(limits, counters)
        retained = Retained(limits)
        return cls(
            gatekeeper=gatekeeper,
            inbox=inbox,
            limits=limits,
            counters=counters,
            door=Door(limits),
            sessions=sessions,
            retained=retained,
            router=Router(sessions, retained, counters, observers),
            storing=Gauge(limits.storing_bytes_total),
            logging_in={},
        )

    def questions(self, username: str, client_id: str) -> Questions:
        """Questions about this client, none of them answered yet."""
        return Questions(self.gatekeeper, username=username, client_id=client_id)
