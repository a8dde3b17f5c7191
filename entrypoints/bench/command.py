"""`iotistic bench`."""

import asyncio
import os
import platform
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

# Of the table, where the output goes into a file.
WIDTH = 160


class Profile(StrEnum):
    """How the installation under test is made up."""

    EDGE = "edge"


def bench(
    *,
    profile: Annotated[Profile, typer.Option(help="What is measured: one process on SQLite.")] = Profile.EDGE,
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file too, as JSON.")] = None,
    seconds: Annotated[float, typer.Option(help="How long each path is measured.", min=0.5, max=60)] = 4.0,
    storm: Annotated[bool, typer.Option(help="Let 2,000 devices come back at once as well (a minute).")] = True,
) -> None:
    """Measure how fast this installation is, on this machine, in one run.

    Every figure stands beside that of an empty aiohttp handler, measured minutes before: quote the ratios, not the
    rates. CPU is what the server's process spent. The load comes from this process, so let at least two cores be idle.
    Takes a few minutes and needs Linux.
    """
    terminal = Console()
    console = terminal if terminal.is_terminal else Console(width=WIDTH)
    console.print(f"[dim]{profile.value} profile on {machine()}[/]", highlight=False)
    asyncio.run(_run(console, json, seconds, storm=storm))


async def _run(console: Console, json: Path | None, seconds: float, *, storm: bool) -> None:
    from entrypoints.bench.edge import EdgeBench
    from entrypoints.bench.figures import table_of
    from entrypoints.bench.storm import storm as reconnect_storm

    with tempfile.TemporaryDirectory(prefix="iotistic-bench-") as folder, console.status("starting") as status:
        run = EdgeBench(folder=Path(folder), seconds=seconds, tell=status.update)
        await run.run()
        if storm:
            run.quantities += await reconnect_storm(Path(folder), status.update)
    console.print(table_of(run.figures, run.quantities))
    if json is not None:
        found: dict[str, Any] = {
            "machine": machine(),
            "figures": [figure.as_json() for figure in run.figures],
            "quantities": [quantity.as_json() for quantity in run.quantities],
        }
        await asyncio.to_thread(json.write_bytes, msgspec.json.format(msgspec.json.encode(found)))


def machine() -> str:
    """Where the figures were taken."""
    model = platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    return f"{os.cpu_count()} × {model}, {platform.system()}, Python {platform.python_version()}"
