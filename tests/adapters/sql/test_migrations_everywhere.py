"""What migrations promise on every database."""

import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from attrs import frozen

from adapters.sql.migration_files import MigrationStatus, Standing, create, pending_in
from adapters.sql.migrations import SQLITE, SqliteMigrations
from adapters.sql.postgres_migrations import POSTGRES, PostgresMigrations, statements_of
from adapters.sql.postgres_urls import conninfo_of
from core.errors import Conflict, Invalid, NotFound, Unavailable
from core.migrations import OURS, MigrationFolder

FIRST = "CREATE TABLE first (id INTEGER);\n"
ALONE = "-- no-transaction\n"


@frozen
class Place:
    """Migrations that the test writes, and the database they are for."""

    folder: Path
    kind: str
    migrations: SqliteMigrations | PostgresMigrations
    query: Callable[[str], list[tuple[object, ...]]]

    def write(self, name: str, text: str, owner: str = OURS) -> None:
        """One more file."""
        path = self.folder / owner / self.kind / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    @property
    def folders(self) -> list[MigrationFolder]:
        """Ours, then those of plugins."""
        owners = sorted((path.name for path in self.folder.iterdir()), key=lambda name: (name != OURS, name))
        return [MigrationFolder(owner, self.folder / owner) for owner in owners]

    def run(self) -> list[str]:
        """Apply what there is."""
        return self.migrations.run(self.folders)

    def status(self) -> list[MigrationStatus]:
        """How the database stands to what there is."""
        return self.migrations.status(self.folders)

    def standings(self) -> dict[str, Standing]:
        """The same in short."""
        return {each.name: each.standing for each in self.status()}


@pytest.fixture(params=[SQLITE, POSTGRES])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """No migrations yet."""
    folder = tmp_path / "folders"
    if request.param == SQLITE:
        file = tmp_path / "test.db"

        def of_file(query: str) -> list[tuple[object, ...]]:
            with closing(sqlite3.connect(file, isolation_level=None)) as connection:
                return connection.execute(query).fetchall()

        return Place(folder, SQLITE, SqliteMigrations(file), of_file)
    url = request.getfixturevalue("empty_postgres_url")

    def of_server(query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(conninfo_of(url), autocommit=True) as connection:
            found = connection.execute(query.encode())
            return found.fetchall() if found.description else []

    return Place(folder, POSTGRES, PostgresMigrations(url), of_server)


def test_the_status_tells_of_each_file_and_since_when(place: Place) -> None:
    place.write("001_first.sql", FIRST)
    assert place.standings() == {"001_first.sql": Standing.PENDING}
    place.run()
    place.write("002_second.sql", "SELECT 1;")
    place.write("001_notes.sql", "SELECT 1;", owner="notes")
    first, second, plugin = place.status()
    assert first.standing is Standing.APPLIED
    assert first.applied_at is not None
    assert first.applied_at.tzinfo is not None
    assert (second.standing, second.applied_at) == (Standing.PENDING, None)
    assert plugin == MigrationStatus(name="notes/001_notes.sql", standing=Standing.PENDING)


def test_looking_changes_nothing(place: Place) -> None:
    place.write("001_first.sql", FIRST)
    assert pending_in(place.status()) == ["001_first.sql"]
    assert pending_in(place.status()) == ["001_first.sql"]
    assert place.run() == ["001_first.sql"]


def test_what_was_changed_is_named_by_status_and_refused_by_a_dry_run_and_a_run(place: Place) -> None:
    place.write("001_first.sql", FIRST)
    place.run()
    place.write("001_first.sql", FIRST + "-- changed")
    assert place.standings() == {"001_first.sql": Standing.CHANGED}
    with pytest.raises(Unavailable, match=r"001_first\.sql was changed"):
        pending_in(place.status())
    with pytest.raises(Unavailable, match=r"001_first\.sql was changed"):
        place.run()


def test_what_is_applied_and_no_file_of_ours_is_unknown(place: Place) -> None:
    place.write("001_first.sql", FIRST)
    place.run()
    (place.folder / OURS / place.kind / "001_first.sql").unlink()
    assert place.standings() == {"001_first.sql": Standing.UNKNOWN}
    assert place.run() == []


def test_what_is_marked_is_not_applied_and_what_is_unmarked_is_applied_again(place: Place) -> None:
    place.write("001_first.sql", FIRST)
    place.migrations.mark(place.folders, "001_first")
    assert place.run() == []
    with pytest.raises(Conflict, match="already"):
        place.migrations.mark(place.folders, "001_first.sql")
    place.migrations.unmark("001_first.sql")
    assert place.run() == ["001_first.sql"]
    place.query("SELECT id FROM first")


def test_a_changed_file_can_be_accepted_by_marking_it(place: Place) -> None:
    place.write("001_first.sql", FIRST)
    place.run()
    place.write("001_first.sql", FIRST + "-- a comment was mended")
    place.migrations.mark(place.folders, "001_first.sql")
    assert place.run() == []


def test_names_nobody_knows_are_not_found(place: Place) -> None:
    place.write("001_first.sql", FIRST)
    with pytest.raises(NotFound):
        place.migrations.mark(place.folders, "002_second.sql")
    with pytest.raises(NotFound):
        place.migrations.unmark("001_first.sql")


def test_a_file_that_takes_no_transaction_is_run_without_one(place: Place) -> None:
    place.write("001_first.sql", FIRST)
    place.write("002_alone.sql", ALONE + "VACUUM;\nCREATE INDEX ix ON first (id);")
    assert place.run() == ["001_first.sql", "002_alone.sql"]
    assert place.run() == []


def test_what_stopped_half_way_says_so_and_is_begun_anew_when_it_was_mended(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.write("001_alone.sql", ALONE + "CREATE TABLE one (id INTEGER);\nSELECT nonsense;")
    with pytest.raises(Unavailable, match="half-way"):
        place.run()
    place.query("SELECT id FROM one")
    assert place.standings() == {"001_alone.sql": Standing.HALF_WAY}
    place.write("001_alone.sql", ALONE + "DROP TABLE IF EXISTS one;\nCREATE TABLE one (id INTEGER);")
    with caplog.at_level(logging.WARNING):
        assert place.run() == ["001_alone.sql"]
    assert "001_alone.sql was begun and not finished" in caplog.text
    assert place.standings() == {"001_alone.sql": Standing.APPLIED}


def test_a_ledger_of_before_is_read_and_completed(place: Place) -> None:
    kind = "INTEGER PRIMARY KEY" if place.kind == SQLITE else "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
    at = "TEXT NOT NULL DEFAULT '2026-01-02T03:04:05.678Z'" if place.kind == SQLITE else "TIMESTAMPTZ DEFAULT now()"
    place.query(f"CREATE TABLE migrations (id {kind}, name TEXT UNIQUE, checksum TEXT NOT NULL, applied_at {at})")
    place.query("INSERT INTO migrations (name, checksum) VALUES ('001_first.sql', 'other')")
    place.write("001_first.sql", FIRST)
    assert place.standings() == {"001_first.sql": Standing.CHANGED}
    place.migrations.mark(place.folders, "001_first.sql")
    assert place.standings() == {"001_first.sql": Standing.APPLIED}


def test_the_next_file_has_the_next_number_in_every_folder(tmp_path: Path) -> None:
    (tmp_path / SQLITE).mkdir()
    (tmp_path / SQLITE / "007_words.sql").write_text("SELECT 1;")
    made = create(tmp_path, (SQLITE, POSTGRES), ["Add", "serial-numbers"])
    assert [str(path.relative_to(tmp_path)) for path in made] == [
        "sqlite/008_add_serial_numbers.sql",
        "postgres/008_add_serial_numbers.sql",
    ]
    assert made[1].read_text().startswith("-- Add serial numbers: say here why. For postgres")
    alone = create(tmp_path, (POSTGRES,), ["index"], alone=True)
    assert alone[0].read_text().startswith("-- no-transaction\n")
    with pytest.raises(Invalid):
        create(tmp_path, (SQLITE,), ["ümlaut"])


def test_what_was_made_can_be_applied(place: Place) -> None:
    create(place.folder / OURS, (place.kind,), ["one"])
    create(place.folder / OURS, (place.kind,), ["two"], alone=True)
    assert place.run() == ["001_one.sql", "002_two.sql"]


def test_statements_of_postgresql_are_told_apart() -> None:
    text = """-- no-transaction; not yet
    CREATE FUNCTION f() RETURNS trigger AS $body$ BEGIN NULL; END $body$ LANGUAGE plpgsql;
    /* a; b */ INSERT INTO a VALUES ('it''s; so', "odd;name", 5 - 3, 6/2, $1);
    SELECT 1
    -- the end"""
    assert [statement.split()[-1] for statement in statements_of(text)] == ["plpgsql", "$1)", "end"]
    assert list(statements_of("-- nothing\n/* ; */\n")) == []


def test_an_index_that_could_not_be_made_concurrently_is_not_taken_for_one(
    empty_postgres_url: str, tmp_path: Path
) -> None:
    (tmp_path / POSTGRES).mkdir()
    (tmp_path / POSTGRES / "001_first.sql").write_text("CREATE TABLE a (id INT); INSERT INTO a VALUES (1), (1);")
    alone = tmp_path / POSTGRES / "002_unique.sql"
    alone.write_text(ALONE + "CREATE UNIQUE INDEX CONCURRENTLY ix ON a (id);")
    migrations, folders = PostgresMigrations(empty_postgres_url), [MigrationFolder(OURS, tmp_path)]
    with pytest.raises(Unavailable, match="half-way"):
        migrations.run(folders)
    alone.write_text(
        ALONE + "DROP INDEX CONCURRENTLY IF EXISTS ix; TRUNCATE a; CREATE UNIQUE INDEX CONCURRENTLY ix ON a (id);"
    )
    assert migrations.run(folders) == ["002_unique.sql"]


def test_an_index_is_made_concurrently_while_another_starter_waits(empty_postgres_url: str, tmp_path: Path) -> None:
    (tmp_path / POSTGRES).mkdir()
    (tmp_path / POSTGRES / "001_first.sql").write_text("CREATE TABLE a (id INT);")
    (tmp_path / POSTGRES / "002_index.sql").write_text(
        ALONE + "SELECT pg_sleep(0.3);\nCREATE INDEX CONCURRENTLY ix ON a (id);"
    )
    folders = [MigrationFolder(OURS, tmp_path)]
    with ThreadPoolExecutor(2) as threads:
        applied = list(threads.map(lambda _: PostgresMigrations(empty_postgres_url).run(folders), range(2)))
    assert sorted(applied) == [[], ["001_first.sql", "002_index.sql"]]
