"""Moves everything from one database to the other, and proves that both hold the same.

Killed at any time and begun again it goes on where it was: every batch is on the target together with word of how far
its table came, or not at all.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, Protocol

import psycopg
from attrs import define, field, frozen

from adapters.sql.transfer_shape import APART, PROGRESS, Described, TransferTable, tables_of
from adapters.sql.transfer_sides import Key, Reading, Side, Standing, Writing
from adapters.sql.transfer_values import Conversion, Replaced, Sum, Values, canonical
from core.errors import Conflict, Invalid, Refusal

BATCH_ROWS = 10_000
BATCH_BYTES = 8 << 20
_TELL_EVERY = 1_000


class Told(Protocol):
    """Hears how far a transfer is, often."""

    def __call__(self, doing: str, table: str, done: int, total: int) -> None:
        """`done` of `total` rows of the table are moved, or compared."""


@frozen(kw_only=True)
class Compared:
    """What both sides hold of one table."""

    table: str
    source: Sum
    target: Sum

    @property
    def equal(self) -> bool:
        """Whether it is the same."""
        return self.source == self.target


@frozen(kw_only=True)
class Moved:
    """What this run moved."""

    rows: Mapping[str, int]
    continued: bool


@frozen(kw_only=True)
class Transfer:
    """From one side to the other, of which one is SQLite and the other PostgreSQL. Calls block: use a thread."""

    source: Side
    target: Side
    replaced: Replaced
    told: Told
    batch_rows: int = BATCH_ROWS

    def refuse_what_has_rows(self) -> None:
        """Look at the target before anything is done to it. Conflict when it has rows that no transfer brought."""
        with self.target.reading() as target:
            tables = target.described().columns
            if PROGRESS not in tables and (filled := target.filled(sorted(tables.keys() - {"migrations"}))):
                raise Conflict(
                    f"the target has rows of its own, in {', '.join(filled)}: nothing was changed. Transfer into an"
                    " empty database; to compare with what is there use --verify-only"
                )

    def move(self) -> Moved:
        """Bring over what is not there yet. Conflict when the sides do not fit; Invalid for a row that cannot be kept.

        Both sides stand at the same migrations already.
        """
        with self.source.reading() as source, self.target.writing() as writing:
            tables = self._tables(source)
            before = writing.start(source.identity())
            rows = {table.name: self._move(source, writing, table, before.get(table.name)) for table in tables}
            named = {table.name: table for table in tables}
            for name, last in source.last_numbers(tables).items():
                writing.number_on(named[name], last)
        return Moved(rows=rows, continued=bool(before))

    def finish(self) -> None:
        """Everything is there and the same: the target is one like any other from now on."""
        with self.target.writing() as writing:
            writing.finish()

    def compare(self) -> Sequence[Compared]:
        """Read all of both sides. Conflict when they do not fit."""
        with self.source.reading() as source, self.target.reading() as target:
            return [
                Compared(
                    table=table.name,
                    source=self._sum(source, table, f"reading {self.source.name}"),
                    target=self._sum(target, table, f"reading {self.target.name}"),
                )
                for table in self._tables(source, target)
            ]

    def _tables(self, source: Reading, target: Reading | None = None) -> Sequence[TransferTable]:
        if target is None:
            with self.target.reading() as opened:
                return self._tables(source, opened)
        _same_migrations(source.migrations(), target.migrations())
        here, there = source.described(), target.described()
        _nothing_left_behind(source, here, there)
        return tables_of(here, there) if self.source.name == "sqlite" else tables_of(there, here)

    def _move(self, source: Reading, writing: Writing, table: TransferTable, standing: Standing | None) -> int:
        before = standing or Standing(rows=0, key=None, done=False)
        if before.done:
            return 0
        total = source.count(table.name)
        # An interrupted COPY has to be ended before its connection can be.
        with closing(source.rows(table, before.key)) as rows:
            batches = _Batches(
                rows=rows,
                conversion=source.conversion(table),
                places=() if table.whole else table.places(),
                most_rows=total + 1 if table.whole else self.batch_rows,
                standing=before,
            )
            while not batches.standing.done:
                _write(writing, table, batches)
                self.told("moving", table.name, batches.standing.rows, total)
        return batches.standing.rows - before.rows

    def _sum(self, side: Reading, table: TransferTable, doing: str) -> Sum:
        on_its_way, alike, found = side.conversion(table), canonical(table.kinds), Sum()
        total = side.count(table.name)
        with closing(side.rows(table, None)) as rows:
            for row in rows:
                try:
                    found.add(alike(on_its_way(row)))
                except (Invalid, TypeError, ValueError, OverflowError) as error:
                    key = tuple(row[place] for place in table.places())
                    raise Invalid(f"the row {key} of {table.name} cannot be compared: {error}") from error
                if found.rows % _TELL_EVERY == 0:
                    self.told(doing, table.name, found.rows, total)
        self.told(doing, table.name, found.rows, total)
        return found


def _write(writing: Writing, table: TransferTable, batches: "_Batches") -> None:
    try:
        writing.write(table, batches.next(), batches.now)
    except (Refusal, psycopg.OperationalError, sqlite3.OperationalError):
        raise
    except Exception as error:
        raise Invalid(
            f"a row of {table.name} cannot be kept, {batches.where(table)}: {error}."
            " Correct or remove it, and run the same command again"
        ) from error


@define(kw_only=True)
class _Batches:
    """One stream of rows, taken in batches."""

    rows: Iterator[Sequence[Any]]
    conversion: Conversion
    places: Sequence[int]
    most_rows: int
    standing: Standing
    _last: Sequence[Any] | None = field(default=None, init=False)
    _taken: int = field(default=0, init=False)
    _ended: bool = field(default=False, init=False)

    def next(self) -> Iterator[Values]:
        """The next rows on their way: so many, or so many bytes."""
        self._taken, size = 0, 0
        for row in self.rows:
            self._last = row
            values = self.conversion(row)
            yield values
            self._taken += 1
            size += sum(len(value) for value in values if type(value) is bytes)
            if self._taken >= self.most_rows or (size >= BATCH_BYTES and self.places):
                return
        self._ended = True

    def now(self) -> Standing:
        """How far the table is with the rows that were taken."""
        key: Key | None = self.standing.key
        if self._last is not None:
            key = tuple(self._last[place] for place in self.places) or None
        self.standing = Standing(rows=self.standing.rows + self._taken, key=key, done=self._ended)
        return self.standing

    def where(self, table: TransferTable) -> str:
        """Where the stream is, for people."""
        if self._last is None:
            return "before the first"
        return "at or just before " + ", ".join(
            f"{table.columns[place]} {self._last[place]!r}" for place in self.places
        )


def _same_migrations(source: Mapping[str, str], target: Mapping[str, str]) -> None:
    """By name: the files of both databases differ, so do their checksums."""
    odd = sorted(source.keys() ^ target.keys())
    if odd:
        raise Conflict(
            f"both sides must stand at the same migrations; they differ in {', '.join(odd)}. Bring the"
            " source up to date with this version of iotistic and the same plugins, then run the same command again"
        )


def _nothing_left_behind(source: Reading, here: Described, there: Described) -> None:
    left = source.filled(sorted(here.columns.keys() - there.columns.keys() - APART))
    if left:
        raise Conflict(f"the target has no tables for the rows of {', '.join(left)}: is a plugin missing?")
