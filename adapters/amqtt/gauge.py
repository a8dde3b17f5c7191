"""Counts that are shared by all connections."""

import asyncio

from attrs import define

from core.mqtt import BrokerStatistics


@define
class Counters:
    """What passed since the start."""

    messages_in: int = 0
    messages_out: int = 0
    messages_dropped: int = 0
    bytes_in: int = 0
    bytes_out: int = 0

    def statistics(
        self, *, clients: int, sessions: int, subscriptions: int, retained: int, queued_bytes: int
    ) -> BrokerStatistics:
        """The counts, with what there is now."""
        return BrokerStatistics(
            clients_connected=clients,
            sessions=sessions,
            subscriptions=subscriptions,
            retained=retained,
            queued_bytes=queued_bytes,
            messages_in=self.messages_in,
            messages_out=self.messages_out,
            messages_dropped=self.messages_dropped,
            bytes_in=self.bytes_in,
            bytes_out=self.bytes_out,
        )


class Gauge:
    """Bytes held for all clients together, against a limit."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def full(self) -> bool:
        """Is the limit reached?"""
        return self.used >= self.limit

    def add(self, size: int) -> None:
        """So many bytes more are held; the limit may be passed."""
        self.used += size

    def remove(self, size: int) -> None:
        """So many bytes less are held; who waits for room goes on when there is some."""
        self.used -= size
        if self._waiting and not self.full:
            waiting, self._waiting = self._waiting, []
            for waiter in waiting:
                if not waiter.done():
                    waiter.set_result(None)

    async def room(self) -> None:
        """Wait until the limit is not reached."""
        while self.full:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            await waiter
