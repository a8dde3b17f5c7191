"""Locks by PostgreSQL, between processes."""

import asyncio
import signal
import sys
from pathlib import Path

import psycopg
import pytest

from adapters.sql.postgres_locks import PostgresLocks, number_of
from core.errors import Unavailable
from tests.contracts.locks import LocksContract
from tests.support.server import free_port

ROOT = Path(__file__).parents[3]
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
    async with PostgresLocks(postgres_url, ask_every=0.02).try_hold("leader") as hold:
        assert hold is not None
        with psycopg.connect(postgres_url, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        async with asyncio.timeout(5):
            await hold.lost()


async def test_nobody_is_told_to_hold_what_a_database_cannot_tell() -> None:
    locks = PostgresLocks(f"postgresql://nobody@127.0.0.1:{free_port()}/nothing")
    with pytest.raises(Unavailable):
        async with locks.try_hold("leader"):
            raise AssertionError("nobody holds anything")


def test_a_name_has_one_number_that_postgresql_takes() -> None:
    assert number_of("leader") == number_of("leader") != number_of("seat")
    assert -(2**63) <= number_of("leader") < 2**63
