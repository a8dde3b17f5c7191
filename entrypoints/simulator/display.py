"""What a person sees of a fleet: how it goes, and how it went."""

import asyncio
import time

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from entrypoints.simulator.options import Options
from entrypoints.simulator.tally import Phase, Summary, Tally

REFRESH = 0.5
COLOURS = {
    Phase.WAITING: "dim",
    Phase.REGISTERING: "yellow",
    Phase.STARTING: "cyan",
    Phase.MQTT: "green",
    Phase.HTTP: "magenta",
    Phase.STOPPED: "dim",
}


async def watch(console: Console, options: Options, tally: Tally) -> None:
    """Show the progress until cancelled; nothing of it stays on the screen."""
    progress = Progress(
        TextColumn("[bold]{task.fields[words]}"), BarColumn(), TimeElapsedColumn(), console=console, transient=True
    )
    task = progress.add_task("", total=options.duration or None, words=f"{options.devices} devices")
    started, before, rate = time.monotonic(), 0, 0.0
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            live.update(Group(_advanced(progress, task, started), _now(tally, rate)), refresh=True)
            await asyncio.sleep(REFRESH)
            rate, before = (tally.requests - before) / REFRESH, tally.requests


def _advanced(progress: Progress, task: TaskID, started: float) -> Progress:
    progress.update(task, completed=time.monotonic() - started)
    return progress


def _now(tally: Tally, rate: float) -> Table:
    table = Table.grid(padding=(0, 2))
    phases = tally.phases()
    table.add_row(
        *(f"[{colour}]{phase.value}[/] {phases[phase]}" for phase, colour in COLOURS.items() if phases[phase])
    )
    errors = f"[red]{tally.errors} errors[/]" if tally.errors else "no errors"
    table.add_row(f"[bold]{rate:.0f}[/] requests/s", errors)
    return table


def summary_view(summary: Summary) -> Group:
    """How it went: a table by kind of request, and below it the last error of each."""
    reasons = (f"[red]{row.kind}[/]: {escape(row.last_error)}" for row in summary.rows if row.last_error)
    return Group(_summary_table(summary), *reasons)


def _summary_table(summary: Summary) -> Table:
    title = f"{summary.registered} of {summary.devices} devices registered, {summary.seconds:.0f} s"
    table = Table(title=title, caption=f"{summary.requests} requests, {summary.errors} errors")
    table.add_column("request", no_wrap=True)
    for name in ("count", "errors", "p50 ms", "p95 ms", "p99 ms", "max ms"):
        table.add_column(name, justify="right")
    for row in summary.rows:
        errors = f"[red]{row.errors}[/]" if row.errors else "0"
        times = (f"{value:.1f}" if row.count else "" for value in (row.p50, row.p95, row.p99, row.max))
        table.add_row(row.kind, str(row.count), errors, *times)
    return table
