"""SQLite: one writer whose commits are shared, and readers that hold nobody up.

Statements run on the event loop's own thread: they take microseconds, far less than a change of threads. What may take
milliseconds, the commit with its fsync, runs in a thread. Whoever comes while a commit is under way shares the next
one (group commit): each unit is a savepoint in the open transaction, undone alone if it fails, and its caller goes on
only when the commit that holds it is on disk.
"""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec
from attrs import define, field
from sqlalchemy import Connection, Engine, Executable, Row, Table, create_engine
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from adapters.sql.batches import Changes, Keyed, Rows
from adapters.sql.outbox import insert_announcement
from adapters.sql.prepared import Preparations, Prepared
from adapters.sql.signals import LocalSignals
from adapters.sql.transactions import Parameters
from core.durations import Durations
from core.errors import Unavailable
from core.events import Event

log = logging.getLogger(__name__)

LOCK_POLL = 0.02
IDLE_READERS = 4
MOST_PAGES = 1_073_741_823


class SqliteTransaction:
    """Implements `SqlTransaction` on one connection."""

    def __init__(self, connection: Connection, preparations: Preparations) -> None:
        self._connection = connection
        self._driver = driver_of(connection)
        self._preparations = preparations
        self.announcements: list[Event] = []
        self.signals: list[tuple[str, str]] = []

    async def rows(self, statement: Executable, parameters: Parameters | None = None) -> Sequence[Row[Any]]:
        """All rows."""
        prepared = self._preparations.find(statement, parameters)
        if prepared is None or parameters is None:
            return self._connection.execute(statement, parameters).all()
        return [prepared.row(values) for values in _run(prepared, self._driver, parameters).fetchall()]

    async def row(self, statement: Executable, parameters: Parameters | None = None) -> Row[Any] | None:
        """The first row, or None."""
        prepared = self._preparations.find(statement, parameters)
        if prepared is None or parameters is None:
            return self._connection.execute(statement, parameters).first()
        values = _run(prepared, self._driver, parameters).fetchone()
        return None if values is None else prepared.row(values)

    async def value(self, statement: Executable, parameters: Parameters | None = None) -> Any:
        """The first column of the first row, or None."""
        row = await self.row(statement, parameters)
        return None if row is None else row[0]

    async def run(self, statement: Executable, parameters: Parameters | None = None) -> int:
        """Change rows; how many were changed."""
        prepared = self._preparations.find(statement, parameters)
        if prepared is None or parameters is None:
            return self._connection.execute(statement, parameters).rowcount
        return _run(prepared, self._driver, parameters).rowcount

    async def add(self, kind: Rows | Changes, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write the rows at once."""
        await self.run(kind.statement(insert, SqliteTransaction), rows if len(rows) > 1 else rows[0])

    async def take(self, kind: Keyed, key: str) -> Row[Any] | None:
        """The row as it is; there is one writer anyway."""
        return await self.row(kind.select, {"key": key})

    async def replace(self, kind: Keyed, key: str, values: Mapping[str, Any]) -> bool:
        """Give the row these values."""
        return await self.run(kind.update, {**values, "of": key}) > 0

    def insert(self, table: Table) -> Insert:
        """SQLite's INSERT."""
        return insert(table)

    def announce(self, event: Event) -> None:
        """Keep the fact for the end of the unit."""
        self.announcements.append(event)

    def signal(self, topic: str, key: str) -> None:
        """Keep the signal for after the commit."""
        self.signals.append((topic, key))

    def hint(self, topic: str, key: str) -> None:
        """Keep the hint for after the commit: here it is as good as a signal."""
        self.signals.append((topic, key))


@define
class _Group:
    """The units that one commit carries."""

    committed: "asyncio.Future[None]"
    scheduled: bool = False
    units: int = 0
    signals: list[tuple[str, str]] = field(factory=list)


class SqliteTransactions:
    """Implements `core.transactions.Transactions` on one file.

    `wait` is how many seconds a unit waits for another process that is writing before it raises Unavailable. The file
    grows to `most_bytes` and no further; 0 is no limit.
    """

    def __init__(self, path: Path, signals: LocalSignals, *, wait: float = 5.0, most_bytes: int = 0) -> None:
        self._path = path
        self._signals = signals
        self._wait = wait
        self._most_bytes = most_bytes
        self._turn = asyncio.Lock()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="commit")
        self._engine: Engine = create_engine(
            f"sqlite+pysqlite:///{path}",
            connect_args={"check_same_thread": False, "timeout": 0},
            isolation_level="AUTOCOMMIT",
            poolclass=NullPool,
            json_serializer=_to_json,
            json_deserializer=msgspec.json.decode,
        )
        self._preparations = Preparations(self._engine.dialect)
        self._writer: Connection | None = None
        self._version: int | None = None
        self._readers: list[Connection] = []
        self._group: _Group | None = None
        self._commits: set[asyncio.Task[None]] = set()
        self.committing = Durations()
        self.committed_units = 0
        self.failed_commits = 0

    async def open(self) -> None:
        """Open the file. Raises Unavailable when it cannot be opened."""
        try:
            self._writer = self._connect()
            self._limit(self._writer)
        except DBAPIError as error:
            raise Unavailable(f"the database {self._path} cannot be opened: {error.orig}") from error

    async def close(self) -> None:
        """Let running commits end, then close everything."""
        if self._commits:
            await asyncio.wait(self._commits)
        for connection in [*self._readers, *([self._writer] if self._writer else [])]:
            connection.close()
        self._readers.clear()
        self._writer = None
        self._engine.dispose()
        self._thread.shutdown()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[SqliteTransaction]:
        """A unit that may write; see `core.transactions.Transactions.begin`."""
        patience = asyncio.get_running_loop().time() + self._wait
        async with self._turn:
            connection, group = await self._open_group(patience)
            unit = SqliteTransaction(connection, self._preparations)
            try:
                driver_of(connection).execute("SAVEPOINT unit")
                yield unit
                for event in unit.announcements:
                    await insert_announcement(unit, event)
                driver_of(connection).execute("RELEASE unit")
            except BaseException as error:
                self._undo_unit(connection, group, error)
                if isinstance(error, OperationalError | sqlite3.OperationalError):
                    raise _unavailable(error) from error
                raise
            group.units += 1
            group.signals += unit.signals
            if unit.announcements:
                group.signals.append(("outbox", ""))
            self._commit_soon(group)
        await asyncio.shield(group.committed)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[SqliteTransaction]:
        """A unit that only reads; see `core.transactions.Transactions.read`."""
        connection = self._readers.pop() if self._readers else self._connect(read_only=True)
        try:
            driver_of(connection).execute("BEGIN")
            yield SqliteTransaction(connection, self._preparations)
        except (OperationalError, sqlite3.OperationalError) as error:
            raise _unavailable(error) from error
        finally:
            with suppress(sqlite3.OperationalError):
                driver_of(connection).execute("ROLLBACK")
            if len(self._readers) < IDLE_READERS and self._writer is not None:
                self._readers.append(connection)
            else:
                connection.close()

    async def changed_elsewhere(self) -> bool:
        """Whether another process has written since this was last asked."""
        async with self._turn:
            if self._writer is None:
                return False
            before, self._version = self._version, self._writer.exec_driver_sql("PRAGMA data_version").scalar_one()
        return before not in {None, self._version}

    def _connect(self, *, read_only: bool = False) -> Connection:
        connection = self._engine.connect()
        if not read_only:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        # FULL: a commit is on disk when it returns, also after a power cut.
        connection.exec_driver_sql("PRAGMA synchronous=FULL")
        connection.exec_driver_sql("PRAGMA foreign_keys=ON")
        connection.exec_driver_sql(f"PRAGMA cache_size={-2000 if read_only else -8000}")
        connection.exec_driver_sql(f"PRAGMA query_only={'ON' if read_only else 'OFF'}")
        return connection

    def _limit(self, connection: Connection) -> None:
        size = connection.exec_driver_sql("PRAGMA page_size").scalar_one()
        # A file that is larger already keeps its size: SQLite never takes pages away by this.
        most = self._most_bytes // size or MOST_PAGES
        connection.exec_driver_sql(f"PRAGMA max_page_count={most}")

    async def _open_group(self, patience: float) -> tuple[Connection, _Group]:
        """The open transaction that units join, begun if there is none. Held by whoever has the turn."""
        if self._writer is None:
            raise Unavailable("the database is closed")
        if self._group is None:
            await self._begin_immediate(self._writer, patience)
            self._group = _Group(committed=asyncio.get_running_loop().create_future())
        return self._writer, self._group

    async def _begin_immediate(self, connection: Connection, patience: float) -> None:
        """Wait for another process that is writing, until `patience` ends: that of many who wait ends at once."""
        while True:
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            except OperationalError as error:
                if not _is_locked(error):
                    raise _unavailable(error) from error
                if asyncio.get_running_loop().time() >= patience:
                    raise Unavailable("the database is locked by another process", retry_after=self._wait) from error
                # SQLite has no event to wait for, its own busy handler polls as well.
                await asyncio.sleep(LOCK_POLL)
            else:
                return

    def _undo_unit(self, connection: Connection, group: _Group, error: BaseException) -> None:
        """Undo one unit; if SQLite has undone the whole transaction (disk full, I/O error) all its units failed."""
        if driver_of(connection).in_transaction:
            with suppress(OperationalError):
                connection.exec_driver_sql("ROLLBACK TO unit")
            with suppress(OperationalError):
                connection.exec_driver_sql("RELEASE unit")
            self._commit_soon(group)
            return
        self._group = None
        _fail(group, _unavailable(error))

    def _commit_soon(self, group: _Group) -> None:
        """Have the group committed after those who are already waiting for their turn have joined it."""
        if not group.scheduled:
            group.scheduled = True
            task = asyncio.create_task(self._commit(group))
            self._commits.add(task)
            task.add_done_callback(self._commits.discard)

    async def _commit(self, group: _Group) -> None:
        async with self._turn:
            if self._group is not group or self._writer is None:
                return
            self._group = None
            began = perf_counter()
            try:
                await asyncio.get_running_loop().run_in_executor(self._thread, self._writer.exec_driver_sql, "COMMIT")
            except DBAPIError as error:
                with suppress(DBAPIError):
                    self._writer.exec_driver_sql("ROLLBACK")
                self.failed_commits += 1
                log.exception("commit failed: %s", error.orig)
                _fail(group, _unavailable(error))
                return
            self.committing.add(perf_counter() - began)
            self.committed_units += group.units
            self._signals.tell(group.signals)
            group.committed.set_result(None)


def _run(prepared: Prepared, driver: sqlite3.Connection, given: Parameters) -> sqlite3.Cursor:
    """Run it, once for each set of parameters. Raises SQLAlchemy's errors."""
    try:
        if isinstance(given, Mapping):
            return driver.execute(prepared.text, prepared.bound(given))
        return driver.executemany(prepared.text, map(prepared.bound, given))
    except sqlite3.Error as error:
        raise prepared.error(error, sqlite3.Error) from error


def _fail(group: _Group, refusal: Unavailable) -> None:
    group.committed.set_exception(refusal)
    group.committed.exception()  # a group of none has nobody to be told


def driver_of(connection: Connection) -> sqlite3.Connection:
    """The driver's own connection."""
    driver: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
    return driver


def _is_locked(error: OperationalError) -> bool:
    return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def _unavailable(error: BaseException) -> Unavailable:
    reason = getattr(error, "orig", error)
    return Unavailable("the database cannot be used right now", context={"reason": str(reason)})


def _to_json(value: object) -> str:
    return msgspec.json.encode(value).decode()
