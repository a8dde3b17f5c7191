"""Devices that are connected and do not listen (contract §3.6)."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from adapters.sql.devices import SqlDeviceStore, SqlLivenessStore
from adapters.sql.mqtt_hearing import SqlHearingStore
from adapters.sql.outbox import outbox
from adapters.sql.signals import LocalSignals
from adapters.sql.sqlite import SqliteTransactions
from core.actor import SYSTEM
from core.errors import NotFound, Unavailable
from core.ids import DeviceUuid
from core.mqtt import Access, Heard, Hearing, commands_of, device_username
from tests.core.mqtt.test_revocation import NotedBroker
from tests.support.clock import NOON, TestClock
from tests.support.enrolment import a_device, new_uuid


class FarBroker(NotedBroker):
    """Not in this process."""

    @property
    def cuts_at_once(self) -> bool:
        return False


@pytest.fixture
def broker() -> NotedBroker:
    return FarBroker()


@pytest.fixture
def hearing(transactions: SqliteTransactions, signals: LocalSignals, clock: TestClock, broker: NotedBroker) -> Hearing:
    return made(transactions, signals, clock, broker)


def made(transactions: SqliteTransactions, signals: LocalSignals, clock: TestClock, broker: NotedBroker) -> Hearing:
    """What one process knows."""
    return Hearing(
        transactions=transactions,
        store=SqlHearingStore(),
        devices=SqlDeviceStore(),
        broker=broker,
        clock=clock,
        signals=signals,
    )


@pytest.fixture
def another(transactions: SqliteTransactions, signals: LocalSignals, clock: TestClock, broker: NotedBroker) -> Hearing:
    """Another process."""
    return made(transactions, signals, clock, broker)


@pytest.fixture
async def uuid(transactions: SqliteTransactions, clock: TestClock) -> DeviceUuid:
    """A device that speaks to us."""
    async with transactions.begin() as tx:
        device = await SqlDeviceStore().add(tx, a_device())
        await SqlLivenessStore().heard(tx, {device.uuid: clock.now()})
    return device.uuid


async def announced(transactions: SqliteTransactions) -> list[str]:
    """The names of the events."""
    async with transactions.read() as tx:
        return [row.name for row in await tx.rows(select(outbox.c.name).order_by(outbox.c.id))]


def subscribe(hearing: Hearing, uuid: DeviceUuid) -> None:
    """As an agent does when its process starts."""
    for topic in commands_of(uuid):
        hearing.subscribed(device_username(uuid), topic, Access.SUBSCRIBE)


async def test_a_device_that_connects_and_subscribes_is_listening(
    hearing: Hearing, uuid: DeviceUuid, clock: TestClock
) -> None:
    hearing.connected(device_username(uuid))
    subscribe(hearing, uuid)
    await hearing.settle()
    clock.advance(minutes=10)
    assert await hearing.notice() == 0
    heard = await hearing.of(uuid)
    assert heard is not None
    assert heard.listening(clock.now()) is True


async def test_a_device_that_reconnects_without_subscribing_is_found_deaf_once(
    hearing: Hearing, uuid: DeviceUuid, clock: TestClock, transactions: SqliteTransactions
) -> None:
    hearing.connected(device_username(uuid))
    subscribe(hearing, uuid)
    clock.advance(minutes=10)
    hearing.connected(device_username(uuid))
    await hearing.settle()
    heard = await hearing.of(uuid)
    assert heard is not None
    assert heard.listening(clock.now()) is None
    assert await hearing.notice() == 0
    clock.advance(seconds=10)
    assert [await hearing.notice() for _ in range(3)] == [1, 0, 0]
    heard = await hearing.of(uuid)
    assert heard is not None
    assert heard.listening(clock.now()) is False
    assert await announced(transactions) == ["device.deaf"]


async def test_a_device_that_is_deaf_again_after_it_listened_is_told_of_again(
    hearing: Hearing, uuid: DeviceUuid, clock: TestClock
) -> None:
    found = []
    for _ in range(2):
        hearing.connected(device_username(uuid))
        await hearing.settle()
        clock.advance(seconds=20)
        found.append(await hearing.notice())
        subscribe(hearing, uuid)
        await hearing.settle()
        clock.advance(minutes=5)
        found.append(await hearing.notice())
    assert found == [1, 0, 1, 0]


async def test_a_broker_that_remembers_our_answer_makes_nobody_deaf(
    hearing: Hearing, uuid: DeviceUuid, clock: TestClock
) -> None:
    """The agent restarted within seconds: it subscribed again, and the broker had no need to ask."""
    hearing.connected(device_username(uuid))
    subscribe(hearing, uuid)
    await hearing.settle()
    clock.advance(seconds=30)
    hearing.connected(device_username(uuid))
    await hearing.settle()
    clock.advance(seconds=20)
    assert await hearing.notice() == 0


async def test_what_another_process_noted_late_is_found_all_the_same(
    hearing: Hearing, another: Hearing, uuid: DeviceUuid, clock: TestClock
) -> None:
    hearing.connected(device_username(uuid))
    clock.advance(seconds=15)
    assert await another.notice() == 0
    await hearing.settle()
    clock.advance(seconds=5)
    assert await another.notice() == 1


async def test_other_subscriptions_and_other_users_are_not_listening(
    hearing: Hearing, uuid: DeviceUuid, clock: TestClock
) -> None:
    username, (jobs, _) = device_username(uuid), commands_of(uuid)
    hearing.connected(username)
    hearing.connected("anna")
    hearing.subscribed(username, f"state/{uuid}", Access.SUBSCRIBE)
    hearing.subscribed(username, jobs, Access.READ)
    hearing.subscribed("anna", jobs, Access.SUBSCRIBE)
    await hearing.settle()
    clock.advance(seconds=11)
    assert await hearing.notice() == 1


async def test_a_device_that_is_sent_away_is_cut_and_let_in_by_no_process_for_a_while(
    hearing: Hearing, another: Hearing, uuid: DeviceUuid, clock: TestClock, broker: NotedBroker
) -> None:
    away = await hearing.bring_back(SYSTEM, uuid)
    assert broker.cut.get_nowait() == device_username(uuid)
    assert away.total_seconds() == 40
    assert all(process.is_sent_away(device_username(uuid)) for process in (hearing, another))
    assert not hearing.is_sent_away(device_username(new_uuid()))
    clock.advance(seconds=41)
    assert not any(process.is_sent_away(device_username(uuid)) for process in (hearing, another))


async def test_a_broker_of_our_own_lets_it_come_again_at_once(
    transactions: SqliteTransactions, signals: LocalSignals, clock: TestClock, uuid: DeviceUuid
) -> None:
    hearing = made(transactions, signals, clock, NotedBroker())
    assert not await hearing.bring_back(SYSTEM, uuid)
    assert not hearing.is_sent_away(device_username(uuid))


async def test_nobody_is_sent_away_who_is_not_there_or_while_the_broker_is_away(
    hearing: Hearing, uuid: DeviceUuid, broker: NotedBroker
) -> None:
    with pytest.raises(NotFound):
        await hearing.bring_back(SYSTEM, new_uuid())
    broker.down = True
    with pytest.raises(Unavailable):
        await hearing.bring_back(SYSTEM, uuid)


@pytest.mark.parametrize(
    ("listened", "deaf", "passed", "expected"),
    [(None, None, 5, None), (None, None, 15, False), (0, None, 15, True), (-60, None, 15, False), (None, 12, 5, False)],
)
def test_listening_is_known_after_a_while(
    listened: float | None, deaf: float | None, passed: float, *, expected: bool | None
) -> None:
    moments = {"listened_at": listened, "deaf_since": deaf}
    known = {name: NOON + timedelta(seconds=moment) for name, moment in moments.items() if moment is not None}
    assert Heard(connected_at=NOON, **known).listening(NOON + timedelta(seconds=passed)) is expected
