"""The audit log: every event, once, bounded, without secrets."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar

import pytest
from attrs import frozen

from adapters.sql.audit import SqlAuditStore
from adapters.sql.outbox import SqlOutboxStore
from adapters.sql.sqlite import SqliteTransactions
from adapters.system.locks import OwnLocks
from core.access import GRANTS, LoginFailed, Permissions
from core.actor import STRANGER, SYSTEM, Actor, ActorKind, Role
from core.audit import REMOVED, SETTINGS, AuditLog, AuditQuery, entry_of
from core.devices import DeviceRemoved
from core.errors import Forbidden, Invalid, Unauthenticated
from core.events import Announced, AnySubscription, Event, Subscription
from core.ids import DeviceUuid
from core.outbox import Outbox
from core.settings import Settings
from tests.support.clock import NOON, TestClock

DEVICE = DeviceUuid("5f3a1deb-f4c3-4e1b-8e76-70de4d2e3f56")


@frozen(kw_only=True)
class VaultOpened(Event):
    """An event of a careless plugin."""

    NAME: ClassVar[str] = "test.vault_opened"
    SEVERITY: ClassVar[str] = "critical"
    address: str = "198.51.100.7"
    password: str = "hunter2"
    api_key: str = "hunter3"
    key_id: str = "harmless"
    seen: datetime = NOON
    items: tuple[str, ...] = ()
    more: dict[str, Any] | None = None


Make = Callable[..., AuditLog]


@pytest.fixture
def make(transactions: SqliteTransactions, clock: TestClock) -> Make:
    """Makes an audit log, with other settings if wanted."""

    def made(**environment: str) -> AuditLog:
        settings = Settings(SETTINGS, environment)
        return AuditLog(transactions=transactions, store=SqlAuditStore(), settings=settings, clock=clock)

    return made


def announced(number: int = 1, event: Event | None = None) -> Announced[Any]:
    """An event on its way."""
    return Announced(id=number, event=event or VaultOpened(at=NOON, by="user:7:anna"))


async def test_an_event_that_is_delivered_twice_is_written_once(make: Make) -> None:
    audit_log = make()
    for _ in range(2):
        await audit_log.record(announced())
    assert len((await audit_log.entries(SYSTEM, AuditQuery())).items) == 1


def test_an_entry_says_what_when_who_whom_and_from_where() -> None:
    entry = entry_of(announced(event=DeviceRemoved(at=NOON, by="user:7:anna", uuid=DEVICE, name="gateway")))
    assert (entry.event, entry.severity, entry.actor, entry.at) == ("device.removed", "warning", "user:7:anna", NOON)
    assert (entry.device_uuid, entry.details) == (DEVICE, {"name": "gateway"})
    assert entry_of(announced()).address == "198.51.100.7"


def test_what_is_called_a_secret_is_not_written_down() -> None:
    nested = {"mqtt": {"password": "hunter4", "username": "device_1"}, "accessToken": "hunter5"}
    details = entry_of(announced(event=VaultOpened(at=NOON, by="system", more=nested))).details
    assert "hunter" not in str(details)
    assert (details["password"], details["key_id"]) == (REMOVED, "harmless")
    assert details["more"]["mqtt"] == {"password": REMOVED, "username": "device_1"}


def test_control_characters_are_taken_out_and_markup_is_left_to_the_reader() -> None:
    event = LoginFailed(
        at=NOON, by="str\x1b[2Janger\n", username="<svg/onload=alert(1)>\r\n=cmd|' /C'!A0\x00", address="::1", reason=""
    )
    entry = entry_of(announced(event=event))
    assert entry.details["username"] == "<svg/onload=alert(1)>=cmd|' /C'!A0"
    assert entry.actor == "str[2Janger"


def test_an_entry_has_bounds() -> None:
    deep: dict[str, Any] = {}
    for _ in range(50):
        deep = {"deeper": deep}
    event = VaultOpened(at=NOON, by="x" * 10_000, items=("y" * 10_000,) * 1000, more=deep)
    entry = entry_of(announced(event=event))
    assert len(entry.actor) == 255
    assert len(str(entry.details)) < 100_000


async def test_a_reaction_that_fails_does_not_keep_an_event_out_of_the_log(
    make: Make, transactions: SqliteTransactions, clock: TestClock
) -> None:
    async def fail(_: Announced[Any]) -> None:
        raise RuntimeError("out of order")

    audit_log = make()
    broken: AnySubscription = Subscription(name="broken", events=(Event,), reaction=fail)
    outbox = Outbox(transactions, SqlOutboxStore(), clock, OwnLocks())
    outbox.subscribe([broken, *audit_log.subscriptions()])
    async with transactions.begin() as tx:
        tx.announce(DeviceRemoved(at=NOON, by="system", uuid=DEVICE, name="gateway"))
    await outbox.relay()
    assert [entry.event for entry in (await audit_log.entries(SYSTEM, AuditQuery())).items] == ["device.removed"]


async def test_an_event_waits_for_the_log_when_it_cannot_be_written(
    make: Make, transactions: SqliteTransactions, clock: TestClock
) -> None:
    audit_log = make()
    attempts: list[int] = []

    async def record(each: Announced[Any]) -> None:
        attempts.append(each.id)
        if len(attempts) == 1:
            raise OSError("disk full")
        await audit_log.record(each)

    outbox = Outbox(transactions, SqlOutboxStore(), clock, OwnLocks())
    outbox.subscribe([Subscription(name="audit.log", events=(Event,), reaction=record)])
    async with transactions.begin() as tx:
        tx.announce(DeviceRemoved(at=NOON, by="system", uuid=DEVICE, name="gateway"))
    await outbox.relay()
    clock.advance(seconds=1)
    await outbox.retry()
    assert len((await audit_log.entries(SYSTEM, AuditQuery())).items) == 1


async def test_a_page_says_where_the_next_one_begins(make: Make) -> None:
    audit_log = make()
    for number in range(5):
        await audit_log.record(announced(number))
    seen: list[int] = []
    before: int | None = None
    while True:
        page = await audit_log.entries(SYSTEM, AuditQuery(limit=2, before=before))
        seen += [entry.announcement_id for entry in page.items]
        if page.next is None:
            break
        before = int(page.next)
    assert seen == [4, 3, 2, 1, 0]


@pytest.mark.parametrize("limit", [0, -1, 501])
def test_a_page_has_bounds(limit: int) -> None:
    with pytest.raises(Invalid):
        AuditQuery(limit=limit)


async def test_only_those_who_run_the_installation_read_the_log(make: Make) -> None:
    """It holds what was typed as a name at logins that failed: now and then that is a password."""
    permissions = Permissions()
    permissions.grant(GRANTS)
    admin, manager = (
        Actor(kind=ActorKind.USER, permissions=permissions.of(role), role=role) for role in (Role.ADMIN, Role.MANAGER)
    )
    assert (await make().entries(admin, AuditQuery())).items == ()
    with pytest.raises(Forbidden):
        await make().entries(manager, AuditQuery())
    with pytest.raises(Unauthenticated):
        await make().entries(STRANGER, AuditQuery())
    with pytest.raises(Forbidden):
        await make().entries(Actor(kind=ActorKind.DEVICE, device_uuid=DEVICE), AuditQuery())


async def test_entries_are_forgotten_when_they_are_old_enough(make: Make, clock: TestClock) -> None:
    audit_log = make(AUDIT_RETENTION_DAYS="30")
    await audit_log.record(announced(1))
    await audit_log.record(announced(2, VaultOpened(at=NOON + timedelta(days=1), by="system")))
    clock.advance(days=30, seconds=1)
    assert await audit_log.forget_old() == 1
    assert [entry.announcement_id for entry in (await audit_log.entries(SYSTEM, AuditQuery())).items] == [2]


async def test_the_oldest_entries_go_when_all_take_too_much_room(make: Make, transactions: SqliteTransactions) -> None:
    audit_log, store = make(AUDIT_MAX_BYTES="1MB"), SqlAuditStore()
    async with transactions.begin() as tx:
        for number in range(1, 4001):
            await store.add(tx, entry_of(announced(number, VaultOpened(at=NOON, by="system", more={"x": "y" * 300}))))
    forgotten = await audit_log.forget_old()
    async with transactions.read() as tx:
        extent = await store.extent(tx)
    assert 1000 < forgotten < 4000
    assert extent.rows == 4000 - forgotten
    assert extent.bytes == pytest.approx(1024**2, rel=0.1)
    newest = (await audit_log.entries(SYSTEM, AuditQuery(limit=1))).items[0]
    assert newest.announcement_id == 4000
