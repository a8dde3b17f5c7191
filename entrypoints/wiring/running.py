"""The control plane while it runs, as whoever started it sees it."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pluggy
from attrs import frozen

from core.services import Services
from entrypoints.http.routing import Route


@frozen(kw_only=True)
class Running:
    """The control plane while it runs. The addresses are those that devices and people are told."""

    services: Services
    plugins: pluggy.PluginManager
    routes: Sequence[Route]
    url: str
    mqtt_url: str


@frozen(kw_only=True)
class Standalone(Running):
    """All of it in this process; `data` is the folder of the database and the secrets."""

    data: Path


Preparation = Callable[[Standalone], Awaitable[None]]


async def nothing(_running: Standalone) -> None:
    """Nothing is to be done before we serve."""
