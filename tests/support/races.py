"""Units of change that are all under way before any of them goes on."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from attrs import define

from adapters.sql.postgres import PostgresTransactions
from adapters.sql.postgres_unit import PostgresTransaction
from core.errors import Refusal

SECONDS = 20


@define
class Together:
    """Real transactions on PostgreSQL, each on a connection of its own, as those of several processes are."""

    real: PostgresTransactions
    _gate: asyncio.Barrier | None = None
    _awaited: int = 0

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[PostgresTransaction]:
        """As the real one; those of `outcomes` wait for each other first."""
        async with self.real.begin() as tx:
            if self._gate is not None and self._awaited:
                self._awaited -= 1
                await self._gate.wait()
            yield tx

    def read(self) -> AbstractAsyncContextManager[PostgresTransaction]:
        """As the real one."""
        return self.real.read()

    async def outcomes(self, *calls: Coroutine[Any, Any, Any]) -> list[Any]:
        """What came of each call, a value or a refusal. The first unit of each begins before any of them goes on."""
        self._gate, self._awaited = asyncio.Barrier(len(calls)), len(calls)
        return await self.outcomes_of_many(calls)

    async def outcomes_of_many(self, calls: Iterable[Coroutine[Any, Any, Any]]) -> list[Any]:
        """The same for more than there are connections, so that some have to wait for others."""
        async with asyncio.timeout(SECONDS):
            outcomes = await asyncio.gather(*calls, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(outcome, Refusal):
                raise outcome
        return outcomes


def refused(outcomes: list[Any]) -> list[type[Refusal]]:
    """Which refusals there were, by name."""
    return sorted(
        {type(outcome) for outcome in outcomes if isinstance(outcome, Refusal)}, key=lambda each: each.__name__
    )


def done(outcomes: list[Any]) -> int:
    """How many were not refused."""
    return sum(not isinstance(outcome, Refusal) for outcome in outcomes)
