"""From messages to use cases: only for devices in service, and no message is a dead end."""

import logging

import pytest
from attrs import define, field
from sqlalchemy import select

from adapters.sql.messages_set_aside import SqlSetAside, messages_set_aside
from adapters.sql.sqlite import SqliteTransactions
from core.actor import SYSTEM
from core.errors import Invalid, NotFound, Unavailable
from core.ids import DeviceUuid
from core.mqtt import DeviceMessages, Message, MqttAccounts, device_topic, device_username
from tests.support.clock import TestClock
from tests.support.enrolment import Enrolling, new_uuid


@define
class Taken:
    """Notes what it was given; raises what it is told to."""

    messages: list[tuple[DeviceUuid, str, bytes]] = field(factory=list)
    error: Exception | None = None

    async def __call__(self, uuid: DeviceUuid, rest: str, payload: bytes) -> None:
        """Take a message."""
        if self.error is not None:
            raise self.error
        self.messages.append((uuid, rest, payload))


@pytest.fixture
def taken() -> Taken:
    """A use case."""
    return Taken()


@pytest.fixture
def inbox(accounts: MqttAccounts, taken: Taken, transactions: SqliteTransactions, clock: TestClock) -> DeviceMessages:
    """Takes sensor readings, and nothing else."""
    inbox = DeviceMessages(accounts=accounts, transactions=transactions, set_aside=SqlSetAside(), clock=clock)
    inbox.handle_with({"sensor": taken})
    return inbox


@pytest.fixture
async def uuid(enrolling: Enrolling) -> DeviceUuid:
    """A device."""
    _, secret = await enrolling.key()
    return (await enrolling.register(secret)).device.uuid


def from_device(uuid: DeviceUuid, *levels: str, payload: bytes = b"{}") -> Message:
    """A message on a device's topic, published by the device."""
    return Message(topic=device_topic(uuid, *levels), payload=payload, username=device_username(uuid))


async def test_a_message_reaches_the_use_case_of_its_kind(
    inbox: DeviceMessages, taken: Taken, uuid: DeviceUuid, enrolling: Enrolling
) -> None:
    await inbox.receive(from_device(uuid, "sensor", "modbus", "1", payload=b"\x00\xff"))
    assert taken.messages == [(uuid, "modbus/1", b"\x00\xff")]
    assert list(enrolling.liveness._heard) == [uuid]


def test_only_kinds_that_have_a_use_case_are_wanted(inbox: DeviceMessages) -> None:
    uuid = new_uuid()
    assert inbox.wants(f"iot/device/{uuid}/sensor/modbus")
    for topic in (
        f"iot/device/{uuid}/state",
        f"iot/device/{uuid}",
        f"iot/device/{uuid.upper()}/sensor/modbus",
        "iot/device/x/sensor/modbus",
        f"/iot/device/{uuid}/sensor/modbus",
        "",
    ):
        assert not inbox.wants(topic)


async def test_what_nobody_wants_is_passed_over(inbox: DeviceMessages, taken: Taken, uuid: DeviceUuid) -> None:
    await inbox.receive(from_device(uuid, "state"))
    await inbox.receive(Message(topic="weather", payload=b"", username="anna"))
    assert taken.messages == []


async def test_messages_of_unknown_removed_and_inactive_devices_are_dropped_and_make_no_device(
    inbox: DeviceMessages, taken: Taken, uuid: DeviceUuid, enrolling: Enrolling
) -> None:
    """P-20; contract 12.1 item 29."""
    await inbox.receive(from_device(new_uuid(), "sensor", "modbus"))
    await enrolling.devices.switch(SYSTEM, uuid, active=False)
    await inbox.receive(from_device(uuid, "sensor", "modbus"))
    await enrolling.devices.remove(SYSTEM, uuid)
    await inbox.receive(from_device(uuid, "sensor", "modbus"))
    assert taken.messages == []
    assert enrolling.liveness._heard == {}
    with pytest.raises(NotFound):
        await enrolling.devices.overview(SYSTEM, uuid)


async def test_a_message_published_by_somebody_else_is_no_sign_of_life(
    inbox: DeviceMessages, taken: Taken, uuid: DeviceUuid, enrolling: Enrolling
) -> None:
    await inbox.receive(Message(topic=device_topic(uuid, "sensor", "modbus"), payload=b"{}", username="gateway"))
    assert len(taken.messages) == 1
    assert enrolling.liveness._heard == {}


async def test_what_cannot_be_stored_now_is_raised_so_that_it_is_sent_again(
    inbox: DeviceMessages, taken: Taken, uuid: DeviceUuid
) -> None:
    taken.error = Unavailable("the disk is full")
    with pytest.raises(Unavailable):
        await inbox.receive(from_device(uuid, "sensor", "modbus"))


@pytest.mark.parametrize("error", [Invalid("not JSON"), RuntimeError("a bug"), RecursionError(), KeyError("sensor")])
async def test_what_can_never_be_stored_is_logged_and_not_sent_again(
    inbox: DeviceMessages, taken: Taken, uuid: DeviceUuid, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """Abuse case 43: a poisoned message would else be sent for ever, and nothing after it."""
    taken.error = error
    with caplog.at_level(logging.WARNING):
        await inbox.receive(from_device(uuid, "sensor", "modbus"))
    assert device_topic(uuid, "sensor", "modbus") in caplog.text


async def test_what_a_bug_is_about_is_kept_as_it_came(
    inbox: DeviceMessages, taken: Taken, uuid: DeviceUuid, transactions: SqliteTransactions
) -> None:
    """It was acknowledged: it must not be lost."""
    taken.error = RuntimeError("a bug")
    await inbox.receive(from_device(uuid, "sensor", "modbus", payload=b"\x00\xff{"))
    async with transactions.read() as tx:
        [kept] = await tx.rows(select(messages_set_aside))
    assert (kept.device_uuid, kept.topic) == (uuid, device_topic(uuid, "sensor", "modbus"))
    assert (kept.payload, kept.reason) == (b"\x00\xff{", "RuntimeError('a bug')")


async def test_what_is_refused_is_not_kept(
    inbox: DeviceMessages, taken: Taken, uuid: DeviceUuid, transactions: SqliteTransactions
) -> None:
    taken.error = Invalid("not JSON")
    await inbox.receive(from_device(uuid, "sensor", "modbus"))
    async with transactions.read() as tx:
        assert list(await tx.rows(select(messages_set_aside))) == []


async def test_a_topic_cannot_write_lines_into_the_log(
    inbox: DeviceMessages, taken: Taken, uuid: DeviceUuid, caplog: pytest.LogCaptureFixture
) -> None:
    taken.error = Invalid("no")
    with caplog.at_level(logging.WARNING):
        await inbox.receive(from_device(uuid, "sensor", "a\nCRITICAL all is lost"))
    assert [record.getMessage().count("\n") for record in caplog.records] == [0]
