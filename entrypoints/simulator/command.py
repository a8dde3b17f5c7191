"""`iotistic simulate`."""

import asyncio
import json
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from entrypoints.simulator.options import Form, Options

if TYPE_CHECKING:
    from entrypoints.simulator.tally import Summary

FILES_FOR_EACH = 2
FILES_BESIDE = 200


Devices = Annotated[int, typer.Option("--devices", "-n", help="How many devices.", min=1)]
Url = Annotated[str, typer.Option(help="The server's address, with or without /api.")]
Key = Annotated[
    str, typer.Option(help="The provisioning key they register with.", envvar="PROVISIONING_KEY", show_default=False)
]
Duration = Annotated[float, typer.Option(help="Seconds to run; 0: until Ctrl-C.", min=0)]
Interval = Annotated[
    float, typer.Option(help="Seconds between two polls and between two reports of a device.", min=0.01)
]
MetricsInterval = Annotated[
    float, typer.Option(help="Seconds between two reports with metrics; 0: every report.", min=0)
]
V2 = Annotated[bool, typer.Option("--v2", help="Register by provisioning v2, sealed, and use its topics.")]
Reports = Annotated[bool, typer.Option(help="Report the state.")]
Logs = Annotated[float, typer.Option(help="Log lines of a device a minute; 0: none.", min=0)]
Readings = Annotated[float, typer.Option(help="Sensor readings of a device a minute; 0: none.", min=0)]
FormOption = Annotated[Form, typer.Option(help="How sensor messages are written.")]
Ramp = Annotated[float, typer.Option(help="Devices started a second; 0: all at once.", min=0)]
TimeScale = Annotated[
    float, typer.Option(help="Multiplies the agent's own waits: back-off, reconnection, job polling.", min=0.001)
]
Seed = Annotated[int | None, typer.Option(help="The same seed gives the same devices and values.")]
StateDir = Annotated[
    Path | None, typer.Option(help="Keep the devices here: the next run restarts them, nobody registers again.")
]
LedgerFile = Annotated[
    Path | None, typer.Option(help="Append a JSON line for each item the server acknowledged to this file.")
]
SummaryFile = Annotated[Path | None, typer.Option("--json", help="Write the final figures to this file.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show nothing.")]


def simulate(
    *,
    devices: Devices = 5,
    url: Url = "http://127.0.0.1:3002",
    key: Key,
    duration: Duration = 60,
    interval: Interval = 60,
    metrics_interval: MetricsInterval = 0,
    v2: V2 = False,
    reports: Reports = True,
    logs: Logs = 6,
    readings: Readings = 60,
    form: FormOption = Form.MULTI,
    ramp: Ramp = 50,
    time_scale: TimeScale = 1,
    seed: Seed = None,
    state_dir: StateDir = None,
    ledger: LedgerFile = None,
    summary: SummaryFile = None,
    quiet: Quiet = False,
) -> None:
    """Run a fleet of simulated devices against a server.

    They do all that a server sees of the real agent: register, exchange keys, connect to the broker, poll the target
    state and apply it, report, log, measure, do jobs; over HTTP while the broker is away, and later what failed. Ends
    with a table of requests, errors and latencies.

    Try it: start [bold]iotistic up[/] in one terminal, and with the provisioning key that it shows

        PROVISIONING_KEY=… iotistic simulate --devices 20 --interval 5
    """
    options = Options(
        url=url,
        key=key,
        devices=devices,
        duration=duration,
        interval=interval,
        metrics_interval=metrics_interval,
        v2=v2,
        reports=reports,
        logs_per_minute=logs,
        readings_per_minute=readings,
        form=form,
        ramp=ramp,
        time_scale=time_scale,
        seed=seed,
        state_dir=state_dir,
        ledger=ledger,
    )
    _finish(asyncio.run(run(options, quiet=quiet)), summary)


def _finish(went: "Summary", file: Path | None) -> None:
    if file is not None:
        file.write_text(json.dumps(went.as_json(), indent=2) + "\n", encoding="utf-8")
    if went.registered == 0:
        raise typer.Exit(1)


async def run(options: Options, *, quiet: bool) -> "Summary":
    """Run a fleet until its duration is over, or SIGINT or SIGTERM; show how it goes and how it went."""
    from rich.console import Console

    from entrypoints.simulator.display import summary_view, watch
    from entrypoints.simulator.fleet import Fleet

    allow_files(FILES_FOR_EACH * options.devices + FILES_BESIDE)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    fleet = Fleet(options)
    if quiet:
        return await fleet.run(stop)
    console = Console()
    watching = asyncio.create_task(watch(console, options, fleet.tally))
    try:
        went = await fleet.run(stop)
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
    console.print(summary_view(went))
    return went


def allow_files(wanted: int) -> None:
    """Raise the number of files and sockets this process may open, as far as it may raise it."""
    try:
        import resource
    except ImportError:  # not on this operating system, where there is no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and allowed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
