"""Fixtures for the parts below the entrypoints: a migrated database, signals, a clock."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from adapters.sql.migrations import SQLITE, migrate_sqlite
from adapters.sql.postgres import PostgresTransactions
from adapters.sql.postgres_migrations import POSTGRES
from adapters.sql.signals import LocalSignals
from adapters.sql.sqlite import SqliteTransactions
from adapters.system import SystemIds
from core.migrations import OURS, MigrationFolder
from tests.support.clock import TestClock

MIGRATIONS = Path(__file__).parents[2] / "migrations"


@pytest.fixture
def clock() -> TestClock:
    """A clock that stands at noon of 24 November 2026, UTC."""
    return TestClock()


@pytest.fixture
def ids() -> SystemIds:
    """Real chance."""
    return SystemIds()


@pytest.fixture
def signals() -> LocalSignals:
    """Signals within this process."""
    return LocalSignals()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with all tables, to be copied."""
    database = tmp_path_factory.mktemp("migrated") / "iotistic.db"
    migrate_sqlite(database, [MigrationFolder(OURS, MIGRATIONS)])
    return database


@pytest.fixture
def database(migrated: Path, tmp_path: Path) -> Path:
    """A database file of the test's own, with all tables."""
    own = tmp_path / "iotistic.db"
    own.write_bytes(migrated.read_bytes())
    return own


@pytest_asyncio.fixture
async def transactions(
    request: pytest.FixtureRequest, signals: LocalSignals
) -> AsyncIterator[SqliteTransactions | PostgresTransactions]:
    """Units of change on a database of the test's own: a SQLite file, unless the test is told to use the other one."""
    opened: SqliteTransactions | PostgresTransactions
    if getattr(request, "param", SQLITE) == POSTGRES:
        opened = PostgresTransactions(request.getfixturevalue("postgres_url"), signals)
    else:
        opened = SqliteTransactions(request.getfixturevalue("database"), signals)
    await opened.open()
    yield opened
    await opened.close()
