"""Messages from one client on their way to the use cases, acknowledged when they are stored."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from adapters.amqtt.interior import Interior
from core.errors import Refusal
from core.mqtt import Message

log = logging.getLogger(__name__)


class _Entry:
    """A message that is being stored, or that waits for those before it; no message if it was not permitted."""

    __slots__ = ("acknowledgement", "message", "packet_id", "settled", "stored")

    def __init__(self, message: Message | None, acknowledgement: bytes, packet_id: int) -> None:
        self.message = message
        self.acknowledgement = acknowledgement
        self.packet_id = packet_id
        self.settled = False
        self.stored = False

    @property
    def size(self) -> int:
        return len(self.message.topic) + len(self.message.payload) if self.message is not None else 0


class Intake:
    """Stores many messages at a time, but routes and acknowledges them in the order of arrival (§4.6).

    amqtt acknowledges before anything is done with a message. Here a message that cannot be stored ends the connection:
    neither it nor any after it is acknowledged, so the client sends them again.
    """

    def __init__(
        self, interior: Interior, unreleased: set[int], send: Callable[[bytes], None], give_up: Callable[[], None]
    ) -> None:
        self._interior = interior
        self._unreleased = unreleased
        self._send = send
        self._give_up = give_up
        self._pending: deque[_Entry] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._size = 0
        self._progress = asyncio.Event()
        self.waiting = False
        self.arriving: set[int] = set()  # QoS 2 messages that are being stored

    async def room(self) -> None:
        """Wait until one more message may come; meanwhile the socket is not read."""
        limits = self._interior.limits
        self.waiting = True
        try:
            while len(self._pending) >= limits.storing or self._size >= limits.storing_bytes:
                self._progress.clear()
                await self._progress.wait()
            # One message of each client is let in whatever the others hold, so that all of them get on.
            if self._pending:
                await self._interior.storing.room()
        finally:
            self.waiting = False

    def take(
        self, message: Message, acknowledgement: bytes = b"", packet_id: int = 0, *, permitted: bool = True
    ) -> None:
        """Store the message if the use cases want it, route it, then send the acknowledgement.

        One that is not permitted is acknowledged in its turn all the same: 3.1.1 has no way to refuse it (§3.3.5).
        """
        wanted = permitted and self._interior.inbox.wants(message.topic)
        entry = _Entry(message if permitted else None, acknowledgement, packet_id)
        self._enter(entry)
        if wanted:
            task = asyncio.create_task(self._store(entry, message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._settle(entry, stored=True)

    async def settled(self) -> None:
        """Wait until everything that was taken is stored, or could not be."""
        while self._pending:
            self._progress.clear()
            await self._progress.wait()

    def _enter(self, entry: _Entry) -> None:
        self._pending.append(entry)
        self._size += entry.size
        self._interior.storing.add(entry.size)
        if entry.packet_id:
            self.arriving.add(entry.packet_id)

    async def _store(self, entry: _Entry, message: Message) -> None:
        stored = False
        try:
            await self._interior.inbox.receive(message)
            stored = True
        except Refusal as refusal:
            log.warning("a message of %r on %r is not stored: %s", message.username, message.topic, refusal.message)
        except Exception:
            log.exception("a message of %r on %r is not stored", message.username, message.topic)
        self._settle(entry, stored=stored)

    def _settle(self, entry: _Entry, *, stored: bool) -> None:
        entry.settled, entry.stored = True, stored
        pending = self._pending
        while pending and pending[0].settled:
            first = pending.popleft()
            self._size -= first.size
            self._interior.storing.remove(first.size)
            self._finish(first)
        self._progress.set()

    def _finish(self, entry: _Entry) -> None:
        self.arriving.discard(entry.packet_id)
        if entry.message is None or not entry.stored:
            self._interior.counters.messages_dropped += 1
        else:
            self._interior.router.route(entry.message)
        if not entry.stored and entry.acknowledgement:
            self._give_up()  # cuts the wire: no acknowledgement gets through after this
            return
        if entry.packet_id:
            self._unreleased.add(entry.packet_id)
        if entry.acknowledgement:
            self._send(entry.acknowledgement)
