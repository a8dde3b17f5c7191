"""Online and offline where several processes hear devices, and the database alone knows of all."""

from datetime import datetime, timedelta

import pytest
from attrs import define

from adapters.sql.devices import SqlDeviceStore, SqlLivenessStore
from adapters.sql.signals import LocalSignals
from adapters.sql.sqlite import SqliteTransactions
from core.devices import Device, DeviceOffline, DeviceOnline, Liveness, Silence
from core.transactions import Transaction
from tests.support.clock import TestClock
from tests.support.enrolling import OFFLINE_AFTER
from tests.support.enrolment import Enrolling, a_device

EVERY = timedelta(seconds=5)
LATEST = OFFLINE_AFTER * 1.1


@define
class Store(SqlLivenessStore):
    """The real store, in a database whose clock is the test's, `ahead` of that of our machine."""

    clock: TestClock
    ahead: timedelta = timedelta(0)

    async def now(self, _tx: Transaction) -> datetime:
        """The database's time."""
        return self.clock.now() + self.ahead


@define
class Cluster:
    """Two processes that hear devices, and the leader."""

    transactions: SqliteTransactions
    store: Store
    clock: TestClock
    hearing: list[Liveness]
    leader: Silence

    async def pass_by(self, span: timedelta) -> None:
        """The leader asks all the while."""
        until = self.clock.monotonic() + span.total_seconds()
        while self.clock.monotonic() < until:
            self.clock.advance(seconds=min(EVERY.total_seconds(), until - self.clock.monotonic()))
            await self.leader.notice()

    async def heard_by(self, number: int, device: Device) -> None:
        """One of the processes hears the device."""
        self.hearing[number].seen(device.uuid)
        await self.hearing[number].settle()


@pytest.fixture
async def device(transactions: SqliteTransactions) -> Device:
    """A device that was never heard of."""
    async with transactions.begin() as tx:
        return await SqlDeviceStore().add(tx, a_device())


@pytest.fixture
def cluster(transactions: SqliteTransactions, clock: TestClock, signals: LocalSignals) -> Cluster:
    """It runs."""
    store = Store(clock)
    hearing = [
        Liveness(transactions, store, clock, signals, offline_after=OFFLINE_AFTER, one_of_many=True) for _ in range(2)
    ]
    leader = Silence(transactions, store, clock, offline_after=OFFLINE_AFTER, asked_every=EVERY)
    return Cluster(transactions, store, clock, hearing, leader)


async def history(enrolling: Enrolling) -> list[str]:
    """What was told of comings and goings."""
    events = await enrolling.events()
    return [type(event).__name__ for event in events if isinstance(event, DeviceOnline | DeviceOffline)]


async def test_a_device_that_two_processes_hear_comes_online_once(
    cluster: Cluster, enrolling: Enrolling, device: Device
) -> None:
    for number in (0, 1, 0, 1):
        await cluster.heard_by(number, device)
    assert await history(enrolling) == ["DeviceOnline"]


async def test_a_silent_device_goes_offline_once_and_never_too_early(
    cluster: Cluster, enrolling: Enrolling, device: Device
) -> None:
    await cluster.heard_by(0, device)
    await cluster.pass_by(OFFLINE_AFTER)
    assert await history(enrolling) == ["DeviceOnline"]
    await cluster.pass_by(LATEST)
    assert await history(enrolling) == ["DeviceOnline", "DeviceOffline"]


async def test_who_moves_to_another_process_stays_online(
    cluster: Cluster, enrolling: Enrolling, device: Device
) -> None:
    for number in (0, 1, 1, 0, 1):
        await cluster.heard_by(number, device)
        await cluster.pass_by(OFFLINE_AFTER * 0.8)
    assert await history(enrolling) == ["DeviceOnline"]


async def test_who_comes_back_is_online_at_once(cluster: Cluster, enrolling: Enrolling, device: Device) -> None:
    await cluster.heard_by(0, device)
    await cluster.pass_by(LATEST * 2)
    await cluster.heard_by(0, device)
    assert await history(enrolling) == ["DeviceOnline", "DeviceOffline", "DeviceOnline"]


@pytest.mark.parametrize("what", ["an outage", "a new leader"])
async def test_after_an_outage_everybody_gets_the_full_time_to_speak_up(
    cluster: Cluster, enrolling: Enrolling, device: Device, what: str
) -> None:
    await cluster.heard_by(0, device)
    await cluster.pass_by(OFFLINE_AFTER)
    cluster.clock.advance(hours=1)
    if what == "a new leader":
        cluster.leader.begin()
    await cluster.pass_by(OFFLINE_AFTER - EVERY)
    assert await history(enrolling) == ["DeviceOnline"]
    await cluster.pass_by(2 * EVERY)
    assert await history(enrolling) == ["DeviceOnline", "DeviceOffline"]


@pytest.mark.parametrize("hours", [-48, 48])
async def test_a_machine_whose_clock_is_wrong_neither_takes_devices_offline_nor_keeps_them_online(
    cluster: Cluster, enrolling: Enrolling, device: Device, hours: int
) -> None:
    cluster.store.ahead = timedelta(hours=hours)
    await cluster.heard_by(0, device)
    await cluster.pass_by(OFFLINE_AFTER)
    assert await history(enrolling) == ["DeviceOnline"]
    await cluster.pass_by(LATEST)
    assert await history(enrolling) == ["DeviceOnline", "DeviceOffline"]


async def test_a_device_that_speaks_all_the_time_is_written_down_now_and_then(cluster: Cluster, device: Device) -> None:
    await cluster.heard_by(0, device)
    first = await last_seen(cluster, device)
    cluster.clock.advance(seconds=OFFLINE_AFTER.total_seconds() * 0.05)
    await cluster.heard_by(0, device)
    assert await last_seen(cluster, device) == first
    cluster.clock.advance(seconds=OFFLINE_AFTER.total_seconds() * 0.06)
    await cluster.heard_by(0, device)
    assert await last_seen(cluster, device) == cluster.clock.now()


async def last_seen(cluster: Cluster, device: Device) -> datetime | None:
    """As the table has it."""
    async with cluster.transactions.read() as tx:
        return (await SqlDeviceStore().get(tx, device.uuid)).last_seen
