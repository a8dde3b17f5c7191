"""Rights of accounts as people write them down (contract 4.1 mqtt-acls)."""

import pytest

from adapters.sql.signals import LocalSignals
from adapters.sql.sqlite import SqliteTransactions
from core.actor import SYSTEM
from core.errors import Conflict, Invalid, NotFound
from core.mqtt import (
    MQTT_ACCOUNTS,
    AclChange,
    AclRow,
    MqttAclEvent,
    MqttAclId,
    MqttAcls,
    MqttUser,
    MqttUserId,
    MqttUsers,
    NewMqttUser,
    acl_rows,
)
from tests.support.clock import NOON
from tests.support.mqtt_accounts import announced


@pytest.fixture
async def anna(mqtt_users: MqttUsers) -> MqttUser:
    """An account."""
    return await mqtt_users.create(SYSTEM, NewMqttUser(username="anna", password="correct horse"))


async def test_a_row_is_shown_with_its_account(mqtt_users: MqttUsers, mqtt_acls: MqttAcls, anna: MqttUser) -> None:
    await mqtt_users.create(SYSTEM, NewMqttUser(username="bert", password="correct horse"))
    first = await mqtt_acls.add(SYSTEM, anna.id, AclChange(topic="a/#", access=3, priority=7, deny=True))
    second = await mqtt_acls.add(SYSTEM, anna.id, AclChange(topic="b", access=1))
    assert (first.username, first.topic, first.access, first.priority, first.deny) == ("anna", "a/#", 3, 7, True)
    assert (second.priority, second.deny) == (0, False)
    page = await mqtt_users.page(SYSTEM, limit=10)
    assert [user.acls for user in page.items] == [(first, second), ()]


async def test_each_change_is_announced_and_cuts_the_sessions(
    mqtt_acls: MqttAcls, anna: MqttUser, signals: LocalSignals, transactions: SqliteTransactions
) -> None:
    cut: list[str] = []
    signals.on(MQTT_ACCOUNTS, cut.append)
    row = await mqtt_acls.add(SYSTEM, anna.id, AclChange(topic="a", access=1))
    changed = await mqtt_acls.change(SYSTEM, row.id, AclChange(topic="b", priority=1))
    assert (changed.topic, changed.access, changed.priority) == ("b", 1, 1)
    assert await mqtt_acls.change(SYSTEM, row.id, AclChange(topic="b")) == changed
    await mqtt_acls.remove(SYSTEM, row.id)
    assert cut == ["anna"] * 3
    told = [event for event in await announced(transactions) if isinstance(event, MqttAclEvent)]
    assert [(event.NAME, event.topic, event.access) for event in told] == [
        ("mqtt.acl_added", "a", 1),
        ("mqtt.acl_changed", "b", 1),
        ("mqtt.acl_removed", "b", 1),
    ]


@pytest.mark.parametrize("topic", ["", "a/#/b", "a#", "+a", "a\0b", "\ud800", "$share/g/a", "/" * 200, "x" * 70_000])
async def test_a_topic_that_is_no_filter_is_refused(mqtt_acls: MqttAcls, anna: MqttUser, topic: str) -> None:
    with pytest.raises(Invalid) as refused:
        await mqtt_acls.add(SYSTEM, anna.id, AclChange(topic=topic, access=1))
    assert list(refused.value.fields) == ["topic"]


@pytest.mark.parametrize("access", [-1, 0, 8, 2**70, True])
async def test_an_access_that_is_no_sum_of_1_2_and_4_is_refused(
    mqtt_acls: MqttAcls, anna: MqttUser, access: int
) -> None:
    with pytest.raises(Invalid) as refused:
        await mqtt_acls.add(SYSTEM, anna.id, AclChange(topic="a", access=access))
    assert list(refused.value.fields) == ["access"]


@pytest.mark.parametrize("priority", [1_000_001, -1_000_001, 2**70])
def test_a_priority_out_of_bounds_is_refused(priority: int) -> None:
    with pytest.raises(Invalid) as refused:
        AclRow(username="anna", topic="a", access=1, priority=priority, created_at=NOON)
    assert list(refused.value.fields) == ["priority"]


@pytest.mark.parametrize("missing", ["topic", "access"])
async def test_what_a_row_needs_is_required(mqtt_acls: MqttAcls, anna: MqttUser, missing: str) -> None:
    given = {"topic": AclChange(access=1), "access": AclChange(topic="a")}[missing]
    with pytest.raises(Invalid) as refused:
        await mqtt_acls.add(SYSTEM, anna.id, given)
    assert list(refused.value.fields) == [missing]


async def test_a_change_of_nothing_is_refused(mqtt_acls: MqttAcls, anna: MqttUser) -> None:
    row = await mqtt_acls.add(SYSTEM, anna.id, AclChange(topic="a", access=1))
    with pytest.raises(Invalid):
        await mqtt_acls.change(SYSTEM, row.id, AclChange())


async def test_a_row_that_the_account_has_already_is_refused(mqtt_acls: MqttAcls, anna: MqttUser) -> None:
    """Else taking one away would leave the right where it was."""
    await mqtt_acls.add(SYSTEM, anna.id, AclChange(topic="a", access=1))
    with pytest.raises(Invalid):
        await mqtt_acls.add(SYSTEM, anna.id, AclChange(topic="a", access=1, priority=5))
    other = await mqtt_acls.add(SYSTEM, anna.id, AclChange(topic="a", access=2))
    await mqtt_acls.add(SYSTEM, anna.id, AclChange(topic="a", access=1, deny=True))
    with pytest.raises(Invalid):
        await mqtt_acls.change(SYSTEM, other.id, AclChange(access=1))


async def test_an_account_has_so_many_rows_and_no_more(
    mqtt_acls: MqttAcls, anna: MqttUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acl_rows, "MOST_ROWS", 2)
    for topic in ("a", "b"):
        await mqtt_acls.add(SYSTEM, anna.id, AclChange(topic=topic, access=1))
    with pytest.raises(Conflict):
        await mqtt_acls.add(SYSTEM, anna.id, AclChange(topic="c", access=1))


async def test_what_is_not_there_is_not_found(mqtt_acls: MqttAcls) -> None:
    nothing = MqttAclId(4711)
    for act in (
        mqtt_acls.add(SYSTEM, MqttUserId(4711), AclChange(topic="a", access=1)),
        mqtt_acls.change(SYSTEM, nothing, AclChange(access=1)),
        mqtt_acls.remove(SYSTEM, nothing),
    ):
        with pytest.raises(NotFound):
            await act


async def test_rows_go_with_their_account(mqtt_users: MqttUsers, mqtt_acls: MqttAcls, anna: MqttUser) -> None:
    row = await mqtt_acls.add(SYSTEM, anna.id, AclChange(topic="a", access=1))
    await mqtt_users.delete(SYSTEM, anna.id)
    with pytest.raises(NotFound):
        await mqtt_acls.remove(SYSTEM, row.id)
    again = await mqtt_users.create(SYSTEM, NewMqttUser(username="anna", password="correct horse"))
    assert (await mqtt_users.page(SYSTEM, limit=1)).items[0].acls == ()
    assert again.id > anna.id
