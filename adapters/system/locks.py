"""Locks where there is only one process. Implements `core.locks.Locks`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from core.locks import Hold


class LastingHold:
    """A lock that nothing but its holder can end."""

    async def lost(self) -> None:
        """Never returns."""
        await asyncio.Event().wait()


class OwnLocks:
    """Locks between the tasks of this process."""

    def __init__(self) -> None:
        self._held: set[str] = set()

    @asynccontextmanager
    async def try_hold(self, name: str) -> AsyncIterator[Hold | None]:
        """Hold the lock within the block, or be given None."""
        if name in self._held:
            yield None
            return
        self._held.add(name)
        try:
            yield LastingHold()
        finally:
            self._held.discard(name)
