"""The pool of connections to PostgreSQL, counted: who waits for one, how long, and who gets none."""

from time import perf_counter
from typing import Any

from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import AsyncAdaptedQueuePool, PoolProxiedConnection

from core.durations import Durations
from core.pools import PoolStatistics


class CountedPool(AsyncAdaptedQueuePool):
    """A pool that knows how long its users wait, the time to connect included."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._waiting = Durations()
        self._refusals = 0

    def connect(self) -> PoolProxiedConnection:
        """A connection, as soon as there is one."""
        began = perf_counter()
        try:
            return super().connect()
        except PoolTimeout:
            self._refusals += 1
            raise
        finally:
            self._waiting.add(perf_counter() - began)

    def statistics(self) -> PoolStatistics:
        """How it is doing."""
        in_use = self.checkedout()
        return PoolStatistics(
            most=self.size(),
            open=in_use + self.checkedin(),
            in_use=in_use,
            waiting=self._waiting,
            refusals=self._refusals,
        )
