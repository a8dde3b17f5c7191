"""`iotistic migrate`: the tables of the database, brought up to date by hand."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer
from rich.console import Console
from rich.table import Table

from core.migrations import OURS, MigrationFolder
from entrypoints.cli.refusals import told

if TYPE_CHECKING:
    from adapters.sql.migration_files import MigrationStatus

REFUSED, PENDING = 1, 3
COLOURS = {"applied": "green", "pending": "yellow", "half-way": "bold red", "changed": "bold red", "unknown": "red"}
Url = Annotated[
    str, typer.Option("--database-url", envvar="DATABASE_URL", help="The PostgreSQL database; else the one in --data.")
]
Data = Annotated[Path, typer.Option(help="The data folder, for the SQLite file in it.")]
DATA = Path("iotistic-data")

migrate = typer.Typer(
    name="migrate",
    help="The tables of the database: what is applied and what is to be. A start does it too, unless told otherwise.",
    no_args_is_help=True,
)


class Migrations(Protocol):
    """Those of one database, whichever it is."""

    def run(self, folders: Sequence[MigrationFolder]) -> list[str]:
        """Apply what is pending."""

    def status(self, folders: Sequence[MigrationFolder]) -> "list[MigrationStatus]":
        """How the database stands to each."""

    def mark(self, folders: Sequence[MigrationFolder], name: str) -> None:
        """Write down that one is applied."""

    def unmark(self, name: str) -> None:
        """Forget that one is applied."""


@migrate.command()
def run(
    *,
    database_url: Url = "",
    data: Data = DATA,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be applied.")] = False,
) -> None:
    """Apply what is pending, each file once, whoever else is at it."""
    from adapters.sql.migration_files import pending_in

    with told("migrate run"):
        migrations, folders = _migrations(database_url, data), _folders()
        names = pending_in(migrations.status(folders)) if dry_run else migrations.run(folders)
    for name in names:
        typer.echo(f"{'would apply' if dry_run else 'applied'} {name}")
    if not names:
        typer.echo("there is nothing to apply")


@migrate.command()
def status(
    *,
    database_url: Url = "",
    data: Data = DATA,
    as_json: Annotated[bool, typer.Option("--json", help="Tell it as JSON.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Leave with status 3 if something is pending, 1 if it is wrong.")
    ] = False,
) -> None:
    """Show each migration, when it was applied, and how the database stands to it. Changes nothing."""
    with told("migrate status"):
        statuses = _migrations(database_url, data).status(_folders())
    if as_json:
        typer.echo(json.dumps([_as_json(each) for each in statuses], indent=2))
    else:
        _show(statuses)
    standings = {each.standing.value for each in statuses}
    if check and standings & {"changed", "unknown", "half-way"}:
        raise typer.Exit(REFUSED)
    if check and "pending" in standings:
        raise typer.Exit(PENDING)


@migrate.command()
def create(
    words: Annotated[list[str], typer.Argument(help="What it does, such as: add serial numbers")],
    *,
    folder: Annotated[Path | None, typer.Option(help="The migrations of a plugin; else ours.")] = None,
    no_transaction: Annotated[
        bool, typer.Option("--no-transaction", help="For what takes none, such as CREATE INDEX CONCURRENTLY.")
    ] = False,
) -> None:
    """Make the next file, with the same number and name for each database."""
    from adapters.sql.migration_files import create as create_files
    from adapters.sql.migrations import SQLITE
    from adapters.sql.postgres_migrations import POSTGRES

    with told("migrate create"):
        where = folder or next(each.path for each in _folders() if each.owner == OURS)
        made = create_files(where, (SQLITE, POSTGRES), words, alone=no_transaction)
    for path in made:
        typer.echo(str(path))


@migrate.command("mark-applied")
def mark_applied(
    name: Annotated[str, typer.Argument(help="As `iotistic migrate status` calls it.")],
    *,
    database_url: Url = "",
    data: Data = DATA,
) -> None:
    """Write down that a migration is applied, without applying it: somebody did by hand what it does."""
    with told("migrate mark-applied"):
        _migrations(database_url, data).mark(_folders(), name)
    typer.echo(f"{name} counts as applied. No table was changed.")


@migrate.command()
def unmark(
    name: Annotated[str, typer.Argument(help="As `iotistic migrate status` calls it.")],
    *,
    database_url: Url = "",
    data: Data = DATA,
) -> None:
    """Forget that a migration was applied, without undoing it: the next run applies it again."""
    with told("migrate unmark"):
        _migrations(database_url, data).unmark(name)
    typer.echo(f"{name} counts as not applied. No table was changed; the next run, or start, applies it again.")


def _migrations(url: str, data: Path) -> Migrations:
    from adapters.sql.migrations import SqliteMigrations
    from core.errors import NotFound
    from entrypoints.wiring.embedded import DATABASE

    if url:
        from adapters.sql.postgres_migrations import PostgresMigrations

        return PostgresMigrations(url)
    if not data.is_dir():
        raise NotFound(f"there is no data folder {data}; name it with --data, or a database with --database-url")
    return SqliteMigrations(data / DATABASE)


def _folders() -> list[MigrationFolder]:
    from entrypoints.wiring import features
    from entrypoints.wiring.plugins import answers, plugin_manager

    return answers(plugin_manager([features]).hook.migrations)


def _as_json(each: "MigrationStatus") -> dict[str, Any]:
    at = each.applied_at.isoformat() if each.applied_at else None
    return {"name": each.name, "state": each.standing.value, "appliedAt": at}


def _show(statuses: "list[MigrationStatus]") -> None:
    table = Table("migration", "applied", "state")
    for each in statuses:
        at = f"{each.applied_at:%Y-%m-%d %H:%M:%S}" if each.applied_at else ""
        colour = COLOURS[each.standing.value]
        table.add_row(each.name, at, f"[{colour}]{each.standing.value}[/]")
    Console().print(table)
