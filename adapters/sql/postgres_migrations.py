"""Applies numbered SQL files to a PostgreSQL database, each once, each whole or not at all."""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg

from adapters.sql.migration_files import MigrationFile, MigrationStatus, Recorded, compare, files_in, stopped
from adapters.sql.migrations import is_due, named, refuse_applied
from adapters.sql.postgres_urls import conninfo_of
from core.errors import NotFound, Unavailable
from core.migrations import MigrationFolder

POSTGRES = "postgres"
CONNECT_SECONDS = 10
# Any number will do, as long as nobody else locks the same one in this database.
LOCK = 0x494F5449
# Well below PostgreSQL's deadlock_timeout.
WAIT_MILLISECONDS = 200
WAIT_SECONDS = 600.0

_LEDGER = """CREATE TABLE IF NOT EXISTS migrations (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    checksum TEXT NOT NULL,
    applied_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    finished BOOLEAN NOT NULL DEFAULT true
);
ALTER TABLE migrations ADD COLUMN IF NOT EXISTS finished BOOLEAN NOT NULL DEFAULT true"""
_RECORD = (
    "INSERT INTO migrations (name, checksum, finished) VALUES (%s, %s, %s) ON CONFLICT (name) DO UPDATE SET"
    " checksum = excluded.checksum, finished = excluded.finished, applied_at = excluded.applied_at"
)
# Ledgers of before had no way to say that something was only begun.
_RECORDED = (
    "SELECT name, checksum, applied_at, coalesce((to_jsonb(migrations) ->> 'finished')::boolean, true)"
    " FROM migrations ORDER BY id"
)
_INVALID = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
# Texts, names, bodies of functions and comments, inside of which a semicolon ends nothing.
_WHOLE = r"'(?:[^']|'')*'|\"[^\"]*\"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|--[^\n]*|/\*.*?\*/"
_PART = re.compile(rf"(?:{_WHOLE})|;|[^;'\"$/-]+|.", re.DOTALL)
_COMMENT = re.compile(r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*", re.DOTALL)


class PostgresMigrations:
    """The migrations of a PostgreSQL database."""

    def __init__(self, url: str) -> None:
        self._url = url

    def run(self, folders: Sequence[MigrationFolder]) -> list[str]:
        """Bring the database up to date; the names of what was applied. Two starters at once apply each file once.

        Raises Unavailable when a migration was changed after it had been applied, or the database cannot be used.
        """
        with self._alone() as connection:
            return [file.name for file in files_in(folders, POSTGRES) if _apply(connection, file)]

    def status(self, folders: Sequence[MigrationFolder]) -> list[MigrationStatus]:
        """How the database stands to each migration; nothing is applied. Unavailable when it cannot be read."""
        files = files_in(folders, POSTGRES)
        with self._connected("cannot be read") as connection:
            return compare(files, _recorded(connection))

    def mark(self, folders: Sequence[MigrationFolder], name: str) -> None:
        """Write down that a file is applied, as it is now, without applying it. Raises NotFound, Conflict."""
        file = named(files_in(folders, POSTGRES), name)
        with self._alone() as connection:
            refuse_applied(compare([file], _recorded(connection)))
            connection.execute(_RECORD.encode(), (file.name, file.checksum, True))

    def unmark(self, name: str) -> None:
        """Forget that a file was applied, without undoing it. Raises NotFound."""
        with self._alone() as connection:
            if not connection.execute("DELETE FROM migrations WHERE name = %s", (name,)).rowcount:
                raise NotFound(f"no migration {name} was applied")

    @contextmanager
    def _connected(self, trouble: str) -> Iterator[psycopg.Connection]:
        try:
            with psycopg.connect(
                conninfo_of(self._url), autocommit=True, connect_timeout=CONNECT_SECONDS
            ) as connection:
                yield connection
        except psycopg.Error as error:
            raise Unavailable(f"the database {trouble}: {error}") from error

    @contextmanager
    def _alone(self) -> Iterator[psycopg.Connection]:
        """A connection while which others who would migrate wait; the lock goes with it, also should this process die.

        Nobody waits for long at a time: CREATE INDEX CONCURRENTLY waits for all statements that began before it, and
        one that waits for the lock of him who makes the index would be such a one.
        """
        with self._connected("cannot be brought up to date") as connection:
            connection.execute(f"SET lock_timeout = {WAIT_MILLISECONDS}".encode())
            until = time.monotonic() + WAIT_SECONDS
            while not _locked(connection):
                if time.monotonic() > until:
                    raise Unavailable("somebody else has been migrating the database for ten minutes; try again later")
            connection.execute(b"RESET lock_timeout")
            connection.execute(_LEDGER)
            yield connection


def migrate_postgres(url: str, folders: Sequence[MigrationFolder]) -> list[str]:
    """Bring the database up to date; see `PostgresMigrations.run`."""
    return PostgresMigrations(url).run(folders)


def _locked(connection: psycopg.Connection) -> bool:
    try:
        connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
    except psycopg.errors.LockNotAvailable:
        return False
    return True


def _apply(connection: psycopg.Connection, file: MigrationFile) -> bool:
    found = connection.execute("SELECT checksum, finished FROM migrations WHERE name = %s", (file.name,))
    if not is_due(file, found):
        return False
    if file.alone:
        _apply_alone(connection, file)
        return True
    with connection.transaction():
        # Without parameters the driver sends the file as it is, all its statements in one message.
        connection.execute(file.text.encode())
        connection.execute(_RECORD.encode(), (file.name, file.checksum, True))
    return True


def _apply_alone(connection: psycopg.Connection, file: MigrationFile) -> None:
    connection.execute(_RECORD.encode(), (file.name, file.checksum, False))
    invalid = _invalid(connection)
    try:
        for statement in statements_of(file.text):
            connection.execute(statement.encode())
    except psycopg.Error as error:
        raise stopped(file.name, error) from error
    if left := _invalid(connection) - invalid:
        raise stopped(file.name, f"it left behind the index {', '.join(sorted(left))}, which is not valid")
    connection.execute(_RECORD.encode(), (file.name, file.checksum, True))


def _invalid(connection: psycopg.Connection) -> set[str]:
    """Indexes whose making failed."""
    return {name for (name,) in connection.execute(_INVALID)}


def _first(connection: psycopg.Connection, query: str, *given: object) -> object:
    row = connection.execute(query.encode(), given).fetchone()
    return None if row is None else row[0]


def _recorded(connection: psycopg.Connection) -> list[Recorded]:
    if _first(connection, "SELECT to_regclass('migrations')") is None:
        return []
    return [
        Recorded(name=name, checksum=checksum, applied_at=at, finished=finished)
        for name, checksum, at, finished in connection.execute(_RECORDED)
    ]


def statements_of(text: str) -> Iterator[str]:
    """The statements of an SQL file, one by one: together they would be one transaction."""
    statement = ""
    for part in _PART.finditer(text):
        if part.group() != ";":
            statement += part.group()
            continue
        yield statement.strip()
        statement = ""
    if statement[_COMMENT.match(statement).end() :]:  # type: ignore[union-attr]
        yield statement.strip()
