"""How we know that what we need works."""

from collections.abc import Awaitable, Callable

from attrs import frozen


@frozen
class Ping:
    """Asks something we need whether it works. `check` raises when it does not."""

    name: str
    check: Callable[[], Awaitable[object]]
