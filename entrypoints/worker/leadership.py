"""One leader among the workers: whoever holds the lock does what only one may do."""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from core.errors import Unavailable
from core.locks import Hold, Locks

log = logging.getLogger(__name__)

LEADER = "leader"
TRY_EVERY = 5.0
# Whoever led before us, and lost the lock with its connection, is given a moment to notice.
BEFORE_TERM = 1.0

Term = Callable[[], AbstractAsyncContextManager[None]]


class Leadership:
    """Tries to lead, again and again. While it leads, what `term` opens is open."""

    def __init__(
        self,
        locks: Locks,
        term: Term,
        *,
        try_every: float = TRY_EVERY,
        before_term: float = BEFORE_TERM,
        name: str = LEADER,
    ) -> None:
        self._locks = locks
        self._term = term
        self._try_every = try_every
        self._before_term = before_term
        self._name = name
        self._task: asyncio.Task[None] | None = None
        self.leads = False
        self.terms = 0

    def start(self) -> None:
        """Begin to try."""
        self._task = asyncio.create_task(self._run(), name="leadership")

    async def stop(self) -> None:
        """Lead no longer, and let another."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        while True:
            try:
                async with self._locks.try_hold(self._name) as hold:
                    if hold is not None:
                        await self._lead(hold)
            except Unavailable as refusal:
                log.warning("nobody can tell who leads: %s", refusal.message)
            except Exception:
                log.exception("the term of the leader ended by a bug")
            # Not all at the same moment.
            await asyncio.sleep(self._try_every * random.uniform(0.5, 1.0))  # noqa: S311 - no secret

    async def _lead(self, hold: Hold) -> None:
        try:
            async with asyncio.timeout(self._before_term):
                await hold.lost()
        except TimeoutError:
            await self._serve_a_term(hold)

    async def _serve_a_term(self, hold: Hold) -> None:
        log.info("this process leads")
        self.leads, self.terms = True, self.terms + 1
        try:
            async with self._term():
                await hold.lost()
        finally:
            self.leads = False
            log.info("this process leads no longer")
