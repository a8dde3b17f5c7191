"""Copies of a SQLite file, made while others write, and what can be told of a file without starting on it."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from core.errors import Unavailable

PAGES_AT_ONCE = 1024
WAIT = 10.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Rows are received in the order of their ids, so that the newest is found without reading the table.
_NEWEST = (
    "SELECT recorded_at FROM device_metrics ORDER BY id DESC LIMIT 1",
    "SELECT received_at FROM device_logs ORDER BY id DESC LIMIT 1",
    "SELECT received_at FROM readings ORDER BY id DESC LIMIT 1",
    "SELECT at FROM audit_log ORDER BY id DESC LIMIT 1",
)

Progress = Callable[[int, int], None]


def snapshot(database: Path, copy: Path, progress: Progress) -> None:
    """Copy the file as it is at one moment; others may write meanwhile. Raises Unavailable when it is damaged.

    `progress(done, all)` is called now and then.
    """

    def tell(_status: int, remaining: int, total: int) -> None:
        progress(total - remaining, total)

    with _reading(database) as source, closing(sqlite3.connect(copy)) as target:
        # The copy is made in steps. What has been read from once shows the same moment until the end: without that,
        # SQLite would begin anew after every step in which somebody wrote.
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        source.backup(target, pages=PAGES_AT_ONCE, progress=tell)
        source.execute("ROLLBACK")
    damage = damage_of(copy)
    if damage:
        raise Unavailable(f"the database is damaged: {damage}")


def damage_of(database: Path) -> str | None:
    """What SQLite finds wrong with the file; None if nothing. Reads all of it."""
    try:
        with _reading(database) as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
    except Unavailable as error:
        return error.message
    return None if found == ["ok"] else "; ".join(found)


def newest_moment(database: Path) -> datetime | None:
    """When the last thing was written down that has a time of ours."""
    with _reading(database) as connection:
        found = [row[0] for query in _NEWEST for row in connection.execute(query)]
    return _EPOCH + timedelta(microseconds=max(found)) if found else None


def dead_letters(database: Path) -> int:
    """How many reactions were given up."""
    with _reading(database) as connection:
        return int(connection.execute("SELECT count(*) FROM outbox_failures WHERE retry_at IS NULL").fetchone()[0])


@contextmanager
def _reading(database: Path) -> Iterator[sqlite3.Connection]:
    try:
        where = f"file:{quote(str(database.absolute()))}?mode=rw"
        with closing(sqlite3.connect(where, uri=True, isolation_level=None, timeout=WAIT)) as connection:
            connection.execute("PRAGMA query_only=ON")
            yield connection
    except sqlite3.Error as error:
        raise Unavailable(f"the database {database} cannot be read: {error}") from error
