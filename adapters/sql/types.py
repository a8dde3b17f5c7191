"""Column types that mean the same in SQLite and PostgreSQL."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, MetaData, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import NullType, TypeEngine

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=_NAMES)
# Tables that SQLite has no need of. What they hold follows from the others.
postgres_metadata = MetaData(naming_convention=_NAMES)

# SQLite numbers rows by itself only where the type reads INTEGER.
RowId = BigInteger().with_variant(Integer(), "sqlite")
Json = JSON().with_variant(JSONB(), "postgresql")


class Instant(TypeDecorator[datetime]):
    """A moment in UTC: timestamptz in PostgreSQL, whole microseconds since 1970 in SQLite (which has no such type)."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The type of the column in this database."""
        return dialect.type_descriptor(DateTime(timezone=True) if dialect.name == "postgresql" else BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """What is stored."""
        if value is None or dialect.name == "postgresql":
            return value
        return (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """What was stored."""
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        return EPOCH + timedelta(microseconds=value)


class among(GenericFunction[Any]):  # noqa: N801 - it is called like a function
    """`among(column, few)`: whether the value is one of those that the scalar subquery tells.

    PostgreSQL is made to look each of them up. Given IN it may read the table whole instead, all its partitions.
    """

    type = NullType()  # were it Boolean, SQLite would be asked for `… = 1`, which no index answers
    inherit_cache = True


@compiles(among, "sqlite")
def _in_sqlite(element: among, compiler: SQLCompiler, **options: Any) -> str:
    column, few = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN {few}"


@compiles(among, "postgresql")
def _in_postgresql(element: among, compiler: SQLCompiler, **options: Any) -> str:
    column, few = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY (ARRAY{few})"
