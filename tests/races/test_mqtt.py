"""People who change accounts of the broker, and brokers, at the same moment."""

import pytest

from adapters.sql.devices import SqlDeviceStore
from adapters.sql.mqtt_assignments import SqlAssignmentStore
from adapters.sql.settings import SqlStoredSettings
from adapters.system import SystemIds
from adapters.system.broker_probe import NetworkBrokerProbe
from core.actor import SYSTEM
from core.errors import NotFound
from core.mqtt import AclChange, BrokerWish, MqttAcls, MqttBrokers, MqttUserChange, MqttUsers, NewMqttUser
from tests.support.clock import TestClock
from tests.support.enrolment import a_device
from tests.support.mqtt_accounts import some_endpoints
from tests.support.races import Together, done, refused

NAMED = NewMqttUser(username="scada", password="correct horse")


@pytest.fixture
def brokers(transactions: Together, clock: TestClock) -> MqttBrokers:
    """The use cases around brokers."""
    return MqttBrokers(
        transactions=transactions,
        settings=SqlStoredSettings(),
        assignments=SqlAssignmentStore(),
        devices=SqlDeviceStore(),
        endpoints=some_endpoints(),
        probe=NetworkBrokerProbe(SystemIds()),
        clock=clock,
    )


def a_wish(name: str, *, is_default: bool | None = None) -> BrokerWish:
    """What people want of a broker."""
    return BrokerWish(values={"name": name, "host": f"{name}.example"}, is_default=is_default)


async def test_an_account_is_made_once(mqtt_users: MqttUsers, transactions: Together) -> None:
    outcomes = await transactions.outcomes(*(mqtt_users.create(SYSTEM, NAMED) for _ in range(3)))
    assert done(outcomes) == 1


async def test_an_account_that_is_closed_stays_closed_when_others_change_it(
    mqtt_users: MqttUsers, transactions: Together
) -> None:
    user = await mqtt_users.create(SYSTEM, NAMED)
    changes = MqttUserChange(is_active=False), MqttUserChange(is_superuser=True)
    await transactions.outcomes(*(mqtt_users.change(SYSTEM, user.id, change) for change in changes))
    [after] = (await mqtt_users.page(SYSTEM, limit=10)).items
    assert (after.is_active, after.is_superuser) == (False, True)


async def test_an_account_has_each_row_once(mqtt_users: MqttUsers, mqtt_acls: MqttAcls, transactions: Together) -> None:
    user = await mqtt_users.create(SYSTEM, NAMED)
    row = AclChange(topic="plant/#", access=1)
    outcomes = await transactions.outcomes(*(mqtt_acls.add(SYSTEM, user.id, row) for _ in range(4)))
    assert done(outcomes) == 1


async def test_changes_of_a_row_are_all_kept(
    mqtt_users: MqttUsers, mqtt_acls: MqttAcls, transactions: Together
) -> None:
    user = await mqtt_users.create(SYSTEM, NAMED)
    row = await mqtt_acls.add(SYSTEM, user.id, AclChange(topic="plant/#", access=1))
    changes = AclChange(deny=True), AclChange(priority=7)
    await transactions.outcomes(*(mqtt_acls.change(SYSTEM, row.id, change) for change in changes))
    [after] = (await mqtt_users.page(SYSTEM, limit=10)).items[0].acls
    assert (after.deny, after.priority) == (True, 7)


async def test_an_account_that_is_deleted_is_given_no_more_rows(
    mqtt_users: MqttUsers, mqtt_acls: MqttAcls, transactions: Together
) -> None:
    user = await mqtt_users.create(SYSTEM, NAMED)
    adding = mqtt_acls.add(SYSTEM, user.id, AclChange(topic="plant/#", access=1))
    outcomes = await transactions.outcomes(mqtt_users.delete(SYSTEM, user.id), adding)
    assert refused(outcomes) in ([], [NotFound])
    assert (await mqtt_users.page(SYSTEM, limit=10)).items == ()


async def test_brokers_that_are_defined_at_once_are_all_there(brokers: MqttBrokers, transactions: Together) -> None:
    made = await transactions.outcomes(*(brokers.create(SYSTEM, a_wish(f"broker{number}")) for number in range(5)))
    assert sorted(known.broker.id for known in made) == [1, 2, 3, 4, 5]
    assert len({known.broker.name for known in await brokers.all(SYSTEM)}) == 5


async def test_one_broker_is_the_default(brokers: MqttBrokers, transactions: Together) -> None:
    wishes = (a_wish(f"broker{number}", is_default=True) for number in range(3))
    await transactions.outcomes(*(brokers.create(SYSTEM, wish) for wish in wishes))
    assert [known.is_default for known in await brokers.all(SYSTEM)].count(True) == 1


async def test_changes_of_a_broker_are_all_kept(brokers: MqttBrokers, transactions: Together) -> None:
    made = await brokers.create(SYSTEM, a_wish("one"))
    wishes = BrokerWish(values={"name": "two"}), BrokerWish(values={"description": "the second"})
    await transactions.outcomes(*(brokers.change(SYSTEM, made.broker.id, wish) for wish in wishes))
    after = (await brokers.get(SYSTEM, made.broker.id)).broker
    assert (after.name, after.description) == ("two", "the second")


async def test_no_device_is_sent_to_a_broker_that_is_removed_meanwhile(
    brokers: MqttBrokers, transactions: Together
) -> None:
    made = await brokers.create(SYSTEM, a_wish("one"))
    async with transactions.begin() as tx:
        device = await SqlDeviceStore().add(tx, a_device())
    removing = brokers.remove(SYSTEM, made.broker.id)
    await transactions.outcomes(removing, brokers.assign(SYSTEM, device.uuid, made.broker.id))
    async with transactions.read() as tx:
        assert await SqlAssignmentStore().of(tx, device.uuid) is None
