"""Locks between processes, by PostgreSQL's advisory locks. Implements `core.locks.Locks`.

A lock is held by a connection, so it ends with the process, and with the connection: whoever holds one is told when
that breaks. Each has a connection of its own outside of the pool, since there are few and they are held for long.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from hashlib import blake2b

import psycopg
from psycopg import AsyncConnection

from adapters.sql.postgres import connect_arguments
from adapters.sql.postgres_urls import conninfo_of
from core.errors import Unavailable

log = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
# How often the database is asked whether we are still connected, and how long it may take to say so. A server that is
# frozen or cut off may have given the lock to another by the time we notice: so we have to notice soon.
ASK_EVERY = 2.0
ANSWER_SECONDS = 3.0
_TRY = "SELECT pg_try_advisory_lock(%s)"


class PostgresHold:
    """Implements `core.locks.Hold`."""

    def __init__(self, ask_every: float) -> None:
        self._lost = asyncio.Event()
        self._ask_every = ask_every

    async def lost(self) -> None:
        """Returns when the connection that holds the lock has broken."""
        await self._lost.wait()

    async def watch(self, connection: AsyncConnection) -> None:
        """Ask again and again whether the connection is still one, until it is not."""
        try:
            while True:
                await asyncio.sleep(self._ask_every)
                async with asyncio.timeout(ANSWER_SECONDS):
                    await connection.execute(b"SELECT 1")
        except (psycopg.Error, TimeoutError) as error:
            log.warning("a lock is lost, the database does not answer: %r", error)
            self._lost.set()


class PostgresLocks:
    """Locks of one database."""

    def __init__(self, url: str, *, ask_every: float = ASK_EVERY) -> None:
        self._conninfo = conninfo_of(url, **connect_arguments(CONNECT_SECONDS))
        self._ask_every = ask_every

    @asynccontextmanager
    async def try_hold(self, name: str) -> AsyncIterator[PostgresHold | None]:
        """Hold the lock within the block, or be given None; see `core.locks.Locks.try_hold`."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                connection = await AsyncConnection.connect(self._conninfo, autocommit=True)
        except (psycopg.Error, TimeoutError) as error:
            raise _unavailable(error) from error
        try:
            if not await self._got(connection, name):
                yield None
                return
            hold = PostgresHold(self._ask_every)
            watching = asyncio.create_task(hold.watch(connection))
            try:
                yield hold
            finally:
                watching.cancel()
                with suppress(asyncio.CancelledError):
                    await watching
        finally:
            # Closing it gives the lock back. What does not answer is not waited for.
            await connection.close()

    async def _got(self, connection: AsyncConnection, name: str) -> bool:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                row = await (await connection.execute(_TRY, (number_of(name),))).fetchone()
        except (psycopg.Error, TimeoutError) as error:
            raise _unavailable(error) from error
        return row is not None and bool(row[0])


def number_of(name: str) -> int:
    """The number that stands for a name among PostgreSQL's advisory locks: signed, of 64 bits."""
    return int.from_bytes(blake2b(f"iotistic:{name}".encode(), digest_size=8).digest(), "big", signed=True)


def _unavailable(error: BaseException) -> Unavailable:
    return Unavailable("the database cannot tell who holds a lock", context={"reason": str(error)})
