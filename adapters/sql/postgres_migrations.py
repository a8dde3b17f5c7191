"""Applies numbered SQL files to a PostgreSQL database, each once, each whole or not at all."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg

from adapters.sql.migrations import changed, checksum_of, files_of, name_of
from adapters.sql.postgres_urls import conninfo_of
from core.errors import Unavailable
from core.migrations import MigrationFolder

POSTGRES = "postgres"
CONNECT_SECONDS = 10
# Any number will do, as long as nobody else locks the same one in this database.
LOCK = 0x494F5449

_LEDGER = """CREATE TABLE IF NOT EXISTS migrations (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    checksum TEXT NOT NULL,
    applied_at TIMESTAMPTZ NOT NULL DEFAULT now()
)"""


def migrate_postgres(url: str, folders: Sequence[MigrationFolder]) -> list[str]:
    """Bring the database up to date; the names of what was applied. Two starters at once apply each migration once.

    Raises Unavailable when a migration was changed after it had been applied, or the database cannot be used.
    """
    try:
        with _alone(url) as connection:
            connection.execute(_LEDGER)
            return [
                name
                for folder in folders
                for file in files_of(folder, POSTGRES)
                if _apply(connection, name := name_of(folder, file), file.read_text(encoding="utf-8"))
            ]
    except psycopg.Error as error:
        raise Unavailable(f"the database cannot be brought up to date: {error}") from error


@contextmanager
def _alone(url: str) -> Iterator[psycopg.Connection]:
    """A connection while which others who would migrate wait; the lock goes with it, also should this process die."""
    with psycopg.connect(conninfo_of(url), autocommit=True, connect_timeout=CONNECT_SECONDS) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        yield connection


def _apply(connection: psycopg.Connection, name: str, text: str) -> bool:
    checksum = checksum_of(text)
    with connection.transaction():
        applied = connection.execute("SELECT checksum FROM migrations WHERE name = %s", (name,)).fetchone()
        if applied is None:
            # Without parameters the driver sends the file as it is, all its statements in one message.
            connection.execute(text.encode())
            connection.execute("INSERT INTO migrations (name, checksum) VALUES (%s, %s)", (name, checksum))
        elif applied[0] != checksum:
            raise changed(name)
    return applied is None
