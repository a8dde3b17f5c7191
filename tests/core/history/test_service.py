"""The history: every event, once, for as long as it is worth it."""

from datetime import datetime, timedelta
from typing import ClassVar

import pytest
from attrs import frozen

from adapters.sql.events import SqlEventStore
from adapters.sql.outbox import SqlOutboxStore
from adapters.sql.signals import LocalSignals
from adapters.sql.sqlite import SqliteTransactions
from adapters.system.locks import OwnLocks
from core.access import GRANTS, Permissions
from core.actor import STRANGER, SYSTEM, Actor, ActorKind, Role
from core.devices import DeviceEvent, DeviceOnline
from core.errors import Invalid, NotFound, Unauthenticated
from core.events import CORRELATION, Announced, Event, Subscription
from core.history import EVENTS_STORED, SETTINGS, EventQuery, History, Period
from core.ids import DeviceUuid
from core.outbox import Outbox
from core.settings import Settings
from tests.core.telemetry.parts import registered, registry
from tests.support.clock import NOON, TestClock

NOWHERE = DeviceUuid("00000000-0000-4000-8000-00000000000f")


@frozen(kw_only=True)
class KettleBoiled(DeviceEvent):
    """Water is hot."""

    NAME: ClassVar[str] = "test.kettle_boiled"


@frozen(kw_only=True)
class KettleBurnt(Event):
    """There was no water."""

    NAME: ClassVar[str] = "test.kettle_burnt"
    SEVERITY: ClassVar[str] = "warning"


@frozen(kw_only=True)
class GuestArrived(Event):
    """Somebody has an account."""

    NAME: ClassVar[str] = "user.test_arrived"


def held_by(role: Role) -> Actor:
    """Somebody of this role."""
    permissions = Permissions()
    permissions.grant(GRANTS)
    return Actor(kind=ActorKind.USER, username="anna", role=role, permissions=permissions.of(role))


@pytest.fixture
def history(transactions: SqliteTransactions, signals: LocalSignals, clock: TestClock) -> History:
    """The history on the test's own database, as it is by default."""
    return History(
        transactions=transactions,
        store=SqlEventStore(),
        devices=registry(transactions, signals, clock),
        settings=Settings(SETTINGS, {}),
        clock=clock,
    )


async def store(history: History, *events: Event) -> None:
    """Have events stored, each under a number of its own."""
    for number, event in enumerate(events, start=1):
        await history.record(Announced(id=number, event=event))


def burnt(at: datetime = NOON) -> KettleBurnt:
    """A warning."""
    return KettleBurnt(at=at, by="system")


async def names(history: History, actor: Actor = SYSTEM) -> list[str]:
    """What this actor sees."""
    return [event.name for event in await history.search(actor, EventQuery())]


async def test_an_event_that_is_delivered_twice_is_stored_and_signalled_once(
    history: History, signals: LocalSignals
) -> None:
    signalled: list[str] = []
    signals.on(EVENTS_STORED, signalled.append)
    for _ in range(2):
        await history.record(Announced(id=7, event=KettleBoiled(at=NOON, by="system", uuid=NOWHERE)))
    assert await names(history) == ["test.kettle_boiled"]
    assert signalled == [NOWHERE]


async def test_what_accounts_do_is_seen_only_by_those_who_read_the_audit_log(history: History) -> None:
    await store(history, burnt(), GuestArrived(at=NOON, by="system"))
    assert await names(history, held_by(Role.VIEWER)) == ["test.kettle_burnt"]
    assert await names(history, held_by(Role.ADMIN)) == ["user.test_arrived", "test.kettle_burnt"]
    assert [event.name for event in await history.newest(None, 10)] == ["test.kettle_burnt"]


async def test_strangers_see_nothing(history: History) -> None:
    with pytest.raises(Unauthenticated):
        await history.search(STRANGER, EventQuery())


async def test_the_history_of_a_device_outlives_it_but_one_nobody_heard_of_is_not_found(history: History) -> None:
    with pytest.raises(NotFound):
        await history.of_device(SYSTEM, NOWHERE, EventQuery())
    await store(history, KettleBoiled(at=NOON, by="system", uuid=NOWHERE))
    assert len(await history.of_device(SYSTEM, NOWHERE, EventQuery())) == 1


async def test_warnings_are_kept_four_times_as_long(history: History, clock: TestClock) -> None:
    await store(
        history, KettleBoiled(at=NOON, by="system", uuid=NOWHERE), burnt(), DeviceOnline(at=NOON, by="", uuid=NOWHERE)
    )
    clock.advance(days=91)
    assert await history.forget_old() == 2
    assert await names(history) == ["test.kettle_burnt"]
    clock.advance(days=270)
    assert await history.forget_old() == 1


async def test_events_are_counted_by_parts_of_time(
    history: History, transactions: SqliteTransactions, clock: TestClock
) -> None:
    uuid = (await registered(transactions)).uuid
    moments = [NOON + timedelta(days=days) for days in (0, 1, 10)]
    await store(history, *(KettleBoiled(at=at, by="system", uuid=uuid) for at in moments))
    clock.advance(days=20)
    found = await history.aggregate(SYSTEM, uuid, Period.WEEK, NOON, clock.now())
    assert [(bucket.start.date().isoformat(), bucket.count) for bucket in found] == [
        ("2026-11-23", 2),
        ("2026-11-30", 1),
    ]
    with pytest.raises(Invalid):
        await history.aggregate(SYSTEM, uuid, Period.HOUR, NOON, NOON + timedelta(days=32))
    with pytest.raises(Invalid):
        await history.aggregate(SYSTEM, uuid, Period.DAY, NOON, NOON - timedelta(days=1))


async def test_what_comes_of_a_request_belongs_together_also_over_reactions(
    history: History, transactions: SqliteTransactions, clock: TestClock
) -> None:
    async def answer(announced: Announced[KettleBurnt]) -> None:
        async with transactions.begin() as tx:
            tx.announce(KettleBoiled(at=NOON, by="system", uuid=NOWHERE))

    outbox = Outbox(transactions, SqlOutboxStore(), clock, OwnLocks())
    answering = Subscription(name="test.answer", events=(KettleBurnt,), reaction=answer)
    outbox.subscribe([answering, *history.subscriptions()])
    outside = CORRELATION.set("r-1")
    async with transactions.begin() as tx:
        tx.announce(burnt())
    CORRELATION.reset(outside)
    async with transactions.begin() as tx:
        tx.announce(burnt())
    while await outbox.relay():
        pass
    chain = await history.chain(SYSTEM, "r-1", 10)
    assert [event.name for event in chain] == ["test.kettle_burnt", "test.kettle_boiled"]
    assert len(await names(history)) == 4
