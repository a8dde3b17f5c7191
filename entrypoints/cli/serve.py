"""`iotistic serve`: HTTP, in as many processes as are wanted."""

import os
from pathlib import Path
from typing import Annotated

import typer


def serve(
    *,
    workers: Annotated[int, typer.Option(help="How many processes share the port; 0: one for each CPU.", min=0)] = 1,
    host: Annotated[str | None, typer.Option(help="Address to listen on; 0.0.0.0 for every network.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the HTTP API; 0 for any free one.")] = None,
    credentials: Annotated[
        Path | None, typer.Option(help="Write the address and the first credentials to this file, as JSON.")
    ] = None,
    only_prepare: Annotated[
        bool, typer.Option("--only-prepare", help="Bring the tables up to date, make the first account, and leave.")
    ] = False,
    supervised: Annotated[bool, typer.Option("--supervised", hidden=True)] = False,
) -> None:
    """Serve the HTTP API of a control plane that has several processes.

    Needs [bold]DATABASE_URL[/bold] (PostgreSQL), [bold]JWT_SECRET[/bold] and [bold]MQTT_URL[/bold]; beside it run
    [bold]iotistic listen[/bold] and [bold]iotistic work[/bold], any number of each. Any of them may be killed at any
    time. With several workers, one that dies is started again. For everything in one process: [bold]iotistic up[/bold].
    """
    from entrypoints.cli.processes import environment_with, run_until_stopped
    from entrypoints.cli.serving_scaled import Serving, supervise

    environment = environment_with(HOST=host, PORT=port)
    wanted = workers or os.cpu_count() or 1
    if wanted == 1 or supervised or only_prepare:
        serving = Serving(environment, credentials=credentials, supervised=supervised, only_prepare=only_prepare)
        run_until_stopped(serving.run, environment, role="serve", supervised=supervised)
    else:
        run_until_stopped(supervise(environment, wanted, credentials), environment, role="supervisor")
