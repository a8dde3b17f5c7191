"""How much room tables take, told from some of their rows: counting them all would read the whole disk."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Float,
    Integer,
    Table,
    UniqueConstraint,
    bindparam,
    func,
    literal,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from adapters.sql.transactions import sql
from adapters.sql.types import Instant
from core.extents import Extent
from core.transactions import Transaction

PROBES = 128
# Of a row and of an entry in an index, besides the values: header, number, place on the page.
ROW_OVERHEAD = 12
ENTRY_OVERHEAD = 16
# Pages are never quite full, and fuller where rows only join at the end.
UNUSED = 1.05


class bytes_of(GenericFunction[int]):  # noqa: N801 - it is called like a function
    """`bytes_of(value)`: about how many bytes the value takes where it is stored."""

    type = Integer()
    inherit_cache = True


@compiles(bytes_of, "sqlite")
def _in_sqlite(element: bytes_of, compiler: SQLCompiler, **options: Any) -> str:
    return f"coalesce(length(CAST({compiler.process(element.clauses, **options)} AS BLOB)), 0)"


@compiles(bytes_of, "postgresql")
def _in_postgresql(element: bytes_of, compiler: SQLCompiler, **options: Any) -> str:
    return f"coalesce(pg_column_size({compiler.process(element.clauses, **options)}), 0)"


class TableExtent:
    """About how much there is in a table with an `id` that grows.

    A few rows are looked at, evenly spread over the ids: what they take on average, and how many of the ids that were
    asked for there still are, tells of all. dbstat knows exactly, but reads every page of the table to say so.
    """

    def __init__(self, table: Table) -> None:
        ids = table.c.id
        self._bounds = select(
            select(func.min(ids)).scalar_subquery().label("first"),
            select(func.max(ids)).scalar_subquery().label("last"),
        )
        self._probed = select(func.count().label("found"), func.coalesce(func.sum(_row(table)), 0).label("size")).where(
            ids.in_(bindparam("ids", expanding=True))
        )

    async def measure(self, tx: Transaction) -> Extent:
        """About how much there is now."""
        bounds = await sql(tx).row(self._bounds)
        if bounds is None or bounds.first is None:
            return Extent()
        span = bounds.last - bounds.first + 1
        probes = min(span, PROBES)
        places = [bounds.first + number * (span - 1) // max(1, probes - 1) for number in range(probes)]
        probed = await sql(tx).row(self._probed, {"ids": places})
        if probed is None:
            return Extent()
        return Extent(rows=span * probed.found // probes, bytes=int(span * probed.size * UNUSED) // probes)


def _row(table: Table) -> ColumnElement[Any]:
    """The bytes of a row with all that the indexes hold of it."""
    size: ColumnElement[Any] = literal(ROW_OVERHEAD)
    for column in table.c:
        size = size + _value(column)
    for columns in _indexed(table):
        size = size + literal(ENTRY_OVERHEAD)
        for column in columns:
            size = size + _value(column)
    return size


def _indexed(table: Table) -> list[list[Column[Any]]]:
    """The columns of each index; partial ones hold too little to count."""
    unique = [list(each.columns) for each in table.constraints if isinstance(each, UniqueConstraint)]
    plain = [list(index.columns) for index in table.indexes if index.dialect_options["sqlite"]["where"] is None]
    return unique + plain


def _value(column: Column[Any]) -> ColumnElement[Any]:
    if isinstance(column.type, Boolean):
        return literal(1)
    if isinstance(column.type, Integer | BigInteger | Float | Instant):
        return literal(8 if not column.primary_key else 4)
    return bytes_of(column) + literal(1)
