"""Observers are told of every message that the broker hands on, and of nothing else."""

from collections.abc import AsyncIterator

import pytest
from attrs import define, field

from adapters.amqtt import EmbeddedBroker
from core.mqtt import Message
from tests.adapters.amqtt.conftest import Dial
from tests.adapters.amqtt.doubles import DEVICE, Box, Keeper, publish_packet

STATE = f"iot/device/{DEVICE}/state"
USERNAME = f"device_{DEVICE}"


@define
class Notebook:
    """Implements `core.mqtt.MessageObserver`."""

    seen: list[Message] = field(factory=list)

    def saw(self, message: Message) -> None:
        """Note it."""
        self.seen.append(message)


@pytest.fixture
def notebook() -> Notebook:
    """An observer."""
    return Notebook()


@pytest.fixture
async def observed(keeper: Keeper, box: Box, notebook: Notebook) -> AsyncIterator[EmbeddedBroker]:
    """A broker with two observers, one of them the notebook."""
    broker = EmbeddedBroker(keeper, box, port=0, observers=[Notebook(), notebook])
    await broker.start()
    yield broker
    box.open.set()
    await broker.stop()


async def test_a_message_that_was_handed_on_is_seen_once(
    observed: EmbeddedBroker, notebook: Notebook, dial: Dial, keeper: Keeper
) -> None:
    keeper.allow("watcher", "#")
    for name in ("one", "two"):
        watcher = await dial(observed, "watcher", name)
        await watcher.subscribe(("#", 1))
    device = await dial(observed, USERNAME)
    device.send(publish_packet(STATE, b"{}", qos=1))
    await device.next()
    assert [(seen.topic, seen.payload, seen.username) for seen in notebook.seen] == [(STATE, b"{}", USERNAME)]


async def test_our_own_messages_are_seen_without_a_sender(observed: EmbeddedBroker, notebook: Notebook) -> None:
    await observed.publish("iot/device/x/jobs/notify-next", b"{}")
    assert [(seen.topic, seen.username) for seen in notebook.seen] == [("iot/device/x/jobs/notify-next", "")]


async def test_what_may_not_be_published_is_not_seen(observed: EmbeddedBroker, notebook: Notebook, dial: Dial) -> None:
    device = await dial(observed, USERNAME)
    device.send(publish_packet("elsewhere", b"x", qos=1))
    await device.next()
    assert notebook.seen == []


async def test_what_could_not_be_stored_is_not_seen(
    observed: EmbeddedBroker, notebook: Notebook, dial: Dial, box: Box
) -> None:
    box.full = True
    device = await dial(observed, USERNAME)
    device.send(publish_packet(STATE, b"{}", qos=1))
    await device.closed()
    assert notebook.seen == []


async def test_bytes_that_wait_for_a_client_are_told(observed: EmbeddedBroker, dial: Dial, keeper: Keeper) -> None:
    keeper.allow("watcher", "#")
    watcher = await dial(observed, "watcher", clean=False)
    await watcher.subscribe(("#", 1))
    assert observed.statistics().queued_bytes == 0
    await observed.publish("a", b"x" * 1000)
    await watcher.expect(3)
    assert observed.statistics().queued_bytes > 1000
