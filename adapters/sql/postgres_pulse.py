"""Whether the database lives, for those who wait for its answer.

A server that is frozen, or cut off behind something that still says yes to TCP, answers nothing and breaks nothing. So
whoever has waited for a while has it tried whether the server takes a new connection; if it does not, the connections
that wait are cut, and their users are told as by any other that breaks.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from attrs import define
from psycopg import AsyncConnection

log = logging.getLogger(__name__)

LOOK_EVERY = 1.0
PATIENCE_SECONDS = 3.0
# A statement is ended by the server itself before that. See `postgres_connections.STATEMENT_SECONDS`.
LONGEST_SECONDS = 35.0


@define(eq=False)
class Wait:
    """A connection, and since when it has owed us an answer; None while it does not."""

    driver: Any
    since: float | None = None


class Pulse:
    """Watches connections that owe an answer."""

    def __init__(self, conninfo: str, *, patience: float = PATIENCE_SECONDS) -> None:
        """`conninfo` has to say how long connecting may take."""
        self._conninfo = conninfo
        self._patience = patience
        self._waits: set[Wait] = set()
        self._looking: asyncio.Task[None] | None = None

    @contextmanager
    def watching(self, driver: Any) -> Iterator[Wait]:
        """Watch the driver's connection within the block."""
        wait = Wait(driver)
        self._waits.add(wait)
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        try:
            yield wait
        finally:
            self._waits.discard(wait)

    @contextmanager
    def answering(self, wait: Wait) -> Iterator[None]:
        """An answer is owed within the block."""
        wait.since = asyncio.get_running_loop().time()
        try:
            yield
        finally:
            wait.since = None

    async def close(self) -> None:
        """Watch no longer."""
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking
            self._looking = None

    async def _look(self) -> None:
        while self._waits:
            await asyncio.sleep(min(LOOK_EVERY, self._patience))
            late = self._waiting(self._patience)
            if late and not await self._beats():
                log.warning("the database does not answer: %d connections are cut", len(late))
                self._cut(wait for wait in late if wait.since is not None)
            self._cut(self._waiting(LONGEST_SECONDS))
        self._looking = None

    def _waiting(self, seconds: float) -> list[Wait]:
        limit = asyncio.get_running_loop().time() - seconds
        return [wait for wait in self._waits if wait.since is not None and wait.since < limit]

    async def _beats(self) -> bool:
        """Whether the server takes a new connection, or at least says no: then it lives, or breaks what it had."""
        try:
            await (await AsyncConnection.connect(self._conninfo)).close()
        except psycopg.errors.ConnectionTimeout:
            return False
        except psycopg.Error:
            return True
        return True

    def _cut(self, waits: Any) -> None:
        for wait in waits:
            cut(wait.driver)


def cut(driver: Any) -> None:
    """Break the connection under whoever waits for it: the driver sees the server hang up."""
    with suppress(psycopg.OperationalError, OSError):
        descriptor = os.dup(driver.pgconn.socket)
        with socket.socket(fileno=descriptor) as raw:
            raw.shutdown(socket.SHUT_RDWR)
