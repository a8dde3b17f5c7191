"""What the history needs from outside."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from core.extents import Extent
from core.history.model import Bucket, EventQuery, HistoryEvent, Tally
from core.transactions import Transaction


class EventStore(Protocol):
    """Keeps events. There is no way to change one. tests/contracts/event_store.py says exactly how."""

    async def add(self, tx: Transaction, event: HistoryEvent) -> bool:
        """Keep an event; False, and nothing happens, if one of the same announcement is kept already."""

    async def find(self, tx: Transaction, query: EventQuery) -> Sequence[HistoryEvent]:
        """Those asked for, by time, and by id where times are the same; at most `query.limit`."""

    async def count(self, tx: Transaction, query: EventQuery) -> int:
        """How many there are of those asked for, whatever the limit."""

    async def tally(self, tx: Transaction, query: EventQuery) -> Sequence[Tally]:
        """How many there are of each type and severity among those asked for, the most frequent first."""

    async def buckets(self, tx: Transaction, query: EventQuery, seconds: int) -> Sequence[Bucket]:
        """How many there are of each type in each `seconds` since 1970 (UTC), the oldest first; never none."""

    async def forget_before(self, tx: Transaction, moment: datetime, severity: str, most: int) -> int:
        """Forget up to `most` of the oldest events of this severity from before the moment; how many there were."""

    async def forget_oldest(self, tx: Transaction, most: int) -> int:
        """Forget so many of the events that were stored first; how many there were."""

    async def extent(self, tx: Transaction) -> Extent:
        """About how much there is. Looks at some events only, however many there are."""
