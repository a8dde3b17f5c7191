"""`iotistic up`: the whole control plane in one process."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from core.errors import Refusal


def up(
    *,
    data: Annotated[Path, typer.Option(help="Folder for the database and the secrets.")] = Path("iotistic-data"),
    host: Annotated[str | None, typer.Option(help="Address to listen on; 0.0.0.0 for every network.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the HTTP API; 0 for any free one.")] = None,
    mqtt_port: Annotated[int | None, typer.Option(help="Port of the MQTT broker; 0 for any free one.")] = None,
    demo: Annotated[int, typer.Option(help="Run this many simulated devices against it.", min=0, max=2000)] = 0,
    credentials: Annotated[
        Path | None, typer.Option(help="Write the addresses and the first credentials to this file, as JSON.")
    ] = None,
) -> None:
    """Start the control plane: HTTP API, MQTT broker, worker and database in this one process.

    The first start makes the account [bold]admin[/bold] and a provisioning key and shows them once. Everything is kept
    in the data folder. Ctrl-C or SIGTERM stops it; what was acknowledged is on disk.
    """
    from entrypoints.cli.serving import Wanted, serve

    environment = dict(os.environ)
    for name, value in (("HOST", host), ("PORT", port), ("MQTT_PORT", mqtt_port)):
        if value is not None:
            environment[name] = str(value)
    try:
        asyncio.run(serve(Wanted(data=data, environment=environment, demo=demo, credentials=credentials)))
    except Refusal as refusal:
        Console(stderr=True).print(f"[bold red]iotistic cannot start:[/] {escape(refusal.message)}")
        raise typer.Exit(1) from refusal
