"""`iotistic doctor` finds each fault that is planted, and says what to do about it."""

import asyncio
import os
import resource
import shutil
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.system.lock import sole_tenant
from entrypoints.cli.doctor import examine
from entrypoints.cli.findings import Finding, State
from entrypoints.cli.main import command_line
from entrypoints.wiring.embedded import DATABASE
from tests.entrypoints.cli.folders import a_data_folder
from tests.support.application import Api

HEALTHY = {"PORT": "0", "MQTT_PORT": "0"}


@pytest.fixture
def folder(tmp_path: Path, migrated: Path) -> Path:
    """A data folder that nobody runs on, and that nothing is wrong with."""
    return a_data_folder(tmp_path / "data", migrated)


def found(folder: Path, **environment: str) -> list[Finding]:
    """What is not as it should be."""
    findings = examine(folder, HEALTHY | environment, installed=False)
    return [finding for finding in findings if finding.state is not State.OK]


def run(folder: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(folder / DATABASE)) as database:
        database.execute(statement, values)
        database.commit()


def audited(folder: Path, moment: datetime) -> None:
    microseconds = int(moment.timestamp() * 1_000_000)
    run(
        folder,
        "INSERT INTO audit_log (announcement_id, at, event, severity, actor, details) "
        "VALUES (1, ?, 'x', 'info', 'y', '{}')",
        microseconds,
    )


def damage(folder: Path) -> None:
    with (folder / DATABASE).open("r+b") as database:
        database.seek(4096)
        database.write(b"\xff" * 8192)


def give_up(folder: Path) -> None:
    run(folder, "INSERT INTO outbox (id, name, payload, announced_at, relayed) VALUES (1, 'x', '{}', 1, 1)")
    run(folder, "INSERT INTO outbox_failures VALUES (1, 'webhooks', 9, 'no answer', NULL)")


Fault = Callable[[Path], object]
FAULTS: dict[str, tuple[Fault, str, State, str]] = {
    "no folder": (shutil.rmtree, "data folder", State.FAILING, "iotistic up"),
    "open folder": (lambda folder: folder.chmod(0o755), "data folder", State.FAILING, "chmod 700"),
    "open secrets folder": (lambda folder: (folder / "secrets").chmod(0o750), "secrets", State.FAILING, "chmod 700"),
    "open secret": (lambda folder: (folder / "secrets/jwt").chmod(0o640), "secrets", State.FAILING, "chmod 600"),
    "empty secret": (lambda folder: (folder / "secrets/jwt").write_text(""), "secrets", State.FAILING, "backup"),
    "no secrets": (lambda folder: shutil.rmtree(folder / "secrets"), "secrets", State.WARNING, "first start"),
    "damaged database": (damage, "database", State.FAILING, "restore"),
    "no database": (lambda folder: (folder / DATABASE).write_bytes(b"x" * 9999), "database", State.FAILING, "restore"),
    "changed migration": (
        lambda folder: run(folder, "UPDATE migrations SET checksum = 'x' WHERE name LIKE '002%'"),
        "migrations",
        State.FAILING,
        "install",
    ),
    "newer migration": (
        lambda folder: run(folder, "INSERT INTO migrations (name, checksum) VALUES ('999_tomorrow.sql', 'x')"),
        "migrations",
        State.FAILING,
        "newer",
    ),
    "migration to do": (
        lambda folder: run(folder, "DELETE FROM migrations WHERE name LIKE '002%'"),
        "migrations",
        State.WARNING,
        "next start",
    ),
    "clock behind": (
        lambda folder: audited(folder, datetime.now(UTC) + timedelta(hours=1)),
        "clock",
        State.FAILING,
        "set-ntp",
    ),
    "clock ahead": (
        lambda folder: audited(folder, datetime.now(UTC) - timedelta(days=2)),
        "clock",
        State.WARNING,
        "set-ntp",
    ),
    "dead letters": (give_up, "reactions", State.WARNING, "dead-letters"),
}


def test_nothing_is_found_where_nothing_is_wrong(folder: Path) -> None:
    audited(folder, datetime.now(UTC))
    assert [finding for finding in found(folder) if finding.name not in {"disk", "open files"}] == []


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_planted_fault_is_found_and_what_to_do_is_said(folder: Path, fault: str) -> None:
    plant, name, state, advice = FAULTS[fault]
    plant(folder)
    findings = [finding for finding in found(folder) if finding.name not in {"disk", "open files"}]
    assert {(finding.name, finding.state) for finding in findings} == {(name, state)}
    assert advice in findings[0].advice


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"LOG_RETENTION_DAYS": "soon"}, "LOG_RETENTION_DAYS"),
        ({"JWT_SECRET": "your-secret-key-change-in-production-please"}, "JWT_SECRET"),
        ({"JWT_SECRET": "short"}, "JWT_SECRET"),
    ],
)
def test_settings_that_would_stop_the_start_are_found(folder: Path, environment: dict[str, str], told: str) -> None:
    """Abuse case 27: secrets that stand in published examples among them."""
    [finding] = [finding for finding in found(folder, **environment) if finding.name == "settings"]
    assert finding.state is State.FAILING
    assert told in finding.words
    assert "please" not in finding.words


def test_a_full_disk_is_found(folder: Path) -> None:
    [finding] = [finding for finding in found(folder, DISK_RESERVE="900TB") if finding.name == "disk"]
    assert (finding.state, "refused" in finding.advice) == (State.FAILING, True)


def test_a_disk_that_will_be_full_is_found(folder: Path) -> None:
    [finding] = [finding for finding in found(folder, READING_MAX_BYTES="900TB") if finding.name == "disk"]
    assert (finding.state, "_MAX_BYTES" in finding.advice) == (State.WARNING, True)


@pytest.mark.parametrize("name", ["PORT", "MQTT_PORT"])
def test_a_port_that_is_taken_is_found(folder: Path, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        [finding] = [finding for finding in found(folder, **{name: str(port)}) if finding.name == "ports"]
    assert finding.state is State.FAILING
    assert name in finding.advice


async def test_a_server_that_runs_is_asked_and_so_is_its_broker(api: Api) -> None:
    findings = await asyncio.to_thread(lambda: list(examine(api.data, dict(HEALTHY), installed=False)))
    states = {finding.name: finding.state for finding in findings}
    assert (states["server"], states["broker"]) == (State.OK, State.OK)
    assert "ports" not in states
    assert State.FAILING not in states.values()


def test_a_server_and_a_broker_that_do_not_answer_are_found(folder: Path) -> None:
    with sole_tenant(folder) as tenure, socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        mute.close()
        tenure.tell({"host": "127.0.0.1", "port": port, "mqttPort": port})
        states = {finding.name: finding.state for finding in found(folder)}
    assert (states["server"], states["broker"]) == (State.FAILING, State.FAILING)


@pytest.fixture
def few_files() -> Iterator[None]:
    """Few files may be open."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("few_files")
def test_a_low_limit_of_open_files_is_found(folder: Path) -> None:
    assert ("open files", State.WARNING) in {(finding.name, finding.state) for finding in found(folder)}


def test_the_command_shows_a_table_and_its_status_tells_whether_something_fails(folder: Path) -> None:
    environment = {**HEALTHY, "COLUMNS": "200"}
    well = CliRunner().invoke(command_line(), ["doctor", "--data", str(folder)], env=environment)
    (folder / "secrets" / "jwt").chmod(0o644)
    ill = CliRunner().invoke(command_line(), ["doctor", "--data", str(folder)], env=environment)
    assert (well.exit_code, ill.exit_code) == (0, 1)
    assert "chmod 600" in ill.output
    assert os.fspath(folder) in ill.output
