"""Applies numbered SQL files to a SQLite file, each once, each whole or not at all."""

import fcntl
import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from attrs import frozen

from adapters.sql.migration_files import (
    MigrationFile,
    MigrationStatus,
    Recorded,
    Standing,
    changed,
    compare,
    files_in,
    stopped,
)
from core.errors import Conflict, NotFound, Unavailable
from core.migrations import MigrationFolder

log = logging.getLogger(__name__)


@frozen(kw_only=True)
class MigrationState:
    """How a file stands to the migrations that we know: names of those it lacks, that differ, that we do not know."""

    pending: tuple[str, ...]
    changed: tuple[str, ...]
    unknown: tuple[str, ...]


SQLITE = "sqlite"

_LEDGER = """CREATE TABLE IF NOT EXISTS migrations (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    checksum TEXT NOT NULL,
    applied_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    finished INTEGER NOT NULL DEFAULT 1
)"""
# Ledgers of before had no way to say that something was only begun.
_FINISHED = "ALTER TABLE migrations ADD COLUMN finished INTEGER NOT NULL DEFAULT 1"
_RECORD = (
    "INSERT INTO migrations (name, checksum, finished) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET"
    " checksum = excluded.checksum, finished = excluded.finished, applied_at = excluded.applied_at"
)


class SqliteMigrations:
    """The migrations of a SQLite file."""

    def __init__(self, database: Path) -> None:
        self._database = database

    def run(self, folders: Sequence[MigrationFolder]) -> list[str]:
        """Bring the file up to date; the names of what was applied. Two starters at once apply each file once.

        Raises Unavailable when a migration was changed after it had been applied, or the file cannot be used.
        """
        with self._opened() as connection:
            return [file.name for file in files_in(folders, SQLITE) if self._apply(connection, file)]

    def status(self, folders: Sequence[MigrationFolder]) -> list[MigrationStatus]:
        """How the file stands to each migration; nothing is applied. Unavailable when it cannot be read."""
        files = files_in(folders, SQLITE)
        if not self._database.is_file():
            return compare(files, ())
        try:
            with closing(sqlite3.connect(self._database, timeout=30.0)) as connection:
                return compare(files, _recorded(connection))
        except sqlite3.DatabaseError as error:
            raise Unavailable(f"the database {self._database} cannot be read: {error}") from error

    def mark(self, folders: Sequence[MigrationFolder], name: str) -> None:
        """Write down that a file is applied, as it is now, without applying it. Raises NotFound, Conflict."""
        file = named(files_in(folders, SQLITE), name)
        with self._opened() as connection:
            refuse_applied(compare([file], _recorded(connection)))
            connection.execute(_RECORD, (file.name, file.checksum, True))

    def unmark(self, name: str) -> None:
        """Forget that a file was applied, without undoing it. Raises NotFound."""
        with self._opened() as connection:
            if not connection.execute("DELETE FROM migrations WHERE name = ?", (name,)).rowcount:
                raise NotFound(f"no migration {name} was applied")

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._database, timeout=30.0, isolation_level=None)) as connection:
                # Not in the mode WAL yet: whoever switches to it while another starts is refused at once.
                connection.execute("BEGIN IMMEDIATE")
                connection.execute(_LEDGER)
                if "finished" not in _columns(connection):
                    connection.execute(_FINISHED)
                connection.execute("COMMIT")
                yield connection
        except sqlite3.DatabaseError as error:
            raise Unavailable(f"the database {self._database} cannot be brought up to date: {error}") from error

    def _apply(self, connection: sqlite3.Connection, file: MigrationFile) -> bool:
        if file.alone:
            with self._turn():
                return _apply_alone(connection, file)
        with _transaction(connection):
            if not _is_due(connection, file):
                return False
            for statement in statements_of(file.text):
                connection.execute(statement)
            connection.execute(_RECORD, (file.name, file.checksum, True))
            return True

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """While no transaction keeps others out: a lock on a file beside the database."""
        with self._database.with_name(f"{self._database.name}.migrating").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def migrate_sqlite(database: Path, folders: Sequence[MigrationFolder]) -> list[str]:
    """Bring the file up to date; see `SqliteMigrations.run`."""
    return SqliteMigrations(database).run(folders)


def migration_state(database: Path, folders: Sequence[MigrationFolder]) -> MigrationState:
    """How the file stands to our migrations; nothing is applied. Unavailable when it cannot be read."""
    if not database.is_file():
        raise Unavailable(f"the database {database} cannot be read: there is none")
    return state_of(SqliteMigrations(database).status(folders))


def state_of(statuses: Sequence[MigrationStatus]) -> MigrationState:
    """The same by what is to be done about it."""

    def of(*standings: Standing) -> tuple[str, ...]:
        return tuple(each.name for each in statuses if each.standing in standings)

    return MigrationState(
        pending=of(Standing.PENDING, Standing.HALF_WAY), changed=of(Standing.CHANGED), unknown=of(Standing.UNKNOWN)
    )


def named(files: Sequence[MigrationFile], name: str) -> MigrationFile:
    """The file of this name. Raises NotFound."""
    for file in files:
        if file.name in {name, f"{name}.sql"}:
            return file
    raise NotFound(f"there is no migration {name}; `iotistic migrate status` shows their names")


def refuse_applied(statuses: Sequence[MigrationStatus]) -> None:
    """Raises Conflict if the migration is applied as it is."""
    if statuses[0].standing is Standing.APPLIED:
        raise Conflict(f"the migration {statuses[0].name} is applied already")


def _apply_alone(connection: sqlite3.Connection, file: MigrationFile) -> bool:
    with _transaction(connection):
        if not _is_due(connection, file):
            return False
        connection.execute(_RECORD, (file.name, file.checksum, False))
    try:
        for statement in statements_of(file.text):
            connection.execute(statement)
    except sqlite3.DatabaseError as error:
        raise stopped(file.name, error) from error
    connection.execute(_RECORD, (file.name, file.checksum, True))
    return True


def _is_due(connection: sqlite3.Connection, file: MigrationFile) -> bool:
    """Whether it is to be applied. Raises Unavailable when it was, and was another."""
    return is_due(file, connection.execute("SELECT checksum, finished FROM migrations WHERE name = ?", (file.name,)))


def is_due(file: MigrationFile, found: Iterator[tuple[str, bool]]) -> bool:
    """Whether a file is to be applied, by its line in the ledger. Raises Unavailable when it was, and was another."""
    for checksum, finished in found:
        if not finished:
            log.warning("the migration %s was begun and not finished; it is begun anew", file.name)
            return True
        if checksum != file.checksum:
            raise changed(file.name)
        return False
    return True


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _columns(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM pragma_table_info('migrations')")}


def _recorded(connection: sqlite3.Connection) -> list[Recorded]:
    columns = _columns(connection)
    finished = "finished" if "finished" in columns else "1"
    lines = connection.execute(f"SELECT name, checksum, applied_at, {finished} FROM migrations ORDER BY id")  # noqa: S608
    return [
        Recorded(name=name, checksum=checksum, applied_at=datetime.fromisoformat(at), finished=bool(done))
        for name, checksum, at, done in lines
    ]


def statements_of(text: str) -> Iterator[str]:
    """The statements of an SQL file, one by one: SQLite runs only one at a time inside a transaction."""
    statement = ""
    for line in text.splitlines():
        if not statement and (not line.strip() or line.lstrip().startswith("--")):
            continue
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement.strip()
            statement = ""
    if statement.strip():
        yield statement.strip()
