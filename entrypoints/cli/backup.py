"""`iotistic backup` and `iotistic restore`: the whole data folder as one file, and back."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.console import Console
from rich.progress import Progress

from core.errors import Unavailable
from entrypoints.cli.refusals import told

STANDARD = "-"
DATA = Path("iotistic-data")


def backup(
    file: Annotated[str, typer.Argument(help="Where to: a file such as /media/stick/gateway.tar.gz, or - for stdout.")],
    *,
    data: Annotated[Path, typer.Option(help="The data folder to save.")] = DATA,
) -> None:
    """Save the whole data folder in one file: the database, the secrets and the keys.

    It may run while the control plane does, and holds everything that was acknowledged before it began. The database
    is copied before it is packed, beside FILE (with - into the temporary folder, see TMPDIR): there must be room for
    it. Simulated devices of --demo are left out.

    [bold]Keep the file safe:[/bold] the secrets are in it. Only you can read it (mode 0600).
    """
    from entrypoints.cli.saving import save, save_as

    with told("backup"), _shown("saving") as progress:
        saved = save(data, sys.stdout.buffer, progress) if file == STANDARD else save_as(data, Path(file), progress)
    _say(f"saved {data}: {len(saved.files)} files, {saved.size:,} bytes before packing")


def restore(
    file: Annotated[str, typer.Argument(help="What `iotistic backup` wrote, or - for stdin.")],
    *,
    data: Annotated[Path, typer.Option(help="The data folder to make; empty, or not there yet.")] = DATA,
    force: Annotated[
        bool, typer.Option("--force", help="Restore even if the folder is not empty; what is there is moved aside.")
    ] = False,
) -> None:
    """Bring the data folder back from a backup.

    Everything is unpacked beside it and checked before anything changes: each file's checksum, the database, and that
    this version of iotistic knows its tables. Then start [bold]iotistic up --data DIR[/bold]: devices and people go on
    with the credentials they have.
    """
    from entrypoints.cli.saving import bring_back
    from entrypoints.wiring import features
    from entrypoints.wiring.plugins import answers, plugin_manager

    with told("restore"), _opened(file) as stream, _shown("restoring") as progress:
        migrations = answers(plugin_manager([features]).hook.migrations)
        restored = bring_back(stream, data, migrations, progress, force=force)
    _say(f"restored {data} as it was at {restored.manifest.made_at}; start it: iotistic up --data {data}")
    if restored.aside is not None:
        _say(f"what was there before is now {restored.aside}")


@contextmanager
def _shown(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on the terminal; stdout may be the backup itself."""
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == STANDARD:
        yield sys.stdin.buffer
        return
    try:
        stream = Path(file).open("rb")  # noqa: SIM115 - closed below; opening alone is what may be refused
    except OSError as error:
        raise Unavailable(f"{file} cannot be read: {error.strerror}") from error
    with stream:
        yield stream


def _say(words: str) -> None:
    Console(stderr=True).print(words, highlight=False, soft_wrap=True, markup=False)
