"""Accounts of the broker that people make (contract 4.1 mqtt-users)."""

import pytest
from attrs import evolve

from adapters.sql.devices import SqlDeviceStore
from adapters.sql.mqtt import SqlMqttAccountStore
from adapters.sql.signals import LocalSignals
from adapters.sql.sqlite import SqliteTransactions
from core.actor import SYSTEM, Actor, ActorKind, Permission
from core.devices import Liveness
from core.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from core.mqtt import (
    MQTT_ACCOUNTS,
    AclChange,
    MqttAccount,
    MqttAccounts,
    MqttAcls,
    MqttSuperuserMade,
    MqttUser,
    MqttUserChange,
    MqttUserChanged,
    MqttUserCreated,
    MqttUserDeleted,
    MqttUserId,
    MqttUsers,
    NewMqttUser,
    PeoplesPasswords,
    device_username,
)
from tests.support.clock import NOON, TestClock
from tests.support.enrolment import a_device
from tests.support.mqtt_accounts import announced, some_accounts

PASSWORD = "correct horse"


@pytest.fixture
def questions(
    transactions: SqliteTransactions,
    signals: LocalSignals,
    clock: TestClock,
    liveness: Liveness,
    peoples_passwords: PeoplesPasswords,
) -> MqttAccounts:
    """What the broker asks."""
    return some_accounts(transactions, signals, clock, liveness, passwords=peoples_passwords)


@pytest.fixture
def signalled(signals: LocalSignals) -> list[str]:
    """Whose sessions are to be cut."""
    names: list[str] = []
    signals.on(MQTT_ACCOUNTS, names.append)
    return names


def a_wish(username: str = "anna", **fields: object) -> NewMqttUser:
    """An account to be made."""
    plain: dict[str, object] = {"username": username, "password": PASSWORD}
    return NewMqttUser(**(plain | fields))  # type: ignore[arg-type]


async def a_device_account(transactions: SqliteTransactions, users: MqttUsers) -> MqttUser:
    """The account of a device."""
    device = a_device()
    name = device_username(device.uuid)
    async with transactions.begin() as tx:
        await SqlDeviceStore().add(tx, device)
        account = MqttAccount(username=name, digest="x", is_active=True, device_uuid=device.uuid)
        await SqlMqttAccountStore().put(tx, account, NOON)
    page = await users.page(SYSTEM, limit=10)
    return next(user for user in page.items if user.username == name)


async def logs_in(questions: MqttAccounts, username: str = "anna", password: str = PASSWORD) -> bool:
    """Does the broker let them?"""
    return await questions.authenticate(username=username, password=password, client_id="c")


async def test_an_account_logs_in_with_its_password_only(mqtt_users: MqttUsers, questions: MqttAccounts) -> None:
    assert not await logs_in(questions)
    await mqtt_users.create(SYSTEM, a_wish())
    assert await logs_in(questions)
    assert not await logs_in(questions, password="another")
    assert not await logs_in(questions, "Anna")


async def test_an_account_may_do_nothing_until_it_is_given_rights(
    mqtt_users: MqttUsers, mqtt_acls: MqttAcls, questions: MqttAccounts
) -> None:
    """Abuse case 19 (CVE-2018-12550): empty means deny."""
    user = await mqtt_users.create(SYSTEM, a_wish())

    async def may(access: int, topic: str) -> bool:
        return await questions.permits(username="anna", client_id="c", topic=topic, access=access)

    assert not any([await may(access, "a") for access in (1, 2, 4)])
    row = await mqtt_acls.add(SYSTEM, user.id, AclChange(topic="%u/+", access=1))
    assert [await may(access, "anna/x") for access in (1, 2, 4)] == [True, False, True]
    await mqtt_acls.change(SYSTEM, row.id, AclChange(access=2))
    assert [await may(access, "anna/x") for access in (1, 2, 4)] == [False, True, False]
    await mqtt_acls.remove(SYSTEM, row.id)
    assert not any([await may(access, "anna/x") for access in (1, 2, 4)])


async def test_each_change_holds_at_once_and_cuts_the_sessions(
    mqtt_users: MqttUsers, questions: MqttAccounts, signalled: list[str]
) -> None:
    """Contract 10.3 items 5 and 9; B-08; abuse case 20."""
    user = await mqtt_users.create(SYSTEM, a_wish())
    assert await logs_in(questions)
    await mqtt_users.change(SYSTEM, user.id, MqttUserChange(password="new password"))
    assert not await logs_in(questions)
    assert await logs_in(questions, password="new password")
    await mqtt_users.change(SYSTEM, user.id, MqttUserChange(is_active=False))
    assert not await logs_in(questions, password="new password")
    await mqtt_users.change(SYSTEM, user.id, MqttUserChange(is_active=True, is_superuser=True))
    assert await questions.is_superuser("anna")
    await mqtt_users.delete(SYSTEM, user.id)
    assert not await questions.is_superuser("anna")
    assert not await logs_in(questions, password="new password")
    assert signalled == ["anna"] * 5


async def test_what_changes_nothing_cuts_nobody(
    mqtt_users: MqttUsers, signalled: list[str], transactions: SqliteTransactions
) -> None:
    user = await mqtt_users.create(SYSTEM, a_wish())
    assert await mqtt_users.change(SYSTEM, user.id, MqttUserChange(is_active=True)) == user
    assert signalled == ["anna"]
    assert len(await announced(transactions)) == 1


async def test_a_superuser_is_announced_louder_than_others(
    mqtt_users: MqttUsers, transactions: SqliteTransactions
) -> None:
    await mqtt_users.create(SYSTEM, a_wish("root", is_superuser=True))
    user = await mqtt_users.create(SYSTEM, a_wish())
    await mqtt_users.change(SYSTEM, user.id, MqttUserChange(is_superuser=True))
    await mqtt_users.change(SYSTEM, user.id, MqttUserChange(password=PASSWORD))
    await mqtt_users.delete(SYSTEM, user.id)
    kinds = [type(event) for event in await announced(transactions)]
    assert kinds == [
        MqttUserCreated,
        MqttSuperuserMade,
        MqttUserCreated,
        MqttUserChanged,
        MqttSuperuserMade,
        MqttUserChanged,
        MqttUserDeleted,
    ]
    assert MqttSuperuserMade.SEVERITY == "warning"


async def test_no_event_tells_a_password(mqtt_users: MqttUsers, transactions: SqliteTransactions) -> None:
    user = await mqtt_users.create(SYSTEM, a_wish())
    await mqtt_users.change(SYSTEM, user.id, MqttUserChange(password="new password"))
    told = str(await announced(transactions))
    assert PASSWORD not in told
    assert "new password" not in told
    assert "$2b$" not in told


async def test_a_name_that_is_taken_is_invalid(mqtt_users: MqttUsers) -> None:
    """Contract 4.1: 400, also for duplicates."""
    await mqtt_users.create(SYSTEM, a_wish())
    with pytest.raises(Invalid) as refused:
        await mqtt_users.create(SYSTEM, a_wish())
    assert list(refused.value.fields) == ["username"]


@pytest.mark.parametrize(
    "username", ["", " ", "#", "a/b", "a+", "$SYS", "a\0", "a\nb", "x" * 256, "device_1", "Device_x", "\ud800"]
)
def test_a_name_that_would_mean_more_than_itself_or_a_device_is_refused(username: str) -> None:
    """Abuse case 13 (CVE-2017-7650)."""
    with pytest.raises(Invalid) as refused:
        a_wish(username)
    assert list(refused.value.fields) == ["username"]


@pytest.mark.parametrize("password", ["", "short", "x" * 73, "\ud800" * 8])
def test_a_password_that_will_not_do_is_refused(password: str) -> None:
    for make in (lambda: a_wish(password=password), lambda: MqttUserChange(password=password)):
        with pytest.raises(Invalid) as refused:
            make()
        assert list(refused.value.fields) == ["password"]


def test_a_change_of_nothing_is_refused() -> None:
    """Contract 4.1: 400 nothing to update."""
    with pytest.raises(Invalid):
        MqttUserChange()


async def test_accounts_of_devices_are_shown_last_and_edited_by_nobody(
    mqtt_users: MqttUsers, mqtt_acls: MqttAcls, transactions: SqliteTransactions
) -> None:
    device = await a_device_account(transactions, mqtt_users)
    await mqtt_users.create(SYSTEM, a_wish("zoe"))
    page = await mqtt_users.page(SYSTEM, limit=10)
    assert ([user.username for user in page.items], page.total) == (["zoe", device.username], 2)
    for act in (
        mqtt_users.change(SYSTEM, device.id, MqttUserChange(is_active=False)),
        mqtt_users.delete(SYSTEM, device.id),
        mqtt_acls.add(SYSTEM, device.id, AclChange(topic="#", access=7)),
    ):
        with pytest.raises(Conflict, match="device"):
            await act


async def test_who_is_not_there_is_not_found(mqtt_users: MqttUsers) -> None:
    nobody = MqttUserId(4711)
    for act in (
        mqtt_users.change(SYSTEM, nobody, MqttUserChange(is_active=False)),
        mqtt_users.delete(SYSTEM, nobody),
    ):
        with pytest.raises(NotFound):
            await act


async def test_each_use_case_asks_for_its_permission(mqtt_users: MqttUsers, mqtt_acls: MqttAcls) -> None:
    user = await mqtt_users.create(SYSTEM, a_wish())
    row = await mqtt_acls.add(SYSTEM, user.id, AclChange(topic="a", access=1))
    everybody = frozenset(map(Permission, ("mqtt:user:read", "mqtt:user:write", "mqtt:acl:manage")))
    for needed, act in (
        ("mqtt:user:read", lambda actor: mqtt_users.page(actor, limit=1)),
        ("mqtt:user:write", lambda actor: mqtt_users.create(actor, a_wish("root", is_superuser=True))),
        ("mqtt:user:write", lambda actor: mqtt_users.change(actor, user.id, MqttUserChange(is_superuser=True))),
        ("mqtt:user:write", lambda actor: mqtt_users.delete(actor, user.id)),
        ("mqtt:acl:manage", lambda actor: mqtt_acls.add(actor, user.id, AclChange(topic="b", access=1))),
        ("mqtt:acl:manage", lambda actor: mqtt_acls.change(actor, row.id, AclChange(access=2))),
        ("mqtt:acl:manage", lambda actor: mqtt_acls.remove(actor, row.id)),
    ):
        person = Actor(kind=ActorKind.USER, permissions=everybody - {Permission(needed)})
        with pytest.raises(Forbidden) as refused:
            await act(person)
        assert refused.value.missing == (needed,)
        with pytest.raises(Unauthenticated):
            await act(evolve(person, kind=ActorKind.STRANGER))
