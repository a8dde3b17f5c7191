"""Migrations: each once, each whole or not at all."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from attrs import frozen

from adapters.sql.migrations import migrate_sqlite, statements_of
from core.errors import Unavailable
from core.migrations import OURS, MigrationFolder

FIRST = "CREATE TABLE first (id INTEGER);\n"


@frozen
class Files:
    """Migrations that the test writes, and the database they are for."""

    folder: Path
    database: Path

    def write(self, name: str, text: str, owner: str = OURS) -> None:
        """One more file."""
        path = self.folder / owner / "sqlite" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def migrate(self, *owners: str) -> list[str]:
        """Apply what there is."""
        return migrate_sqlite(self.database, [MigrationFolder(name, self.folder / name) for name in owners or (OURS,)])

    def tables(self) -> set[str]:
        """What there is in the database."""
        with closing(sqlite3.connect(self.database)) as connection:
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {name for (name,) in rows} - {"migrations", "sqlite_sequence"}


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """No migrations yet."""
    return Files(tmp_path / "migrations", tmp_path / "test.db")


def test_files_are_applied_once_in_the_order_of_their_numbers(files: Files) -> None:
    files.write("002_second.sql", "ALTER TABLE first ADD COLUMN name TEXT;")
    files.write("001_first.sql", FIRST)
    assert files.migrate() == ["001_first.sql", "002_second.sql"]
    assert files.migrate() == []
    files.write("003_third.sql", "CREATE TABLE third (id INTEGER);")
    assert files.migrate() == ["003_third.sql"]
    assert files.tables() == {"first", "third"}


def test_files_of_other_names_are_passed_over(files: Files) -> None:
    files.write("001_first.sql", FIRST)
    for name in ("README.md", "1_short.sql", "002-dashes.sql", "003_upper_CASE.sql", "004_words.sql.bak"):
        files.write(name, "this is no SQL")
    assert files.migrate() == ["001_first.sql"]


def test_a_file_that_fails_in_the_middle_leaves_nothing_and_can_be_mended(files: Files) -> None:
    files.write("001_first.sql", FIRST)
    files.write("002_second.sql", "CREATE TABLE second (id INTEGER);\nINSERT INTO nowhere VALUES (1);\n")
    with pytest.raises(Unavailable, match="nowhere"):
        files.migrate()
    assert files.tables() == {"first"}
    files.write("002_second.sql", "CREATE TABLE second (id INTEGER);")
    assert files.migrate() == ["002_second.sql"]


def test_a_file_that_was_changed_after_it_had_been_applied_stops_the_start_by_name(files: Files) -> None:
    files.write("001_first.sql", FIRST)
    files.migrate()
    files.write("001_first.sql", FIRST + "-- harmless\n")
    files.write("002_second.sql", "CREATE TABLE second (id INTEGER);")
    with pytest.raises(Unavailable, match=r"001_first\.sql was changed"):
        files.migrate()
    assert files.tables() == {"first"}


def test_plugins_may_use_the_same_file_names_as_we_do(files: Files) -> None:
    files.write("001_first.sql", FIRST)
    files.write("001_first.sql", "CREATE TABLE alerts_rules (id INTEGER);", owner="alerts")
    assert files.migrate(OURS, "alerts") == ["001_first.sql", "alerts/001_first.sql"]
    assert files.migrate(OURS, "alerts") == []


def test_two_who_start_at_once_apply_each_file_once(files: Files) -> None:
    for number in range(1, 6):
        files.write(f"00{number}_table.sql", f"CREATE TABLE t{number} (id INTEGER);\nINSERT INTO t{number} VALUES (1);")
    together = threading.Barrier(4)
    applied: list[list[str]] = []

    def start() -> None:
        together.wait()
        applied.append(files.migrate())

    starters = [threading.Thread(target=start) for _ in range(4)]
    for starter in starters:
        starter.start()
    for starter in starters:
        starter.join()
    assert sorted(name for names in applied for name in names) == [f"00{number}_table.sql" for number in range(1, 6)]


@pytest.mark.parametrize(
    "content", [b"this is no database, but long enough to look like one" * 20, b"SQLite format 3\0" * 80]
)
def test_a_file_that_is_no_database_stops_the_start_by_name(files: Files, content: bytes) -> None:
    files.write("001_first.sql", FIRST)
    files.database.write_bytes(content)
    with pytest.raises(Unavailable, match=r"test\.db"):
        files.migrate()
    assert files.database.read_bytes() == content


def test_a_folder_that_cannot_be_written_stops_the_start_by_name(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="missing"):
        migrate_sqlite(tmp_path / "missing" / "test.db", [])


def test_statements_are_told_apart_as_sqlite_does() -> None:
    text = """-- a comment; with a semicolon

    CREATE TABLE a (
        -- inside; too
        name TEXT DEFAULT ';'
    );
    CREATE TRIGGER t AFTER INSERT ON a BEGIN
        UPDATE a SET name = 'x';
        DELETE FROM a;
    END;
    SELECT 1"""
    statements = list(statements_of(text))
    assert [statement.split()[0:2] for statement in statements] == [
        ["CREATE", "TABLE"],
        ["CREATE", "TRIGGER"],
        ["SELECT", "1"],
    ]


@pytest.mark.parametrize("text", ["", "\n\n", "-- nothing here\n"])
def test_a_file_without_statements_has_none(text: str) -> None:
    assert list(statements_of(text)) == []
