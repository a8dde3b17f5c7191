"""`iotistic`: the command line. `iotistic --help` teaches."""

import typer

from entrypoints.cli.inspection import plugins, settings
from entrypoints.cli.up import up
from entrypoints.simulator.command import simulate

app = typer.Typer(
    name="iotistic",
    help="The control plane for fleets of IoT devices. Start with: [bold]iotistic up --demo 5[/bold]",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
app.command()(up)
app.command()(simulate)
app.command()(plugins)
app.command()(settings)


def main() -> None:
    """The console script."""
    app()
