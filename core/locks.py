"""Who may do what only one process may do at a time."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol


class Hold(Protocol):
    """A lock that is held."""

    async def lost(self) -> None:
        """Returns when the lock is not ours any more, though nobody gave it back: the database went away."""


class Locks(Protocol):
    """Locks that end with the process which holds them, however that ends. tests/contracts/locks.py says how."""

    def try_hold(self, name: str) -> AbstractAsyncContextManager[Hold | None]:
        """Hold the lock of this name within the block; None is what the block gets when somebody else holds it.

        Never waits for the other. Raises Unavailable when nobody can tell who holds it.
        """
