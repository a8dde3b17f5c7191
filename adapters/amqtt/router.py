"""From one message to all who get it."""

from collections.abc import Sequence

from adapters.amqtt.gauge import Counters
from adapters.amqtt.queues import Delivery
from adapters.amqtt.retained import Retained
from adapters.amqtt.sessions import Session, Sessions
from core.mqtt import Message, MessageObserver


class Router:
    """Hands a message to the sessions that subscribed, and keeps it for those to come if it is to be retained.

    It never waits: amqtt asks the ACL in the middle of its loop over the subscriptions and loses acknowledged messages
    when the subscriptions change meanwhile. Here each session's own gate asks.
    """

    def __init__(
        self,
        sessions: Sessions,
        retained: Retained,
        counters: Counters,
        observers: Sequence[MessageObserver] = (),
    ) -> None:
        self._sessions = sessions
        self._retained = retained
        self._counters = counters
        self._observers = tuple(observers)

    def route(self, message: Message) -> None:
        """Deliver to each session once, at the highest QoS it asked for but not above the message's (§3.8.4)."""
        if message.retain and not self._retained.keep(message):
            self._counters.messages_dropped += 1
        asked: dict[Session, int] = {}
        for session, qos in self._sessions.subscriptions.matching(message.topic):
            asked[session] = max(qos, asked.get(session, 0))
        if asked:
            topic = message.topic.encode()
            for session, qos in asked.items():
                session.deliver(Delivery(message, topic, min(qos, message.qos)))
        for observer in self._observers:
            observer.saw(message)
