"""Tables are told twice, to SQLAlchemy and in the migrations: both must tell the same."""

import ast
import importlib
import pkgutil
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from sqlalchemy import Engine, create_engine, inspect, text

import adapters.sql
from adapters.sql.migrations import migrate_sqlite
from adapters.sql.types import metadata
from core.migrations import OURS, MigrationFolder
from tests.architecture.source import ROOT, Source, listed, sources

MIGRATIONS = ROOT / "migrations"
LEDGER = "migrations"
Aspect = Callable[[Engine, str], set[str]]
# The affinities of SQLite (https://www.sqlite.org/datatype3.html, §3.1): what tells its types apart at all.
AFFINITIES = (("INT", "integer"), ("CHAR|CLOB|TEXT|JSON", "text"), ("BLOB", "blob"), ("REAL|FLOA|DOUB", "real"))


@frozen
class Databases:
    """The same tables, made in both ways."""

    migrated: Engine
    described: Engine


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """One database by the migrations, one by what the adapters know of their tables."""
    folder = tmp_path_factory.mktemp("tables")
    migrate_sqlite(folder / "migrated.db", [MigrationFolder(OURS, MIGRATIONS)])
    for module in pkgutil.iter_modules(adapters.sql.__path__, "adapters.sql."):
        importlib.import_module(module.name)
    both = Databases(
        create_engine(f"sqlite:///{folder / 'migrated.db'}"), create_engine(f"sqlite:///{folder / 'described.db'}")
    )
    metadata.create_all(both.described)
    yield both
    both.migrated.dispose()
    both.described.dispose()


def _tables(engine: Engine) -> list[str]:
    return sorted(set(inspect(engine).get_table_names()) - {LEDGER})


def _affinity(kind: object) -> str:
    name = str(kind).upper()
    return next((word for pattern, word in AFFINITIES if re.search(pattern, name)), "integer")


def _asked(engine: Engine, statement: str, table: str) -> Sequence[Any]:
    """SQLite itself is asked: what SQLAlchemy reflects leaves out constraints that are written beside a column."""
    with engine.connect() as connection:
        return connection.execute(text(statement), {"table": table}).all()


def _columns(engine: Engine, table: str) -> set[str]:
    rows = _asked(engine, 'SELECT name, type, "notnull", pk FROM pragma_table_info(:table)', table)
    key = [row.name for row in rows if row.pk]
    told = set()
    for row in rows:
        kind = _affinity(row.type)
        # INTEGER PRIMARY KEY is SQLite's row number, which is never null, whatever is written beside it.
        never_null = row.notnull or (key == [row.name] and kind == "integer")
        told.add(f"{row.name} {kind}{' not null' if never_null else ''}")
    return told


def _primary_key(engine: Engine, table: str) -> set[str]:
    rows = _asked(engine, "SELECT name FROM pragma_table_info(:table) WHERE pk > 0 ORDER BY pk", table)
    return {", ".join(row.name for row in rows)}


def _unique(engine: Engine, table: str) -> set[str]:
    rows = _asked(
        engine,
        "SELECT list.name, group_concat(parts.name, ', ') AS columns FROM pragma_index_list(:table) AS list"
        " JOIN pragma_index_info(list.name) AS parts WHERE list.origin = 'u' GROUP BY list.name",
        table,
    )
    return {row.columns for row in rows}


def _foreign_keys(engine: Engine, table: str) -> set[str]:
    rows = _asked(engine, "SELECT * FROM pragma_foreign_key_list(:table)", table)
    return {f"{row[3]} -> {row[2]} ({row[4]}) on update {row[5]}, on delete {row[6]}" for row in rows}


def _constraint_names(engine: Engine, table: str) -> set[str]:
    """All but those of primary keys, which SQLite's row numbers do not have."""
    [(written,)] = _asked(engine, "SELECT sql FROM sqlite_master WHERE name = :table", table)
    return {name for name in re.findall(r"CONSTRAINT (\w+)", written) if not name.startswith("pk_")}


def _indexes(engine: Engine, table: str) -> set[str]:
    """As written, for partial and descending indexes say there what no list of columns does."""
    rows = _asked(
        engine, "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = :table AND sql IS NOT NULL", table
    )
    return {re.sub(r'[\s"]+', " ", row.sql).replace("( ", "(").lower() for row in rows}


ASPECTS = (_columns, _primary_key, _unique, _foreign_keys, _constraint_names, _indexes)


def test_both_tell_of_the_same_tables(databases: Databases) -> None:
    assert _tables(databases.migrated) == _tables(databases.described)


@pytest.mark.parametrize("aspect", ASPECTS, ids=lambda each: each.__name__.strip("_").replace("_", " "))
def test_tables_and_migrations_agree(databases: Databases, aspect: Aspect) -> None:
    offenders = [
        f"{table}: {sorted(different)}"
        for table in _tables(databases.migrated)
        if (different := aspect(databases.migrated, table) ^ aspect(databases.described, table))
    ]
    assert not offenders, listed(offenders)


def _schema(database: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()


def test_a_second_start_changes_no_table(tmp_path: Path) -> None:
    database = tmp_path / "twice.db"
    folders = [MigrationFolder(OURS, MIGRATIONS)]
    applied = migrate_sqlite(database, folders)
    once = _schema(database)
    again = migrate_sqlite(database, folders)
    assert applied == sorted(path.name for path in (MIGRATIONS / "sqlite").glob("*.sql"))
    assert again == []
    assert _schema(database) == once


def test_migrations_are_numbered_without_gaps_or_doubles() -> None:
    numbers = sorted(int(path.name[:3]) for path in (MIGRATIONS / "sqlite").glob("*.sql"))
    assert numbers == list(range(1, len(numbers) + 1))


def _table_words(source: Source) -> set[str]:
    """The variables of a module that hold a table."""
    return {
        target.id
        for node in source.tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        if ast.unparse(node.value.func) == "Table"
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _written_to(source: Source) -> Iterator[tuple[int, str]]:
    """Where the module writes to what: `update(devices)`, `devices.insert()`, `sql(tx).insert(devices)`."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            words = ast.unparse(node.func).rpartition(".")
            if words[2] in {"insert", "update", "delete"}:
                yield node.lineno, words[0].rpartition(".")[2]
                yield from ((node.lineno, argument.id) for argument in node.args if isinstance(argument, ast.Name))


def test_only_the_module_that_describes_a_table_writes_to_it() -> None:
    modules = sources("adapters/sql")
    owners = {word: module for module in modules for word in _table_words(module)}
    offenders = [
        f"{module.at(line)} writes to {word}, which belongs to {owners[word].path}"
        for module in modules
        for line, word in _written_to(module)
        if word in owners and owners[word] is not module
    ]
    assert not offenders, listed(offenders)
