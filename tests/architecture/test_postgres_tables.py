"""The tables of PostgreSQL are those of SQLite: both agree with SQLAlchemy's, SQLite's in test_tables."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from attrs import frozen
from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, Table, UniqueConstraint, create_engine

import adapters.sql
from adapters.sql.migrations import SQLITE
from adapters.sql.postgres_migrations import POSTGRES
from adapters.sql.postgres_urls import conninfo_of, url_of
from adapters.sql.types import metadata, postgres_metadata
from tests.architecture.source import ROOT, listed
from tests.support.postgres import Server

MIGRATIONS = ROOT / "migrations"
ASPECTS = {
    "columns": (
        "SELECT relname, attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute"
        " JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'p') AND NOT relispartition AND attnum > 0 AND NOT attisdropped"
    ),
    "constraints": (
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'u', 'f', 'c') AND conislocal"
        " AND NOT EXISTS (SELECT FROM pg_class WHERE pg_class.oid = conrelid AND relispartition)"
    ),
    "indexes": (
        "SELECT indrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
        " JOIN pg_class ON pg_class.oid = indrelid WHERE relnamespace = 'public'::regnamespace AND NOT relispartition"
    ),
    "partitioned tables": ("SELECT partrelid::regclass::text, pg_get_partkeydef(partrelid) FROM pg_partitioned_table"),
    "numbered columns": (
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
        " AND (is_identity = 'YES' OR column_default LIKE 'nextval%')"
        " AND NOT (SELECT relispartition FROM pg_class WHERE oid = table_name::regclass)"
    ),
}


@frozen
class Databases:
    """The same tables, made in both ways."""

    migrated: str
    described: str


@pytest.fixture(scope="module")
def databases(postgres_server: Server, postgres_template: str) -> Iterator[Databases]:
    """One database by the migrations, one by what the adapters know of their tables."""
    for module in pkgutil.iter_modules(adapters.sql.__path__, "adapters.sql."):
        importlib.import_module(module.name)
    both = Databases(
        postgres_server.create("by_migrations", postgres_template), postgres_server.create("by_description")
    )
    engine = create_engine(url_of(both.described))
    _described().create_all(engine)
    engine.dispose()
    yield both
    for name in ("by_migrations", "by_description"):
        postgres_server.drop(name)


def _described() -> MetaData:
    """What the adapters know of our tables, as PostgreSQL has them: keys hold the column of the month."""
    described = MetaData(naming_convention=metadata.naming_convention)
    for table in metadata.sorted_tables:
        if _is_ours(table.name):
            copy = table.to_metadata(described)
            by_month = re.search(r"\((\w+)\)", str(copy.dialect_options["postgresql"]["partition_by"]))
            if by_month:
                _hold(copy, copy.c[by_month[1]])
    for table in postgres_metadata.sorted_tables:
        table.to_metadata(described)
    return described


def _hold(table: Table, month: Column[Any]) -> None:
    """Give the keys of the table the column; a unique index without it cannot be."""
    for key in [each for each in table.constraints if isinstance(each, PrimaryKeyConstraint | UniqueConstraint)]:
        if month not in set(key.columns):
            if isinstance(key, PrimaryKeyConstraint):
                table.c.id.autoincrement, month.primary_key = True, True
            table.constraints.remove(key)
            table.append_constraint(type(key)(*key.columns, month, name=_name_of(key)))
    for index in [each for each in table.indexes if each.unique]:
        table.indexes.remove(index)


def _name_of(key: PrimaryKeyConstraint | UniqueConstraint) -> str:
    prefix = "pk" if isinstance(key, PrimaryKeyConstraint) else "uq"
    columns = "" if prefix == "pk" else "_" + "_".join(column.name for column in key.columns)
    return f"{prefix}_{key.table.name}{columns}"


def _is_ours(table: str) -> bool:
    """Whether it is none of a plugin that other tests have loaded."""
    return any(f"CREATE TABLE {table} (" in path.read_text() for path in (MIGRATIONS / SQLITE).glob("*.sql"))


def _told(url: str, question: str) -> set[tuple[object, ...]]:
    with psycopg.connect(conninfo_of(url)) as connection:
        return {row for row in connection.execute(question.encode()) if row[0] != "migrations"}


@pytest.mark.parametrize("aspect", ASPECTS)
def test_tables_and_migrations_agree(databases: Databases, aspect: str) -> None:
    migrated, described = (_told(url, ASPECTS[aspect]) for url in (databases.migrated, databases.described))
    assert migrated, "there are no tables"
    offenders = [f"only in the migrations: {each}" for each in sorted(migrated - described, key=str)]
    offenders += [f"only in the adapters: {each}" for each in sorted(described - migrated, key=str)]
    assert not offenders, listed(offenders)


def _named(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.sql"))


def test_both_databases_have_the_same_migrations() -> None:
    assert _named(MIGRATIONS / POSTGRES) == _named(MIGRATIONS / SQLITE)
