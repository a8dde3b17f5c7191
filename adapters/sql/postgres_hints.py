"""Hints for the watchers in other processes: gathered, and told a few times a second by one NOTIFY beside all units.

A NOTIFY within a transaction lets all that notify commit one after the other. What makes others forget what they
remember is worth that; what only tells that there is something new to be seen is not.
"""

import asyncio
import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress

import psycopg

from adapters.sql.postgres_connections import Line
from adapters.sql.postgres_text import to_json

log = logging.getLogger(__name__)

CHANNEL = "iotistic"
# PostgreSQL takes less than 8000 bytes: https://www.postgresql.org/docs/current/sql-notify.html
MOST_NOTIFIED = 7900
APART_SECONDS = 0.25
# More are not remembered while the database does not answer.
MOST_WAITING = 50_000
_NOTIFY = "SELECT pg_notify(%(channel)s, message) FROM unnest(%(messages)s::text[]) AS message"


class Hints:
    """Tells other processes, within a moment, what `add` was given. What cannot be told is forgotten."""

    def __init__(self, line: Line, origin: str) -> None:
        self._line = line
        self._origin = origin
        self._waiting: dict[tuple[str, str], None] = {}
        self._telling: asyncio.Task[None] | None = None

    def add(self, hints: Iterable[tuple[str, str]]) -> None:
        """Tell these soon, each once."""
        self._waiting.update(dict.fromkeys(hints))
        if self._waiting and self._telling is None:
            self._telling = asyncio.create_task(self._tell())

    async def close(self) -> None:
        """Tell no more."""
        if self._telling is not None:
            self._telling.cancel()
            with suppress(asyncio.CancelledError):
                await self._telling
            self._telling = None

    async def _tell(self) -> None:
        """The first at once, the others together, until there are none for a while."""
        while self._waiting:
            waiting, self._waiting = self._waiting, {}
            if len(waiting) <= MOST_WAITING:
                await self._send(list(messages(self._origin, waiting)))
            await asyncio.sleep(APART_SECONDS)
        self._telling = None

    async def _send(self, told: list[str]) -> None:
        try:
            async with self._line.open() as connection:
                await connection.execute(_NOTIFY, {"channel": CHANNEL, "messages": told})
        except psycopg.Error as error:
            log.info("watchers in other processes are not told what is new: %s", error)


def messages(origin: str, signals: Iterable[tuple[str, str]]) -> Iterator[str]:
    """As many messages as are needed to tell all of them: who says it, and what."""
    told: list[tuple[str, str]] = []
    size = first = len(to_json([origin, []]).encode())
    for signal in signals:
        more = len(to_json(signal).encode()) + 1
        if told and size + more > MOST_NOTIFIED:
            yield to_json([origin, told])
            told, size = [], first
        if first + more <= MOST_NOTIFIED:
            told.append(signal)
            size += more
    if told:
        yield to_json([origin, told])
