"""The queue between processes. It only wakes: what there is to do stands in the database, whatever becomes of it."""

from typing import Protocol


class Queue(Protocol):
    """Wakes one of the workers."""

    async def wake(self, lane: int) -> None:
        """Have some worker deliver what waits in this lane of the outbox. Twice does no harm.

        Returns when the queue has it. Raises Unavailable when it does not take it within seconds.
        """
