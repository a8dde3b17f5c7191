"""Real workers on PostgreSQL and Redis, which die and lose their queue in the midst of it: no reaction is lost."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import psycopg
import pytest
from attrs import define, field
from redis.asyncio import Redis

from adapters.sql.postgres import PostgresTransactions
from adapters.sql.signals import LocalSignals
from core.devices import DeviceOnline
from tests.support.clock import NOON
from tests.support.enrolment import new_uuid
from tests.support.redis import RedisServer
from tests.support.scaled import scaled_environment
from tests.support.server import free_port

SECONDS = 60
PARTS, IN_A_PART = 6, 50
_START = "from entrypoints.cli.main import main; main()"


@define
class Workers:
    """`iotistic work`, several times."""

    url: str
    environment: dict[str, str]
    log: Path
    transactions: PostgresTransactions
    running: list[asyncio.subprocess.Process] = field(factory=list)
    announced: int = 0

    async def start(self) -> None:
        """One more."""
        with self.log.open("ab") as log:
            command = (sys.executable, "-c", _START, "work", "--concurrency", "4")
            environment = {**os.environ, **self.environment}
            started = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log, env=environment)
        self.running.append(started)

    async def kill(self) -> None:
        """kill -9 the one that has run the longest."""
        process = self.running.pop(0)
        process.kill()
        await process.wait()

    async def announce(self, count: int) -> None:
        """Something happens, to as many devices."""
        async with self.transactions.begin() as tx:
            for _ in range(count):
                tx.announce(DeviceOnline(at=NOON, by="system", uuid=new_uuid()))
        self.announced += count

    def reached(self) -> int:
        """How many of the events have reached the history."""
        return self._count("SELECT count(*) FROM events WHERE name = 'device.online'")

    def left(self) -> int:
        """How many events still wait, or failed."""
        return self._count("SELECT count(*) FROM outbox")

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait for what other processes do; they have no other way to tell us."""
        try:
            async with asyncio.timeout(SECONDS):
                while True:
                    if reached():
                        return
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pytest.fail(f"{self.reached()} of {self.announced}, {self.left()} left\n{self.log.read_text()[-3000:]}")

    def _count(self, statement: str) -> int:
        with psycopg.connect(self.url, autocommit=True) as connection:
            [count] = connection.execute(statement.encode()).fetchone() or (0,)
        return int(count)


@pytest.fixture
async def workers(postgres_url: str, redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[Workers]:
    """None yet."""
    environment = scaled_environment(
        postgres_url,
        f"mqtt://127.0.0.1:{free_port()}",
        REDIS_URL=redis_server.url,
        LOG_FORMAT="json",
        LOG_LEVEL="warning",
    )
    async with AsyncExitStack() as stack:
        transactions = PostgresTransactions(postgres_url, LocalSignals(), most=2)
        stack.push_async_callback(transactions.close)
        them = Workers(postgres_url, environment, tmp_path / "workers.log", transactions)
        yield them
        for process in them.running:
            process.kill()
            await process.wait()


async def test_every_event_reaches_its_reactions_whatever_dies_meanwhile(
    workers: Workers, redis_server: RedisServer
) -> None:
    await workers.start()
    await workers.start()
    await workers.announce(1)
    await workers.until(lambda: workers.reached() == 1)
    for part in range(PARTS):
        await workers.announce(IN_A_PART)
        if part == 1:
            await workers.kill()
            await workers.start()
        if part == 2:
            async with Redis.from_url(redis_server.url) as redis:
                await redis.flushall()
        if part == 3:
            await redis_server.stop()
        if part == 4:
            # Nothing waits for Redis: the leader delivers by itself.
            await workers.until(lambda: workers.reached() == workers.announced)
            await redis_server.start()
    await workers.until(lambda: workers.reached() == workers.announced and workers.left() == 0)


async def test_a_worker_leaves_when_it_is_told_to_and_another_leads(workers: Workers) -> None:
    await workers.start()
    await workers.announce(1)
    await workers.until(lambda: workers.reached() == 1)
    await workers.start()
    leader = workers.running.pop(0)
    leader.terminate()
    async with asyncio.timeout(20):
        assert await leader.wait() == 0
    await workers.announce(IN_A_PART)
    await workers.until(lambda: workers.reached() == workers.announced and workers.left() == 0)
