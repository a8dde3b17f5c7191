"""Group commit: units that end at about the same time are written in one transaction."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from time import perf_counter

import psycopg
from attrs import define
from psycopg import AsyncConnection
from sqlalchemy.exc import DBAPIError

from adapters.sql.postgres_connections import Line
from adapters.sql.postgres_trouble import unavailable, wrapped
from adapters.sql.postgres_work import Work, write
from core.durations import Durations
from core.errors import Conflict

log = logging.getLogger(__name__)

# A group begins so long after the one before at the earliest, so that there is somebody to share it.
GATHER_SECONDS = 0.01
# From so many on nobody waits for more, and more do not fit.
FULL = 100
# When the one that is being written takes longer than this, those who wait are written beside it.
SLOW_SECONDS = 0.05


@define(eq=False)
class _Unit:
    work: Work
    committed: "asyncio.Future[None]"

    def fail(self, error: Exception) -> None:
        """Tell whoever still waits."""
        if not self.committed.done():
            self.committed.set_exception(error)

    def succeed(self) -> None:
        """Tell whoever still waits."""
        if not self.committed.done():
            self.committed.set_result(None)


class Groups:
    """Takes what units leave to be written, and says when it is on disk.

    A group that fails is written again, unit by unit, by `alone`: so only who is to blame fails.
    """

    def __init__(self, lines: Sequence[Line], alone: Callable[[Work], Awaitable[None]]) -> None:
        self._idle = list(lines)
        self._alone = alone
        self._waiting: list[_Unit] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._writing = 0
        self._began = 0.0
        self._full = asyncio.Event()
        self.committing = Durations()
        self.committed_units = 0
        self.failed_commits = 0

    async def write(self, work: Work) -> None:
        """Returns when the work is on disk. Conflict, Unavailable, or SQLAlchemy's errors; then none of it is."""
        unit = _Unit(work, asyncio.get_running_loop().create_future())
        self._waiting.append(unit)
        if len(self._waiting) >= FULL:
            self._full.set()
        if not self._writing:
            self._start()
        elif len(self._waiting) == 1:
            asyncio.get_running_loop().call_later(SLOW_SECONDS, self._start_beside, unit)
        await unit.committed

    async def close(self) -> None:
        """Let what is under way end."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _start(self) -> None:
        self._writing += 1
        task = asyncio.create_task(self._run(self._idle.pop()))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _start_beside(self, oldest: _Unit) -> None:
        if self._idle and oldest in self._waiting:
            self._start()

    async def _run(self, line: Line) -> None:
        try:
            while self._waiting:
                await self._gather()
                group, self._waiting = self._waiting[:FULL], self._waiting[FULL:]
                if len(self._waiting) < FULL:
                    self._full.clear()
                await self._commit(line, group)
        finally:
            self._writing -= 1
            self._idle.append(line)

    async def _gather(self) -> None:
        loop = asyncio.get_running_loop()
        # Those who are about to end come along in any case.
        await asyncio.sleep(0)
        pause = self._began + GATHER_SECONDS - loop.time()
        if pause > 0 and not self._full.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._full.wait()
        self._began = loop.time()

    async def _commit(self, line: Line, group: list[_Unit]) -> None:
        """Write the group; whatever happens, everybody is told."""
        began = perf_counter()
        try:
            async with line.open() as connection:
                committed, apart = await _written(connection, group)
        except Exception as error:  # noqa: BLE001 - it is told to the units
            cause = wrapped(error) if isinstance(error, psycopg.Error) else error
            failure = unavailable(cause) if isinstance(cause, DBAPIError) else cause
            self.failed_commits += 1
            for unit in group:
                unit.fail(failure)
            return
        self.committing.add(perf_counter() - began)
        self.committed_units += len(committed)
        self.failed_commits += bool(apart)
        await asyncio.gather(*(self._write_alone(unit) for unit in apart))

    async def _write_alone(self, unit: _Unit) -> None:
        try:
            await self._alone(unit.work)
        except Exception as error:  # noqa: BLE001 - it is told to the unit
            unit.fail(error)
        else:
            self.committed_units += 1
            unit.succeed()


async def _written(connection: AsyncConnection, group: list[_Unit]) -> tuple[list[_Unit], list[_Unit]]:
    """Write the group; those that were committed, and those to be tried one by one, because of one of them."""
    try:
        while losers := await write(connection, [unit.work for unit in group]):
            await connection.rollback()
            for unit in group:
                if unit.work in losers:
                    unit.fail(changed_meanwhile())
            group = [unit for unit in group if unit.work not in losers]
        await connection.commit()
    except Exception as error:
        if connection.closed:
            raise
        await connection.rollback()
        log.info("%d units that share a transaction are written one by one: %s", len(group), error)
        return [], group
    for unit in group:
        unit.succeed()
    return group, []


def changed_meanwhile() -> Conflict:
    """What a unit is told that has read what somebody else has changed."""
    return Conflict("somebody else has changed the same meanwhile")
