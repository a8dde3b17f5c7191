"""Our own keys in files: private, renewed, honoured for a while, and shared by processes."""

import asyncio
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import define, field

from adapters.system.server_keys import KeyFolder, RsaServerKeys
from core.errors import Unavailable
from core.provisioning import Block, ServerKey
from tests.contracts.server_keys import CONTENT, ServerKeysContract, public
from tests.support.clock import TestClock
from tests.support.sealing import oaep

BITS = 2048


@define
class Folder:
    """A folder of keys, and processes that use it."""

    path: Path
    clock: TestClock = field(factory=TestClock)

    def process(self) -> RsaServerKeys:
        """One more process."""
        lifetime, grace = timedelta(days=90), timedelta(days=7)
        return RsaServerKeys(KeyFolder(self.path), self.clock, lifetime=lifetime, grace=grace, bits=BITS)

    def files(self) -> list[str]:
        """The names of the files, the oldest first."""
        return sorted(path.name for path in self.path.iterdir())


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A folder that is not there yet."""
    return Folder(tmp_path / "secrets" / "provisioning")


def sealed_to(key: ServerKey) -> Block:
    """A block for this key."""
    return Block(content=public(key).encrypt(CONTENT, oaep()), key_id=key.id)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose key serves many tests."""
    return tmp_path_factory.mktemp("keys")


class TestServerKeys(ServerKeysContract):
    """Keys of 2048 bits: they are made sooner."""

    @pytest.fixture
    def server_keys(self, kept: Path) -> RsaServerKeys:
        """What is tried."""
        return Folder(kept).process()


async def test_a_key_is_made_when_it_is_first_asked_for_in_a_file_for_its_owner_only(folder: Folder) -> None:
    """P-06."""
    keys = folder.process()
    await keys.renew()
    assert not folder.path.exists()
    key = await keys.current()
    assert folder.files() == [f"20261124T120000Z-{key.id}.pem"]
    [file] = folder.path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700


async def test_many_who_ask_at_once_are_told_the_same_key(folder: Folder) -> None:
    keys = folder.process()
    told = await asyncio.gather(*(keys.current() for _ in range(10)))
    assert len({key.id for key in told}) == 1
    assert len(folder.files()) == 1


async def test_a_key_outlives_the_process(folder: Folder) -> None:
    key = await folder.process().current()
    again = folder.process()
    assert await again.current() == key
    assert await again.open(sealed_to(key)) == CONTENT


async def test_a_key_is_followed_when_its_time_has_come_and_honoured_for_a_while(folder: Folder) -> None:
    keys = folder.process()
    first = await keys.current()
    folder.clock.advance(days=89)
    await keys.renew()
    assert await keys.current() == first
    folder.clock.advance(days=1)
    await keys.renew()
    second = await keys.current()
    assert second.id != first.id
    folder.clock.advance(days=6, hours=23)
    await keys.renew()
    for key in (first, second):
        assert await keys.open(sealed_to(key)) == CONTENT
        assert await keys.open(Block(content=sealed_to(key).content)) == CONTENT
    folder.clock.advance(hours=1)
    assert await keys.open(sealed_to(first)) is None
    assert len(folder.files()) == 2
    await keys.renew()
    assert [second.id in name for name in folder.files()] == [True]
    assert await keys.open(sealed_to(second)) == CONTENT


async def test_another_process_learns_of_a_new_key_when_somebody_uses_it(folder: Folder) -> None:
    one, other = folder.process(), folder.process()
    await one.current()
    await other.current()
    folder.clock.advance(days=90)
    await one.renew()
    new = await one.current()
    assert await other.open(sealed_to(new)) == CONTENT
    assert await other.current() == new


async def test_a_flood_of_unknown_keys_reads_the_folder_once_in_a_while(folder: Folder) -> None:
    keys = folder.process()
    key = await keys.current()
    unknown = Block(content=sealed_to(key).content, key_id="0" * 16)
    assert await keys.open(unknown) is None
    looked_at = keys._looked_at
    folder.clock.advance(seconds=4)
    assert await keys.open(unknown) is None
    assert keys._looked_at == looked_at
    folder.clock.advance(seconds=1)
    assert await keys.open(unknown) is None
    assert keys._looked_at != looked_at


async def test_a_key_of_an_operator_is_taken_and_files_that_are_no_keys_are_passed_over(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    key = await folder.process().current()
    (folder.path / "20270101T000000Z-0000000000000000.pem").write_text("no key")
    (folder.path / "README.pem").write_text("no key")
    (folder.path / "20270101T000000Z-1111111111111111.txt").write_text("no key")
    keys = folder.process()
    assert await keys.current() == key
    assert await keys.open(sealed_to(key)) == CONTENT
    assert "0000000000000000" in caplog.text
    assert "PRIVATE" not in caplog.text


async def test_a_folder_that_cannot_be_written_to_makes_registration_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Unavailable):
        await Folder(tmp_path / "file" / "provisioning").process().current()
