"""The broker's questions: the same answers from memory as from the database, and never an old one."""

import asyncio

import pytest
from attrs import define, field
from sqlalchemy import delete

from adapters.sql.mqtt import SqlMqttAccountStore, mqtt_users
from adapters.sql.signals import LocalSignals
from adapters.sql.sqlite import SqliteTransactions
from core.actor import SYSTEM
from core.devices import Liveness
from core.digests import digest_of
from core.errors import Unavailable
from core.ids import DeviceUuid
from core.mqtt import MQTT_ACCOUNTS, Access, MqttAccount, MqttAccounts, device_topic, device_username
from core.mqtt.accounts import KNOWN_FOR
from core.transactions import ELSEWHERE, Transaction
from tests.support.clock import TestClock
from tests.support.enrolment import Enrolling, a_registration, new_uuid
from tests.support.mqtt_accounts import some_accounts


@pytest.fixture
async def device(enrolling: Enrolling) -> tuple[DeviceUuid, str]:
    """A device and its MQTT password."""
    _, secret = await enrolling.key()
    enrolled = await enrolling.register(secret)
    return enrolled.device.uuid, enrolled.grants["mqtt"]["password"]


async def put(transactions: SqliteTransactions, clock: TestClock, account: MqttAccount) -> None:
    """Make or change an account, as a use case would."""
    async with transactions.begin() as tx:
        await SqlMqttAccountStore().put(tx, account, clock.now())
        tx.signal(MQTT_ACCOUNTS, account.username)


async def lose_every_account(transactions: SqliteTransactions) -> None:
    """Behind the back of the cache."""
    async with transactions.begin() as tx:
        await tx.run(delete(mqtt_users))


async def test_a_device_logs_in_under_its_own_name_only(accounts: MqttAccounts, device: tuple[DeviceUuid, str]) -> None:
    """Contract 12.2 item 37; abuse case 22."""
    uuid, password = device
    name = device_username(uuid)
    assert await accounts.authenticate(username=name, password=password, client_id=name)
    for client_id in ("", "another", device_username(new_uuid()), name.upper(), name + " "):
        assert not await accounts.authenticate(username=name, password=password, client_id=client_id)


async def test_no_account_is_remembered_when_others_may_have_changed_anything(
    accounts: MqttAccounts,
    transactions: SqliteTransactions,
    device: tuple[DeviceUuid, str],
    signals: LocalSignals,
) -> None:
    name = device_username(device[0])
    assert await accounts.authenticate(username=name, password=device[1], client_id=name)
    await lose_every_account(transactions)
    signals.send(ELSEWHERE, "")
    assert not await accounts.authenticate(username=name, password=device[1], client_id=name)


@pytest.mark.parametrize("password", ["", "x", "\0", "\ud800", "é" * 1000])
async def test_a_wrong_password_is_refused(
    accounts: MqttAccounts, device: tuple[DeviceUuid, str], password: str
) -> None:
    name = device_username(device[0])
    assert not await accounts.authenticate(username=name, password=password, client_id=name)


@pytest.mark.parametrize(
    "name", ["", "#", "+", "a/b", "a\0", "$SYS", "a+", "x" * 256, "x" * 60_000, "nobody", "\ud800"]
)
async def test_odd_names_are_refused_before_anything_is_looked_up_or_remembered(
    accounts: MqttAccounts, transactions: SqliteTransactions, clock: TestClock, name: str
) -> None:
    """Abuse case 13 (CVE-2017-7650); contract 12.2 item 36."""
    anna = MqttAccount(username="anna", digest=digest_of("right"), is_active=True, is_superuser=True)
    await put(transactions, clock, anna)
    assert not await accounts.authenticate(username=name, password="right", client_id="c")
    assert not await accounts.permits(username=name, client_id="c", topic="a", access=1)
    assert not await accounts.is_superuser(name)
    assert len(accounts._unknown) == (name == "nobody")


@pytest.mark.parametrize("client_id", ["#", "a/b", "+", "a\0", "$SYS"])
async def test_odd_client_ids_are_refused(
    accounts: MqttAccounts, transactions: SqliteTransactions, clock: TestClock, client_id: str
) -> None:
    await put(transactions, clock, MqttAccount(username="anna", digest=digest_of("right"), is_active=True))
    assert not await accounts.authenticate(username="anna", password="right", client_id=client_id)


async def test_what_a_device_may_do_needs_no_row(accounts: MqttAccounts, device: tuple[DeviceUuid, str]) -> None:
    """Contract 3.5; 12.2 items 34 and 38."""
    uuid, other = device[0], new_uuid()
    name = device_username(uuid)

    async def may(access: int, topic: str) -> bool:
        return await accounts.permits(username=name, client_id=name, topic=topic, access=access)

    assert await may(2, device_topic(uuid, "state"))
    assert await may(2, device_topic(uuid, "jobs", "7", "update"))
    assert await may(4, device_topic(uuid, "jobs", "notify-next"))
    assert await may(1, device_topic(uuid, "agent", "update"))
    for access, topic in (
        (2, device_topic(uuid, "jobs", "notify-next")),
        (2, device_topic(uuid, "agent", "update")),
        (2, device_topic(other, "state")),
        (4, device_topic(uuid, "#")),
        (4, "iot/device/+/jobs/notify-next"),
        (4, "#"),
        (4, "$SYS/#"),
        (4, "$share/g/#"),
    ):
        assert not await may(access, topic), (access, topic)


@pytest.mark.parametrize("access", [-1, 0, 3, 5, 6, 7, 8, 2**70])
async def test_a_superuser_may_do_everything_that_can_be_asked_and_nothing_else(
    accounts: MqttAccounts, transactions: SqliteTransactions, clock: TestClock, access: int
) -> None:
    await put(transactions, clock, MqttAccount(username="root", digest="", is_active=True, is_superuser=True))
    for asked in Access:
        assert await accounts.permits(username="root", client_id="c", topic="$SYS/#", access=asked)
    assert not await accounts.permits(username="root", client_id="c", topic="a", access=access)
    assert await accounts.is_superuser("root")


async def test_an_account_without_rules_may_do_nothing(
    accounts: MqttAccounts, transactions: SqliteTransactions, clock: TestClock
) -> None:
    """Abuse case 19 (CVE-2018-12550): empty means deny."""
    await put(transactions, clock, MqttAccount(username="anna", digest=digest_of("right"), is_active=True))
    assert await accounts.authenticate(username="anna", password="right", client_id="c")
    for access in Access:
        assert not await accounts.permits(username="anna", client_id="c", topic="a", access=access)


async def test_an_inactive_superuser_may_do_nothing(
    accounts: MqttAccounts, transactions: SqliteTransactions, clock: TestClock
) -> None:
    """Contract 12.2 item 36; B-05."""
    for active in (True, False):
        root = MqttAccount(username="root", digest=digest_of("right"), is_active=active, is_superuser=True)
        await put(transactions, clock, root)
        assert await accounts.authenticate(username="root", password="right", client_id="c") is active
        assert await accounts.permits(username="root", client_id="c", topic="a", access=2) is active
        assert await accounts.is_superuser("root") is active


async def test_a_device_out_of_service_is_denied_at_once_and_works_again_without_registering(
    enrolling: Enrolling, device: tuple[DeviceUuid, str]
) -> None:
    """Contract 12.1 item 28; B-08."""
    uuid, password = device
    name, accounts = device_username(uuid), enrolling.accounts
    for active in (True, False, True):
        await enrolling.devices.switch(SYSTEM, uuid, active=active)
        assert await accounts.authenticate(username=name, password=password, client_id=name) is active
        assert (
            await accounts.permits(username=name, client_id=name, topic=device_topic(uuid, "state"), access=2) is active
        )
        assert await accounts.is_active_device(uuid) is active


async def test_a_removed_device_is_denied_at_once(enrolling: Enrolling, device: tuple[DeviceUuid, str]) -> None:
    """Contract 12.1 item 29; P-15."""
    uuid, password = device
    name = device_username(uuid)
    assert await enrolling.accounts.authenticate(username=name, password=password, client_id=name)
    await enrolling.devices.remove(SYSTEM, uuid)
    assert not await enrolling.accounts.authenticate(username=name, password=password, client_id=name)
    assert not await enrolling.accounts.is_active_device(uuid)


async def test_an_account_that_was_asked_for_too_early_works_as_soon_as_it_is_there(enrolling: Enrolling) -> None:
    wanted = a_registration()
    name = device_username(wanted.uuid)
    assert not await enrolling.accounts.authenticate(username=name, password="x", client_id=name)
    _, secret = await enrolling.key()
    assert await enrolling.can_log_in(await enrolling.register(secret, wanted))


async def test_warm_answers_need_no_database_and_grow_old(
    accounts: MqttAccounts, device: tuple[DeviceUuid, str], transactions: SqliteTransactions, clock: TestClock
) -> None:
    uuid, password = device
    name = device_username(uuid)
    assert await accounts.authenticate(username=name, password=password, client_id=name)
    await lose_every_account(transactions)
    assert await accounts.authenticate(username=name, password=password, client_id=name)
    clock.advance(seconds=KNOWN_FOR + 1)
    assert not await accounts.authenticate(username=name, password=password, client_id=name)


@define
class MoodyAccounts(SqlMqttAccountStore):
    """The real store on a slow or a bad day."""

    read: asyncio.Event = field(factory=asyncio.Event)
    go: asyncio.Event = field(factory=asyncio.Event)
    down: bool = False

    async def get(self, tx: Transaction, username: str) -> MqttAccount:
        """Reads at once, answers later or not at all."""
        if self.down:
            raise Unavailable("the database does not answer")
        try:
            return await super().get(tx, username)
        finally:
            self.read.set()
            await self.go.wait()


@pytest.fixture
def store() -> MoodyAccounts:
    """A moody store."""
    return MoodyAccounts()


@pytest.fixture
def moody(
    transactions: SqliteTransactions, clock: TestClock, signals: LocalSignals, liveness: Liveness, store: MoodyAccounts
) -> MqttAccounts:
    """Accounts in it."""
    return some_accounts(transactions, signals, clock, liveness, store=store)


async def test_an_account_made_while_it_was_looked_up_in_vain_is_not_remembered_as_unknown(
    transactions: SqliteTransactions, clock: TestClock, moody: MqttAccounts, store: MoodyAccounts
) -> None:
    asking = asyncio.create_task(moody.authenticate(username="anna", password="right", client_id="c"))
    await store.read.wait()
    await put(transactions, clock, MqttAccount(username="anna", digest=digest_of("right"), is_active=True))
    store.go.set()
    assert not await asking
    assert await moody.authenticate(username="anna", password="right", client_id="c")


async def test_an_old_password_looked_up_during_a_change_is_not_remembered(
    transactions: SqliteTransactions, clock: TestClock, moody: MqttAccounts, store: MoodyAccounts
) -> None:
    await put(transactions, clock, MqttAccount(username="anna", digest=digest_of("old"), is_active=True))
    asking = asyncio.create_task(moody.authenticate(username="anna", password="old", client_id="c"))
    await store.read.wait()
    await put(transactions, clock, MqttAccount(username="anna", digest=digest_of("new"), is_active=True))
    store.go.set()
    await asking
    assert not await moody.authenticate(username="anna", password="old", client_id="c")
    assert await moody.authenticate(username="anna", password="new", client_id="c")


async def test_a_database_that_does_not_answer_is_no_answer_and_is_not_remembered_as_one(
    transactions: SqliteTransactions, clock: TestClock, moody: MqttAccounts, store: MoodyAccounts
) -> None:
    """Abuse case 20; contract 10.3 item 8: fail closed, and only for as long as it lasts."""
    await put(transactions, clock, MqttAccount(username="anna", digest=digest_of("right"), is_active=True))
    store.down = True
    store.go.set()
    with pytest.raises(Unavailable):
        await moody.authenticate(username="anna", password="right", client_id="c")
    with pytest.raises(Unavailable):
        await moody.permits(username="anna", client_id="c", topic="a", access=1)
    store.down = False
    assert await moody.authenticate(username="anna", password="right", client_id="c")


async def test_only_devices_give_signs_of_life(enrolling: Enrolling, device: tuple[DeviceUuid, str]) -> None:
    for name in ("anna", "device_", "device_x", device_username(device[0]).upper(), "\0", ""):
        enrolling.accounts.seen(name)
    assert enrolling.liveness._heard == {}
    enrolling.accounts.seen(device_username(device[0]))
    assert list(enrolling.liveness._heard) == [device[0]]
