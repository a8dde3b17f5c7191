"""`iotistic partitions`: the monthly partitions of PostgreSQL, looked at and looked after."""

import asyncio
import json
import os
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from entrypoints.cli.refusals import told

if TYPE_CHECKING:
    from adapters.sql.months import SeriesState
    from adapters.sql.partitions import Done, PostgresPartitions

AHEAD = 3
MOST_AHEAD = 120
MEGABYTE = 1024**2
Url = Annotated[str, typer.Option("--database-url", envvar="DATABASE_URL", help="The PostgreSQL database.")]
Ahead = Annotated[int, typer.Option(min=1, max=MOST_AHEAD, help="For how many months after this one.")]
AsJson = Annotated[bool, typer.Option("--json", help="Tell it as JSON.")]

partitions = typer.Typer(
    name="partitions",
    help="The months of metrics, logs, readings and audit: how they are, and what is to be done.",
    no_args_is_help=True,
)


@partitions.command()
def check(*, database_url: Url = "", months_ahead: Ahead = AHEAD, as_json: AsJson = False) -> None:
    """Show the partitions of each table and what is wrong with them: the status is 1 if anything is."""
    with told("partitions check"):
        states = asyncio.run(_partitions(database_url, months_ahead).check(_now()))
    if as_json:
        typer.echo(json.dumps([_as_json(state) for state in states], indent=2))
    else:
        _show(states)
    if any(state.faults for state in states):
        raise typer.Exit(1)


@partitions.command()
def fix(*, database_url: Url = "", months_ahead: Ahead = AHEAD, as_json: AsJson = False) -> None:
    """Make the months that are missing, and move rows into the month where they belong."""
    with told("partitions fix"):
        done = asyncio.run(_partitions(database_url, months_ahead).fix(_now()))
    _report(done, as_json=as_json)


@partitions.command()
def maintain(*, database_url: Url = "", months_ahead: Ahead = AHEAD, as_json: AsJson = False) -> None:
    """Fix, and drop the months that are older than they are kept. The leader of `iotistic work` does it every hour."""
    with told("partitions maintain"):
        done = asyncio.run(_partitions(database_url, months_ahead).maintain(_now()))
    _report(done, as_json=as_json)


def _partitions(url: str, ahead: int) -> "PostgresPartitions":
    from adapters.sql.partitions import PostgresPartitions
    from core.errors import Invalid
    from entrypoints.wiring.composition import plugins_of, settings_of
    from entrypoints.wiring.partitions import kept_by_month

    if not url:
        raise Invalid("which database? Set DATABASE_URL, or give --database-url; SQLite has no partitions")
    environment = dict(os.environ)
    settings = settings_of(plugins_of(environment), environment)
    return PostgresPartitions(url, kept_by_month(settings, ahead))


def _now() -> Any:
    from adapters.system import SystemClock

    return SystemClock().now()


def _as_json(state: "SeriesState") -> dict[str, Any]:
    return {
        "table": state.series.table,
        "partitions": [
            {
                "name": each.name,
                "month": f"{each.start:%Y-%m}" if each.start else None,
                "rows": each.rows,
                "bytes": each.bytes,
                "expired": each.name in state.expired,
            }
            for each in state.partitions
        ],
        "missing": [f"{month:%Y-%m}" for month in state.missing],
        "astray": state.astray,
        "faults": state.faults,
    }


def _show(states: "list[SeriesState]") -> None:
    console = Console()
    table = Table("partition", "rows (about)", "MB", "state")
    for state in states:
        for each in state.partitions:
            words = "[yellow]expired[/]" if each.name in state.expired else ""
            table.add_row(each.name, f"{each.rows:,}", f"{each.bytes / MEGABYTE:,.1f}", words)
        table.add_section()
    console.print(table)
    for fault in [fault for state in states for fault in state.faults]:
        console.print(f"[bold red]wrong:[/] {escape(fault)}", highlight=False, soft_wrap=True)
    if any(state.faults for state in states):
        console.print("`iotistic partitions maintain` sets it right.", highlight=False)


def _report(done: "Done", *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"made": list(done.made), "moved": done.moved, "dropped": list(done.dropped)}))
        return
    for words, names in (("made", done.made), ("dropped", done.dropped)):
        for name in names:
            typer.echo(f"{words} {name}")
    if done.moved:
        typer.echo(f"{done.moved:,} rows were brought to their months")
    if not (done.made or done.dropped or done.moved):
        typer.echo("there was nothing to do")
