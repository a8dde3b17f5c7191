"""How long telemetry is kept."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial

from core.clock import Clock
from core.devices import DeviceRemoved
from core.events import Announced
from core.telemetry.ports import Ageing
from core.transactions import Transaction, Transactions

# Few enough to hold nobody up for longer than some milliseconds.
BATCH = 1000


class Retention:
    """Forgets what is too old, and what devices sent that are gone; batch by batch, so that others get their turn."""

    def __init__(self, *, transactions: Transactions, kept: Mapping[Ageing, timedelta], clock: Clock) -> None:
        self._transactions = transactions
        self._kept = dict(kept)
        self._clock = clock

    async def sweep(self) -> int:
        """Forget what has been kept for its time; how many rows that were."""
        total = 0
        for store, age in self._kept.items():
            before = self._clock.now() - age
            total += await self._repeat(partial(store.drop_before, moment=before, most=BATCH))
        return total

    async def forget(self, announced: Announced[DeviceRemoved]) -> None:
        """A device is gone: forget what it sent until then. What came later is another's, enrolled with its uuid."""
        event = announced.event
        for store in self._kept:
            await self._repeat(partial(store.drop_device, uuid=event.uuid, until=event.at, most=BATCH))

    async def _repeat(self, drop: Callable[[Transaction], Awaitable[int]]) -> int:
        total = 0
        while True:
            async with self._transactions.begin() as tx:
                dropped = await drop(tx)
            total += dropped
            if dropped < BATCH:
                return total
