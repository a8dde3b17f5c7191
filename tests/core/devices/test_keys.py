"""Who holds which key: from memory, and never longer than it is true."""

import asyncio

import pytest
from attrs import define, field
from sqlalchemy import delete

from adapters.sql.devices import SqlDeviceKeyStore
from adapters.sql.devices import device_keys as table
from adapters.sql.signals import LocalSignals
from adapters.sql.sqlite import SqliteTransactions
from core.actor import SYSTEM
from core.devices import DeviceKeys, KnownDevice
from core.devices.keys import KNOWN_FOR, UNKNOWN, UNKNOWN_FOR
from core.digests import digest_of
from core.errors import Unauthenticated
from core.ids import DeviceUuid
from core.transactions import ELSEWHERE, Transaction
from tests.support.clock import TestClock
from tests.support.enrolment import Enrolling, a_registration, new_secret


async def enrolled(enrolling: Enrolling) -> tuple[DeviceUuid, str]:
    """A device and its key."""
    wanted = a_registration()
    _, secret = await enrolling.key()
    await enrolling.register(secret, wanted)
    return wanted.uuid, wanted.api_key


async def lose_every_key(transactions: SqliteTransactions) -> None:
    """Delete the rows behind the back of the cache: whoever still answers answers from memory."""
    async with transactions.begin() as tx:
        await tx.run(delete(table))


async def test_a_key_is_looked_up_once_and_then_known(
    enrolling: Enrolling, transactions: SqliteTransactions, clock: TestClock
) -> None:
    uuid, key = await enrolled(enrolling)
    assert await enrolling.device_keys.holder(key) == KnownDevice(uuid=uuid, active=True)
    await lose_every_key(transactions)
    assert (await enrolling.device_keys.holder(key)).uuid == uuid
    clock.advance(seconds=KNOWN_FOR + 1)
    with pytest.raises(Unauthenticated):
        await enrolling.device_keys.holder(key)


async def test_no_key_is_remembered_when_others_may_have_changed_anything(
    enrolling: Enrolling, transactions: SqliteTransactions, signals: LocalSignals
) -> None:
    _, key = await enrolled(enrolling)
    await enrolling.device_keys.holder(key)
    await lose_every_key(transactions)
    signals.send(ELSEWHERE, "")
    with pytest.raises(Unauthenticated):
        await enrolling.device_keys.holder(key)


@pytest.mark.parametrize("key", ["", "x", "0" * 64, "\0", "\ud800", "é" * 10_000])
async def test_a_key_that_nobody_holds_is_refused(enrolling: Enrolling, key: str) -> None:
    for _ in range(2):
        with pytest.raises(Unauthenticated, match="unknown device key"):
            await enrolling.device_keys.holder(key)


async def test_a_flood_of_guesses_pushes_out_no_real_key(
    enrolling: Enrolling, transactions: SqliteTransactions
) -> None:
    uuid, key = await enrolled(enrolling)
    await enrolling.device_keys.holder(key)
    for n in range(500):
        with pytest.raises(Unauthenticated):
            await enrolling.device_keys.holder(str(n))
    await lose_every_key(transactions)
    assert (await enrolling.device_keys.holder(key)).uuid == uuid
    assert len(enrolling.device_keys._unknown) <= UNKNOWN


async def test_a_key_that_was_asked_for_too_early_works_as_soon_as_it_is_registered(enrolling: Enrolling) -> None:
    wanted = a_registration()
    _, secret = await enrolling.key()
    with pytest.raises(Unauthenticated):
        await enrolling.device_keys.holder(wanted.api_key)
    await enrolling.register(secret, wanted)
    assert (await enrolling.device_keys.holder(wanted.api_key)).uuid == wanted.uuid


async def test_a_device_out_of_service_is_known_as_such_at_once_and_works_again_at_once(enrolling: Enrolling) -> None:
    uuid, key = await enrolled(enrolling)
    for active in (True, False, True):
        await enrolling.devices.switch(SYSTEM, uuid, active=active)
        assert (await enrolling.device_keys.holder(key)).active is active


async def test_the_key_of_a_removed_device_is_refused_at_once(enrolling: Enrolling) -> None:
    uuid, key = await enrolled(enrolling)
    await enrolling.device_keys.holder(key)
    await enrolling.devices.remove(SYSTEM, uuid)
    with pytest.raises(Unauthenticated):
        await enrolling.device_keys.holder(key)


async def test_after_a_release_the_old_key_works_until_the_new_one_is_registered(enrolling: Enrolling) -> None:
    """A key that is replaced is refused at once, also where it was remembered."""
    uuid, old = await enrolled(enrolling)
    await enrolling.devices.release(SYSTEM, uuid)
    assert (await enrolling.device_keys.holder(old)).uuid == uuid
    new = new_secret()
    _, secret = await enrolling.key()
    await enrolling.register(secret, a_registration(uuid=uuid, api_key=new))
    assert (await enrolling.device_keys.holder(new)).uuid == uuid
    with pytest.raises(Unauthenticated):
        await enrolling.device_keys.holder(old)


@define
class SlowKeys(SqlDeviceKeyStore):
    """The real store on a slow day: the answer comes when it may."""

    read: asyncio.Event = field(factory=asyncio.Event)
    go: asyncio.Event = field(factory=asyncio.Event)

    async def holder(self, tx: Transaction, digest: str) -> KnownDevice | None:
        """Reads at once, answers later."""
        found = await super().holder(tx, digest)
        self.read.set()
        await self.go.wait()
        return found


@pytest.fixture
def slow() -> SlowKeys:
    """A slow store."""
    return SlowKeys()


@pytest.fixture
def slow_keys(transactions: SqliteTransactions, slow: SlowKeys, clock: TestClock, signals: LocalSignals) -> DeviceKeys:
    """Who holds which key, on a slow store."""
    return DeviceKeys(transactions, slow, clock, signals)


async def test_a_key_registered_while_it_was_looked_up_in_vain_is_not_remembered_as_unknown(
    enrolling: Enrolling, slow: SlowKeys, slow_keys: DeviceKeys
) -> None:
    wanted = a_registration()
    _, secret = await enrolling.key()
    asking = asyncio.create_task(slow_keys.holder(wanted.api_key))
    await slow.read.wait()
    await enrolling.register(secret, wanted)
    slow.go.set()
    with pytest.raises(Unauthenticated):
        await asking
    assert (await slow_keys.holder(wanted.api_key)).uuid == wanted.uuid


async def test_a_device_deactivated_while_its_key_was_looked_up_is_not_remembered_as_active(
    enrolling: Enrolling, slow: SlowKeys, slow_keys: DeviceKeys
) -> None:
    uuid, key = await enrolled(enrolling)
    asking = asyncio.create_task(slow_keys.holder(key))
    await slow.read.wait()
    await enrolling.devices.switch(SYSTEM, uuid, active=False)
    slow.go.set()
    await asking
    assert not (await slow_keys.holder(key)).active


async def test_an_unknown_key_is_looked_up_again_after_a_minute(
    enrolling: Enrolling, transactions: SqliteTransactions, clock: TestClock
) -> None:
    """Where a signal of another process was lost, no key stays unknown for long."""
    uuid, _ = await enrolled(enrolling)
    with pytest.raises(Unauthenticated):
        await enrolling.device_keys.holder("late")
    async with transactions.begin() as tx:
        await SqlDeviceKeyStore().put(tx, uuid, digest_of("late"), clock.now())
    with pytest.raises(Unauthenticated):
        await enrolling.device_keys.holder("late")
    clock.advance(seconds=UNKNOWN_FOR + 1)
    assert (await enrolling.device_keys.holder("late")).uuid == uuid
