"""`iotistic`: the command line. `iotistic --help` teaches."""

import typer
from rich.console import Console
from rich.markup import escape

from core.errors import Refusal
from entrypoints.cli import commands
from entrypoints.wiring import features
from entrypoints.wiring.plugins import answers, plugin_manager


def command_line() -> typer.Typer:
    """All commands, ours and those of plugins. Unavailable when a plugin cannot be loaded, by name."""
    app = typer.Typer(
        name="iotistic",
        help="The control plane for fleets of IoT devices. Start with: [bold]iotistic up --demo 5[/bold]",
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
    )
    for group in answers(plugin_manager([features, commands]).hook.commands):
        app.add_typer(group)
    return app


def main() -> None:
    """The console script."""
    try:
        app = command_line()
    except Refusal as refusal:
        Console(stderr=True).print(f"[bold red]iotistic cannot start:[/] {escape(refusal.message)}")
        raise SystemExit(1) from refusal
    app()
