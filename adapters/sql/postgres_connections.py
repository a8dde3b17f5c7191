"""Connections to PostgreSQL: what they all are told, and those beside the pool."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from psycopg import AsyncConnection
from psycopg.types.json import set_json_loads

from adapters.sql.postgres_pulse import Pulse
from adapters.sql.postgres_text import prepare
from adapters.sql.postgres_urls import conninfo_of

# Whoever waits for a row that another unit has locked, or for an answer to one statement, gives up after so long.
LOCK_SECONDS = 5.0
STATEMENT_SECONDS = 30.0
CONNECT_SECONDS = 3.0
# Units that share a transaction wait less: each is then tried by itself.
SHARED_LOCK_SECONDS = 0.5


def connect_arguments(wait: float, **more: str) -> dict[str, Any]:
    """Parameters of libpq by which no connection hangs: on connecting, on a lock, or on a network that is gone.

    `more` are settings of the server for this connection.
    """
    limits = {"lock_timeout": LOCK_SECONDS, "statement_timeout": STATEMENT_SECONDS}
    settings = {name: str(int(seconds * 1000)) for name, seconds in limits.items()} | {"jit": "off"} | more
    return {
        "connect_timeout": max(2, int(wait)),
        "tcp_user_timeout": int(STATEMENT_SECONDS * 1000),
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
    }


class Line:
    """A connection of its own for what comes again and again, used by one at a time; made anew when it breaks."""

    def __init__(self, url: str, pulse: Pulse, *, autocommit: bool) -> None:
        # The rows are found by their keys, few or many: that the planner might think otherwise of a small table would
        # only mix up the order in which they are locked.
        plans = {f"enable_{name}": "off" for name in ("hashjoin", "mergejoin", "seqscan")}
        settings = plans | {"lock_timeout": str(int(SHARED_LOCK_SECONDS * 1000)), "timezone": "UTC"}
        self._conninfo = conninfo_of(url, **connect_arguments(CONNECT_SECONDS, **settings))
        self._pulse = pulse
        self._autocommit = autocommit
        self._turn = asyncio.Lock()
        self._connection: AsyncConnection | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncConnection]:
        """The connection. What breaks within the block, or is cut because nobody answers, raises psycopg's errors."""
        async with self._turn:
            connection = self._connection
            if connection is None or connection.closed:
                connection = self._connection = await self._connected()
            try:
                with self._pulse.watching(connection) as wait, self._pulse.answering(wait):
                    yield connection
            except BaseException:
                # Whatever it was in the middle of is over with the connection.
                self._connection = None
                await connection.close()
                raise

    async def close(self) -> None:
        """Close it."""
        async with self._turn:
            if self._connection is not None:
                await self._connection.close()
                self._connection = None

    async def _connected(self) -> AsyncConnection:
        connection = await AsyncConnection.connect(self._conninfo, autocommit=self._autocommit)
        prepare(connection)
        set_json_loads(msgspec.json.decode, connection)
        return connection
