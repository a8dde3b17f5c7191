"""Online once, offline once, and nobody is missed who could not be heard."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import pytest
from attrs import define, field

from adapters.sql.devices import SqlDeviceStore, SqlLivenessStore
from adapters.sql.signals import LocalSignals
from adapters.sql.sqlite import SqliteTransactions
from core.actor import SYSTEM
from core.devices import LIVENESS, Device, DeviceOffline, DeviceOnline, Liveness
from core.errors import Unavailable
from core.ids import DeviceUuid
from core.transactions import Transaction
from tests.support.clock import TestClock
from tests.support.enrolling import OFFLINE_AFTER
from tests.support.enrolment import Enrolling, a_device, new_uuid

SILENCE = OFFLINE_AFTER.total_seconds() + 1


@pytest.fixture
async def device(transactions: SqliteTransactions) -> Device:
    """A device that was never heard of."""
    async with transactions.begin() as tx:
        return await SqlDeviceStore().add(tx, a_device())


async def history(enrolling: Enrolling) -> list[str]:
    """What was told of comings and goings."""
    events = await enrolling.events()
    return [type(event).__name__ for event in events if isinstance(event, DeviceOnline | DeviceOffline)]


async def stored(enrolling: Enrolling, device: Device) -> Device:
    """The device as it is in the table."""
    async with enrolling.transactions.read() as tx:
        return await SqlDeviceStore().get(tx, device.uuid)


async def test_a_device_that_is_heard_of_again_and_again_comes_online_once(
    enrolling: Enrolling, device: Device, clock: TestClock
) -> None:
    for _ in range(20):
        enrolling.liveness.seen(device.uuid)
        enrolling.liveness.seen(device.uuid)
        await enrolling.liveness.settle()
        clock.advance(minutes=1)
    assert await history(enrolling) == ["DeviceOnline"]
    now = await stored(enrolling, device)
    assert (now.is_online, now.last_seen) == (True, clock.now() - timedelta(minutes=1))


async def test_a_silent_device_goes_offline_once_and_not_a_moment_too_early(
    enrolling: Enrolling, device: Device, clock: TestClock
) -> None:
    enrolling.liveness.seen(device.uuid)
    await enrolling.liveness.settle()
    clock.advance(seconds=OFFLINE_AFTER.total_seconds())
    await enrolling.liveness.settle()
    assert (await stored(enrolling, device)).is_online
    for _ in range(3):
        clock.advance(seconds=SILENCE)
        await enrolling.liveness.settle()
    assert await history(enrolling) == ["DeviceOnline", "DeviceOffline"]
    assert not (await stored(enrolling, device)).is_online


async def test_a_device_may_come_and_go_as_often_as_it_likes(
    enrolling: Enrolling, device: Device, clock: TestClock
) -> None:
    for _ in range(3):
        enrolling.liveness.seen(device.uuid)
        await enrolling.liveness.settle()
        clock.advance(seconds=SILENCE)
        await enrolling.liveness.settle()
    assert await history(enrolling) == ["DeviceOnline", "DeviceOffline"] * 3


async def test_the_first_sign_of_life_wakes_whoever_writes_it_down(
    enrolling: Enrolling, device: Device, signals: LocalSignals
) -> None:
    woken: list[str] = []
    signals.on(LIVENESS, woken.append)
    for _ in range(5):
        enrolling.liveness.seen(device.uuid)
    assert woken == [device.uuid]


@pytest.mark.parametrize("years", [-30, 30])
async def test_a_jump_of_the_clock_takes_nobody_offline_and_keeps_nobody_online(
    enrolling: Enrolling, device: Device, clock: TestClock, years: int
) -> None:
    enrolling.liveness.seen(device.uuid)
    await enrolling.liveness.settle()
    clock.jump(clock.now().replace(year=2026 + years))
    await enrolling.liveness.settle()
    assert await history(enrolling) == ["DeviceOnline"]
    clock.advance(seconds=SILENCE)
    await enrolling.liveness.settle()
    assert await history(enrolling) == ["DeviceOnline", "DeviceOffline"]


async def test_after_a_restart_everybody_gets_the_full_time_to_speak_up(
    enrolling: Enrolling, device: Device, clock: TestClock, transactions: SqliteTransactions, signals: LocalSignals
) -> None:
    enrolling.liveness.seen(device.uuid)
    await enrolling.liveness.settle()
    clock.advance(hours=12)
    restarted = Liveness(transactions, SqlLivenessStore(), clock, signals, offline_after=OFFLINE_AFTER)
    await restarted.open()
    await restarted.settle()
    clock.advance(seconds=OFFLINE_AFTER.total_seconds())
    await restarted.settle()
    assert await history(enrolling) == ["DeviceOnline"]
    clock.advance(seconds=1)
    await restarted.settle()
    assert await history(enrolling) == ["DeviceOnline", "DeviceOffline"]


async def test_a_device_heard_of_after_a_restart_does_not_come_online_twice(
    enrolling: Enrolling, device: Device, clock: TestClock, transactions: SqliteTransactions, signals: LocalSignals
) -> None:
    enrolling.liveness.seen(device.uuid)
    await enrolling.liveness.settle()
    restarted = Liveness(transactions, SqlLivenessStore(), clock, signals, offline_after=OFFLINE_AFTER)
    await restarted.open()
    restarted.seen(device.uuid)
    await restarted.settle()
    assert await history(enrolling) == ["DeviceOnline"]


@define
class Interrupting(SqlLivenessStore):
    """The real store, in the middle of whose work something else happens."""

    happens: list[str] = field(factory=list)
    liveness: Liveness | None = None

    async def silent(self, tx: Transaction, uuids: Sequence[DeviceUuid], now: datetime) -> Sequence[DeviceUuid]:
        """Somebody speaks just now."""
        assert self.liveness is not None
        for uuid in uuids if "speaks" in self.happens else ():
            self.liveness.seen(uuid)
        return await super().silent(tx, uuids, now)

    async def heard(self, tx: Transaction, seen: Mapping[DeviceUuid, datetime]) -> Sequence[DeviceUuid]:
        """The disk is full just now."""
        if "full" in self.happens:
            self.happens.remove("full")
            raise Unavailable("the disk is full")
        return await super().heard(tx, seen)


@pytest.fixture
def interrupting() -> Interrupting:
    """A store in which things happen."""
    return Interrupting()


@pytest.fixture
def interrupted(
    transactions: SqliteTransactions, interrupting: Interrupting, clock: TestClock, signals: LocalSignals
) -> Liveness:
    """Who is alive, with interruptions."""
    interrupting.liveness = Liveness(transactions, interrupting, clock, signals, offline_after=OFFLINE_AFTER)
    return interrupting.liveness


async def test_a_sign_of_life_while_settling_is_not_lost(
    enrolling: Enrolling, device: Device, clock: TestClock, interrupting: Interrupting, interrupted: Liveness
) -> None:
    interrupted.seen(device.uuid)
    await interrupted.settle()
    clock.advance(seconds=SILENCE)
    interrupting.happens = ["speaks"]
    await interrupted.settle()
    interrupting.happens = []
    await interrupted.settle()
    assert await history(enrolling) == ["DeviceOnline", "DeviceOffline", "DeviceOnline"]
    assert (await stored(enrolling, device)).is_online
    clock.advance(seconds=SILENCE)
    await interrupted.settle()
    assert not (await stored(enrolling, device)).is_online


async def test_signs_that_could_not_be_written_down_are_kept_for_the_next_time(
    enrolling: Enrolling, device: Device, interrupting: Interrupting, interrupted: Liveness
) -> None:
    interrupted.seen(device.uuid)
    interrupting.happens = ["full"]
    with pytest.raises(Unavailable):
        await interrupted.settle()
    assert await history(enrolling) == []
    await interrupted.settle()
    assert await history(enrolling) == ["DeviceOnline"]


async def test_a_removed_device_is_not_missed(enrolling: Enrolling, device: Device, clock: TestClock) -> None:
    enrolling.liveness.seen(device.uuid)
    await enrolling.liveness.settle()
    await enrolling.devices.remove(SYSTEM, device.uuid)
    clock.advance(seconds=SILENCE)
    await enrolling.liveness.settle()
    assert await history(enrolling) == ["DeviceOnline"]


async def test_a_uuid_that_is_no_device_makes_none(enrolling: Enrolling) -> None:
    """P-20: devices are never made out of traffic."""
    enrolling.liveness.seen(new_uuid())
    await enrolling.liveness.settle()
    assert await enrolling.events() == []
