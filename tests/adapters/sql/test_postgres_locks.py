"""Locks by PostgreSQL, between processes."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import psycopg
import pytest

from adapters.sql.postgres_locks import ANSWER_SECONDS, PostgresLocks, number_of
from core.errors import Unavailable
from tests.contracts.locks import LocksContract
from tests.support.server import free_port

ROOT = Path(__file__).parents[3]
OF_THESE = (
    "FROM pg_locks WHERE locktype = 'advisory'"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
HOLDERS = f"SELECT pid {OF_THESE}"
OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
CONNECTED = f"SELECT count(*) {OTHERS}"
HOLDS = """
import asyncio, sys
sys.path.insert(0, sys.argv[2])
from adapters.sql.postgres_locks import PostgresLocks

async def main():
    async with PostgresLocks(sys.argv[1]).try_hold("leader") as hold:
        print("held" if hold else "free", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


class TestPostgresLocks(LocksContract):
    """They keep the contract."""

    @pytest.fixture
    def locks(self, postgres_url: str) -> PostgresLocks:
        """Locks of a database of the test's own."""
        return PostgresLocks(postgres_url)


async def test_a_process_that_is_killed_holds_nothing_any_more(postgres_url: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDS, postgres_url, str(ROOT), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"held\n"
    locks = PostgresLocks(postgres_url)
    async with locks.try_hold("leader") as theirs:
        assert theirs is None
    process.send_signal(signal.SIGKILL)
    await process.wait()
    async with asyncio.timeout(5):
        while True:
            async with locks.try_hold("leader") as ours:
                if ours is not None:
                    return
            await asyncio.sleep(0.02)  # the server notices by itself, it tells nobody


async def test_the_holder_is_told_when_its_connection_breaks(postgres_url: str) -> None:
    async with PostgresLocks(postgres_url, ask_every=60).try_hold("leader") as hold:
        assert hold is not None
        with psycopg.connect(postgres_url, autocommit=True) as other:
            other.execute(f"SELECT pg_terminate_backend(pid) {OF_THESE}")
        async with asyncio.timeout(5):
            await hold.lost()


async def test_the_holder_is_told_soon_when_the_server_is_frozen(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as other:
        async with PostgresLocks(postgres_url, ask_every=0.02).try_hold("leader") as hold:
            assert hold is not None
            [frozen] = other.execute(HOLDERS).fetchone() or ()
            os.kill(frozen, signal.SIGSTOP)
            try:
                async with asyncio.timeout(ANSWER_SECONDS + 2):
                    await hold.lost()
            finally:
                os.kill(frozen, signal.SIGCONT)


async def test_who_takes_locks_all_the_time_keeps_a_connection_that_holds_nothing(postgres_url: str) -> None:
    locks = PostgresLocks(postgres_url, spare=1)
    with psycopg.connect(postgres_url, autocommit=True) as other:
        for name in ("lane.1", "lane.2", "lane.1"):
            async with locks.try_hold(name) as hold:
                assert hold is not None
            assert other.execute(HOLDERS).fetchone() is None
        async with locks.try_hold("lane.1") as first, PostgresLocks(postgres_url).try_hold("lane.1") as second:
            assert (first is None, second is None) == (False, True)
        assert other.execute(CONNECTED).fetchone() == (1,)
        other.execute(f"SELECT pg_terminate_backend(pid) {OTHERS}")
        async with locks.try_hold("lane.1") as again:
            assert again is not None
    await locks.close()


async def test_nobody_is_told_to_hold_what_a_database_cannot_tell() -> None:
    locks = PostgresLocks(f"postgresql://nobody@127.0.0.1:{free_port()}/nothing")
    with pytest.raises(Unavailable):
        async with locks.try_hold("leader"):
            raise AssertionError("nobody holds anything")


def test_a_name_has_one_number_that_postgresql_takes() -> None:
    assert number_of("leader") == number_of("leader") != number_of("seat")
    assert -(2**63) <= number_of("leader") < 2**63
