"""What waits to be sent to one reader."""

import asyncio
from collections import deque

MOST_WAITING = 64
MOST_BYTES = 1024 * 1024


class Mailbox:
    """A queue with bounds: for a reader that is too slow the oldest are dropped, the newest are kept."""

    def __init__(self, *, most: int = MOST_WAITING, most_bytes: int = MOST_BYTES) -> None:
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._most = most
        self._most_bytes = most_bytes
        self._filled = asyncio.Event()
        self.dropped = 0

    def put(self, message: bytes) -> None:
        """Have it sent after what is waiting already."""
        self._waiting.append(message)
        self._bytes += len(message)
        while len(self._waiting) > 1 and (len(self._waiting) > self._most or self._bytes > self._most_bytes):
            self._take()
            self.dropped += 1
        self._filled.set()

    async def next(self) -> bytes:
        """The oldest one that waits; there is only one reader."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        return self._take()

    def _take(self) -> bytes:
        message = self._waiting.popleft()
        self._bytes -= len(message)
        return message
