"""`iotistic notes …`."""

import json
import os
from typing import Annotated
from urllib.request import Request, urlopen

import typer

group = typer.Typer(name="notes", help="Notes on devices.", no_args_is_help=True)


@group.callback()
def notes() -> None:
    """Notes on devices."""


@group.command("list")
def list_notes(
    uuid: Annotated[str, typer.Argument(help="The device.")],
    url: Annotated[str, typer.Option(help="The control plane.")] = "http://127.0.0.1:3002",
) -> None:
    """Print the notes on a device. The environment variable IOTISTIC_TOKEN holds your access token."""
    request = Request(  # noqa: S310 - the one who calls says which address to ask
        f"{url.rstrip('/')}/api/v1/devices/{uuid}/notes",
        headers={"Authorization": f"Bearer {os.environ.get('IOTISTIC_TOKEN', '')}"},
    )
    with urlopen(request, timeout=10) as response:  # noqa: S310 - see above
        for note in json.load(response)["notes"]:
            typer.echo(f"{note['writtenAt']}  {note['writtenBy']}: {note['text']}")
