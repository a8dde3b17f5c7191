"""The question the command line asks every plugin."""

from collections.abc import Iterable

import pluggy
import typer

hookspec = pluggy.HookspecMarker("iotistic")


@hookspec
def commands() -> Iterable[typer.Typer]:  # type: ignore[empty-body]
    """Which commands do you add to `iotistic`?

    Each named Typer becomes a group of commands of that name. Asked whenever the command line starts: be quick.
    """
