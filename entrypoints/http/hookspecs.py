"""The question HTTP asks every plugin."""

from collections.abc import Iterable

import pluggy

from core.services import Services
from entrypoints.http.routing import Route

hookspec = pluggy.HookspecMarker("iotistic")


@hookspec
def routes(services: Services) -> Iterable[Route]:  # type: ignore[empty-body]
    """Which routes do you serve, and whom does each let pass?

    Asked once, while the application is put together. A path that is given twice stops the start, by name. Nothing is
    reachable that does not say whom it allows.
    """
