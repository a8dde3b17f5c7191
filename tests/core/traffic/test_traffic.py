"""How much devices talk: who counts, and that it stays bounded."""

from datetime import timedelta

import pytest
import pytest_asyncio

from adapters.sql.signals import LocalSignals
from adapters.sql.sqlite import SqliteTransactions
from adapters.sql.traffic import SqlTrafficStore
from core.actor import STRANGER, SYSTEM, Actor
from core.devices import Device, DeviceRemoved
from core.errors import Forbidden, NotFound, Unavailable
from core.events import Announced
from core.mqtt import Message
from core.traffic import MOST_TOPICS_PER_OWNER, OTHERS, TopicOrder, Traffic
from tests.contracts.telemetry_parts import new_uuid
from tests.core.monitoring.parts import Interrupted
from tests.core.telemetry.parts import NOBODY, READER, itself, registered, registry
from tests.support.clock import NOON, TestClock

POLL = "/api/v1/device/{uuid}/state"
SIZES = (10, 100)


@pytest.fixture
def interrupted(transactions: SqliteTransactions) -> Interrupted:
    """Real units of change, until the test says otherwise."""
    return Interrupted(transactions)


@pytest.fixture
def traffic(
    transactions: SqliteTransactions, interrupted: Interrupted, signals: LocalSignals, clock: TestClock
) -> Traffic:
    """The feature."""
    return Traffic(
        transactions=interrupted,
        store=SqlTrafficStore(),
        devices=registry(transactions, signals, clock),
        clock=clock,
        kept=timedelta(days=90),
    )


@pytest_asyncio.fixture
async def device(transactions: SqliteTransactions) -> Device:
    """A device that is registered."""
    return await registered(transactions)


def published(topic: str, payload: bytes = b"12345", *, by: str = "plant") -> Message:
    """A message of a client."""
    return Message(topic=topic, payload=payload, username=by)


async def test_only_devices_count(traffic: Traffic, device: Device) -> None:
    """Contract §11.2 T-33: whoever has a token of a person is no device, whatever the path says."""
    served = traffic.observer(POLL, "GET")
    for actor in (STRANGER, SYSTEM, READER, itself(device.uuid)):
        served(actor, 200, SIZES, 0.5)
    (found,) = await traffic.endpoints(READER)
    assert (found.device_uuid, found.endpoint, found.count, found.size) == (device.uuid, POLL, 1, 110)


async def test_what_was_written_down_and_what_was_not_add_up(
    traffic: Traffic, device: Device, clock: TestClock
) -> None:
    served, refused = traffic.observer(POLL, "GET"), traffic.observer(POLL, "PATCH")
    for _ in range(3):
        served(itself(device.uuid), 304, (0, 0), 0.001)
        await traffic.flush()
        clock.advance(minutes=40)
    refused(itself(device.uuid), 400, SIZES, 0.5)
    poll, report = await traffic.of_device(READER, device.uuid)
    assert (poll.statuses, report.statuses, report.failed) == ({304: 3}, {400: 1}, 1)
    (one,) = await traffic.by_device(READER)
    assert (one.count, one.failed, one.endpoints) == (4, 1, 2)
    assert await traffic.endpoints(READER, limit=1) == [poll]


async def test_only_the_last_hours_are_shown(traffic: Traffic, device: Device, clock: TestClock) -> None:
    traffic.observer(POLL, "GET")(itself(device.uuid), 200, SIZES, 0.5)
    clock.advance(hours=3)
    assert await traffic.endpoints(READER, span=timedelta(hours=2)) == []
    assert len(await traffic.endpoints(READER, span=timedelta(hours=3))) == 1


async def test_counts_that_could_not_be_written_down_are_kept(
    traffic: Traffic, device: Device, interrupted: Interrupted
) -> None:
    traffic.observer(POLL, "GET")(itself(device.uuid), 200, SIZES, 0.5)
    traffic.saw(published("a"))
    interrupted.down = True
    with pytest.raises(Unavailable):
        await traffic.flush()
    traffic.observer(POLL, "GET")(itself(device.uuid), 200, SIZES, 0.5)
    traffic.saw(published("a"))
    interrupted.down = False
    (found,) = await traffic.endpoints(READER)
    assert (found.count, found.bytes_in, found.bytes_out, found.seconds) == (2, 20, 200, 1.0)
    assert (await traffic.topics(READER, TopicOrder.NAME, 10)).totals.messages == 2


async def test_messages_count_by_topic_but_not_our_own(traffic: Traffic, clock: TestClock) -> None:
    uuid = new_uuid()
    topic = f"iot/device/{uuid}/sensor/modbus"
    traffic.saw(published(topic, b"123"))
    clock.advance(minutes=1)
    traffic.saw(published(topic, b"4567"))
    traffic.saw(published(f"iot/device/{uuid}/jobs/notify-next", by=""))
    shown = await traffic.topics(READER, TopicOrder.MESSAGES, 10)
    (found,) = shown.topics
    assert (found.topic, found.device_uuid, found.messages, found.size) == (topic, uuid, 2, 7)
    assert (found.last_at, shown.totals.topics) == (NOON + timedelta(minutes=1), 1)


async def test_topics_that_a_device_invents_are_counted_together(traffic: Traffic, clock: TestClock) -> None:
    uuid, more = new_uuid(), 20
    for number in range(MOST_TOPICS_PER_OWNER + more):
        if number == MOST_TOPICS_PER_OWNER // 2:
            await traffic.flush()
        traffic.saw(published(f"iot/device/{uuid}/sensor/{number}" + "x" * 60_000))
    shown = await traffic.topics(READER, TopicOrder.MESSAGES, 5_000)
    assert (shown.totals.topics, shown.topics[0].topic) == (MOST_TOPICS_PER_OWNER + 1, f"iot/device/{uuid}/{OTHERS}")
    assert (shown.topics[0].messages, shown.totals.messages) == (more, MOST_TOPICS_PER_OWNER + more)
    clock.advance(hours=1)
    traffic.saw(published(f"iot/device/{uuid}/sensor/new"))
    assert (await traffic.topics(READER, TopicOrder.MESSAGES, 1)).totals.topics == MOST_TOPICS_PER_OWNER + 2


async def test_many_counts_are_written_down_in_several_turns(traffic: Traffic) -> None:
    served = traffic.observer(POLL, "GET")
    for _ in range(1_200):
        served(itself(new_uuid()), 200, SIZES, 0.5)
    assert len(await traffic.by_device(READER)) == 1_200


async def test_what_is_too_old_is_forgotten(traffic: Traffic, device: Device, clock: TestClock) -> None:
    traffic.observer(POLL, "GET")(itself(device.uuid), 200, SIZES, 0.5)
    await traffic.flush()
    clock.advance(days=89)
    assert await traffic.forget_old() == 0
    clock.advance(days=2)
    assert await traffic.forget_old() == 1


async def test_traffic_goes_with_its_device(traffic: Traffic, device: Device, clock: TestClock) -> None:
    served = traffic.observer(POLL, "GET")
    for uuid in (device.uuid, new_uuid()):
        served(itself(uuid), 200, SIZES, 0.5)
        traffic.saw(published(f"iot/device/{uuid}/state"))
        await traffic.flush()
        served(itself(uuid), 200, SIZES, 0.5)
        traffic.saw(published(f"iot/device/{uuid}/state"))
    event = DeviceRemoved(at=clock.now(), by="user:1:eva", uuid=device.uuid, name=device.name)
    await traffic.forget(Announced(id=1, event=event))
    assert device.uuid not in {each.device_uuid for each in await traffic.endpoints(READER)}
    assert (await traffic.topics(READER, TopicOrder.NAME, 10)).totals.messages == 2


@pytest.mark.parametrize("actor", [NOBODY, itself(new_uuid())])
async def test_only_who_may_read_data_is_told(traffic: Traffic, device: Device, actor: Actor) -> None:
    for ask in (
        traffic.endpoints(actor),
        traffic.by_device(actor),
        traffic.of_device(actor, device.uuid),
        traffic.topics(actor, TopicOrder.NAME, 1),
    ):
        with pytest.raises(Forbidden):
            await ask


async def test_of_a_device_that_does_not_exist_nothing_is_told(traffic: Traffic, device: Device) -> None:
    with pytest.raises(NotFound):
        await traffic.of_device(READER, new_uuid())
    assert await traffic.of_device(READER, device.uuid) == []
