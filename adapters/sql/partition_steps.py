"""What is done to the partitions of a table, one step at a time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, LiteralString

import psycopg
from psycopg import AsyncConnection, sql
from psycopg.errors import DeadlockDetected, LockNotAvailable

from adapters.sql.months import Partition, Series, Span, later
from adapters.sql.postgres_locks import number_of
from adapters.sql.postgres_urls import conninfo_of
from core.errors import Unavailable

CONNECT_SECONDS = 10
# So long others may have to wait because of us, then we let them pass.
QUEUE_MILLISECONDS = 50
PAUSE_SECONDS = 0.2
TRIES = 100
BATCH = 2000

_PARTITIONS = """
SELECT relname, substring(pg_get_expr(relpartbound, oid) FROM $re$FROM \\('([^']+)'\\)$re$) AS start,
    CASE WHEN reltuples < 0 THEN pg_stat_get_live_tuples(oid) ELSE reltuples END::bigint AS rows,
    pg_total_relation_size(oid) AS bytes
FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = %s::regclass ORDER BY relname
"""
_COLUMNS = (
    "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
)


class _StillNeeded(Exception):
    """A month is not to be dropped after all."""


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[AsyncConnection]:
    """A connection that speaks of time in UTC. Raises Unavailable for what happens to it."""
    try:
        async with await AsyncConnection.connect(
            conninfo_of(url, options="-c timezone=UTC"), autocommit=True, connect_timeout=CONNECT_SECONDS
        ) as connection:
            yield connection
    except psycopg.Error as error:
        raise Unavailable(f"the partitions cannot be looked after: {error}") from error


@asynccontextmanager
async def alone(url: str) -> AsyncIterator[AsyncConnection]:
    """A connection while nobody else looks after the partitions. The lock goes with it."""
    async with connected(url) as connection:
        if not await _value(connection, "SELECT pg_try_advisory_lock(%s)", (number_of("partitions"),)):
            raise Unavailable("somebody else is looking after the partitions; try again later")
        yield connection


async def _value(connection: AsyncConnection, query: sql.Composed | str, given: Sequence[Any] = ()) -> Any:
    row = await (await connection.execute(_encoded(query), given)).fetchone()
    return None if row is None else row[0]


def _encoded(query: sql.Composed | str) -> sql.Composed | bytes:
    return query.encode() if isinstance(query, str) else query


def _written(text: LiteralString, *names: str) -> sql.Composed:
    """The statement with the names of tables or columns put in, quoted."""
    return sql.SQL(text).format(*map(sql.Identifier, names))


async def _soon(connection: AsyncConnection, work: Callable[[], Awaitable[int]]) -> int:
    """Do the work in a transaction that waits for no lock for long, again until it gets its locks."""
    for _ in range(TRIES):
        try:
            async with connection.transaction():
                await connection.execute(f"SET LOCAL lock_timeout = {QUEUE_MILLISECONDS}".encode())
                return await work()
        except (LockNotAvailable, DeadlockDetected):
            await asyncio.sleep(PAUSE_SECONDS)
    raise Unavailable("a table is in use without a pause, by a long query perhaps; try again later")


async def partitions_of(connection: AsyncConnection, series: Series) -> list[Partition]:
    """The partitions that there are."""
    rows = await (await connection.execute(_PARTITIONS.encode(), (series.table,))).fetchall()
    return [
        Partition(name=name, start=datetime.fromisoformat(start) if start else None, rows=count, bytes=size)
        for name, start, count, size in rows
    ]


async def astray_in(connection: AsyncConnection, series: Series, span: Span) -> tuple[int, datetime | None]:
    """How many rows lie in the default partition though their month has a home, and when the first of them was.

    Rows that a crash left in what was the default partition count too.
    """
    question = "SELECT count(*), min({1}) FROM {0} WHERE {1} >= %s AND {1} < %s"
    found = await connection.execute(_written(question, series.default, series.key), (span.first, span.end))
    row = await found.fetchone()
    count, oldest = row or (0, None)
    if await _exists(connection, series.moving):
        count += await _value(connection, _written("SELECT count(*) FROM {}", series.moving))
    return count, oldest


async def _exists(connection: AsyncConnection, table: str) -> bool:
    return await _value(connection, "SELECT to_regclass(%s)", (table,)) is not None


async def attach(connection: AsyncConnection, series: Series, month: datetime) -> None:
    """Make the partition of a month. Nobody has to wait but who uses the default partition, for a moment."""
    name = series.of(month)

    async def make() -> int:
        await connection.execute(_written("CREATE TABLE {} (LIKE {} INCLUDING CONSTRAINTS)", name, series.table))
        await connection.execute(_bounded("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES", series.table, name, month))
        return 0

    await _soon(connection, make)


def _bounded(text: LiteralString, first: str, second: str, month: datetime) -> sql.Composed:
    bounds = sql.SQL(" FROM ({}) TO ({})").format(month.isoformat(), later(month, 1).isoformat())
    return _written(text, first, second) + bounds


async def replace_default(connection: AsyncConnection, series: Series, months: Sequence[datetime]) -> int:
    """Put an empty default partition in place of the one with rows, and the months that these need beside it.

    A default partition cannot give up rows while it is one. What is left of them after the first batch cannot be seen
    until it is brought home: by us, or, should we die, by whoever comes next.
    """

    async def replace() -> int:
        await connection.execute(_written("ALTER TABLE {} DETACH PARTITION {}", series.table, series.default))
        await connection.execute(_written("ALTER TABLE {} RENAME TO {}", series.default, series.moving))
        for month in months:
            await connection.execute(
                _bounded("CREATE TABLE {} PARTITION OF {} FOR VALUES", series.of(month), series.table, month)
            )
        await connection.execute(_written("CREATE TABLE {} PARTITION OF {} DEFAULT", series.default, series.table))
        return await _move(connection, series)

    return await _soon(connection, replace)


async def bring_home(connection: AsyncConnection, series: Series) -> int:
    """Move what a default partition held to where it belongs, batch by batch; how many rows."""
    if not await _exists(connection, series.moving):
        return 0
    total = 0
    while True:
        moved = await _soon(connection, lambda: _move(connection, series))
        total += moved
        if moved < BATCH:
            await connection.execute(_written("DROP TABLE {}", series.moving))
            return total


async def _move(connection: AsyncConnection, series: Series) -> int:
    """Move a batch. What a device has sent again meanwhile is there already."""
    await connection.execute(b"SET LOCAL iotistic.moving = 'on'")
    found = await (await connection.execute(_COLUMNS.encode(), (series.moving,))).fetchall()
    columns = sql.SQL(", ").join(sql.Identifier(name) for (name,) in found)
    statement = sql.SQL(
        "WITH gone AS (DELETE FROM {moving} WHERE id = ANY (ARRAY(SELECT id FROM {moving} ORDER BY id LIMIT {most}))"
        " RETURNING *), home AS (INSERT INTO {table} ({columns}) SELECT {columns} FROM gone ON CONFLICT DO NOTHING)"
        " SELECT count(*) FROM gone"
    ).format(
        moving=sql.Identifier(series.moving),
        table=sql.Identifier(series.table),
        columns=columns,
        most=sql.Literal(BATCH),
    )
    return int(await _value(connection, statement))


async def is_expired(connection: AsyncConnection, series: Series, name: str, moment: datetime) -> bool:
    """Whether all rows were received before the moment. The last to be received has the highest number."""
    last = await _value(connection, _written("SELECT {} FROM {} ORDER BY id DESC LIMIT 1", series.received, name))
    return last is None or bool(last < moment)


async def dropped(connection: AsyncConnection, series: Series, name: str, moment: datetime) -> bool:
    """Let go of a month, unless a row has come to it just now; whether it is gone.

    Detaching CONCURRENTLY is not possible where there is a default partition.
    """

    async def drop() -> int:
        await connection.execute(_written("ALTER TABLE {} DETACH PARTITION {}", series.table, name))
        if not await is_expired(connection, series, name, moment):
            raise _StillNeeded
        await connection.execute(_written("DROP TABLE {}", name))
        return 1

    try:
        return bool(await _soon(connection, drop))
    except _StillNeeded:
        return False


async def forget_clamped(connection: AsyncConnection, moment: datetime) -> None:
    """Forget what is known of readings that went with their partition. Their time was that of their receipt."""
    gone = (
        "DELETE FROM clamped_readings WHERE ctid = ANY (ARRAY("
        "SELECT ctid FROM clamped_readings WHERE measured_at < %s LIMIT %s))"
    )
    while (await connection.execute(gone.encode(), (moment, BATCH))).rowcount == BATCH:
        continue
