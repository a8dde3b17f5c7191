"""How we ask the gatekeeper: what it raises is a denial, and its answers are kept for one connection."""

import asyncio
import logging
from collections.abc import Callable

from adapters.amqtt.gauge import Counters
from adapters.amqtt.queues import BoundedQueue, Delivery
from core.mqtt import Access, Gatekeeper

log = logging.getLogger(__name__)

ANSWER_SECONDS = 10.0
_KEPT = 4_096
_LONGEST_KEPT = 512  # topics may have 64 kB, and nobody needs to have such answers kept


class Questions:
    """What one client may do, as far as it is known. Thrown away with the connection, so a revocation is never late."""

    def __init__(self, gatekeeper: Gatekeeper, *, username: str, client_id: str) -> None:
        self._gatekeeper = gatekeeper
        self._username = username
        self._client_id = client_id
        self._kept: dict[tuple[Access, str], bool] = {}

    def known(self, access: Access, topic: str) -> bool | None:
        """The answer, if it was given before."""
        return self._kept.get((access, topic))

    async def permits(self, access: Access, topic: str) -> bool:
        """The answer. A gatekeeper that fails or does not answer denies, and nothing is kept."""
        kept = self._kept.get((access, topic))
        if kept is not None:
            return kept
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await self._gatekeeper.permits(
                    username=self._username, client_id=self._client_id, topic=topic, access=access
                )
        except Exception:
            log.exception("no answer on %s of %r: denied", access, self._username)
            return False
        if len(self._kept) >= _KEPT:
            self._kept.clear()
        if len(topic) <= _LONGEST_KEPT:
            self._kept[access, topic] = answer is True
        return answer is True

    async def authentic(self, password: str) -> bool:
        """Is it this user? Raises what the gatekeeper raises, TimeoutError included."""
        async with asyncio.timeout(ANSWER_SECONDS):
            answer = await self._gatekeeper.authenticate(
                username=self._username, password=password, client_id=self._client_id
            )
        return answer is True


class Gate:
    """Lets pass what the client may read, in order.

    The answer is mostly known and the message passes at once. Where it has to be asked for, the messages behind it
    wait, so that none overtakes another.
    """

    def __init__(
        self, questions: Questions, waiting: BoundedQueue, let_pass: Callable[[Delivery], None], counters: Counters
    ) -> None:
        self.questions = questions
        self._waiting = waiting
        self._let_pass = let_pass
        self._counters = counters
        self._asking: asyncio.Task[None] | None = None

    def offer(self, delivery: Delivery) -> None:
        """Let it pass now, later or never."""
        verdict = self.questions.known(Access.READ, delivery.message.topic) if self._asking is None else None
        if verdict is None:
            self._waiting.push(delivery)
            if self._asking is None:
                self._asking = asyncio.create_task(self._ask())
        else:
            self._decide(delivery, allowed=verdict)

    def offer_again(self, deliveries: list[Delivery]) -> None:
        """Ask for these once more, ahead of those that wait."""
        for delivery in [*deliveries, *self._waiting.clear()]:
            self._waiting.push(delivery)
        if self._asking is None and self._waiting:
            self._asking = asyncio.create_task(self._ask())

    def close(self) -> None:
        """Let nothing pass any more."""
        if self._asking is not None:
            self._asking.cancel()
        self._waiting.clear()

    async def _ask(self) -> None:
        try:
            while self._waiting:
                delivery = self._waiting.pop()
                allowed = await self.questions.permits(Access.READ, delivery.message.topic)
                self._decide(delivery, allowed=allowed)
        finally:
            self._asking = None

    def _decide(self, delivery: Delivery, *, allowed: bool) -> None:
        if allowed:
            self._let_pass(delivery)
        else:
            self._counters.messages_dropped += 1
