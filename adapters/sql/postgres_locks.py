"""Locks between processes, by PostgreSQL's advisory locks. Implements `core.locks.Locks`.

A lock is held by a connection, so it ends with the process, and with the connection: whoever holds one is told when
that breaks. Each has a connection of its own outside of the pool, since there are few and they are held for long.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from hashlib import blake2b
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection

from adapters.sql.postgres_connections import connect_arguments
from adapters.sql.postgres_urls import conninfo_of
from core.errors import Unavailable

log = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
# How often the database is asked whether we are still connected, and how long it may take to say so. A server that is
# frozen or cut off may have given the lock to another by the time we notice: so we have to notice soon.
ASK_EVERY = 2.0
ANSWER_SECONDS = 3.0
_TRY = "SELECT pg_try_advisory_lock(%s)"
_GIVE_BACK = "SELECT pg_advisory_unlock(%s)"
# The holder has noticed by itself before that: it asks every two seconds.
_SERVER_NOTICES = {
    "tcp_keepalives_idle": 10,
    "tcp_keepalives_interval": 5,
    "tcp_keepalives_count": 2,
    "tcp_user_timeout": 20_000,
}
T = TypeVar("T")


class PostgresHold:
    """Implements `core.locks.Hold`."""

    def __init__(self, ask_every: float) -> None:
        self._lost = asyncio.Event()
        self._ask_every = ask_every

    @property
    def broken(self) -> bool:
        """Whether the connection that holds the lock has broken."""
        return self._lost.is_set()

    async def lost(self) -> None:
        """Returns when the connection that holds the lock has broken."""
        await self._lost.wait()

    async def watch(self, connection: AsyncConnection) -> None:
        """See at once when the server ends the connection, and ask again and again whether it still answers."""
        try:
            while True:
                # Nothing is sent to us here; what is waited for is the end of the connection.
                async for _ in connection.notifies(timeout=self._ask_every):
                    continue
                await _within(ANSWER_SECONDS, connection.execute(b"SELECT 1"))
        except (psycopg.Error, TimeoutError) as error:
            log.warning("a lock is lost, the database does not answer: %r", error)
            self._lost.set()


class PostgresLocks:
    """Locks of one database.

    `spare` connections are kept when their locks have been given back: for processes that take locks all the time.
    """

    def __init__(self, url: str, *, ask_every: float = ASK_EVERY, spare: int = 0) -> None:
        self._conninfo = conninfo_of(url, **_arguments())
        self._ask_every = ask_every
        self._most_spare = spare
        self._spare: list[AsyncConnection] = []

    async def close(self) -> None:
        """Close the connections that hold nothing."""
        self._most_spare = 0
        while self._spare:
            await self._spare.pop().close()

    @asynccontextmanager
    async def try_hold(self, name: str) -> AsyncIterator[PostgresHold | None]:
        """Hold the lock within the block, or be given None; see `core.locks.Locks.try_hold`."""
        connection, got = await self._tried(name)
        # Until the lock was given back in good order the connection is one to be closed, which gives it back too.
        reusable = not got
        try:
            if not got:
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
            reusable = not hold.broken and await self._given_back(connection, name)
        finally:
            if reusable and len(self._spare) < self._most_spare and not connection.closed:
                self._spare.append(connection)
            else:
                # What does not answer is not waited for.
                await connection.close()

    async def _tried(self, name: str) -> tuple[AsyncConnection, bool]:
        """A connection, and whether it has got the lock."""
        while self._spare:
            connection = self._spare.pop()
            try:
                return connection, await self._got(connection, name)
            except Unavailable:
                continue  # it had been cut meanwhile; a new one will tell
        connection = await self._connected()
        return connection, await self._got(connection, name)

    async def _connected(self) -> AsyncConnection:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await AsyncConnection.connect(self._conninfo, autocommit=True)
        except (psycopg.Error, TimeoutError) as error:
            raise _unavailable(error) from error

    async def _got(self, connection: AsyncConnection, name: str) -> bool:
        try:
            cursor = await _within(CONNECT_SECONDS, connection.execute(_TRY, (number_of(name),)))
            row = await cursor.fetchone()
        except (psycopg.Error, TimeoutError) as error:
            await connection.close()
            raise _unavailable(error) from error
        except BaseException:
            await connection.close()
            raise
        return row is not None and bool(row[0])

    async def _given_back(self, connection: AsyncConnection, name: str) -> bool:
        """Give the lock back, if the connection can be used again; whether it can."""
        if not self._most_spare:
            return False
        try:
            await _within(ANSWER_SECONDS, connection.execute(_GIVE_BACK, (number_of(name),)))
        except (psycopg.Error, TimeoutError):
            return False
        return True


async def _within(seconds: float, answer: Coroutine[Any, Any, T]) -> T:
    """The answer. TimeoutError when it takes longer, at once: the driver, when cancelled, first asks the server to
    cancel as well and waits for that."""
    asking = asyncio.ensure_future(answer)
    try:
        done, _ = await asyncio.wait([asking], timeout=seconds)
    except BaseException:
        asking.cancel()
        raise
    if done:
        return asking.result()
    asking.cancel()
    asking.add_done_callback(_passed_over)
    raise TimeoutError(f"no answer within {seconds} s")


def _passed_over(asked: "asyncio.Future[Any]") -> None:
    if not asked.cancelled():
        asked.exception()


def _arguments() -> dict[str, Any]:
    """As for any connection; and a server that has lost its client's machine gives the lock to another soon."""
    arguments = connect_arguments(CONNECT_SECONDS)
    arguments["options"] += " ".join(["", *(f"-c {name}={value}" for name, value in _SERVER_NOTICES.items())])
    return arguments


def number_of(name: str) -> int:
    """The number that stands for a name among PostgreSQL's advisory locks: signed, of 64 bits."""
    return int.from_bytes(blake2b(f"iotistic:{name}".encode(), digest_size=8).digest(), "big", signed=True)


def _unavailable(error: BaseException) -> Unavailable:
    return Unavailable("the database cannot tell who holds a lock", context={"reason": str(error)})
