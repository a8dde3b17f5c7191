"""Looks after the monthly partitions of PostgreSQL, while others go on writing.

New months are attached, which holds nobody up. What takes the table for itself, to replace the default partition or to
let go of a month, gives up after some milliseconds in the queue and tries again: who waits behind it waits no longer.
"""

from collections.abc import Sequence
from datetime import datetime

from attrs import frozen
from psycopg import AsyncConnection
from psycopg.errors import CheckViolation

from adapters.sql.months import READINGS, Kept, Series, SeriesState, later, month_of, span_of
from adapters.sql.partition_steps import (
    alone,
    astray_in,
    attach,
    bring_home,
    connected,
    dropped,
    forget_clamped,
    is_expired,
    partitions_of,
    replace_default,
)
from core.errors import Unavailable

# While we look, rows may come that need a look again.
ROUNDS = 5


@frozen(kw_only=True)
class Done:
    """What was done: partitions made, rows brought home, partitions dropped."""

    made: Sequence[str] = ()
    moved: int = 0
    dropped: Sequence[str] = ()


class PostgresPartitions:
    """Partitions of one database. Each call has a connection of its own; those that change something run alone."""

    def __init__(self, url: str, kept: Kept) -> None:
        self._url = url
        self._kept = kept

    async def check(self, now: datetime) -> list[SeriesState]:
        """How each table is. Changes nothing. Raises Unavailable."""
        async with connected(self._url) as connection:
            return [await self._state(connection, series, now) for series in self._kept.ages]

    async def fix(self, now: datetime) -> Done:
        """Make the months that are missing, and bring rows home. Raises Unavailable; what was done till then stays."""
        made, moved = list[str](), 0
        async with alone(self._url) as connection:
            for series in self._kept.ages:
                fixed = await self._fix(connection, series, now)
                made += fixed.made
                moved += fixed.moved
        return Done(made=made, moved=moved)

    async def maintain(self, now: datetime) -> Done:
        """Fix, then drop the months whose rows were all received longer ago than they are kept. Raises Unavailable."""
        fixed = await self.fix(now)
        gone = list[str]()
        async with alone(self._url) as connection:
            for series, age in self._kept.ages.items():
                state = await self._state(connection, series, now)
                for name in state.expired:
                    if await dropped(connection, series, name, now - age):
                        gone.append(name)
                if series == READINGS:
                    await forget_clamped(connection, now - age)
        return Done(made=fixed.made, moved=fixed.moved, dropped=gone)

    async def _state(self, connection: AsyncConnection, series: Series, now: datetime) -> SeriesState:
        age = self._kept.ages[series]
        span = span_of(now, age, self._kept.ahead)
        partitions = await partitions_of(connection, series)
        months = [partition.start for partition in partitions if partition.start is not None]
        astray, oldest = await astray_in(connection, series, span)
        known = months if oldest is None else [*months, month_of(oldest)]
        old = [each for each in partitions if each.start is not None and later(each.start, 1) <= now - age]
        return SeriesState(
            series=series,
            partitions=partitions,
            missing=[month for month in span.wanted(known) if month not in months],
            astray=astray,
            expired=[each.name for each in old if await is_expired(connection, series, each.name, now - age)],
        )

    async def _fix(self, connection: AsyncConnection, series: Series, now: datetime) -> Done:
        made, moved = list[str](), await bring_home(connection, series)
        for _ in range(ROUNDS):
            state = await self._state(connection, series, now)
            if not state.missing and not state.astray:
                return Done(made=made, moved=moved)
            try:
                if state.astray:
                    moved += await replace_default(connection, series, state.missing)
                    made += [series.of(month) for month in state.missing]
                else:
                    for month in state.missing:
                        await attach(connection, series, month)
                        made.append(series.of(month))
            except CheckViolation:
                continue  # a row of that month has just come to the default partition
            moved += await bring_home(connection, series)
        raise Unavailable(f"rows of {series.table} come faster than they can be brought home; try again")
