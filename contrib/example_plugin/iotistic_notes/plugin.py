"""Our answers to the questions of Iotistic. `iotistic plugins` shows all questions, with what each asks."""

from collections.abc import Iterable
from datetime import timedelta
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import typer
from iotistic import (
    AnySetting,
    AnySubscription,
    DeviceRegistered,
    Issuer,
    MigrationFolder,
    PeriodicTask,
    PermissionGrant,
    Ping,
    Role,
    Route,
    Services,
    Subscription,
    hookimpl,
)

from iotistic_notes.commands import group
from iotistic_notes.http import NoteRoutes
from iotistic_notes.service import KEEP, NOTES_READ, NOTES_WRITE, WELCOME, Notes


@lru_cache(maxsize=1)
def _notes(services: Services) -> Notes:
    """One service for all answers to the same application."""
    return Notes(services)


@hookimpl
def permissions() -> Iterable[PermissionGrant]:
    """Everybody reads, operators write."""
    return [
        PermissionGrant(NOTES_READ, Role.VIEWER, "Read the notes on devices"),
        PermissionGrant(NOTES_WRITE, Role.OPERATOR, "Write and remove notes on devices"),
    ]


@hookimpl
def settings() -> Iterable[AnySetting]:
    """What the environment may say."""
    return [WELCOME, KEEP]


@hookimpl
def migrations() -> Iterable[MigrationFolder]:
    """Our table."""
    return [MigrationFolder("notes", Path(str(files("iotistic_notes") / "migrations")))]


@hookimpl
def subscribe(services: Services) -> Iterable[AnySubscription]:
    """New devices get a first note."""
    return [
        Subscription(name="notes.welcome", events=(DeviceRegistered,), reaction=_notes(services).welcome),
    ]


@hookimpl
def periodic(services: Services) -> Iterable[PeriodicTask]:
    """Old notes go."""
    return [PeriodicTask(name="notes.remove_old", every=timedelta(hours=1), run=_notes(services).remove_old)]


@hookimpl
def issuers(services: Services) -> Iterable[Issuer]:
    """New devices are told where their notes are."""
    return [_notes(services)]


@hookimpl
def pings(services: Services) -> Iterable[Ping]:
    """We need our table."""
    return [Ping("notes", _notes(services).ping)]


@hookimpl
def routes(services: Services) -> Iterable[Route]:
    """Notes over HTTP."""
    return NoteRoutes(_notes(services)).routes()


@hookimpl
def commands() -> Iterable[typer.Typer]:
    """`iotistic notes …`."""
    return [group]
