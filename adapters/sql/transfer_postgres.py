"""PostgreSQL as one side of a transfer. Rows go by COPY, in the binary form: numbers and moments come as they are."""

# Names of tables and columns, which are no parameters of a statement, come from the database and are quoted.
# ruff: noqa: S608

from ast import literal_eval
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import Any, Final

import psycopg
from attrs import field, frozen
from psycopg import sql

from adapters.sql.postgres_migrations import CONNECT_SECONDS, POSTGRES
from adapters.sql.postgres_urls import conninfo_of
from adapters.sql.transfer_shape import FROM_ANOTHER, LEDGER, PROGRESS, Described, TransferTable
from adapters.sql.transfer_sides import Following, Key, Standing
from adapters.sql.transfer_values import Conversion, Convert, Kind, Values
from core.errors import Conflict, Unavailable

# PostgreSQL counts microseconds from 2000 on.
SINCE_2000: Final = 946_684_800_000_000
DAY: Final = 86_400_000_000
# Any number will do, as long as nobody else locks the same one in this database.
LOCK: Final = 0x5452414E
_MAKE_PROGRESS = (
    f"CREATE TABLE IF NOT EXISTS {PROGRESS} (name TEXT PRIMARY KEY, source TEXT NOT NULL, rows BIGINT NOT NULL,"
    " key TEXT, done BOOLEAN NOT NULL)"
)
_KINDS: Final[Mapping[str, Kind]] = {
    "int8": Kind.INTEGER,
    "int4": Kind.SMALL,
    "float8": Kind.FLOAT,
    "bool": Kind.BOOLEAN,
    "text": Kind.TEXT,
    "varchar": Kind.TEXT,
    "bytea": Kind.BYTES,
    "timestamptz": Kind.INSTANT,
    "jsonb": Kind.JSON,
}
# The binary forms of text and bytea are alike, and those of timestamptz and bigint; jsonb has a byte more in front.
_ON_THE_WIRE: Final[Mapping[Kind, str]] = {
    Kind.INTEGER: "int8",
    Kind.SMALL: "int4",
    Kind.FLOAT: "float8",
    Kind.BOOLEAN: "bool",
    Kind.TEXT: "bytea",
    Kind.BYTES: "bytea",
    Kind.INSTANT: "int8",
    Kind.JSON: "bytea",
}
_COLUMNS = """SELECT relname, attname, typname FROM pg_attribute
    JOIN pg_class ON pg_class.oid = attrelid JOIN pg_type ON pg_type.oid = atttypid
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
    AND attnum > 0 AND NOT attisdropped"""
_REFERENCES = """SELECT here.relname, there.relname FROM pg_constraint
    JOIN pg_class AS here ON here.oid = conrelid JOIN pg_class AS there ON there.oid = confrelid
    WHERE contype = 'f' AND connamespace = current_schema()::regnamespace AND conparentid = 0"""
_OTHERS = """SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"""


@frozen
class PostgresSide:
    """A PostgreSQL database."""

    url: str
    name: str = field(default=POSTGRES, init=False)

    @contextmanager
    def reading(self) -> Iterator["PostgresReading"]:
        """Read one moment; see `Side`."""
        with self._opened() as connection:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield PostgresReading(connection)
            connection.execute("ROLLBACK")

    @contextmanager
    def writing(self) -> Iterator["PostgresWriting"]:
        """Fill it; see `Side`."""
        with self._opened() as connection:
            if not connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,)).fetchall()[0][0]:
                raise Conflict("another transfer into this database is running")
            yield PostgresWriting(connection)

    def others(self) -> int:
        """How many others are connected to the database."""
        with self._opened() as connection:
            return int(connection.execute(_OTHERS).fetchall()[0][0])

    @contextmanager
    def _opened(self) -> Iterator[psycopg.Connection]:
        options: dict[str, str | int] = {
            "connect_timeout": CONNECT_SECONDS,
            "options": "-c timezone=UTC -c statement_timeout=0",
        }
        try:
            with psycopg.connect(conninfo_of(self.url, **options), autocommit=True) as connection:
                yield connection
        except psycopg.Error as error:
            raise Unavailable(f"PostgreSQL cannot be used: {error}") from error


class PostgresReading:
    """Implements `Reading` in one transaction."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def described(self) -> Described:
        """Its tables."""
        columns: dict[str, dict[str, Kind | None]] = {}
        for table, column, kind in self._connection.execute(_COLUMNS).fetchall():
            columns.setdefault(table, {})[column] = _KINDS.get(kind)
        references: dict[str, set[str]] = {}
        for here, there in self._connection.execute(_REFERENCES).fetchall():
            references.setdefault(here, set()).add(there)
        return Described(
            columns=columns,
            keys={},
            references={name: frozenset(found) for name, found in references.items()},
        )

    def migrations(self) -> Mapping[str, str]:
        """Name and checksum of what was applied."""
        if LEDGER not in self.described().columns:
            return {}
        return dict(self._connection.execute(f"SELECT name, checksum FROM {LEDGER}").fetchall())

    def identity(self) -> str:
        """When its tables were made."""
        found = self._connection.execute(f"SELECT name, applied_at::text FROM {LEDGER} ORDER BY id").fetchall()
        return sha256(repr(found).encode()).hexdigest()

    def count(self, table: str) -> int:
        """How many rows the table has."""
        return int(self._value(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))))

    def filled(self, tables: Sequence[str]) -> Sequence[str]:
        """Those of the tables that have rows."""
        query = sql.SQL("SELECT EXISTS (SELECT FROM {})")
        return [name for name in tables if self._value(query.format(sql.Identifier(name)))]

    def conversion(self, table: TransferTable) -> Conversion:
        """Moments count from 1970, and JSON has no byte in front."""
        forms: dict[Kind, Convert] = {Kind.INSTANT: _from_2000, Kind.JSON: _without_version}
        return Conversion([(place, forms[kind]) for place, kind in enumerate(table.kinds) if kind in forms])

    def rows(self, table: TransferTable, after: Key | None) -> Generator[Sequence[Any]]:
        """The rows in the order of their key, streamed."""
        query = sql.SQL("COPY (SELECT {} FROM {}").format(_names(table.columns), sql.Identifier(table.name))
        if after is not None:
            kinds = dict(zip(table.columns, table.kinds, strict=True))
            values = sql.SQL(", ").join(
                _literal(value, kinds[name]) for name, value in zip(table.key, after, strict=True)
            )
            query += sql.SQL(" WHERE ({}) > ({})").format(_names(table.key), values)
        if table.key:
            query += sql.SQL(" ORDER BY {}").format(_names(table.key))
        query += sql.SQL(") TO STDOUT (FORMAT BINARY)")
        with self._connection.cursor() as cursor, cursor.copy(query) as copy:
            copy.set_types([_ON_THE_WIRE[kind] for kind in table.kinds])
            yield from copy.rows()

    def last_numbers(self, tables: Sequence[TransferTable]) -> Mapping[str, int]:
        """What the sequences of identity columns have given out."""
        found = {}
        for table in tables:
            sequence = _sequence(self._connection, table)
            if sequence is not None:
                query = sql.SQL("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {}")
                found[table.name] = int(self._value(query.format(sql.SQL(sequence))))  # quoted by PostgreSQL
        return found

    def _value(self, query: sql.Composed) -> Any:
        return self._connection.execute(query).fetchall()[0][0]


class PostgresWriting:
    """Implements `Writing`."""

    def __init__(self, connection: psycopg.Connection) -> None:
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
            name: Standing(rows=rows, key=literal_eval(key) if key else None, done=done)
            for name, _, rows, key, done in found
        }

    def write(self, table: TransferTable, rows: Iterator[Values], standing: Following) -> None:
        """COPY the rows in one transaction."""
        forms: dict[Kind, Convert] = {Kind.INSTANT: _to_2000, Kind.JSON: _with_version}
        stored = Conversion([(place, forms[kind]) for place, kind in enumerate(table.kinds) if kind in forms])
        query = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
            sql.Identifier(table.name), _names(table.columns)
        )
        with self._connection.transaction(), self._connection.cursor() as cursor:
            with cursor.copy(query) as copy:
                copy.set_types([_ON_THE_WIRE[kind] for kind in table.kinds])
                for row in rows:
                    copy.write_row(stored(row))
            now = standing()
            cursor.execute(
                f"INSERT INTO {PROGRESS} (name, source, rows, key, done) VALUES (%s, %s, %s, %s, %s)"
                " ON CONFLICT (name) DO UPDATE SET rows = excluded.rows, key = excluded.key, done = excluded.done",
                (table.name, self._source, now.rows, None if now.key is None else repr(now.key), now.done),
            )

    def number_on(self, table: TransferTable, last: int) -> None:
        """The sequence of the identity column goes on behind this number."""
        sequence = _sequence(self._connection, table)
        if sequence is not None and last > 0:
            self._connection.execute("SELECT setval(%s::regclass, %s)", (sequence, last))

    def finish(self) -> None:
        """Forget how far we came: PostgreSQL has checked all references by itself."""
        self._connection.execute(f"DROP TABLE IF EXISTS {PROGRESS}")
        self._connection.execute("ANALYZE")


def _sequence(connection: psycopg.Connection, table: TransferTable) -> str | None:
    if len(table.key) != 1:
        return None
    name = sql.Identifier(table.name).as_string(connection)
    row = connection.execute("SELECT pg_get_serial_sequence(%s, %s)", (name, table.key[0])).fetchone()
    return None if row is None else row[0]


def _names(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _literal(value: Any, kind: Kind) -> sql.Composable:
    if kind is Kind.TEXT:
        return sql.Literal(value.decode())
    if kind is Kind.INSTANT:
        days, rest = divmod(value + SINCE_2000, DAY)
        moment = "(timestamptz 'epoch' + {} * interval '1 day' + {} * interval '1 microsecond')"
        return sql.SQL(moment).format(sql.Literal(days), sql.Literal(rest))
    return sql.Literal(value)


def _from_2000(value: int) -> int:
    return value + SINCE_2000


def _to_2000(value: int) -> int:
    return value - SINCE_2000


def _with_version(value: bytes) -> bytes:
    return b"\x01" + value


def _without_version(value: bytes) -> bytes:
    return value[1:]
