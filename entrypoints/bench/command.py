"""`iotistic bench`."""

import asyncio
import os
import platform
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.markup import escape

from core.errors import Refusal

if TYPE_CHECKING:
    from entrypoints.bench.meter import Meter

# Of the table, where the output goes into a file.
WIDTH = 200


class Profile(StrEnum):
    """How the installation under test is made up."""

    EDGE = "edge"
    SCALED = "scaled"


def bench(
    *,
    profile: Annotated[
        Profile, typer.Option(help="edge: one process on SQLite. scaled: several on PostgreSQL and Mosquitto.")
    ] = Profile.EDGE,
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file too, as JSON.")] = None,
    seconds: Annotated[float, typer.Option(help="How long each path is measured.", min=0.5, max=60)] = 4.0,
    database_url: Annotated[
        str, typer.Option(envvar="DATABASE_URL", help="An empty database for the scaled profile; else one is made.")
    ] = "",
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
    try:
        asyncio.run(_run(console, profile, json, seconds, storm=storm, database_url=database_url))
    except Refusal as refusal:
        Console(stderr=True).print(f"[bold red]cannot measure:[/] {escape(refusal.message)}")
        raise typer.Exit(1) from refusal


async def _run(
    console: Console, profile: Profile, json: Path | None, seconds: float, *, storm: bool, database_url: str
) -> None:
    from entrypoints.bench.figures import table_of
    from entrypoints.bench.meter import Meter

    with tempfile.TemporaryDirectory(prefix="iotistic-bench-") as folder, console.status("starting") as status:
        meter = Meter(seconds=seconds, tell=status.update)
        if profile is Profile.SCALED:
            await _scaled(Path(folder), meter, database_url)
        else:
            await _edge(Path(folder), meter, storm=storm)
    console.print(table_of(meter.figures, meter.quantities))
    if json is not None:
        found: dict[str, Any] = {
            "machine": machine(),
            "profile": profile.value,
            "figures": [figure.as_json() for figure in meter.figures],
            "quantities": [quantity.as_json() for quantity in meter.quantities],
        }
        await asyncio.to_thread(json.write_bytes, msgspec.json.format(msgspec.json.encode(found)))


async def _edge(folder: Path, meter: "Meter", *, storm: bool) -> None:
    from entrypoints.bench.edge import EdgeBench
    from entrypoints.bench.storm import storm as reconnect_storm

    await EdgeBench(folder=folder, meter=meter).run()
    if storm:
        meter.quantities += await reconnect_storm(folder, meter.tell)


async def _scaled(folder: Path, meter: "Meter", database_url: str) -> None:
    from entrypoints.bench.cluster import cluster
    from entrypoints.bench.scaled import ScaledBench

    # The server of PostgreSQL that comes with us runs as somebody else, who has to get in.
    await asyncio.to_thread(folder.chmod, 0o711)
    async with cluster(folder, database_url) as servers:
        await ScaledBench(servers, meter).run()


def machine() -> str:
    """Where the figures were taken."""
    model = platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    return f"{os.cpu_count()} × {model}, {platform.system()}, Python {platform.python_version()}"
