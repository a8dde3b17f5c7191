"""One leader at a time, and another when it is gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from attrs import define, field

from adapters.sql.postgres_locks import PostgresLocks
from entrypoints.worker.leadership import Leadership

END = (
    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


@define
class Terms:
    """Who leads now, and how often there were two."""

    leading: set[str] = field(factory=set)
    begun: asyncio.Queue[str] = field(factory=asyncio.Queue)
    two_at_once: int = 0

    def of(self, name: str, url: str) -> Leadership:
        """One who wants to lead, with a connection of its own."""

        @asynccontextmanager
        async def term() -> AsyncIterator[None]:
            self.two_at_once += bool(self.leading)
            self.leading.add(name)
            self.begun.put_nowait(name)
            try:
                yield
            finally:
                self.leading.discard(name)

        return Leadership(PostgresLocks(url), term, try_every=0.02, before_term=0.3)

    async def next(self) -> str:
        """Whose term begins."""
        async with asyncio.timeout(20):
            return await self.begun.get()


async def test_there_are_never_two_leaders_also_when_the_database_cuts_them_off(postgres_url: str) -> None:
    terms = Terms()
    those = [terms.of(name, postgres_url) for name in ("first", "second", "third")]
    for each in those:
        each.start()
    for _ in range(5):
        await terms.next()
        with psycopg.connect(postgres_url, autocommit=True) as other:
            other.execute(END)
    for each in those:
        await each.stop()
    assert (terms.two_at_once, terms.leading) == (0, set())


async def test_who_stops_lets_another_lead(postgres_url: str) -> None:
    terms = Terms()
    those = {name: terms.of(name, postgres_url) for name in ("first", "second")}
    for each in those.values():
        each.start()
    first = await terms.next()
    await those.pop(first).stop()
    [(second, other)] = those.items()
    assert await terms.next() == second
    await other.stop()
