"""A plugin that answers every question with the least there is, and remembers that it was asked."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import typer
from aiohttp import web
from attrs import frozen

from iotistic import (
    Announced,
    AnySetting,
    AnySubscription,
    Device,
    DeviceRegistered,
    Issuer,
    MigrationFolder,
    PeriodicTask,
    Permission,
    PermissionGrant,
    Ping,
    Role,
    Route,
    Services,
    Setting,
    Subscription,
    Transaction,
    hookimpl,
    integer,
    json,
    user_with,
)

TINY_READ = Permission("tiny:read")
SIZE = Setting(name="TINY_SIZE", read=integer(1, 9), default=3, summary="How tiny it is")


@frozen
class Memory:
    """What happened to the plugin in a test."""

    heard: list[DeviceRegistered]
    ran: asyncio.Event
    broken: set[str]


memory = Memory([], asyncio.Event(), set())


def forget() -> None:
    """Begin anew."""
    memory.heard.clear()
    memory.broken.clear()
    memory.ran.clear()


@hookimpl
def permissions() -> Iterable[PermissionGrant]:
    """Operators see how tiny it is."""
    return [PermissionGrant(TINY_READ, Role.OPERATOR, "See how tiny it is")]


@hookimpl
def settings() -> Iterable[AnySetting]:
    """One."""
    return [SIZE]


@hookimpl
def migrations() -> Iterable[MigrationFolder]:
    """One table."""
    return [MigrationFolder("tiny", Path(__file__).parent / "migrations")]


@hookimpl
def subscribe(services: Services) -> Iterable[AnySubscription]:
    """Remember who registered."""

    async def remember(announced: Announced[DeviceRegistered]) -> None:
        memory.heard.append(announced.event)

    return [Subscription(name="tiny.remember", events=(DeviceRegistered,), reaction=remember)]


@hookimpl
def periodic(services: Services) -> Iterable[PeriodicTask]:
    """Say that it ran."""

    async def run() -> None:
        memory.ran.set()

    return [PeriodicTask(name="tiny.run", every=timedelta(milliseconds=20), run=run)]


class Gift:
    """What a new device gets."""

    async def issue(self, _tx: Transaction, device: Device) -> Mapping[str, Any]:
        """Its own name, backwards."""
        return {"tiny": device.name[::-1]}


@hookimpl
def issuers(services: Services) -> Iterable[Issuer]:
    """A gift."""
    return [Gift()]


@hookimpl
def pings(services: Services) -> Iterable[Ping]:
    """Works unless the test broke it."""

    async def check() -> None:
        if "ping" in memory.broken:
            raise ConnectionError("tiny is broken")

    return [Ping("tiny", check)]


@hookimpl
def routes(services: Services) -> Iterable[Route]:
    """How tiny it is."""

    async def size(_request: web.Request) -> web.Response:
        return json({"size": services.settings[SIZE]})

    return [Route(method="GET", path="/tiny", handler=size, allow=user_with(TINY_READ), summary="How tiny it is")]


@hookimpl
def commands() -> Iterable[typer.Typer]:
    """`iotistic tiny size`."""
    group = typer.Typer(name="tiny", no_args_is_help=True)

    @group.callback()
    def about() -> None:
        """Tiny things."""

    @group.command()
    def size() -> None:
        """Say how tiny it is."""
        typer.echo("very tiny")

    return [group]
