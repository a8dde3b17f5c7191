"""Who sits where: which places at the broker there are, and which of them this process holds.

What the broker has kept for a client id comes only to that client id. So the ids are fixed, each under a lock, and when
a process has died another takes its place or, when there are places enough, empties it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Protocol

from attrs import field, frozen

from adapters.mosquitto.address import BrokerAddress
from core.clock import Clock
from core.errors import Unavailable
from core.locks import Hold, Locks
from core.transactions import Transaction, Transactions
from entrypoints.mqtt.intake import Desk
from entrypoints.mqtt.pauses import Pauses
from entrypoints.mqtt.reader import Reader, Seat

log = logging.getLogger(__name__)

GROUP = "iotistic"
# In which order a device's reports come matters; readings know their own time. The second of each is that of v2.
IN_ORDER = ("iot/device/+/state", "state/+")
SHARED = ("iot/device/+/sensor/#", "sensor/+/#")
ORDERED = Seat(name="ordered", filters=IN_ORDER, plain=IN_ORDER)
READINGS = Seat(name="readings", filters=SHARED, plain=SHARED)
# Where readings are shared: on a broker that cannot, the ordered seat reads everything.
ORDERED_OR_ALL = Seat(name="ordered", filters=IN_ORDER, plain=(*IN_ORDER, *SHARED))
SHARED_PREFIX = "shared-"
IDLE_PREFIX = "idle-"
LOCK_PREFIX = "mqtt.seat."


def shared_seat(name: str) -> Seat:
    """One of those that share what may be shared; where the broker cannot, the ordered seat reads it all."""
    return Seat(name=name, filters=tuple(f"$share/{GROUP}/{wanted}" for wanted in SHARED))


class SeatBook(Protocol):
    """Remembers which seats there are: a broker keeps messages for each of them."""

    async def claim(self, tx: Transaction, name: str, holder: str, now: datetime) -> None:
        """From now on the seat is this holder's."""

    async def confirm(self, tx: Transaction, name: str, holder: str, now: datetime) -> bool:
        """Note that the holder has it still; False if it is another's by now."""

    async def all(self, tx: Transaction) -> Mapping[str, tuple[str, datetime]]:
        """Every seat that was ever held and not given up: by whom, and when it was held last."""

    async def give_up(self, tx: Transaction, name: str) -> None:
        """The broker keeps nothing under this name any more."""


@frozen(kw_only=True)
class Timing:
    """Seconds."""

    try_every: float = 5.0
    mark_every: float = 5.0
    orphaned_after: float = 15.0


@frozen(kw_only=True, eq=False)
class Seats:
    """Sees to it that every place at the broker is held by somebody.

    Usually there are two, one for what has an order and one for readings, which two processes share among them; more
    processes stand by. With `share` each process has a seat of its own for readings, by a shared subscription: for
    brokers that keep those when they restart, which Mosquitto 2.0 does not.
    """

    locks: Locks
    book: SeatBook
    transactions: Transactions
    clock: Clock
    address: BrokerAddress
    desk: Desk
    holder: str  # the name of this process
    share: bool = False
    timing: Timing = field(factory=Timing)
    held: dict[str, Reader] = field(factory=dict)
    _stopping: asyncio.Event = field(factory=asyncio.Event)
    # What was last written of each seat, and since when it has said so, by our own clock: others may be wrong.
    _marks: dict[str, tuple[tuple[str, datetime], float]] = field(factory=dict)
    # Seats that were given away, and until when we do not want them back.
    _left_to_others: dict[str, float] = field(factory=dict)

    async def keep(self) -> None:
        """Returns when `stop` has been called and everything in hand is finished. Cancelled, it leaves all at once."""
        tasks = [
            asyncio.create_task(self._again(work, every), name=f"mqtt.{work.__name__}")
            for work, every in (
                (self._sit_ordered, self.timing.try_every),
                (self._sit_shared if self.share else self._sit_readings, self.timing.try_every),
                (self._mark, self.timing.mark_every),
                (self._adopt, self.timing.try_every),
            )
        ]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def stop(self) -> None:
        """Leave every seat in good order."""
        self._stopping.set()
        for reader in self.held.values():
            reader.leave()

    async def _again(self, work: Callable[[], Awaitable[None]], every: float) -> None:
        pauses = Pauses(every, every)
        while not self._stopping.is_set():
            try:
                await work()
            except Unavailable as refusal:
                log.warning("the seats at the broker cannot be seen to: %s", refusal.message)
            except Exception:
                log.exception("a bug, in what sees to the seats at the broker")
            with suppress(TimeoutError):
                async with asyncio.timeout(pauses.next()):
                    await self._stopping.wait()

    async def _sit_ordered(self) -> None:
        await self._sit(ORDERED_OR_ALL if self.share else ORDERED)

    async def _sit_readings(self) -> None:
        if self.clock.monotonic() >= self._left_to_others.get(READINGS.name, 0.0):
            await self._sit(READINGS)

    async def _sit_shared(self) -> None:
        """The first that is free: so a process that comes after one that died takes its place."""
        number = 1
        while not self._stopping.is_set():
            name = f"{SHARED_PREFIX}{number}"
            if name not in self.held and await self._sit(shared_seat(name)):
                return
            number += 1

    async def _sit(self, seat: Seat) -> bool:
        """Hold the seat for as long as it is ours; False when it is somebody else's."""
        async with self.locks.try_hold(LOCK_PREFIX + seat.name) as hold:
            if hold is None:
                return False
            reader = await self._reader(seat)
            await self._occupy(reader, hold, reader.read())
            return True

    async def _adopt(self) -> None:
        """Empty a shared seat that nobody has held for long, and have the broker forget it."""
        for name in await self._orphans():
            if self._stopping.is_set():
                return
            async with self.locks.try_hold(LOCK_PREFIX + name) as hold:
                if hold is None:
                    continue
                reader = await self._reader(shared_seat(name))
                log.info("emptying seat %s: nobody holds it", name)
                await self._occupy(reader, hold, self._emptied(reader))

    async def _emptied(self, reader: Reader) -> bool:
        if not await reader.drain():
            return False
        async with self.transactions.begin() as tx:
            await self.book.give_up(tx, reader.seat.name)
        return True

    async def _occupy(self, reader: Reader, hold: Hold, work: Awaitable[bool]) -> bool:
        name = reader.seat.name
        reading, losing = asyncio.ensure_future(work), asyncio.ensure_future(hold.lost())
        self.held[name] = reader
        if self._stopping.is_set():
            reader.leave()
        log.info("seat %s is ours", name)
        try:
            await asyncio.wait([reading, losing], return_when=asyncio.FIRST_COMPLETED)
            if not reading.done():
                log.warning("seat %s is lost with its lock", name)
                reader.lost = True
                return False
            return reading.result()
        finally:
            reading.cancel()
            losing.cancel()
            await asyncio.gather(reading, losing, return_exceptions=True)
            self.held.pop(name, None)

    async def _reader(self, seat: Seat) -> Reader:
        """Written down before the broker begins to keep anything under the name."""
        async with self.transactions.begin() as tx:
            await self.book.claim(tx, seat.name, self.holder, self.clock.now())
        return Reader(seat, self.address, self.desk, still_ours=partial(self._confirmed, seat.name))

    async def _mark(self) -> None:
        for name in list(self.held):
            await self._confirmed(name)
        idle = IDLE_PREFIX + self.holder
        async with self.transactions.begin() as tx:
            if self.held:
                await self.book.give_up(tx, idle)
            else:
                await self.book.claim(tx, idle, self.holder, self.clock.now())
        if READINGS.name in self.held and len(self.held) > 1 and await self._somebody_is_idle():
            log.info("seat %s is left to a process that has none", READINGS.name)
            self._left_to_others[READINGS.name] = self.clock.monotonic() + 3 * self.timing.try_every
            self.held[READINGS.name].leave()

    async def _somebody_is_idle(self) -> bool:
        """Whether another process has said lately that it has no seat."""
        ages = await self._ages()
        return any(name.startswith(IDLE_PREFIX) and age < self.timing.orphaned_after for name, age in ages.items())

    async def _confirmed(self, name: str) -> bool:
        async with self.transactions.begin() as tx:
            return await self.book.confirm(tx, name, self.holder, self.clock.now())

    async def _orphans(self) -> list[str]:
        ages = await self._ages()
        orphans = [name for name, age in ages.items() if age >= self.timing.orphaned_after]
        for name in orphans:
            if name.startswith(IDLE_PREFIX):  # a process that is gone
                async with self.transactions.begin() as tx:
                    await self.book.give_up(tx, name)
        return sorted({name for name in orphans if name.startswith(SHARED_PREFIX)} - set(self.held))

    async def _ages(self) -> Mapping[str, float]:
        """Since when each seat has said nothing new, in seconds of our own clock: those of others may be wrong."""
        async with self.transactions.read() as tx:
            marks = await self.book.all(tx)
        now = self.clock.monotonic()
        for name in self._marks.keys() - marks.keys():
            del self._marks[name]
        for name, mark in marks.items():
            known = self._marks.get(name)
            if known is None or known[0] != mark:
                self._marks[name] = (mark, now)
        return {name: now - since for name, (_, since) in self._marks.items()}
