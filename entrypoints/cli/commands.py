"""Our own commands: an answer to the same question that plugins are asked."""

from collections.abc import Iterable

import typer

from core.hookspecs import hookimpl
from entrypoints.bench.command import bench
from entrypoints.cli.backup import backup, restore
from entrypoints.cli.doctor import doctor
from entrypoints.cli.inspection import plugins, settings
from entrypoints.cli.listen import listen
from entrypoints.cli.migrate import migrate
from entrypoints.cli.partitions import partitions
from entrypoints.cli.passwords import reset_password
from entrypoints.cli.serve import serve
from entrypoints.cli.transfer import transfer
from entrypoints.cli.up import up
from entrypoints.cli.work import work
from entrypoints.simulator.command import simulate


@hookimpl
def commands() -> Iterable[typer.Typer]:
    """Commands of no group stand right behind `iotistic`; then those of groups."""
    ours = typer.Typer()
    running, looking = (up, serve, listen, work), (simulate, bench, doctor)
    keeping = (backup, restore, transfer, reset_password)
    for command in (*running, *looking, *keeping, plugins, settings):
        ours.command()(command)
    return [ours, migrate, partitions]
