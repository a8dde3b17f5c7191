"""Rows that are read in order to be changed: those of many units in one statement, each held by one unit at a time."""

import asyncio
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from adapters.sql.batches import Keyed
from adapters.sql.postgres_connections import LOCK_SECONDS, Line
from adapters.sql.postgres_trouble import broken
from core.errors import Unavailable

Key = tuple[Keyed, str]
_MOST_AT_ONCE = 500
# Who asks first waits so long for others to ask along.
GATHER_SECONDS = 0.005


class Taking:
    """Reads for units that share a transaction.

    Nothing is locked in the database. Within this process a row is held by a unit until that has ended; whether another
    process has changed it is seen when it is written (`postgres_work`).
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self._held: dict[Key, asyncio.Future[None]] = {}
        self._asked: dict[Key, asyncio.Future[Any]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def take(self, kind: Keyed, key: str) -> Any | None:
        """Hold the row, and read it. Raises Unavailable when another unit holds it for too long."""
        await self._hold((kind, key))
        try:
            asked = self._asked[kind, key] = asyncio.get_running_loop().create_future()
            if self._reading is None:
                self._reading = asyncio.create_task(self._read())
            return await asked
        except BaseException:
            self.give_back(kind, key)
            raise

    def give_back(self, kind: Keyed, key: str) -> None:
        """Let the next have it."""
        held = self._held.pop((kind, key))
        if not held.done():
            held.set_result(None)

    async def _hold(self, key: Key) -> None:
        try:
            async with asyncio.timeout(LOCK_SECONDS):
                while (held := self._held.get(key)) is not None:
                    await asyncio.shield(held)
        except TimeoutError as error:
            raise Unavailable("another change of the same takes too long", retry_after=LOCK_SECONDS) from error
        self._held[key] = asyncio.get_running_loop().create_future()

    async def _read(self) -> None:
        """Answer those who have asked, and those who ask meanwhile."""
        # Let those who are about to ask come along.
        await asyncio.sleep(GATHER_SECONDS)
        while self._asked:
            asked = dict(list(self._asked.items())[:_MOST_AT_ONCE])
            for key in asked:
                del self._asked[key]
            by_kind: dict[Keyed, dict[str, asyncio.Future[Any]]] = {}
            for (kind, name), answer in asked.items():
                by_kind.setdefault(kind, {})[name] = answer
            for kind, answers in by_kind.items():
                await self._answer(kind, answers)
        self._reading = None

    async def _answer(self, kind: Keyed, answers: Mapping[str, "asyncio.Future[Any]"]) -> None:
        try:
            async with self._line.open() as connection, connection.cursor(row_factory=namedtuple_row) as cursor:
                await cursor.execute(kind.text, {"keys": list(answers)}, prepare=True)
                found = {getattr(row, kind.key): row for row in await cursor.fetchall()}
        except Exception as error:  # noqa: BLE001 - it is told to those who have asked
            for answer in answers.values():
                if not answer.done():
                    answer.set_exception(broken(error) if isinstance(error, psycopg.Error) else error)
            return
        for key, answer in answers.items():
            if not answer.done():
                answer.set_result(found.get(key))
