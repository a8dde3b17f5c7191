"""`iotistic partitions` shows what is wrong, and sets it right."""

import json

import psycopg
import pytest
from click.testing import Result
from typer.testing import CliRunner

from adapters.sql.postgres_urls import conninfo_of
from entrypoints.cli.main import command_line


def run(url: str, *arguments: str) -> Result:
    """What the command says."""
    return CliRunner().invoke(command_line(), ["partitions", *arguments], env={"DATABASE_URL": url})


@pytest.fixture
def lacking(postgres_url: str) -> str:
    """A database whose months are gone, with a log line of now and one of 2016."""
    with psycopg.connect(conninfo_of(postgres_url)) as connection:
        names = connection.execute(
            b"SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' AND relname ~ '^device_logs_\\d'"
        ).fetchall()
        for (name,) in names:
            connection.execute(f"DROP TABLE {name}".encode())
        connection.execute(
            b"INSERT INTO device_logs (device_uuid, received_at, logged_at, time_clamped, level, message, truncated,"
            b" is_system, is_stderr) SELECT 'd', now(), moment, false, 'info', 'x', false, false, false"
            b" FROM unnest(ARRAY[now(), timestamptz '2016-01-01']) AS moment"
        )
    return postgres_url


def test_check_shows_what_is_wrong_and_fix_mends_it(lacking: str) -> None:
    wrong = run(lacking, "check")
    assert wrong.exit_code == 1
    assert "device_logs_default" in wrong.output
    assert "1 rows are not in the partition of their month" in wrong.output
    mended = run(lacking, "fix")
    assert mended.exit_code == 0
    assert "made device_logs_" in mended.output
    assert run(lacking, "check").exit_code == 0


def test_all_is_told_as_json(lacking: str) -> None:
    told = run(lacking, "check", "--json")
    logs = next(each for each in json.loads(told.output) if each["table"] == "device_logs")
    assert (told.exit_code, logs["astray"], len(logs["faults"])) == (1, 1, len(logs["missing"]) + 1)
    done = json.loads(run(lacking, "maintain", "--json").output)
    assert (done["moved"], done["dropped"]) == (2, [])
    assert json.loads(run(lacking, "maintain", "--json").output) == {"made": [], "moved": 0, "dropped": []}


def test_more_months_ahead_are_made_when_asked_for(postgres_url: str) -> None:
    run(postgres_url, "fix")
    few = run(postgres_url, "check", "--months-ahead", "5")
    assert few.exit_code == 1
    assert few.output.count("is missing") == 8
    assert run(postgres_url, "fix", "--months-ahead", "5").exit_code == 0
    assert run(postgres_url, "check", "--months-ahead", "5").exit_code == 0


def test_without_a_database_it_says_how_to_name_one() -> None:
    refused = run("", "check")
    assert refused.exit_code == 1
    assert "DATABASE_URL" in refused.output


def test_a_database_without_our_tables_is_refused_in_words(empty_postgres_url: str) -> None:
    refused = run(empty_postgres_url, "check")
    assert refused.exit_code == 1
    assert "cannot be looked after" in refused.output
