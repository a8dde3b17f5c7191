"""Sessions: what we keep for a client, some of them longer than a connection lasts (MQTT 3.1.1 §3.1.2.4)."""

import asyncio
from typing import Protocol

from adapters.amqtt.gauge import Counters, Gauge
from adapters.amqtt.limits import Limits
from adapters.amqtt.outbox import Outbox
from adapters.amqtt.questions import Gate, Questions
from adapters.amqtt.queues import BoundedQueue, Delivery
from adapters.amqtt.trie import Trie
from core.mqtt import Access


class Refused(Exception):
    """The connection is refused with this CONNACK return code (§3.2.2.3)."""

    def __init__(self, return_code: int) -> None:
        super().__init__(f"refused with return code {return_code}")
        self.return_code = return_code


IDENTIFIER_REJECTED, SERVER_UNAVAILABLE, BAD_CREDENTIALS = 2, 3, 4


class Holder(Protocol):
    """The connection that holds a session."""

    left: asyncio.Event

    def cut(self) -> None:
        """Close now, as if the network had failed: the will is published."""

    def revoke(self) -> None:
        """Close now, without the will."""


class Session:
    """One client's subscriptions and messages."""

    def __init__(self, client_id: str, username: str, gate: Gate, outbox: Outbox) -> None:
        self.client_id = client_id
        self.username = username
        self.gate = gate
        self.outbox = outbox
        self.clean = True
        self.subscriptions: dict[str, int] = {}
        self.unreleased: set[int] = set()  # QoS 2 messages that we have and whose PUBREL we await
        self.holder: Holder | None = None
        self.away_since = 0.0

    def deliver(self, delivery: Delivery) -> None:
        """Send the message, or keep it for the client, if it may read it."""
        if delivery.qos or self.holder is not None:
            self.gate.offer(delivery)


class Sessions:
    """All sessions, by client id, and who subscribed to what."""

    def __init__(self, limits: Limits, counters: Counters) -> None:
        self.subscriptions: Trie[Session, int] = Trie()
        self._limits = limits
        self._counters = counters
        self._queued = Gauge(limits.queued_bytes_total)
        self._by_client: dict[str, Session] = {}
        self._by_user: dict[str, dict[str, Session]] = {}
        self._away: dict[str, Session] = {}  # the longest away comes first

    def __len__(self) -> int:
        return len(self._by_client)

    @property
    def queued_bytes(self) -> int:
        """What waits for clients, and what they have not acknowledged."""
        return self._queued.used

    def of_user(self, username: str) -> list[Session]:
        """The sessions of this user, held or not."""
        return list(self._by_user.get(username, {}).values())

    async def claim(
        self, questions: Questions, client_id: str, username: str, *, clean: bool, holder: Holder
    ) -> tuple[Session, bool]:
        """The client's session, held by this connection from now on, and whether it was there before.

        Only after authentication: amqtt deletes or kicks a session for anybody who names its client id. A connection of
        the same user that holds the session is cut and waited for. Raises Refused.
        """
        while (found := self._by_client.get(client_id)) is not None:
            if found.username != username:
                raise Refused(IDENTIFIER_REJECTED)
            if found.holder is None:
                break
            await self._take_over(found.holder)
        if found is not None and clean:
            self.forget(found)
        present = found is not None and not clean
        session = found if found is not None and present else self._new(questions, client_id, username)
        session.clean = clean
        session.holder = holder
        session.gate.questions = questions
        self._away.pop(client_id, None)
        return session, present

    async def recheck(self, session: Session) -> None:
        """Ask again for everything that a resumed session was allowed: filters (CVE-2021-34434) and messages."""
        session.gate.offer_again(session.outbox.queue.clear())
        questions = session.gate.questions
        for topic_filter in list(session.subscriptions):
            if not await questions.permits(Access.SUBSCRIBE, topic_filter):
                self.unsubscribe(session, topic_filter)
        for packet_id, delivery in session.outbox.unacknowledged():
            if not await questions.permits(Access.READ, delivery.message.topic):
                session.outbox.forget(packet_id)

    def release(self, session: Session) -> None:
        """The connection that held it is gone."""
        session.outbox.detach()
        session.holder = None
        if session.clean:
            self.forget(session)
        elif self._by_client.get(session.client_id) is session:
            session.away_since = asyncio.get_running_loop().time()
            self._away[session.client_id] = session
            self._make_room(session.username)

    def forget(self, session: Session) -> None:
        """Keep nothing of it."""
        if self._by_client.get(session.client_id) is not session:
            return
        del self._by_client[session.client_id]
        self._away.pop(session.client_id, None)
        of_user = self._by_user[session.username]
        del of_user[session.client_id]
        if not of_user:
            del self._by_user[session.username]
        for topic_filter in list(session.subscriptions):
            self.unsubscribe(session, topic_filter)
        session.gate.close()
        session.outbox.clear()

    def subscribe(self, session: Session, topic_filter: str, qos: int) -> bool:
        """Deliver from now on, or at this QoS from now on; False when the session has too many filters."""
        if topic_filter not in session.subscriptions and len(session.subscriptions) >= self._limits.subscriptions:
            return False
        session.subscriptions[topic_filter] = qos
        self.subscriptions.put(topic_filter, session, qos)
        return True

    def unsubscribe(self, session: Session, topic_filter: str) -> None:
        """Deliver no more; what is on its way still arrives."""
        if session.subscriptions.pop(topic_filter, None) is not None:
            self.subscriptions.pop(topic_filter, session)

    async def _take_over(self, holder: Holder) -> None:
        holder.cut()
        try:
            async with asyncio.timeout(self._limits.takeover_seconds):
                await holder.left.wait()
        except TimeoutError as error:
            raise Refused(SERVER_UNAVAILABLE) from error

    def _new(self, questions: Questions, client_id: str, username: str) -> Session:
        outbox = Outbox(self._queue(), self._limits, self._queued, self._counters)
        gate = Gate(questions, self._queue(), outbox.put, self._counters)
        session = Session(client_id, username, gate, outbox)
        self._by_client[client_id] = session
        self._by_user.setdefault(username, {})[client_id] = session
        return session

    def _queue(self) -> BoundedQueue:
        limits = self._limits
        return BoundedQueue(count=limits.queued, size=limits.queued_bytes, total=self._queued, counters=self._counters)

    def _make_room(self, username: str) -> None:
        """Forget those who have been away too long, or the longest when there are too many."""
        expired = asyncio.get_running_loop().time() - self._limits.session_seconds
        while self._away:
            longest = next(iter(self._away.values()))
            if longest.away_since >= expired and len(self._by_client) <= self._limits.sessions:
                break
            self.forget(longest)
        away = [session for session in self.of_user(username) if session.holder is None]
        for session in away[: max(0, len(away) - self._limits.sessions_per_user)]:
            self.forget(session)
