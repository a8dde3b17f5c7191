"""SQLite as one side of a transfer."""

# Names of tables and columns, which are no parameters of a statement, come from the database and are quoted.
# ruff: noqa: S608

import sqlite3
from ast import literal_eval
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

from attrs import field, frozen

from adapters.sql.migrations import SQLITE
from adapters.sql.transfer_shape import FROM_ANOTHER, LEDGER, PROGRESS, Described, TransferTable
from adapters.sql.transfer_sides import Following, Key, Standing
from adapters.sql.transfer_values import Conversion, Convert, Kind, Replaced, Values, small
from core.errors import Conflict, Unavailable

WAIT = 10.0
AT_ONCE = 500
_MAKE_PROGRESS = (
    f"CREATE TABLE IF NOT EXISTS {PROGRESS} (name TEXT PRIMARY KEY, source TEXT NOT NULL, rows INTEGER NOT NULL,"
    " key TEXT, done INTEGER NOT NULL) WITHOUT ROWID"
)


@frozen
class SqliteSide:
    """A SQLite file."""

    path: Path
    replaced: Replaced
    name: str = field(default=SQLITE, init=False)

    @contextmanager
    def reading(self) -> Iterator["SqliteReading"]:
        """Read one moment; see `Side`."""
        with self._opened() as connection:
            connection.execute("PRAGMA query_only=ON")
            # Texts as they lie in the file, be they UTF-8 or not.
            connection.text_factory = bytes
            connection.execute("BEGIN")
            yield SqliteReading(connection, self.replaced)
            connection.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator["SqliteWriting"]:
        """Fill it; see `Side`."""
        with self._opened() as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            # Checked at the end, all of them at once.
            connection.execute("PRAGMA foreign_keys=OFF")
            yield SqliteWriting(connection)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        where = f"file:{quote(str(self.path.absolute()))}?mode=rw"
        try:
            with closing(sqlite3.connect(where, uri=True, isolation_level=None, timeout=WAIT)) as connection:
                yield connection
        except sqlite3.Error as error:
            raise Unavailable(f"the database {self.path} cannot be used: {error}") from error


class SqliteReading:
    """Implements `Reading` in one transaction."""

    def __init__(self, connection: sqlite3.Connection, replaced: Replaced) -> None:
        self._connection = connection
        self._replaced = replaced

    def described(self) -> Described:
        """Its tables."""
        names = [
            row[0].decode()
            for row in self._connection.execute(
                r"SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'"
            )
        ]
        columns = {name: self._columns(name) for name in names}
        keys = {
            name: [column for column, place in sorted(found.items(), key=lambda each: each[1]) if place]
            for name, found in columns.items()
        }
        return Described(
            columns={name: dict.fromkeys(found) for name, found in columns.items()}, keys=keys, references={}
        )

    def _columns(self, table: str) -> dict[str, int]:
        """Each column with its place in the primary key, 0 for none."""
        found = self._connection.execute("SELECT name, pk FROM pragma_table_info(?)", (table,))
        return {name.decode(): place for name, place in found}

    def migrations(self) -> Mapping[str, str]:
        """Name and checksum of what was applied."""
        if LEDGER not in self.described().columns:
            return {}
        found = self._connection.execute(f"SELECT name, checksum FROM {LEDGER}")
        return {name.decode(): checksum.decode() for name, checksum in found}

    def identity(self) -> str:
        """When its tables were made."""
        found = self._connection.execute(f"SELECT name, applied_at FROM {LEDGER} ORDER BY id").fetchall()
        return sha256(repr(found).encode()).hexdigest()

    def count(self, table: str) -> int:
        """How many rows the table has."""
        return int(self._connection.execute(f"SELECT count(*) FROM {_quoted(table)}").fetchone()[0])

    def filled(self, tables: Sequence[str]) -> Sequence[str]:
        """Those of the tables that have rows."""
        return [
            name for name in tables if self._connection.execute(f"SELECT 1 FROM {_quoted(name)} LIMIT 1").fetchone()
        ]

    def conversion(self, table: TransferTable) -> Conversion:
        """What PostgreSQL cannot keep is replaced; moments are microseconds already."""
        forms: dict[Kind, Convert] = {
            Kind.TEXT: self._replaced.text,
            Kind.JSON: self._replaced.json,
            Kind.BOOLEAN: bool,
            Kind.SMALL: small,
        }
        return Conversion([(place, forms[kind]) for place, kind in enumerate(table.kinds) if kind in forms])

    def rows(self, table: TransferTable, after: Key | None) -> Generator[Sequence[Any]]:
        """The rows in the order of their key."""
        query = f"SELECT {_names(table.columns)} FROM {_quoted(table.name)}"
        if after is not None:
            kinds = dict(zip(table.columns, table.kinds, strict=True))
            # Texts are bytes on their way.
            marks = ["CAST(? AS TEXT)" if kinds[name] in {Kind.TEXT, Kind.JSON} else "?" for name in table.key]
            query += f" WHERE ({_names(table.key)}) > ({', '.join(marks)})"
        if table.key:
            query += f" ORDER BY {_names(table.key)}"
        yield from self._connection.execute(query, after or ())

    def last_numbers(self, tables: Sequence[TransferTable]) -> Mapping[str, int]:
        """What AUTOINCREMENT remembers, or else the highest number there is."""
        remembered = _remembered(self._connection)
        found = {}
        for table in tables:
            if len(table.key) == 1 and table.kinds[table.columns.index(table.key[0])] is Kind.INTEGER:
                query = f"SELECT max({_quoted(table.key[0])}) FROM {_quoted(table.name)}"
                highest = self._connection.execute(query).fetchone()[0] or 0
                found[table.name] = max(highest, remembered.get(table.name, 0))
        return found


class SqliteWriting:
    """Implements `Writing`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._source = ""

    def start(self, identity: str) -> Mapping[str, Standing]:
        """How far each table came."""
        self._source = identity
        self._connection.execute(_MAKE_PROGRESS)
        found = self._connection.execute(f"SELECT name, source, rows, key, done FROM {PROGRESS}").fetchall()
        if any(source != identity for _, source, *_ in found):
            raise Conflict(FROM_ANOTHER)
        return {
            name: Standing(rows=rows, key=literal_eval(key) if key else None, done=bool(done))
            for name, _, rows, key, done in found
        }

    def write(self, table: TransferTable, rows: Iterator[Values], standing: Following) -> None:
        """Keep the rows in one transaction."""
        marks = ", ".join("?" for _ in table.columns)
        insert = f"INSERT INTO {_quoted(table.name)} ({_names(table.columns)}) VALUES ({marks})"
        texts = [place for place, kind in enumerate(table.kinds) if kind in {Kind.TEXT, Kind.JSON}]
        stored = Conversion([(place, bytes.decode) for place in texts])
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            while batch := list(islice(rows, AT_ONCE)):
                self._connection.executemany(insert, map(stored, batch))
            now = standing()
            key = None if now.key is None else repr(now.key)
            self._connection.execute(
                f"INSERT OR REPLACE INTO {PROGRESS} (name, source, rows, key, done) VALUES (?, ?, ?, ?, ?)",
                (table.name, self._source, now.rows, key, now.done),
            )
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def number_on(self, table: TransferTable, last: int) -> None:
        """AUTOINCREMENT goes on behind this number; without it SQLite goes by the highest there is."""
        made = self._connection.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (table.name,)).fetchone()
        if "AUTOINCREMENT" in made[0].upper():
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table.name,))
            self._connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table.name, last))
            self._connection.execute("COMMIT")

    def finish(self) -> None:
        """See whether all references lead somewhere, then forget how far we came."""
        loose = self._connection.execute("PRAGMA foreign_key_check").fetchone()
        if loose is not None:
            raise Conflict(f"a row of {loose[0]} refers to a row of {loose[2]} that is not there")
        self._connection.execute(f"DROP TABLE IF EXISTS {PROGRESS}")


def _remembered(connection: sqlite3.Connection) -> dict[str, int]:
    if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'").fetchone() is None:
        return {}
    return {name.decode(): last for name, last in connection.execute("SELECT name, seq FROM sqlite_sequence")}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _names(names: Sequence[str]) -> str:
    return ", ".join(map(_quoted, names))
