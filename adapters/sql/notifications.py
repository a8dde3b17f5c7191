"""What other processes have committed, heard from PostgreSQL (LISTEN) and told to the listeners of this one."""

import asyncio
import logging
from contextlib import suppress

import msgspec
import psycopg
from psycopg import AsyncConnection, Notify

from adapters.sql.postgres_connections import connect_arguments
from adapters.sql.postgres_hints import CHANNEL
from adapters.sql.postgres_urls import conninfo_of
from adapters.sql.signals import LocalSignals
from core.errors import Unavailable
from core.transactions import ELSEWHERE

log = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
# A connection that has been silent for so long is asked whether it still is one.
SILENCE_SECONDS = 30.0
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 10.0
_LISTEN = f"LISTEN {CHANNEL}".encode()
_decoder = msgspec.json.Decoder(tuple[str, list[tuple[str, str]]])


class Notifications:
    """Listens on a connection of its own, and connects again whenever that breaks.

    What was told while nobody listened is lost. So the listeners of ELSEWHERE are called each time that listening
    begins: they forget all that they remember.
    """

    def __init__(self, url: str, signals: LocalSignals, *, origin: str) -> None:
        """`origin` is that of this process' `PostgresTransactions`, which has told its own listeners already."""
        self._conninfo = conninfo_of(url, **connect_arguments(CONNECT_SECONDS))
        self._signals = signals
        self._origin = origin
        self._task: asyncio.Task[None] | None = None
        self.listening = False
        self.reconnects = 0
        self.heard = 0

    async def open(self) -> None:
        """Begin to listen. Raises Unavailable when the database does not answer."""
        try:
            connection = await self._listen()
        except (psycopg.Error, TimeoutError) as error:
            raise Unavailable("the database does not answer", context={"reason": str(error)}) from error
        self._task = asyncio.create_task(self._run(connection))

    async def close(self) -> None:
        """Listen no longer."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _run(self, connection: AsyncConnection) -> None:
        while True:
            self.listening = True
            async with connection:
                try:
                    await self._hear(connection)
                except (psycopg.Error, TimeoutError) as error:
                    log.warning("signals of other processes are not heard, connecting again: %s", error)
            self.listening = False
            connection = await self._listen_again()
            self.reconnects += 1

    async def _listen_again(self) -> AsyncConnection:
        pause = FIRST_PAUSE
        while True:
            try:
                return await self._listen()
            except (psycopg.Error, TimeoutError) as error:
                log.warning("the database cannot be listened to, trying again in %.1f s: %s", pause, error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _listen(self) -> AsyncConnection:
        async with asyncio.timeout(CONNECT_SECONDS):
            connection = await AsyncConnection.connect(self._conninfo, autocommit=True)
            try:
                await connection.execute(_LISTEN)
            except BaseException:
                await connection.close()
                raise
        self._signals.send(ELSEWHERE, "")
        return connection

    async def _hear(self, connection: AsyncConnection) -> None:
        """Tell what comes, until the connection breaks."""
        while True:
            async for heard in connection.notifies(timeout=SILENCE_SECONDS):
                self._tell(heard)
            async with asyncio.timeout(CONNECT_SECONDS):
                await connection.execute(b"SELECT 1")

    def _tell(self, heard: Notify) -> None:
        try:
            origin, signals = _decoder.decode(heard.payload)
        except msgspec.DecodeError:
            # Of another version of ours, while versions change: that something was committed is known at least.
            origin, signals = "", [(ELSEWHERE, "")]
        if origin != self._origin:
            self.heard += len(signals)
            self._signals.tell_of_others(signals)
