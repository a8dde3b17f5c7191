"""bcrypt in a thread. Implements `core.access.PasswordHasher`."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import bcrypt

from core.access import LONGEST_PASSWORD
from core.errors import Unavailable

T = TypeVar("T")

THREADS = 2
MOST_WAITING = 64


class BcryptPasswords:
    """Two threads, so that a flood of logins leaves the machine to others; a short queue, so that it ends soon."""

    def __init__(self, cost: int = 12) -> None:
        self._cost = cost
        # Well-formed, and the hash of no password anybody knows: checking against it costs what checking costs.
        self._nobody = f"$2b${cost:02d}${'.' * 53}"
        self._threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="passwords")
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """A new verifier, with a salt of its own."""
        verifier = await self._slowly(lambda: bcrypt.hashpw(password.encode(), bcrypt.gensalt(self._cost)))
        return verifier.decode()

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether it is the right one; None takes as long and is False."""
        given = password.encode("utf-8", "surrogatepass")
        verifier = (password_hash or self._nobody).encode()
        right = await self._slowly(lambda: bcrypt.checkpw(given[:LONGEST_PASSWORD], verifier))
        return right and password_hash is not None and len(given) <= LONGEST_PASSWORD

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _slowly(self, work: Callable[[], T]) -> T:
        if self._waiting >= MOST_WAITING:
            raise Unavailable("too many logins at once", retry_after=2.0)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1
