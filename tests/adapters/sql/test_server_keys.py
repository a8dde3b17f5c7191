"""Our own keys in a table that all processes share: sealed, and found by all."""

from datetime import timedelta

import psycopg
import pytest

from adapters.sql.server_keys import SealedKeyTable
from adapters.system.server_keys import RsaServerKeys
from core.errors import Unavailable
from core.provisioning import Block, ServerKey
from tests.contracts.server_keys import CONTENT, ServerKeysContract, public
from tests.support.clock import TestClock
from tests.support.sealing import oaep
from tests.support.server import free_port

BITS = 2048
SECRET = "5e" * 32


def a_process(url: str, clock: TestClock, secret: str = SECRET) -> RsaServerKeys:
    """One more process."""
    lifetime, grace = timedelta(days=90), timedelta(days=7)
    return RsaServerKeys(SealedKeyTable(url, secret), clock, lifetime=lifetime, grace=grace, bits=BITS)


def sealed_to(key: ServerKey) -> Block:
    """A block for this key."""
    return Block(content=public(key).encrypt(CONTENT, oaep()), key_id=key.id)


class TestSealedServerKeys(ServerKeysContract):
    """They keep the contract."""

    @pytest.fixture
    def server_keys(self, postgres_url: str, clock: TestClock) -> RsaServerKeys:
        """What is tried."""
        return a_process(postgres_url, clock)


async def test_what_was_sealed_to_the_key_of_one_process_is_opened_by_another(
    postgres_url: str, clock: TestClock
) -> None:
    key = await a_process(postgres_url, clock).current()
    assert await a_process(postgres_url, clock).open(sealed_to(key)) == CONTENT


async def test_nobody_can_read_the_keys_out_of_the_database(postgres_url: str, clock: TestClock) -> None:
    await a_process(postgres_url, clock).current()
    with psycopg.connect(postgres_url) as connection:
        row = connection.execute("SELECT name, sealed FROM server_keys").fetchone()
    assert row is not None
    assert b"PRIVATE" not in bytes(row[1])
    with pytest.raises(ValueError, match="another secret"):
        SealedKeyTable(postgres_url, "ab" * 32).read(row[0])


async def test_a_key_under_another_name_is_not_believed(postgres_url: str, clock: TestClock) -> None:
    key = await a_process(postgres_url, clock).current()
    with psycopg.connect(postgres_url) as connection:
        connection.execute("UPDATE server_keys SET name = '20270101T000000Z-' || right(name, 20)")
    again = await a_process(postgres_url, clock).current()
    assert again.id != key.id


async def test_a_key_that_is_honoured_no_more_is_gone_from_the_database(postgres_url: str, clock: TestClock) -> None:
    keys = a_process(postgres_url, clock)
    await keys.current()
    clock.advance(days=91)
    await keys.renew()
    clock.advance(days=8)
    await keys.renew()
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT count(*) FROM server_keys").fetchone() == (1,)


async def test_without_the_database_there_is_no_key(clock: TestClock) -> None:
    with pytest.raises(Unavailable):
        await a_process(f"postgresql://nobody@127.0.0.1:{free_port()}/nothing", clock).current()
