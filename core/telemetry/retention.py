"""How long telemetry is kept, and how much of it."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial

from attrs import frozen

from core.clock import Clock
from core.devices import DeviceRemoved
from core.events import Announced
from core.telemetry.ports import Ageing
from core.transactions import Transaction, Transactions

# Few enough to hold nobody up for longer than some milliseconds.
BATCH = 1000


@frozen(kw_only=True)
class Keeping:
    """Rows go when they are older than `age`, and the oldest of them when all take more than `most_bytes`."""

    age: timedelta
    most_bytes: int


class Retention:
    """Forgets what is too old or too much, and what devices sent that are gone.

    It does so batch by batch, so that others get their turn.
    """

    def __init__(self, *, transactions: Transactions, kept: Mapping[Ageing, Keeping], clock: Clock) -> None:
        self._transactions = transactions
        self._kept = dict(kept)
        self._clock = clock

    async def sweep(self) -> int:
        """Forget what has been kept for its time, then the oldest of what takes too much room; how many rows."""
        total = 0
        for store, keeping in self._kept.items():
            before = self._clock.now() - keeping.age
            total += await self._repeat(partial(store.drop_before, moment=before, most=BATCH))
            total += await self._cut(store, keeping.most_bytes)
        return total

    async def forget(self, announced: Announced[DeviceRemoved]) -> None:
        """A device is gone: forget what it sent until then. What came later is another's, enrolled with its uuid."""
        event = announced.event
        for store in self._kept:
            await self._repeat(partial(store.drop_device, uuid=event.uuid, until=event.at, most=BATCH))

    async def _cut(self, store: Ageing, most_bytes: int) -> int:
        async with self._transactions.read() as tx:
            surplus = (await store.extent(tx)).surplus(most_bytes)
        for begin in range(0, surplus, BATCH):
            async with self._transactions.begin() as tx:
                if not await store.drop_oldest(tx, min(BATCH, surplus - begin)):
                    return begin
        return surplus

    async def _repeat(self, drop: Callable[[Transaction], Awaitable[int]]) -> int:
        total = 0
        while True:
            async with self._transactions.begin() as tx:
                dropped = await drop(tx)
            total += dropped
            if dropped < BATCH:
                return total
