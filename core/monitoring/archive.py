"""Topics that outlive the process, and how their messages changed."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from attrs import evolve

from core.actor import Actor
from core.checks import require
from core.clock import Clock
from core.devices import DeviceRemoved
from core.events import Announced
from core.monitoring.book import LONGEST_TOPIC, TopicBook
from core.monitoring.model import (
    DATA_READ,
    MOST_SHOWN,
    SETTINGS_WRITE,
    ArchiveSummary,
    SchemaChange,
    TopicRecord,
)
from core.monitoring.ports import TopicStore
from core.monitoring.schema import merged
from core.transactions import Transaction, Transactions

MOST_KEPT = 20_000
# Few enough to hold nobody up for longer than some milliseconds.
BATCH = 500
MOST_CHANGES = 200


class TopicArchive:
    """Saves what the monitor saw, and shows what was saved."""

    def __init__(
        self, *, transactions: Transactions, store: TopicStore, book: TopicBook, clock: Clock, kept: timedelta
    ) -> None:
        """`kept` is how long a silent topic is remembered."""
        self._transactions = transactions
        self._store = store
        self._book = book
        self._clock = clock
        self._kept = kept

    async def sync(self, actor: Actor) -> int:
        """Save now what came since the last time; how many topics that were."""
        require(actor, SETTINGS_WRITE)
        return await self.save()

    async def save(self) -> int:
        """Save what came since the last time; how many topics that were."""
        self._book.examine()
        records = self._book.unsaved()
        for first in range(0, len(records), BATCH):
            batch = records[first : first + BATCH]
            async with self._transactions.begin() as tx:
                await self._add(tx, batch)
            self._book.saved(batch)
        return len(records)

    async def topics(self, actor: Actor, limit: int = MOST_SHOWN) -> Sequence[TopicRecord]:
        """What is saved, the topic with the latest message first."""
        require(actor, DATA_READ)
        async with self._transactions.read() as tx:
            return await self._store.topics(tx, limit)

    async def summary(self, actor: Actor) -> ArchiveSummary:
        """What is saved in all."""
        require(actor, DATA_READ)
        async with self._transactions.read() as tx:
            return await self._store.summary(tx)

    async def history(self, actor: Actor, name: str) -> Sequence[SchemaChange]:
        """How the messages of a topic changed, the newest change first. NotFound."""
        require(actor, DATA_READ)
        async with self._transactions.read() as tx:
            return await self._store.history(tx, name[:LONGEST_TOPIC], MOST_CHANGES)

    async def forget_old(self) -> int:
        """Forget topics that have been silent for too long, and the longest silent where there are too many."""
        moment = self._clock.now() - self._kept
        old = await self._repeat(lambda tx: self._store.drop_before(tx, moment, BATCH))
        return old + await self._repeat(lambda tx: self._store.drop_beyond(tx, MOST_KEPT, BATCH))

    async def forget(self, announced: Announced[DeviceRemoved]) -> None:
        """A device is gone: forget its topics."""
        event = announced.event
        self._book.forget_device(event.uuid)
        await self._repeat(lambda tx: self._store.drop_device(tx, event.uuid, event.at, BATCH))

    async def _add(self, tx: Transaction, records: Sequence[TopicRecord]) -> None:
        """A schema only grows: after a restart few messages have been seen, but what was known is still true."""
        known = await self._store.schemas(tx, [record.name for record in records])
        grown = [
            evolve(record, schema=merged(known[record.name], record.schema))
            if record.schema is not None and record.name in known
            else record
            for record in records
        ]
        await self._store.add(tx, grown)
        changes = {
            record.name: record.schema
            for record in grown
            if record.schema is not None and record.schema != known.get(record.name)
        }
        await self._store.changed(tx, changes, self._clock.now())

    async def _repeat(self, drop: Callable[[Transaction], Awaitable[int]]) -> int:
        total = 0
        while True:
            async with self._transactions.begin() as tx:
                dropped = await drop(tx)
            total += dropped
            if dropped < BATCH:
                return total
