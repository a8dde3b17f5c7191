"""Reads what the broker keeps for one seat, over as many connections as it takes."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from attrs import frozen

from adapters.mosquitto.address import BrokerAddress
from core.errors import Unavailable
from entrypoints.mqtt.connection import BrokerTrouble, Connection, OtherVersion
from entrypoints.mqtt.intake import FINISH_SECONDS, Desk, Intake
from entrypoints.mqtt.packets import V5, V311, Hello
from entrypoints.mqtt.pauses import Pauses

log = logging.getLogger(__name__)

KEEP_ALIVE = 30
# For so long the broker keeps what nobody fetches.
EXPIRY = 7 * 86_400
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
# After so long a connection is a good one, and the pauses begin anew.
STEADY_SECONDS = 10.0
LEAVE_SECONDS = 4.0
# When nothing has come for so long, nothing is left.
DRAINED_SECONDS = 2.0


@frozen(kw_only=True)
class Seat:
    """A place at the broker: a client id under which it keeps messages, and what is subscribed to under it.

    `plain` instead of `filters` where the broker cannot share a subscription.
    """

    name: str
    filters: Sequence[str]
    plain: Sequence[str] = ()

    @property
    def client_id(self) -> str:
        """The name at the broker, always the same."""
        return f"iotistic-{self.name}"

    def wanted(self, *, shares: bool) -> Sequence[str]:
        """What is subscribed to."""
        return self.filters if shares else self.plain


Session = Callable[[Connection, Intake], Awaitable[bool]]


class Reader:
    """Holds a seat. It connects again whenever the connection breaks, and keeps the session at the broker."""

    def __init__(
        self, seat: Seat, address: BrokerAddress, desk: Desk, still_ours: Callable[[], Awaitable[bool]]
    ) -> None:
        self.seat = seat
        self.intake: Intake | None = None
        self.subscribed = False
        self.lost = False  # the seat is not ours any more
        self._address = address
        self._desk = desk
        self._still_ours = still_ours
        self._version = V5
        self._leaving = asyncio.Event()

    async def read(self) -> bool:
        """Read until told to leave. Cancel it to be gone at once, without acknowledging what is in hand."""
        return await self._repeat(self._session)

    async def drain(self) -> bool:
        """Take what the broker has kept for the seat, then have it forget the seat; whether that was done."""
        return await self._repeat(self._drained)

    def leave(self) -> None:
        """Take no more, finish what is in hand, and go."""
        self._leaving.set()

    async def _repeat(self, session: Session) -> bool:
        loop = asyncio.get_running_loop()
        pauses = Pauses(FIRST_PAUSE, LONGEST_PAUSE)
        while not self._leaving.is_set():
            began = loop.time()
            try:
                async with self._connection() as (connection, intake):
                    if await session(connection, intake):
                        return True
                    why = connection.closed.result() if connection.closed.done() else "we left"
            except OtherVersion as trouble:
                why = str(trouble)
                if self._version != V311:
                    self._version = V311
                    continue
            except BrokerTrouble as trouble:
                why = str(trouble)
            if self._leaving.is_set():
                break
            if loop.time() - began > STEADY_SECONDS:
                pauses.reset()
            pause = pauses.next()
            log.warning("seat %s: %s; connecting again in %.1f s", self.seat.name, why, pause)
            await _either(self._leaving.wait(), at_most=pause)
            await self._sure(pauses)
            self._desk.tally.reconnects += 1
        return False

    async def _sure(self, pauses: Pauses) -> None:
        """Before we come again: is it still our seat? A broker throws out the one who was there before, so whoever
        does not know yet that his lock is lost would throw out the new holder, and be thrown out by him."""
        while not self._leaving.is_set():
            try:
                if not await self._still_ours():
                    log.warning("seat %s is another's by now", self.seat.name)
                    self.lost = True
                    self._leaving.set()
                return
            except Unavailable as refusal:
                log.warning("seat %s: nobody can tell whose it is: %s", self.seat.name, refusal.message)
                await _either(self._leaving.wait(), at_most=pauses.next())

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[tuple[Connection, Intake]]:
        """A connection with the session of before, what comes being stored; in the end nothing more is acknowledged."""
        connection = Connection(version=self._version)
        self.intake = intake = Intake(self._desk, connection)
        connection.deliver = intake.take
        try:
            await connection.open(self._address, self._hello())
            yield connection, intake
        finally:
            self.subscribed = False
            connection.abort()
            await intake.give_up(finish=0.0 if self.lost or self._leaving.is_set() else FINISH_SECONDS)
            self.intake = None

    async def _session(self, connection: Connection, intake: Intake) -> bool:
        """Until the connection ends, or we leave."""
        await connection.subscribe(self._wanted(connection))
        self.subscribed = True
        await _either(self._leaving.wait(), connection.closed)
        if connection.closed.done():
            return False
        intake.shut()
        with suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_SECONDS):
                await intake.settled()
        await connection.leave()
        return True

    async def _drained(self, connection: Connection, intake: Intake) -> bool:
        await connection.unsubscribe([*self.seat.filters, *self.seat.plain])
        before = -1
        while before != intake.taken:
            before = intake.taken
            await _either(self._leaving.wait(), connection.closed, at_most=DRAINED_SECONDS)
            if self._leaving.is_set() or connection.closed.done():
                return False
            await _either(intake.settled(), connection.closed, self._leaving.wait())
            await connection.ping()
        await connection.leave()
        # A session that begins clean and ends at once leaves nothing behind.
        ending = Connection(version=self._version)
        await ending.open(self._address, self._hello(clean=True))
        await ending.leave()
        return True

    def _wanted(self, connection: Connection) -> Sequence[str]:
        shares = connection.welcome is not None and connection.welcome.shares
        if not shares:
            log.warning(
                "the broker cannot share subscriptions: seat %s reads %s", self.seat.name, self.seat.plain or "nothing"
            )
        return self.seat.wanted(shares=shares)

    def _hello(self, *, clean: bool = False) -> Hello:
        return Hello(
            client_id=self.seat.client_id,
            username=self._address.username,
            password=self._address.password,
            keep_alive=KEEP_ALIVE,
            clean=clean,
            expiry=0 if clean else EXPIRY,
            receive_maximum=self._desk.bounds.messages,
        )


async def _either(*awaited: Awaitable[object], at_most: float | None = None) -> None:
    """Returns when one of them has come, or the time is over. Futures stay as they are; what was begun here ends."""
    tasks = [asyncio.ensure_future(one) for one in awaited]
    try:
        await asyncio.wait(tasks, timeout=at_most, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task, one in zip(tasks, awaited, strict=True):
            if task is not one:
                task.cancel()
