"""The migration that partitions a database which is in use: what it holds stays, and stays known."""

from pathlib import Path
from shutil import copy

import psycopg
import pytest
from psycopg import sql

from adapters.sql.postgres_migrations import POSTGRES, migrate_postgres
from adapters.sql.postgres_urls import conninfo_of
from core.migrations import OURS, MigrationFolder
from tests.support.postgres import MIGRATIONS

NUMBER = "016"
_FILL = """
INSERT INTO device_metrics (device_uuid, recorded_at, late)
    SELECT 'd', now() - n * interval '10 days', false FROM generate_series(0, 60) AS n;
INSERT INTO device_logs (device_uuid, received_at, logged_at, time_clamped, level, message, truncated, is_system,
    is_stderr) SELECT 'd', now(), now() - n * interval '10 days', false, 'info', 'x', false, false, false
    FROM generate_series(0, 60) AS n;
INSERT INTO readings (device_uuid, measured_at, digest, received_at, time_clamped, kind, topic)
    SELECT 'd', now() - n * interval '10 days', int4send(n), now(), n % 2 = 0, 'raw', 't'
    FROM generate_series(0, 60) AS n;
INSERT INTO audit_log (announcement_id, at, event, severity, actor, details)
    SELECT n, now() - n * interval '10 days', 'user.created', 'info', 'system', '{}' FROM generate_series(0, 60) AS n;
DELETE FROM audit_log WHERE id > 50;
"""
_AGAIN = """
INSERT INTO readings (device_uuid, measured_at, digest, received_at, time_clamped, kind, topic)
    VALUES ('d', now() + interval '1 second', int4send(%s), now(), true, 'raw', 't') ON CONFLICT DO NOTHING
"""
SERIES = {"device_metrics": 61, "device_logs": 61, "readings": 61, "audit_log": 50}


@pytest.fixture
def filled(empty_postgres_url: str, tmp_path: Path) -> psycopg.Connection:
    """A database that was in use before, brought up to date."""
    before = tmp_path / POSTGRES
    before.mkdir()
    for path in (MIGRATIONS / POSTGRES).glob("*.sql"):
        if path.name[:3] < NUMBER:
            copy(path, before)
    migrate_postgres(empty_postgres_url, [MigrationFolder(OURS, tmp_path)])
    connection = psycopg.connect(conninfo_of(empty_postgres_url), autocommit=True)
    connection.execute(_FILL.encode())
    migrate_postgres(empty_postgres_url, [MigrationFolder(OURS, MIGRATIONS)])
    return connection


def _counted(connection: psycopg.Connection, table: str) -> int:
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    assert row is not None
    return int(row[0])


def test_rows_of_a_database_in_use_are_all_kept_each_in_its_month(filled: psycopg.Connection) -> None:
    with filled:
        assert {table: _counted(filled, table) for table in SERIES} == SERIES
        months = filled.execute(b"SELECT DISTINCT tableoid::regclass::text FROM readings").fetchall()
        assert len(months) >= 13
        assert ("readings_default",) in months
        assert 15 < _counted(filled, "readings_default") < 30


def test_numbers_go_on_where_they_were(filled: psycopg.Connection) -> None:
    with filled:
        filled.execute(
            b"INSERT INTO audit_log (announcement_id, at, event, severity, actor, details)"
            b" VALUES (99, now(), 'user.created', 'info', 'system', '{}')"
        )
        assert filled.execute(b"SELECT id FROM audit_log WHERE announcement_id = 99").fetchone() == (62,)


def test_a_reading_whose_time_is_ours_is_still_known(filled: psycopg.Connection) -> None:
    with filled:
        assert _counted(filled, "clamped_readings") == 31
        assert filled.execute(_AGAIN.encode(), (2,)).rowcount == 0
        assert filled.execute(_AGAIN.encode(), (3,)).rowcount == 1
        filled.execute(b"DELETE FROM readings WHERE digest = int4send(2)")
        assert filled.execute(_AGAIN.encode(), (2,)).rowcount == 1


def test_audit_entries_are_still_never_changed(filled: psycopg.Connection) -> None:
    with filled, pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="never changed"):
        filled.execute(b"UPDATE audit_log SET actor = 'nobody'")
