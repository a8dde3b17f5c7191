"""`iotistic doctor`: what is wrong, and what to do about it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from core.migrations import MigrationFolder
from entrypoints.cli.findings import Finding, State, failing

COLOURS = {State.OK: "green", State.WARNING: "yellow", State.FAILING: "bold red"}


def doctor(*, data: Annotated[Path, typer.Option(help="The data folder to look at.")] = Path("iotistic-data")) -> None:
    """Look whether everything is as it should be, and say what to do where it is not.

    Looks at the settings of this environment, who can read the secrets, the disk, the database, its migrations, the
    clock, reactions that were given up, and the limit of open files; at the server and its broker if they run, else at
    the ports they would need. With DATABASE_URL it looks at that database instead of the folder: its order of texts,
    time zone, clock, connections, migrations and partitions. Changes nothing. The status is 1 when something is
    failing, else 0.
    """
    console = Console()
    table = Table("what", "state", "found", "what to do")
    worst = State.OK
    for finding in examine(data, dict(os.environ)):
        colour = COLOURS[finding.state]
        words = (finding.name, f"[{colour}]{finding.state.value}[/]", escape(finding.words), escape(finding.advice))
        table.add_row(*words)
        worst = State.FAILING if State.FAILING in {worst, finding.state} else worst
    console.print(table)
    if worst is State.FAILING:
        raise typer.Exit(1)


def examine(data: Path, environment: dict[str, str], *, installed: bool = True) -> Iterator[Finding]:
    """All findings, the causes before what they cause."""
    from adapters.system.lock import tenant_of
    from core.errors import Refusal
    from entrypoints.cli import folder_checks, live_checks
    from entrypoints.wiring import features
    from entrypoints.wiring.cluster import DATABASE_URL
    from entrypoints.wiring.embedded import DATABASE
    from entrypoints.wiring.plugins import answers, plugin_manager

    try:
        hooks = plugin_manager([features], installed=installed).hook
        declared, migrations = answers(hooks.settings), answers(hooks.migrations)
    except Refusal as refusal:
        yield failing("plugins", refusal.message, "remove the plugin, or install the version that fits")
        return
    finding, settings = folder_checks.check_settings(declared, environment)
    yield finding
    if settings[DATABASE_URL]:
        from entrypoints.cli.postgres_checks import check_postgres

        yield from check_postgres(settings, migrations)
        yield live_checks.check_open_files(None)
        return
    if not (data / DATABASE).is_file():
        yield failing(
            "data folder", f"there is none at {data}", "name it with --data, or make it: iotistic up --data DIR"
        )
        return
    tenant = tenant_of(data)
    try:
        yield from folder_checks.check_privacy(data)
        yield from folder_checks.check_disk(data, settings)
    except OSError as error:
        yield failing("data folder", f"it cannot be looked at: {error}", "run this as the user that runs iotistic")
        return
    yield from _of_database(data, migrations)
    yield live_checks.check_open_files(tenant)
    yield from live_checks.check_server(tenant) if tenant is not None else live_checks.check_ports(settings)


def _of_database(data: Path, migrations: list[MigrationFolder]) -> Iterator[Finding]:
    """What can be told of the database; if it cannot even be read, only that."""
    from core.errors import Refusal
    from entrypoints.cli import folder_checks

    try:
        yield from folder_checks.check_database(data, migrations)
        yield folder_checks.check_clock(data, folder_checks.now())
        yield folder_checks.check_dead_letters(data)
    except Refusal as refusal:
        yield failing(
            "database", refusal.message, "stop iotistic and restore the last backup: iotistic restore --force"
        )
