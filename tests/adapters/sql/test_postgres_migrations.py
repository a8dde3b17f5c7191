"""Migrations of PostgreSQL: each once, each whole or not at all."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from attrs import frozen

from adapters.sql.postgres_migrations import POSTGRES, migrate_postgres
from adapters.sql.postgres_urls import conninfo_of
from core.errors import Unavailable
from core.migrations import OURS, MigrationFolder

FIRST = "-- 100 % of it\nCREATE TABLE first (id BIGINT);\nINSERT INTO first VALUES (1);\n"


@frozen
class Files:
    """Migrations that the test writes, and the database they are for."""

    folder: Path
    url: str

    def write(self, name: str, text: str) -> None:
        """One more file."""
        path = self.folder / POSTGRES / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def migrate(self) -> list[str]:
        """Apply what there is."""
        return migrate_postgres(self.url, [MigrationFolder(OURS, self.folder)])

    def tables(self) -> set[str]:
        """What there is in the database."""
        with psycopg.connect(conninfo_of(self.url)) as connection:
            rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return {name for (name,) in rows} - {"migrations"}


@pytest.fixture
def files(tmp_path: Path, empty_postgres_url: str) -> Files:
    """No migrations yet."""
    return Files(tmp_path, empty_postgres_url)


def test_files_are_applied_once_in_the_order_of_their_numbers(files: Files) -> None:
    files.write("002_second.sql", "ALTER TABLE first ADD COLUMN name TEXT;")
    files.write("001_first.sql", FIRST)
    assert files.migrate() == ["001_first.sql", "002_second.sql"]
    assert files.migrate() == []
    files.write("003_third.sql", "CREATE TABLE third (id BIGINT);")
    assert files.migrate() == ["003_third.sql"]
    assert files.tables() == {"first", "third"}


def test_a_file_that_fails_leaves_nothing_and_is_applied_when_it_was_mended(files: Files) -> None:
    files.write("001_first.sql", FIRST + "SELECT nonsense;")
    with pytest.raises(Unavailable, match="nonsense"):
        files.migrate()
    assert files.tables() == set()
    files.write("001_first.sql", FIRST)
    assert files.migrate() == ["001_first.sql"]


def test_a_file_that_was_changed_after_it_had_been_applied_is_refused(files: Files) -> None:
    files.write("001_first.sql", FIRST)
    files.migrate()
    files.write("001_first.sql", FIRST + "-- changed")
    with pytest.raises(Unavailable, match=r"001_first\.sql was changed"):
        files.migrate()


def test_of_those_who_start_at_once_one_applies_the_files(files: Files) -> None:
    files.write("001_first.sql", FIRST)
    with ThreadPoolExecutor(4) as threads:
        applied = list(threads.map(lambda _: files.migrate(), range(4)))
    assert sorted(applied) == [[], [], [], ["001_first.sql"]]


def test_a_folder_without_files_for_this_database_is_refused_by_the_name_of_its_owner(files: Files) -> None:
    with pytest.raises(Unavailable, match="notes has no migrations for postgres"):
        migrate_postgres(files.url, [MigrationFolder("notes", files.folder)])


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        migrate_postgres("postgresql://nobody@127.0.0.1:1/nothing", [])
