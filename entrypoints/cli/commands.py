"""Our own commands: an answer to the same question that plugins are asked."""

from collections.abc import Iterable

import typer

from core.hookspecs import hookimpl
from entrypoints.cli.inspection import plugins, settings
from entrypoints.cli.up import up
from entrypoints.simulator.command import simulate


@hookimpl
def commands() -> Iterable[typer.Typer]:
    """Commands of no group: they stand right behind `iotistic`."""
    ours = typer.Typer()
    for command in (up, simulate, plugins, settings):
        ours.command()(command)
    return [ours]
