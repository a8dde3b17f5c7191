"""PostgreSQL: a pool of connections, one transaction for each unit of change.

Units run side by side, so that what a store reads in order to change it has to be locked or compared by the store.
What a unit signals is sent along with its commit (NOTIFY); `adapters.sql.notifications` is the other end of it.
"""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from secrets import token_hex
from typing import Any, cast

import msgspec
import psycopg
from psycopg import AsyncCursor
from psycopg.abc import Buffer
from psycopg.pq import TransactionStatus
from psycopg.types.string import StrDumperUnknown
from sqlalchemy import Executable, Row, Table, bindparam, func, select
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.event import listen
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from adapters.sql.outbox import insert_announcement
from adapters.sql.postgres_pool import CountedPool
from adapters.sql.postgres_trouble import CAUGHT, TROUBLE, trouble_of, unavailable
from adapters.sql.postgres_urls import url_of
from adapters.sql.prepared import Preparations, Prepared
from adapters.sql.signals import LocalSignals
from adapters.sql.transactions import Parameters
from core.errors import Unavailable
from core.events import Event
from core.pools import PoolStatistics
from core.transactions import ELSEWHERE

Driver = psycopg.AsyncConnection[Any]

CHANNEL = "iotistic"
_NOTIFY = select(func.pg_notify(bindparam("channel"), bindparam("payload")))
# PostgreSQL takes less than 8000 bytes: https://www.postgresql.org/docs/current/sql-notify.html
MOST_NOTIFIED = 7900
# Whoever waits for a row that another unit has locked, or for an answer to one statement, gives up after so long.
LOCK_SECONDS = 5.0
STATEMENT_SECONDS = 30.0
REPLACEMENT = "\ufffd"
# An even number of backslashes before it stand for themselves.
_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


class PostgresTransaction:
    """Implements `SqlTransaction` on one connection."""

    def __init__(self, connection: AsyncConnection, driver: Driver, preparations: Preparations) -> None:
        self._connection = connection
        self._driver = driver
        self._preparations = preparations
        self.announcements: list[Event] = []
        self.signals: list[tuple[str, str]] = []

    async def rows(self, statement: Executable, parameters: Parameters | None = None) -> Sequence[Row[Any]]:
        """All rows."""
        prepared = self._preparations.find(statement, parameters)
        if prepared is None or parameters is None:
            return (await self._connection.execute(statement, parameters)).all()
        cursor = await _run(prepared, self._driver, parameters)
        return [prepared.row(values) for values in await cursor.fetchall()]

    async def row(self, statement: Executable, parameters: Parameters | None = None) -> Row[Any] | None:
        """The first row, or None."""
        prepared = self._preparations.find(statement, parameters)
        if prepared is None or parameters is None:
            return (await self._connection.execute(statement, parameters)).first()
        values = await (await _run(prepared, self._driver, parameters)).fetchone()
        return None if values is None else prepared.row(values)

    async def value(self, statement: Executable, parameters: Parameters | None = None) -> Any:
        """The first column of the first row, or None."""
        row = await self.row(statement, parameters)
        return None if row is None else row[0]

    async def run(self, statement: Executable, parameters: Parameters | None = None) -> int:
        """Change rows; how many were changed."""
        prepared = self._preparations.find(statement, parameters)
        if prepared is None or parameters is None:
            options = {"preserve_rowcount": True}  # else that of an INSERT is gone with its cursor
            return (await self._connection.execute(statement, parameters, execution_options=options)).rowcount
        return (await _run(prepared, self._driver, parameters)).rowcount

    def insert(self, table: Table) -> Insert:
        """PostgreSQL's INSERT."""
        return insert(table)

    def announce(self, event: Event) -> None:
        """Keep the fact for the end of the unit."""
        self.announcements.append(event)

    def signal(self, topic: str, key: str) -> None:
        """Keep the signal for after the commit."""
        self.signals.append((topic, key))

    async def finish(self, origin: str) -> None:
        """Write down what was announced, and have the commit tell the other processes what was signalled.

        Raises RuntimeError when a statement had failed and somebody went on all the same: PostgreSQL would undo the
        unit and call that a commit.
        """
        if self._driver.info.transaction_status is TransactionStatus.INERROR:
            raise RuntimeError("a statement of this unit has failed, nothing of the unit can be kept")
        for event in self.announcements:
            await insert_announcement(self, event)
        if self.announcements:
            self.signals.append(("outbox", ""))
        if self.signals:
            await self.rows(_NOTIFY, {"channel": CHANNEL, "payload": notification(origin, self.signals)})


class PostgresTransactions:
    """Implements `core.transactions.Transactions` on one database.

    `most` connections are held at a time; who finds them all in use waits up to `wait` seconds for one and is then
    refused with Unavailable.
    """

    def __init__(self, url: str, signals: LocalSignals, *, most: int = 10, wait: float = 5.0) -> None:
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
            json_serializer=_to_json,
            json_deserializer=msgspec.json.decode,
        )
        self._preparations = Preparations(self._engine.dialect)
        listen(self._engine.sync_engine, "connect", _prepare)
        self._reading = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    async def open(self) -> None:
        """See whether the database answers. Raises Unavailable when it does not."""
        async with self.read() as tx:
            await tx.value(select(1))

    async def close(self) -> None:
        """Close the connections that nobody is using."""
        await self._engine.dispose()

    def statistics(self) -> PoolStatistics:
        """How the pool is doing."""
        return cast("CountedPool", self._engine.sync_engine.pool).statistics()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[PostgresTransaction]:
        """A unit that may write; see `core.transactions.Transactions.begin`."""
        try:
            async with self._engine.begin() as connection:
                unit = PostgresTransaction(connection, await _driver_of(connection), self._preparations)
                yield unit
                await unit.finish(self.origin)
        except PoolTimeout as error:
            raise self._busy() from error
        except CAUGHT as error:
            refusal = trouble_of(error)
            if refusal is None:
                raise
            raise refusal from error
        self._signals.tell(unit.signals)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[PostgresTransaction]:
        """A unit that only reads; see `core.transactions.Transactions.read`."""
        try:
            async with self._reading.connect() as connection:
                yield PostgresTransaction(connection, await _driver_of(connection), self._preparations)
        except PoolTimeout as error:
            raise self._busy() from error
        except TROUBLE as error:
            raise unavailable(error) from error

    def _busy(self) -> Unavailable:
        return Unavailable("the database has too much to do right now", retry_after=self._wait)


async def _driver_of(connection: AsyncConnection) -> Driver:
    """The driver's own connection."""
    raw = await connection.get_raw_connection()
    driver: Driver = raw.driver_connection  # type: ignore[assignment]
    return driver


async def _run(prepared: Prepared, driver: Driver, given: Parameters) -> AsyncCursor[Any]:
    """Run it, once for each set of parameters. Raises SQLAlchemy's errors."""
    try:
        if isinstance(given, Mapping):
            return await driver.execute(prepared.text, prepared.named(given))
        cursor = driver.cursor()
        await cursor.executemany(prepared.text, list(map(prepared.named, given)))
        return cursor
    except psycopg.Error as error:
        raise prepared.error(error, psycopg.Error) from error


def connect_arguments(wait: float) -> dict[str, Any]:
    """Parameters of libpq by which no connection hangs: on connecting, on a lock, or on a network that is gone."""
    limits = {"lock_timeout": LOCK_SECONDS, "statement_timeout": STATEMENT_SECONDS}
    return {
        "connect_timeout": max(2, int(wait)),
        "tcp_user_timeout": int(STATEMENT_SECONDS * 1000),
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "options": " ".join(f"-c {name}={int(seconds * 1000)}" for name, seconds in limits.items()),
    }


def notification(origin: str, signals: Sequence[tuple[str, str]]) -> str:
    """What is sent to the other processes: who says it, and what was signalled or, if that is too much, ELSEWHERE."""
    told = list(dict.fromkeys(signals))
    text = _to_json([origin, told])
    return text if len(text.encode()) <= MOST_NOTIFIED else _to_json([origin, [(ELSEWHERE, "")]])


class _Text(StrDumperUnknown):
    """PostgreSQL keeps no NUL in a text. What has one is refused where that matters, and told by U+FFFD elsewhere."""

    def dump(self, obj: str) -> Buffer | None:
        """What is sent."""
        return super().dump(obj.replace("\0", REPLACEMENT) if "\0" in obj else obj)


def _prepare(connection: Any, _record: object) -> None:
    connection.driver_connection.adapters.register_dumper(str, _Text)


def _to_json(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    return _ESCAPED_NUL.sub(rf"\1{REPLACEMENT}", text) if "u0000" in text else text
