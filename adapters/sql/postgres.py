"""PostgreSQL: a pool of connections, and a group commit for units that only add and replace.

Units run side by side, so that what a store reads in order to change it has to be locked or compared by the store.
What a unit signals is sent along with its commit (NOTIFY); `adapters.sql.notifications` is the other end of it.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from secrets import token_hex
from typing import Any, cast

import msgspec
from sqlalchemy import select
from sqlalchemy.event import listen
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from adapters.sql.postgres_connections import CONNECT_SECONDS, Line, connect_arguments
from adapters.sql.postgres_groups import Groups, changed_meanwhile
from adapters.sql.postgres_hints import MOST_NOTIFIED, Hints
from adapters.sql.postgres_pool import CountedPool
from adapters.sql.postgres_pulse import PATIENCE_SECONDS, Pulse
from adapters.sql.postgres_statements import Driver, Own
from adapters.sql.postgres_taking import Taking
from adapters.sql.postgres_text import prepare, to_json
from adapters.sql.postgres_trouble import CAUGHT, TROUBLE, trouble_of, unavailable
from adapters.sql.postgres_unit import PostgresTransaction
from adapters.sql.postgres_urls import conninfo_of, url_of
from adapters.sql.postgres_work import Work, write
from adapters.sql.prepared import Preparations
from adapters.sql.signals import LocalSignals
from core.errors import Unavailable
from core.pools import PoolStatistics
from core.transactions import ELSEWHERE

# Groups are written side by side only when one is held up.
LINES = 2


class PostgresTransactions:
    """Implements `core.transactions.Transactions` on one database.

    `most` connections are held at a time, beside three for what units share; who finds them all in use waits up to
    `wait` seconds for one and is then refused with Unavailable. So is, a little more than `patience` seconds later,
    whoever waits for a server that does not answer anybody.
    """

    def __init__(
        self, url: str, signals: LocalSignals, *, most: int = 10, wait: float = 5.0, patience: float = PATIENCE_SECONDS
    ) -> None:
        self.origin = token_hex(8)
        self._signals = signals
        self._wait = wait
        self._engine: AsyncEngine = create_async_engine(
            url_of(url),
            poolclass=CountedPool,
            pool_size=most,
            max_overflow=0,
            pool_timeout=wait,
            pool_use_lifo=True,
            connect_args=connect_arguments(wait),
            json_serializer=to_json,
            json_deserializer=msgspec.json.decode,
        )
        self._preparations = Preparations(self._engine.dialect)
        listen(self._engine.sync_engine, "connect", _prepare)
        self._reading = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._pulse = Pulse(conninfo_of(url, **connect_arguments(CONNECT_SECONDS)), patience=patience)
        self._line = Line(url, self._pulse, autocommit=True)
        self._lines = [Line(url, self._pulse, autocommit=False) for _ in range(LINES)]
        self._taking = Taking(self._line)
        self.groups = Groups(self._lines, self._write_alone)
        self._hints = Hints(self._line, self.origin)
        signals.on_hint(self._hints.add)

    async def open(self) -> None:
        """See whether the database answers. Raises Unavailable when it does not."""
        async with self.read() as tx:
            await tx.value(select(1))

    async def close(self) -> None:
        """Let groups that are under way end, and close the connections that nobody is using."""
        await self.groups.close()
        await self._hints.close()
        for line in (self._line, *self._lines):
            await line.close()
        await self._engine.dispose()
        await self._pulse.close()

    def statistics(self) -> PoolStatistics:
        """How the pool is doing."""
        return cast("CountedPool", self._engine.sync_engine.pool).statistics()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[PostgresTransaction]:
        """A unit that may write; see `core.transactions.Transactions.begin`."""
        stack = AsyncExitStack()
        unit = PostgresTransaction(partial(self._own, stack, self._engine), self._taking, self._preparations)
        try:
            async with stack:
                yield unit
                if unit.own or unit.signals:
                    await unit.finish(notification(self.origin, unit.signals))
            if unit.work:
                await self.groups.write(unit.work)
        except (*CAUGHT, PoolTimeout) as error:
            refusal = self._refusal(error)
            if refusal is None:
                raise
            raise refusal from error
        finally:
            unit.give_back()
        self._signals.tell([*unit.signals, *unit.hints])
        self._hints.add(unit.hints)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[PostgresTransaction]:
        """A unit that only reads; see `core.transactions.Transactions.read`."""
        stack = AsyncExitStack()
        unit = PostgresTransaction(partial(self._own, stack, self._reading), self._taking, self._preparations)
        try:
            async with stack:
                yield unit
        except PoolTimeout as error:
            raise self._busy() from error
        except TROUBLE as error:
            raise unavailable(error) from error
        if unit.work:
            raise RuntimeError("a unit that only reads has written")

    async def _own(self, stack: AsyncExitStack, engine: AsyncEngine) -> Own:
        return await stack.enter_async_context(self._transaction(engine))

    @asynccontextmanager
    async def _transaction(self, engine: AsyncEngine) -> AsyncIterator[Own]:
        """A connection of the pool in a transaction, watched until it is given back."""
        async with engine.connect() as connection:
            await connection.begin()
            raw = await connection.get_raw_connection()
            with self._pulse.watching(raw.driver_connection) as wait:
                driver: Driver = raw.driver_connection  # type: ignore[assignment]
                own = Own(connection=connection, driver=driver, pulse=self._pulse, wait=wait)
                try:
                    yield own
                except BaseException:
                    with self._pulse.answering(wait), suppress(DBAPIError):
                        await connection.rollback()
                    raise
                with self._pulse.answering(wait):
                    await connection.commit()

    async def _write_alone(self, work: Work) -> None:
        """Write what one unit has left, in a transaction of its own."""
        try:
            async with self._transaction(self._engine) as own:
                with self._pulse.answering(own.wait):
                    if await write(own.driver, [work]):
                        raise changed_meanwhile()
        except (*CAUGHT, PoolTimeout) as error:
            refusal = self._refusal(error)
            if refusal is None:
                raise
            raise refusal from error

    def _refusal(self, error: DBAPIError | PoolTimeout) -> Unavailable | None:
        """The refusal for trouble; None for a mistake of ours."""
        return self._busy() if isinstance(error, PoolTimeout) else trouble_of(error)

    def _busy(self) -> Unavailable:
        return Unavailable("the database has too much to do right now", retry_after=self._wait)


def notification(origin: str, signals: Sequence[tuple[str, str]]) -> str:
    """What is sent to the other processes: who says it, and what was signalled or, if that is too much, ELSEWHERE."""
    told = list(dict.fromkeys(signals))
    text = to_json([origin, told])
    return text if len(text.encode()) <= MOST_NOTIFIED else to_json([origin, [(ELSEWHERE, "")]])


def _prepare(connection: Any, _record: object) -> None:
    prepare(connection.driver_connection)
