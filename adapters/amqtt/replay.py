"""Retained messages for new subscriptions, as fast as the client takes them."""

import asyncio

from adapters.amqtt.interior import Interior
from adapters.amqtt.queues import Delivery
from adapters.amqtt.sessions import Session
from core.mqtt import Access, Message


class Replay:
    """Delivers what was retained when a filter was subscribed to, to this session only.

    amqtt sends a new client what matches anybody's subscription, and asks nobody whether it may have it.
    """

    def __init__(self, interior: Interior, session: Session) -> None:
        self._interior = interior
        self._session = session
        self._filters: dict[str, None] = {}
        self._running: asyncio.Task[None] | None = None

    def add(self, topic_filter: str) -> None:
        """Deliver what is retained for this filter too."""
        if len(self._interior.retained):
            self._filters[topic_filter] = None
            if self._running is None:
                self._running = asyncio.create_task(self._run())

    def stop(self) -> None:
        """Deliver no more; what was delivered stays so."""
        if self._running is not None:
            self._running.cancel()

    async def _run(self) -> None:
        try:
            while self._filters:
                topic_filter = next(iter(self._filters))
                del self._filters[topic_filter]
                for message in self._interior.retained.matching(topic_filter):
                    await self._session.outbox.room()
                    await self._deliver(topic_filter, message)
        finally:
            self._running = None

    async def _deliver(self, topic_filter: str, message: Message) -> None:
        allowed = await self._session.gate.questions.permits(Access.READ, message.topic)
        if not allowed or not await self._writer_still_may(message):
            return
        qos = self._session.subscriptions.get(topic_filter)
        if qos is not None and self._interior.retained.get(message.topic) is message:
            delivery = Delivery(message, message.topic.encode(), min(qos, message.qos), replayed=True)
            self._session.deliver(delivery)

    async def _writer_still_may(self, message: Message) -> bool:
        """A message must not outlive its writer's right to write it (CVE-2018-12546). Our own stay."""
        if not message.username:
            return True
        writer = self._interior.questions(message.username, message.client_id)
        return await writer.permits(Access.WRITE, message.topic)
