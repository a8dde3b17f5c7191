"""Everything goes from one database to the other and back, once, whatever happens on the way."""

import sqlite3
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from adapters.sql.postgres_urls import conninfo_of
from adapters.sql.transfer import Transfer
from adapters.sql.transfer_postgres import PostgresSide
from adapters.sql.transfer_sqlite import SqliteSide
from adapters.sql.transfer_values import Replaced
from core.errors import Conflict, Invalid

SETTING = "INSERT INTO settings (key, value) VALUES (?, ?)"
TAG = (
    "INSERT INTO tag_definitions (key, allowed_values, is_required, created_at, created_by, updated_at)"
    " VALUES (?, '[]', 0, ?, 'x', ?)"
)
METRIC = "INSERT INTO device_metrics (device_uuid, recorded_at, late, cpu_usage) VALUES ('d', ?, 0, ?)"
READING = (
    "INSERT INTO readings (device_uuid, measured_at, digest, received_at, time_clamped, kind, topic)"
    " VALUES ('d', 0, CAST(? AS BLOB), 0, ?, 'raw', 't')"
)
FIRST, LAST = -62_135_596_800_000_000, 253_402_300_799_999_999


class Interrupted(BaseException):
    """Stands for the end of the process."""


def quiet(doing: str, table: str, done: int, total: int) -> None:
    """Nobody looks."""


def between(source: Path | str, target: Path | str, batch: int = 100) -> Transfer:
    """A transfer; paths are SQLite."""
    replaced = Replaced()
    sides = [SqliteSide(each, replaced) if isinstance(each, Path) else PostgresSide(each) for each in (source, target)]
    return Transfer(source=sides[0], target=sides[1], replaced=replaced, told=quiet, batch_rows=batch)


def run(database: Path, statement: str, *rows: tuple[object, ...]) -> None:
    """Change a SQLite file."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executemany(statement, rows or [()])


def differing(transfer: Transfer) -> list[str]:
    """The tables that are not the same."""
    return [each.table for each in transfer.compare() if not each.equal]


@pytest.fixture
def other(migrated: Path, tmp_path: Path) -> Path:
    """A second SQLite file, with all tables."""
    file = tmp_path / "other.db"
    file.write_bytes(migrated.read_bytes())
    return file


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[psycopg.Connection]:
    """A connection to the database of PostgreSQL."""
    with psycopg.connect(conninfo_of(postgres_url), autocommit=True) as connection:
        yield connection


def test_odd_values_go_there_and_back_and_are_equal_on_all_sides(
    database: Path, other: Path, postgres_url: str
) -> None:
    odd = [
        "-0.0",
        "1e308",
        "5e-324",
        str(2**80),
        '{"b": [1.0, {"a": null}], "": ""}',
        '"\\ud83d\\ude00 \U0001f600"',
        "null",
    ]
    run(
        database,
        SETTING,
        *((f"odd {number}", text) for number, text in enumerate(odd)),
        ("", '""'),
        ("\U0001f600", "1"),
    )
    run(database, METRIC, (FIRST, -0.0), (LAST, 1e308), (0, 5e-324), (-1, None), (1, 0.1))
    run(database, TAG, ("z", FIRST, LAST))
    there, back = between(database, postgres_url), between(postgres_url, other)
    there.move()
    back.move()
    assert [differing(there), differing(back)] == [[], []]
    there.finish()
    back.finish()
    with closing(sqlite3.connect(database)) as one, closing(sqlite3.connect(other)) as two:
        for query in ("SELECT * FROM device_metrics", "SELECT * FROM tag_definitions", "SELECT key FROM settings"):
            assert two.execute(query).fetchall() == one.execute(query).fetchall()


def test_readings_whose_time_is_ours_go_there_and_back_and_stay_known(
    database: Path, other: Path, postgres_url: str, postgres: psycopg.Connection
) -> None:
    run(database, READING, ("a", 1), ("b", 0))
    there, back = between(database, postgres_url), between(postgres_url, other)
    there.move()
    assert postgres.execute("SELECT digest FROM clamped_readings").fetchall() == [(b"a",)]
    back.move()
    assert [differing(there), differing(back)] == [[], []]


def test_what_postgresql_cannot_keep_is_told_by_a_replacement(
    database: Path, postgres_url: str, postgres: psycopg.Connection
) -> None:
    run(database, SETTING, ("nul\0", r'"\u0000 \ud83d"'))
    transfer = between(database, postgres_url)
    transfer.move()
    assert postgres.execute("SELECT key, value FROM settings").fetchall() == [("nul\ufffd", "\ufffd \ufffd")]
    assert (transfer.replaced.values, differing(transfer)) == (2, [])


@pytest.mark.parametrize("to_postgres", [True, False], ids=["to PostgreSQL", "to SQLite"])
def test_a_transfer_that_ended_anywhere_goes_on_and_doubles_nothing(
    database: Path, other: Path, postgres_url: str, *, to_postgres: bool
) -> None:
    run(database, METRIC, *((number, number / 7) for number in range(1000)))
    first: Path | str = database
    if not to_postgres:
        between(database, postgres_url).move()
        first = postgres_url
    second: Path | str = postgres_url if to_postgres else other
    if not to_postgres:
        with psycopg.connect(conninfo_of(postgres_url), autocommit=True) as connection:
            connection.execute("DROP TABLE transfer_progress")

    def die(doing: str, table: str, done: int, total: int) -> None:
        if table == "device_metrics" and done >= 300:
            raise Interrupted

    transfer = between(first, second)
    ended = Transfer(source=transfer.source, target=transfer.target, replaced=Replaced(), told=die, batch_rows=100)
    with pytest.raises(Interrupted):
        ended.move()
    transfer.refuse_what_has_rows()
    moved = transfer.move()
    assert (moved.continued, moved.rows["device_metrics"], differing(transfer)) == (True, 700, [])
    transfer.finish()
    with pytest.raises(Conflict, match="rows of its own"):
        transfer.refuse_what_has_rows()


def test_numbers_of_rows_that_are_gone_are_not_given_out_again(
    database: Path, other: Path, postgres_url: str, postgres: psycopg.Connection
) -> None:
    run(database, TAG, *((name, 0, 0) for name in "abc"))
    run(database, "DELETE FROM tag_definitions WHERE id > 1")
    between(database, postgres_url).move()
    made = (
        "INSERT INTO tag_definitions (key, allowed_values, is_required, created_at, created_by, updated_at)"
        " VALUES ('d', '[]', false, now(), 'x', now()) RETURNING id"
    )
    assert postgres.execute(made).fetchall() == [(4,)]
    postgres.execute("DELETE FROM tag_definitions WHERE id = 4")
    postgres.execute("DROP TABLE transfer_progress")
    between(postgres_url, other).move()
    run(other, TAG, ("e", 0, 0))
    with closing(sqlite3.connect(other)) as connection:
        assert connection.execute("SELECT max(id) FROM tag_definitions").fetchall() == [(5,)]


def test_one_changed_value_is_found_by_the_name_of_its_table(
    database: Path, postgres_url: str, postgres: psycopg.Connection
) -> None:
    run(database, METRIC, (1, 0.5), (2, 0.25))
    transfer = between(database, postgres_url)
    transfer.move()
    postgres.execute("UPDATE device_metrics SET cpu_usage = 0.75 WHERE id = 2")
    assert differing(transfer) == ["device_metrics"]


def test_a_target_with_rows_of_its_own_is_refused_and_left_alone(
    database: Path, postgres_url: str, postgres: psycopg.Connection
) -> None:
    postgres.execute("INSERT INTO settings (key, value) VALUES ('mine', '1')")
    with pytest.raises(Conflict, match=r"rows of its own, in settings.*--verify-only"):
        between(database, postgres_url).refuse_what_has_rows()
    assert postgres.execute("SELECT to_regclass('transfer_progress')").fetchall() == [(None,)]


def test_a_transfer_is_not_continued_from_another_source(database: Path, other: Path, postgres_url: str) -> None:
    between(database, postgres_url).move()
    run(other, "UPDATE migrations SET applied_at = 'later'")
    with pytest.raises(Conflict, match="another source"):
        between(other, postgres_url).move()


def test_sides_with_other_migrations_are_refused_by_name(database: Path, postgres_url: str) -> None:
    run(database, "INSERT INTO migrations (name, checksum) VALUES ('999_later.sql', '')")
    with pytest.raises(Conflict, match=r"999_later\.sql"):
        between(database, postgres_url).move()


def test_rows_for_which_the_target_has_no_table_are_not_left_behind(database: Path, postgres_url: str) -> None:
    run(database, "CREATE TABLE extra_things (id INTEGER PRIMARY KEY)")
    run(database, "INSERT INTO extra_things VALUES (1)")
    with pytest.raises(Conflict, match="extra_things"):
        between(database, postgres_url).move()


def test_what_is_not_json_is_refused_by_the_name_of_its_table(database: Path, postgres_url: str) -> None:
    run(database, SETTING, ("bad", "NaN"))
    with pytest.raises(Invalid, match=r"a row of settings cannot be kept.*bad"):
        between(database, postgres_url).move()


def test_memory_stays_small_however_many_rows_there_are(database: Path, postgres_url: str) -> None:
    run(database, SETTING, *((str(number), '"' + "x" * 20_000 + '"') for number in range(2000)))
    transfer = between(database, postgres_url, batch=100_000)
    tracemalloc.start()
    transfer.move()
    assert differing(transfer) == []
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000, "40 MB were moved"
