"""Our own keys in a table that all processes share: sealed, and found by all."""

import asyncio
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from adapters.sql.cluster_secrets import cluster_secrets, import_server_keys
from adapters.sql.server_keys import MARK, SealedKeyTable
from adapters.system.server_keys import LOOK_AGAIN, KeyFolder, RsaServerKeys
from core.errors import Invalid, Unavailable
from core.provisioning import Block, ServerKey
from tests.contracts.server_keys import CONTENT, ServerKeysContract, public
from tests.support.clock import TestClock
from tests.support.sealing import oaep
from tests.support.server import free_port

BITS = 2048
SECRET = "5e" * 32
OTHER_SECRET = "ab" * 32


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
        SealedKeyTable(postgres_url, OTHER_SECRET).read(row[0])


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


async def test_a_key_that_one_process_renews_is_told_by_the_others_within_seconds(
    postgres_url: str, clock: TestClock
) -> None:
    leader, other = a_process(postgres_url, clock), a_process(postgres_url, clock)
    before = await leader.current()
    assert await other.current() == before
    clock.advance(days=91)
    await leader.renew()
    clock.advance(seconds=LOOK_AGAIN)
    assert await other.current() == await leader.current() != before
    assert await other.open(sealed_to(before)) == CONTENT
    clock.advance(days=8)
    assert await other.open(sealed_to(before)) is None


async def test_processes_that_need_a_first_key_at_once_agree_on_one(postgres_url: str, clock: TestClock) -> None:
    processes = [a_process(postgres_url, clock) for _ in range(3)]
    told = [key.id for key in await asyncio.gather(*(process.current() for process in processes))]
    clock.advance(seconds=LOOK_AGAIN)
    assert len({(await process.current()).id for process in processes}) == 1
    assert (await processes[0].current()).id in told


async def test_the_first_process_settles_the_secret_and_those_with_another_do_not_start(postgres_url: str) -> None:
    await cluster_secrets(postgres_url, secret=SECRET).open()
    await cluster_secrets(postgres_url, secret=SECRET).open()
    with pytest.raises(Invalid, match="JWT_SECRET"):
        await cluster_secrets(postgres_url, secret=OTHER_SECRET).open()


async def test_who_cannot_open_the_keys_that_are_there_settles_nothing(postgres_url: str, clock: TestClock) -> None:
    await a_process(postgres_url, clock).current()
    with pytest.raises(Invalid):
        await cluster_secrets(postgres_url, secret=OTHER_SECRET).open()
    await cluster_secrets(postgres_url, secret=SECRET).open()


async def test_the_secret_of_logins_can_be_replaced_and_devices_go_on(postgres_url: str, clock: TestClock) -> None:
    before = cluster_secrets(postgres_url, secret=SECRET)
    await before.open()
    key = await a_process(postgres_url, clock).current()
    after = cluster_secrets(postgres_url, secret=OTHER_SECRET, secret_key=SECRET)
    await after.open()
    assert after.challenges != before.challenges
    [name] = after.server_keys.names()
    assert key.id in name
    assert b"PRIVATE KEY" in after.server_keys.read(name)


def test_no_secret_is_in_what_is_printed(postgres_url: str) -> None:
    secrets = cluster_secrets(postgres_url, secret=SECRET)
    assert SECRET not in repr(secrets)
    assert secrets.challenges not in repr(secrets)


async def test_devices_that_know_a_key_of_a_data_folder_go_on(
    postgres_url: str, clock: TestClock, tmp_path: Path
) -> None:
    lifetime, grace = timedelta(days=90), timedelta(days=7)
    embedded = RsaServerKeys(KeyFolder(tmp_path), clock, lifetime=lifetime, grace=grace, bits=BITS)
    old = await embedded.current()
    clock.advance(days=91)
    await embedded.renew()
    for _ in range(2):
        assert import_server_keys(tmp_path, postgres_url, secret=SECRET) == 2
    scaled = a_process(postgres_url, clock)
    assert await scaled.current() == await embedded.current()
    assert await scaled.open(sealed_to(old)) == CONTENT
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT count(*) FROM server_keys WHERE name <> %s", (MARK,)).fetchone() == (2,)


async def test_nothing_is_carried_into_a_database_that_is_sealed_with_another_secret(
    postgres_url: str, tmp_path: Path
) -> None:
    await cluster_secrets(postgres_url, secret=SECRET).open()
    with pytest.raises(Invalid):
        import_server_keys(tmp_path, postgres_url, secret=OTHER_SECRET)


async def test_a_process_goes_on_with_the_keys_it_knows_while_the_database_is_away(
    postgres_url: str, clock: TestClock, caplog: pytest.LogCaptureFixture
) -> None:
    keys = a_process(postgres_url, clock)
    key = await keys.current()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE server_keys RENAME TO gone")
        clock.advance(seconds=LOOK_AGAIN)
        assert await keys.current() == key
        assert await keys.open(sealed_to(key)) == CONTENT
        connection.execute("ALTER TABLE gone RENAME TO server_keys")
    assert "going on with those known" in caplog.text
    assert SECRET not in caplog.text
