"""Applies numbered SQL files to a SQLite file, each once, each whole or not at all."""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from attrs import frozen

from core.errors import Unavailable
from core.migrations import OURS, MigrationFolder


@frozen(kw_only=True)
class MigrationState:
    """How a file stands to the migrations that we know: names of those it lacks, that differ, that we do not know."""

    pending: tuple[str, ...]
    changed: tuple[str, ...]
    unknown: tuple[str, ...]


SQLITE = "sqlite"
_NAME = re.compile(r"\d{3}_[a-z0-9_]+\.sql")

_LEDGER = """CREATE TABLE IF NOT EXISTS migrations (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    checksum TEXT NOT NULL,
    applied_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
)"""


def migrate_sqlite(database: Path, folders: Sequence[MigrationFolder]) -> list[str]:
    """Bring the file up to date; the names of what was applied. Two starters at once apply each migration once.

    Raises Unavailable when a migration was changed after it had been applied, or the file cannot be used.
    """
    try:
        with closing(sqlite3.connect(database, timeout=30.0, isolation_level=None)) as connection:
            # Not in the mode WAL yet: whoever switches to it while another starts is refused at once, without waiting.
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(_LEDGER)
            connection.execute("COMMIT")
            return [
                name
                for folder in folders
                for file in files_of(folder, SQLITE)
                if _apply(connection, name := name_of(folder, file), file.read_text(encoding="utf-8"))
            ]
    except sqlite3.DatabaseError as error:
        raise Unavailable(f"the database {database} cannot be brought up to date: {error}") from error


def migration_state(database: Path, folders: Sequence[MigrationFolder]) -> MigrationState:
    """How the file stands to our migrations; nothing is applied. Unavailable when it cannot be read."""
    try:
        with closing(sqlite3.connect(database, timeout=30.0)) as connection:
            applied = dict(connection.execute("SELECT name, checksum FROM migrations ORDER BY id").fetchall())
    except sqlite3.DatabaseError as error:
        raise Unavailable(f"the database {database} cannot be read: {error}") from error
    known = {
        name_of(folder, file): checksum_of(file.read_text(encoding="utf-8"))
        for folder in folders
        for file in files_of(folder, SQLITE)
    }
    return MigrationState(
        pending=tuple(name for name in known if name not in applied),
        changed=tuple(name for name in known if applied.get(name, known[name]) != known[name]),
        unknown=tuple(name for name in applied if name not in known),
    )


def files_of(folder: MigrationFolder, database: str) -> list[Path]:
    """The files for a database, in the order of their numbers. Raises Unavailable when it was not thought of."""
    where = folder.path / database
    if not where.is_dir():
        raise Unavailable(f"{folder.owner} has no migrations for {database}: it cannot be used with this database")
    return sorted(path for path in where.iterdir() if _NAME.fullmatch(path.name))


def name_of(folder: MigrationFolder, file: Path) -> str:
    """What the file is called in the table `migrations`."""
    return file.name if folder.owner == OURS else f"{folder.owner}/{file.name}"


def _apply(connection: sqlite3.Connection, name: str, text: str) -> bool:
    checksum = checksum_of(text)
    connection.execute("BEGIN IMMEDIATE")
    try:
        applied = connection.execute("SELECT checksum FROM migrations WHERE name = ?", (name,)).fetchone()
        if applied is None:
            for statement in statements_of(text):
                connection.execute(statement)
            connection.execute("INSERT INTO migrations (name, checksum) VALUES (?, ?)", (name, checksum))
        elif applied[0] != checksum:
            raise changed(name)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return applied is None


def changed(name: str) -> Unavailable:
    """The refusal to start where a migration is not what was applied."""
    return Unavailable(f"the migration {name} was changed after it had been applied; put back the old text")


def checksum_of(text: str) -> str:
    """By what a change of the file is noticed."""
    return sha256(text.encode()).hexdigest()


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
