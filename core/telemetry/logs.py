"""Logs of devices: taken in batches, read by people."""

import asyncio
from collections.abc import Sequence

from core.actor import Actor
from core.checks import require, require_device
from core.clock import Clock
from core.devices import Devices
from core.digests import digest_of
from core.ids import DeviceUuid
from core.telemetry.lines import batch_of
from core.telemetry.model import DATA_READ, LogQuery, LogReceipt, StoredLine
from core.telemetry.ports import LogStore
from core.telemetry.room import Room
from core.transactions import Transactions

# What takes longer to read than a few milliseconds is read in a thread, so that nobody waits for it.
LARGE = 128 * 1024

# Hinted at with the device's uuid when lines have been kept.
LOGS_STORED = "telemetry.logs"


class Logs:
    """Keeps what devices log."""

    def __init__(
        self, *, transactions: Transactions, store: LogStore, devices: Devices, room: Room, clock: Clock
    ) -> None:
        self._transactions = transactions
        self._store = store
        self._devices = devices
        self._room = room
        self._clock = clock

    async def receive(self, actor: Actor, uuid: DeviceUuid, ndjson: bytes, batch: str | None = None) -> LogReceipt:
        """Keep a batch of lines, one JSON object each; what cannot be read is counted and left out.

        On disk when it returns. A batch with the same name as an earlier one of the device is taken for the same, and
        what became of that is the answer. Raises Invalid when there are too many lines, Unavailable when there is no
        room.
        """
        require_device(actor, uuid)
        self._room.require()
        now = self._clock.now()
        read = await asyncio.to_thread(batch_of, ndjson, now) if len(ndjson) > LARGE else batch_of(ndjson, now)
        receipt = LogReceipt(received=len(read.lines), rejected=read.rejected)
        async with self._transactions.begin() as tx:
            if batch:
                before = await self._store.claim(tx, uuid, digest_of(batch), now, receipt)
                if before is not None:
                    return before
            await self._store.add(tx, uuid, now, read.lines)
            tx.hint(LOGS_STORED, uuid)
        return receipt

    async def page(self, actor: Actor, uuid: DeviceUuid, query: LogQuery) -> Sequence[StoredLine]:
        """Some of the lines, newest first. NotFound."""
        require(actor, DATA_READ)
        await self._devices.overview(actor, uuid)
        async with self._transactions.read() as tx:
            return await self._store.page(tx, uuid, query)

    async def services(self, actor: Actor, uuid: DeviceUuid) -> Sequence[str]:
        """The services of the device that have logged, by name. NotFound."""
        require(actor, DATA_READ)
        await self._devices.overview(actor, uuid)
        async with self._transactions.read() as tx:
            return await self._store.services(tx, uuid)
