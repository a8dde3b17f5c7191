"""Brokers that people define (contract 4.16), and which one a device is told of (B-10, B-11, B-17)."""

from typing import Any

import pytest
from attrs import define, field

from adapters.sql.devices import SqlDeviceStore
from adapters.sql.mqtt_assignments import SqlAssignmentStore
from adapters.sql.settings import SqlStoredSettings
from adapters.sql.sqlite import SqliteTransactions
from core.actor import SYSTEM, Actor, ActorKind
from core.devices import Device
from core.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from core.ids import DeviceUuid
from core.mqtt import (
    BrokerDefinition,
    BrokerId,
    BrokerWish,
    DeviceBrokerAssigned,
    Endpoint,
    Endpoints,
    KnownBroker,
    MqttBrokers,
    ProbeOutcome,
    brokers,
)
from tests.support.clock import TestClock
from tests.support.enrolment import a_device, new_uuid
from tests.support.mqtt_accounts import GATEWAY, announced, some_endpoints

NOBODY = Actor(kind=ActorKind.USER)
UNKNOWN = BrokerId(4711)


@define
class NotedProbe:
    """Implements `core.mqtt.BrokerProbe`: notes what it was to connect to."""

    asked: list[BrokerDefinition] = field(factory=list)

    async def probe(self, broker: BrokerDefinition) -> ProbeOutcome:
        """Always the same answer."""
        self.asked.append(broker)
        return ProbeOutcome.REFUSED_CREDENTIALS


@pytest.fixture
def probe() -> NotedProbe:
    """What tests connect with."""
    return NotedProbe()


@pytest.fixture
def endpoints() -> Endpoints:
    """Where devices are sent; our broker has started."""
    return some_endpoints()


@pytest.fixture
def defined(transactions: SqliteTransactions, clock: TestClock, probe: NotedProbe, endpoints: Endpoints) -> MqttBrokers:
    """The use cases."""
    return MqttBrokers(
        transactions=transactions,
        settings=SqlStoredSettings(),
        assignments=SqlAssignmentStore(),
        devices=SqlDeviceStore(),
        endpoints=endpoints,
        probe=probe,
        clock=clock,
    )


@pytest.fixture
async def device(transactions: SqliteTransactions) -> Device:
    """A device."""
    async with transactions.begin() as tx:
        return await SqlDeviceStore().add(tx, a_device())


def a_wish(host: str = "one.local", *, is_default: bool | None = None, **values: Any) -> BrokerWish:
    """What people want of a broker."""
    return BrokerWish(values={"name": host.partition(".")[0], "host": host, **values}, is_default=is_default)


def change_of(is_default: bool | None = None, **values: Any) -> BrokerWish:
    """What they want to change."""
    return BrokerWish(values=values, is_default=is_default)


async def told(endpoints: Endpoints, transactions: SqliteTransactions, uuid: DeviceUuid) -> str:
    """The address that a device is told."""
    async with transactions.read() as tx:
        return (await endpoints.for_device(tx, uuid)).url


async def test_a_broker_is_defined_shown_changed_and_removed(defined: MqttBrokers) -> None:
    known = await defined.create(SYSTEM, a_wish(username="control", password="secret"))
    assert (known.broker.id, known.broker.url, known.is_default, known.devices) == (
        1,
        "mqtt://one.local:1883",
        False,
        0,
    )
    assert await defined.get(SYSTEM, known.broker.id) == known
    changed = await defined.change(SYSTEM, known.broker.id, BrokerWish(values={"name": "two"}, use_tls=True))
    assert (changed.broker.name, changed.broker.protocol, changed.broker.password) == ("two", "mqtts", None)
    assert await defined.all(SYSTEM) == [changed]
    await defined.remove(SYSTEM, known.broker.id)
    assert await defined.all(SYSTEM) == []
    with pytest.raises(NotFound):
        await defined.get(SYSTEM, known.broker.id)


@pytest.mark.parametrize(("protocol", "port"), [("mqtt", 1883), ("mqtts", 8883), ("ws", 80), ("wss", 443)])
async def test_a_port_that_is_not_named_is_the_usual_one(defined: MqttBrokers, protocol: str, port: int) -> None:
    assert (await defined.create(SYSTEM, a_wish(protocol=protocol))).broker.port == port


@pytest.mark.parametrize("missing", ["name", "host"])
async def test_what_a_broker_needs_is_required(defined: MqttBrokers, missing: str) -> None:
    values = {name: "x" for name in ("name", "host") if name != missing}
    with pytest.raises(Invalid) as refused:
        await defined.create(SYSTEM, BrokerWish(values=values))
    assert list(refused.value.fields) == [missing]


async def test_a_change_of_nothing_is_refused(defined: MqttBrokers) -> None:
    known = await defined.create(SYSTEM, a_wish())
    with pytest.raises(Invalid):
        await defined.change(SYSTEM, known.broker.id, BrokerWish())


async def test_there_is_one_default_at_most_and_it_is_active(defined: MqttBrokers) -> None:
    one = await defined.create(SYSTEM, a_wish("one.local", is_default=True))
    two = await defined.create(SYSTEM, a_wish("two.local", is_default=True))
    assert [known.is_default for known in await defined.all(SYSTEM)] == [False, True]
    for change in (change_of(is_active=False), change_of(True, is_active=False)):
        with pytest.raises(Invalid):
            await defined.change(SYSTEM, two.broker.id, change)
    await defined.change(SYSTEM, one.broker.id, change_of(is_active=False))
    with pytest.raises(Invalid):
        await defined.change(SYSTEM, one.broker.id, change_of(True))
    await defined.change(SYSTEM, two.broker.id, change_of(False, is_active=False))
    assert not any(known.is_default for known in await defined.all(SYSTEM))


async def test_b_17_the_environment_then_the_devices_own_then_the_default_then_our_broker(
    defined: MqttBrokers, endpoints: Endpoints, transactions: SqliteTransactions, device: Device
) -> None:
    """B-17: the precedence, from the weakest word to the strongest."""
    other = new_uuid()

    async def both() -> tuple[str, str]:
        return await told(endpoints, transactions, device.uuid), await told(endpoints, transactions, other)

    assert await both() == (GATEWAY, GATEWAY)
    default = await defined.create(SYSTEM, a_wish("default.local", is_default=True))
    own = await defined.create(SYSTEM, a_wish("own.local"))
    assert await both() == ("mqtt://default.local:1883", "mqtt://default.local:1883")
    await defined.assign(SYSTEM, device.uuid, own.broker.id)
    assert await both() == ("mqtt://own.local:1883", "mqtt://default.local:1883")
    await defined.change(SYSTEM, own.broker.id, change_of(is_active=False))
    assert await both() == ("mqtt://default.local:1883", "mqtt://default.local:1883")
    await defined.change(SYSTEM, own.broker.id, change_of(is_active=True))
    await defined.remove(SYSTEM, default.broker.id)
    assert await both() == ("mqtt://own.local:1883", GATEWAY)
    endpoints.reachable_at(Endpoint(GATEWAY), override=Endpoint("mqtts://environment.local"))
    assert await both() == ("mqtts://environment.local", "mqtts://environment.local")
    assert defined.overridden_by == "mqtts://environment.local"


async def test_before_our_broker_has_started_no_device_is_told_anything(transactions: SqliteTransactions) -> None:
    with pytest.raises(Unavailable):
        await told(some_endpoints(None), transactions, new_uuid())


async def test_b_11_a_device_is_assigned_until_its_broker_is_removed(
    defined: MqttBrokers, device: Device, endpoints: Endpoints, transactions: SqliteTransactions
) -> None:
    """B-11: kept for the next registration, since this agent listens to nothing that could tell it before."""
    one = await defined.create(SYSTEM, a_wish())
    assignment = await defined.assign(SYSTEM, device.uuid, one.broker.id)
    assert (assignment.device, assignment.broker, assignment.overridden) == (device, one.broker, False)
    assert (await defined.get(SYSTEM, one.broker.id)).devices == 1
    await defined.remove(SYSTEM, one.broker.id)
    again: KnownBroker = await defined.create(SYSTEM, a_wish("again.local"))
    assert (again.broker.id, again.devices) == (1, 0)
    assert await told(endpoints, transactions, device.uuid) == GATEWAY
    assert (await defined.assign(SYSTEM, device.uuid, None)).broker is None
    events = [event for event in await announced(transactions) if isinstance(event, DeviceBrokerAssigned)]
    assert [(event.uuid, event.broker_id) for event in events] == [(device.uuid, 1), (device.uuid, None)]


async def test_a_device_is_sent_only_where_it_can_go(defined: MqttBrokers, device: Device) -> None:
    idle = await defined.create(SYSTEM, a_wish(is_active=False))
    with pytest.raises(Invalid):
        await defined.assign(SYSTEM, device.uuid, idle.broker.id)
    with pytest.raises(NotFound):
        await defined.assign(SYSTEM, device.uuid, UNKNOWN)
    with pytest.raises(NotFound):
        await defined.assign(SYSTEM, new_uuid(), None)


async def test_a_test_connects_to_the_broker_as_it_is_stored(defined: MqttBrokers, probe: NotedProbe) -> None:
    known = await defined.create(SYSTEM, a_wish(username="control", password="secret"))
    assert await defined.test(SYSTEM, known.broker.id) is ProbeOutcome.REFUSED_CREDENTIALS
    assert probe.asked == [known.broker]
    with pytest.raises(NotFound):
        await defined.test(SYSTEM, UNKNOWN)


async def test_everything_is_announced_and_no_password_is(
    defined: MqttBrokers, transactions: SqliteTransactions
) -> None:
    known = await defined.create(SYSTEM, a_wish(username="control", password="our secret"))
    await defined.change(SYSTEM, known.broker.id, change_of(password="new secret"))
    await defined.test(SYSTEM, known.broker.id)
    await defined.remove(SYSTEM, known.broker.id)
    events = await announced(transactions)
    assert [event.NAME for event in events] == [
        "mqtt.broker_added",
        "mqtt.broker_changed",
        "mqtt.broker_tested",
        "mqtt.broker_removed",
    ]
    assert "secret" not in str(events)


async def test_there_are_so_many_brokers_and_no_more(defined: MqttBrokers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brokers, "MOST_BROKERS", 1)
    await defined.create(SYSTEM, a_wish())
    with pytest.raises(Conflict):
        await defined.create(SYSTEM, a_wish())


async def test_each_use_case_asks_for_its_permission(defined: MqttBrokers, device: Device) -> None:
    known = await defined.create(SYSTEM, a_wish())
    for needed, act in (
        ("settings:read", defined.all(NOBODY)),
        ("settings:read", defined.get(NOBODY, known.broker.id)),
        ("settings:write", defined.create(NOBODY, a_wish())),
        ("settings:write", defined.change(NOBODY, known.broker.id, change_of(name="x"))),
        ("settings:write", defined.remove(NOBODY, known.broker.id)),
        ("settings:write", defined.test(NOBODY, known.broker.id)),
        ("device:control", defined.assign(NOBODY, device.uuid, known.broker.id)),
    ):
        with pytest.raises(Forbidden) as refused:
            await act
        assert refused.value.missing == (needed,)
