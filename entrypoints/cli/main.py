"""`iotistic`: the command line. `iotistic --help` teaches."""

import typer

from entrypoints.cli.up import up

app = typer.Typer(
    name="iotistic",
    help="The control plane for fleets of IoT devices. Start with: iotistic up",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.command()(up)


@app.callback()
def _callback() -> None:
    """The control plane for fleets of IoT devices. Start with: iotistic up"""


def main() -> None:
    """The console script."""
    app()
