"""`iotistic transfer`, with a database that the application filled, and as a process that is killed."""

import asyncio
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from adapters.sql.postgres_urls import conninfo_of
from adapters.system.lock import sole_tenant
from core.errors import Conflict, Invalid, NotFound
from core.migrations import OURS, MigrationFolder
from entrypoints.cli.transferring import transferred
from tests.support.application import Api, running_api
from tests.support.parts import MIGRATIONS

FOLDERS = [MigrationFolder(OURS, MIGRATIONS)]


def quiet(doing: str, table: str, done: int, total: int) -> None:
    """Nobody looks."""


def url_of_file(folder: Path) -> str:
    """The URL of the database in a data folder."""
    return f"sqlite:///{folder / 'iotistic.db'}"


async def live(api: Api) -> None:
    """Let the application do something."""
    device = await api.device()
    await device.caller.patch(f"/device/{device.uuid}/state", {device.uuid: {"cpu_usage": 12.5, "apps": {}}})
    line = json.dumps({"message": "hello \U0001f600"}).encode() + b"\n"
    headers = {"Content-Type": "application/x-ndjson"}
    await device.caller.post(f"/device/{device.uuid}/logs", data=line * 300, headers=headers)


async def test_what_the_application_wrote_goes_there_and_back_and_devices_and_people_go_on(
    data: Path, tmp_path: Path, empty_postgres_url: str
) -> None:
    async with running_api(data) as api:
        device = await api.device()
        await live(api)
    unheard = (
        "INSERT INTO outbox (name, payload, announced_at) VALUES"
        """ ('nobody.asks', '{"at": "2026-11-24T12:00:00+00:00", "by": "system"}', 0) RETURNING id"""
    )
    failed = "INSERT INTO outbox_failures (event_id, reaction, attempts, error) VALUES (?, 'x', 3, 'gave up')"
    with closing(sqlite3.connect(data / "iotistic.db")) as connection, connection:
        connection.execute(failed, connection.execute(unheard).fetchone())
    new = tmp_path / "new" / "data"
    there = await asyncio.to_thread(transferred, url_of_file(data), empty_postgres_url, quiet, migrations=FOLDERS)
    back = await asyncio.to_thread(transferred, empty_postgres_url, url_of_file(new), quiet, migrations=FOLDERS)
    rows = {each.table: each.source.rows for each in there.tables}
    assert (there.equal, back.equal) == (True, True)
    assert [rows["devices"], rows["device_logs"], rows["users"]] == [2, 300, 1]
    assert (rows["outbox"], rows["outbox_failures"]) == (1, 1)
    assert rows["events"] > 0
    assert "JWT_SECRET" in there.notes[-1]
    async with running_api(new) as again:
        caller = type(device.caller)(again.http, again.running.url, device.caller.headers)
        assert (await caller.get(f"/device/{device.uuid}/state")).status == 200
        assert await again.log_in("admin", "a password for tests")


async def test_a_data_folder_that_is_in_use_is_refused(data: Path, empty_postgres_url: str) -> None:
    async with running_api(data):
        pass
    with sole_tenant(data), pytest.raises(Conflict, match=r"stop it first.*iotistic backup"):
        transferred(url_of_file(data), empty_postgres_url, quiet, migrations=FOLDERS)


def test_two_sides_of_a_kind_and_a_file_that_is_not_there_are_refused(tmp_path: Path, postgres_url: str) -> None:
    with pytest.raises(Invalid, match="one side"):
        transferred("sqlite:///a.db", "sqlite:///b.db", quiet)
    with pytest.raises(NotFound, match="there is no database"):
        transferred(f"sqlite:///{tmp_path}/no.db", postgres_url, quiet)


def test_a_process_that_is_killed_is_begun_again_and_then_finds_a_difference(database: Path, postgres_url: str) -> None:
    with sqlite3.connect(database) as connection:
        connection.executemany(
            "INSERT INTO device_metrics (device_uuid, recorded_at, late) VALUES ('d', ?, 0)",
            ((number,) for number in range(20_000)),
        )
    connection.close()
    command = [sys.executable, "-c", "from entrypoints.cli.main import main; main()", "transfer", "--json"]
    command += ["--from", f"sqlite:///{database}", "--to", postgres_url]
    with subprocess.Popen([*command, "--batch", "50"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        with psycopg.connect(conninfo_of(postgres_url), autocommit=True) as watching:
            while not watching.execute("SELECT FROM device_metrics LIMIT 1").fetchall():
                assert process.poll() is None, process.communicate()
        process.kill()
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    report = json.loads(again.stdout)
    assert report["equal"]
    assert report["continued"]
    assert 0 < report["moved"]["device_metrics"] < 20_000
    assert report["tables"]["device_metrics"]["target"]["rows"] == 20_000
    with psycopg.connect(conninfo_of(postgres_url), autocommit=True) as watching:
        watching.execute("DELETE FROM device_metrics WHERE id = 7")
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    compared = subprocess.run([*command, "--verify-only"], capture_output=True, text=True, check=False)
    assert (refused.returncode, compared.returncode) == (1, 2)
    assert json.loads(compared.stdout)["tables"]["device_metrics"]["target"]["rows"] == 19_999
