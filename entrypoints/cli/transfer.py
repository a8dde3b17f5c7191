"""`iotistic transfer`: from SQLite to PostgreSQL and back, with the proof that both hold the same."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from entrypoints.cli.refusals import told

if TYPE_CHECKING:
    from adapters.sql.transfer import Told
    from entrypoints.cli.transferring import Outcome

DIFFERENT = 2


def transfer(
    source: Annotated[str, typer.Option("--from", help="Such as sqlite:////var/lib/iotistic/iotistic.db")],
    target: Annotated[str, typer.Option("--to", help="Such as postgresql+psycopg://iotistic:…@db/iotistic")],
    *,
    verify_only: Annotated[bool, typer.Option("--verify-only", help="Move nothing, compare only.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    batch: Annotated[int, typer.Option(min=1, help="The most rows that are moved in one transaction.")] = 10_000,
) -> None:
    """Move everything from SQLite to PostgreSQL or back, and prove that both hold the same.

    Stop everything that runs on either side first. The source is only read. The target must be empty; its tables are
    made. Interrupted at any time, run the same command again: it goes on where it was.

    Leaves with 0 when both sides are equal, 1 when it refused, 2 when they differ.
    """
    from entrypoints.cli.transferring import transferred

    with told("transfer"), _shown() as hears:
        outcome = transferred(source, target, hears, verify_only=verify_only, batch=batch)
    if as_json:
        sys.stdout.write(outcome.as_json() + "\n")
    else:
        _print(outcome)
    if not outcome.equal:
        raise typer.Exit(DIFFERENT)


@contextmanager
def _shown() -> Iterator["Told"]:
    """A bar for each table on a terminal, a line for each table elsewhere; stdout is for the report."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _line
        return
    speed = TextColumn("{task.speed:,.0f} rows/s", justify="right")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), speed, TimeRemainingColumn())
    with Progress(*columns, console=console) as bars:
        tasks: dict[tuple[str, str], TaskID] = {}

        def hear(doing: str, table: str, done: int, total: int) -> None:
            one = (doing, table)
            if one not in tasks:
                tasks[one] = bars.add_task(f"{doing} {table}", total=total)
            bars.update(tasks[one], completed=done, total=total)

        yield hear


def _line(doing: str, table: str, done: int, total: int) -> None:
    if done == total:
        sys.stderr.write(f"{doing} {table}: {done:,} rows\n")


def _print(outcome: "Outcome") -> None:
    say: Any = Console(highlight=False, soft_wrap=True, markup=False).print
    for each in outcome.tables:
        if not each.equal:
            say(
                f"{each.table} differs: {each.source.rows:,} rows {each.source.word} in the source,"
                f" {each.target.rows:,} rows {each.target.word} in the target"
            )
    for note in outcome.notes:
        say(note)
    rows = sum(each.source.rows for each in outcome.tables)
    if outcome.equal:
        say(f"equal: {len(outcome.tables)} tables, {rows:,} rows, by count and checksum")
