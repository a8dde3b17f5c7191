"""`iotistic migrate` on both databases, with two real processes at once."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from adapters.sql.migrations import SQLITE
from adapters.sql.postgres_migrations import POSTGRES
from entrypoints.cli.main import command_line
from tests.support.postgres import MIGRATIONS

NAMES = sorted(path.name for path in (MIGRATIONS / SQLITE).glob("*.sql"))
PROGRAM = "from entrypoints.cli.main import main; main()"


@pytest.fixture(params=[SQLITE, POSTGRES])
def options(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """Those that name an empty database."""
    if request.param == SQLITE:
        return ["--data", str(tmp_path)]
    return ["--database-url", request.getfixturevalue("empty_postgres_url")]


def run(*arguments: str) -> Result:
    """What the command says."""
    return CliRunner().invoke(command_line(), ["migrate", *arguments], env={"DATABASE_URL": ""})


def test_a_dry_run_says_what_a_run_then_does(options: list[str]) -> None:
    assert run("status", "--check", *options).exit_code == 3
    wanted = run("run", "--dry-run", *options).output.splitlines()
    assert [name for name in NAMES if f"would apply {name}" not in wanted] == []
    done = run("run", *options).output.splitlines()
    assert done == [line.replace("would apply", "applied") for line in wanted]
    assert run("run", *options).output == "there is nothing to apply\n"
    assert run("status", "--check", *options).exit_code == 0


def test_the_ledger_can_be_corrected_by_name(options: list[str]) -> None:
    run("run", *options)
    forgotten = run("unmark", NAMES[-1], *options)
    assert (forgotten.exit_code, "No table was changed" in forgotten.output) == (0, True)
    told = {each["name"]: each for each in json.loads(run("status", "--json", *options).output)}
    assert (told[NAMES[-1]]["state"], told[NAMES[0]]["state"]) == ("pending", "applied")
    assert told[NAMES[-1]]["appliedAt"] is None
    assert run("mark-applied", NAMES[-1], *options).exit_code == 0
    assert run("mark-applied", NAMES[-1], *options).exit_code == 1
    assert run("status", "--check", *options).exit_code == 0
    assert NAMES[0] in run("status", *options).output.replace("…", "")


def test_the_next_file_of_a_plugin_is_made_in_its_folder(tmp_path: Path) -> None:
    made = run("create", "--folder", str(tmp_path), "add", "foo")
    assert [Path(line).relative_to(tmp_path) for line in made.output.splitlines()] == [
        Path("sqlite/001_add_foo.sql"),
        Path("postgres/001_add_foo.sql"),
    ]
    assert run("create", "--folder", str(tmp_path), "Ö").exit_code == 1


def test_a_folder_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    refused = run("run", "--data", str(tmp_path / "missing"))
    assert (refused.exit_code, "missing" in refused.output) == (1, True)


async def test_of_two_processes_at_once_each_file_is_applied_by_one(options: list[str]) -> None:
    async def start() -> list[str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            PROGRAM,
            "migrate",
            "run",
            *options,
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"DATABASE_URL": "", "PYTHONPATH": str(MIGRATIONS.parent)},
        )
        output, _ = await process.communicate()
        assert process.returncode == 0
        return output.decode().splitlines()

    lines = [line for told in await asyncio.gather(start(), start()) for line in told if line.startswith("applied ")]
    assert len(lines) == len(set(lines)) >= len(NAMES)
