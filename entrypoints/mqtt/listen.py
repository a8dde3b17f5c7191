"""`iotistic listen`: messages of devices from a broker that is a program of its own."""

import asyncio
from collections.abc import Sequence

from attrs import define, field

from adapters.mosquitto.address import BrokerAddress
from core.clock import Clock
from core.locks import Locks
from core.mqtt import Inbox, MessageObserver
from core.services import Services
from core.transactions import Transactions
from entrypoints.mqtt.intake import Bounds, Desk
from entrypoints.mqtt.seats import SeatBook, Seats, Timing
from entrypoints.mqtt.statistics import ListenerStatistics, Tally


@define(eq=False)
class Listener:
    """Takes what devices say, and acknowledges it when it is stored. Any number of them share the work."""

    seats: Seats
    _desk: Desk
    _task: "asyncio.Task[None] | None" = field(default=None, init=False)

    @classmethod
    def of(
        cls,
        *,
        locks: Locks,
        address: BrokerAddress,
        messages: Inbox,
        observers: Sequence[MessageObserver],
        book: SeatBook,
        transactions: Transactions,
        clock: Clock,
        holder: str,
        share: bool = False,
        bounds: Bounds | None = None,
        timing: Timing | None = None,
    ) -> "Listener":
        """One that does nothing yet."""
        desk = Desk(
            messages=messages, observers=tuple(observers), clock=clock, tally=Tally(), bounds=bounds or Bounds()
        )
        seats = Seats(
            locks=locks,
            book=book,
            transactions=transactions,
            clock=clock,
            address=address,
            desk=desk,
            holder=holder,
            share=share,
            timing=timing or Timing(),
        )
        return cls(seats, desk)

    def start(self) -> None:
        """Begin to listen."""
        self._task = asyncio.create_task(self.seats.keep(), name="mqtt.listener")

    async def stop(self) -> None:
        """Take no more, finish what is in hand, acknowledge it, and leave: within five seconds."""
        if self._task is not None:
            self.seats.stop()
            await self._task
            self._task = None

    async def kill(self) -> None:
        """Be gone at once: nothing more is acknowledged. What was in hand comes again."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def statistics(self) -> ListenerStatistics:
        """As of now."""
        tally = self._desk.tally
        readers = list(self.seats.held.values())
        intakes = [reader.intake for reader in readers if reader.intake is not None]
        oldest = min((intake.oldest for intake in intakes if intake.oldest is not None), default=None)
        return ListenerStatistics(
            messages=tally.messages,
            acknowledged=tally.acknowledged,
            retried=tally.retried,
            dropped=tally.dropped,
            reconnects=tally.reconnects,
            in_flight=sum(intake.count for intake in intakes),
            bytes_in_flight=sum(intake.size for intake in intakes),
            oldest_seconds=0.0 if oldest is None else max(0.0, self._desk.clock.monotonic() - oldest),
            seats=tuple(sorted(self.seats.held)),
            subscribed=sum(reader.subscribed for reader in readers),
        )


def listener_of(
    services: Services, *, locks: Locks, address: BrokerAddress, book: SeatBook, share: bool = False
) -> Listener:
    """A listener that takes messages to these use cases; see `Seats` for `share`."""
    return Listener.of(
        locks=locks,
        address=address,
        messages=services.device_messages,
        observers=(services.mqtt_monitor, services.traffic),
        book=book,
        transactions=services.transactions,
        clock=services.clock,
        holder=services.ids.secret(),
        share=share,
    )


async def listen(services: Services, *, locks: Locks, address: BrokerAddress, book: SeatBook) -> None:
    """Listen until cancelled; then finish what is in hand."""
    listener = listener_of(services, locks=locks, address=address, book=book)
    listener.start()
    try:
        await asyncio.Event().wait()
    finally:
        await listener.stop()
