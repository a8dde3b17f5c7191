"""How long to wait before trying again."""

import asyncio
import random
from collections.abc import Awaitable, Callable

from attrs import define

from core.errors import Unavailable


@define
class Pauses:
    """Seconds that double from `first` to `longest`; none is quite what the others have, so that not all come back at
    the same moment."""

    first: float
    longest: float
    _next: float = 0.0

    def next(self) -> float:
        """The pause before the next try."""
        pause = max(self._next, self.first)
        self._next = min(pause * 2, self.longest)
        return pause * random.uniform(0.5, 1.0)  # noqa: S311 - no secret

    def reset(self) -> None:
        """It worked."""
        self._next = self.first


class Passage:
    """Lets all through while what is behind it works, and one at a time while it does not."""

    def __init__(self) -> None:
        self._works = True
        self._turn = asyncio.Lock()

    async def through(self, do: Callable[[], Awaitable[None]]) -> None:
        """Do it when there is a chance that it works. Raises what it raises."""
        if self._works:
            await self._tried(do)
            return
        async with self._turn:
            if self._still_out_of_order():
                await self._tried(do)
                return
        await self._tried(do)

    def _still_out_of_order(self) -> bool:
        return not self._works

    async def _tried(self, do: Callable[[], Awaitable[None]]) -> None:
        try:
            await do()
        except Unavailable:
            self._works = False
            raise
        self._works = True
