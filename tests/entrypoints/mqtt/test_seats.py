"""Who sits where, with a real Mosquitto: sharing, dying, taking over."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import aiomqtt
import pytest

from adapters.amqtt import EmbeddedBroker
from adapters.system.locks import OwnLocks
from core.locks import Hold
from entrypoints.mqtt.listen import Listener
from tests.adapters.amqtt.doubles import PASSWORD, Keeper
from tests.adapters.amqtt.doubles import Box as AnyBox
from tests.entrypoints.mqtt.conftest import Box, Ground, topic, until


class FragileLocks:
    """Locks of a database that can go away: then each holder is told, and the lock is free."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()
        self._behind = OwnLocks()

    @asynccontextmanager
    async def try_hold(self, name: str) -> AsyncIterator[Hold | None]:
        """See `core.locks.Locks`."""
        async with self._behind.try_hold(name) as hold:
            yield None if hold is None or self.gone.is_set() else self

    async def lost(self) -> None:
        """See `core.locks.Hold`."""
        await self.gone.wait()


class StolenLocks(OwnLocks):
    """Locks each of which another has got when it was held once, without the first holder having been told yet."""

    def __init__(self) -> None:
        super().__init__()
        self._once: set[str] = set()

    @asynccontextmanager
    async def try_hold(self, name: str) -> AsyncIterator[Hold | None]:
        """See `core.locks.Locks`."""
        if name in self._once:
            yield None
            return
        self._once.add(name)
        async with super().try_hold(name) as hold:
            yield hold


async def publish(ground: Ground, count: int, what: str = "sensor/modbus", mark: str = "") -> set[bytes]:
    """So many messages of as many devices, acknowledged by the broker; their payloads."""
    async with ground.device() as device:
        for number in range(count):
            await device.publish(topic(uuid4(), what), f"{mark}{number}", qos=1)
    return {f"{mark}{number}".encode() for number in range(count)}


def seats(listener: Listener) -> tuple[str, ...]:
    return listener.statistics().seats


async def test_two_listeners_share_the_readings_and_one_has_the_states(ground: Ground, box: Box) -> None:
    other = Box()
    first = await ground.listener(box)
    second = await ground.listener(other, seats=1)
    assert (seats(first), seats(second)) == (("ordered", "shared-1"), ("shared-2",))
    said = await publish(ground, 40)
    reported = await publish(ground, 10, "state", mark="state ")
    await until(lambda: len(box.stored) + len(other.stored) == 50)
    assert not box.payloads() & other.payloads()
    assert box.payloads().keys() | other.payloads().keys() == said | reported
    assert len(other.stored) >= 10
    assert reported <= box.payloads().keys()


async def test_a_seat_that_nobody_holds_is_emptied_by_another_listener_and_given_up(ground: Ground, box: Box) -> None:
    other = Box()
    first = await ground.listener(box)
    second = await ground.listener(other, seats=1)
    other.open.clear()
    said = await publish(ground, 40)
    await until(lambda: second.statistics().in_flight + len(box.stored) == 40)
    await second.kill()
    later = await publish(ground, 40, mark="later ")
    await box.until(lambda: box.payloads().keys() == said | later)

    await until(lambda: "shared-2" in seats(first))
    await until(lambda: seats(first) == ("ordered", "shared-1"))
    async with ground.transactions.read() as tx:
        assert (await ground.book.all(tx)).keys() == {"ordered", "shared-1"}
    final = await publish(ground, 20, mark="final ")
    await box.until(lambda: final <= box.payloads().keys())


async def test_the_ordered_seat_goes_to_another_listener_with_all_that_came_meanwhile(ground: Ground, box: Box) -> None:
    other = Box()
    first = await ground.listener(box)
    second = await ground.listener(other, seats=1)
    await first.kill()
    said = await publish(ground, 20, "state")
    await other.until(lambda: said <= other.payloads().keys())
    assert "ordered" in seats(second)


async def test_a_new_listener_takes_the_place_of_one_that_died(ground: Ground, box: Box) -> None:
    first = await ground.listener(box)
    await first.kill()
    said = await publish(ground, 10)
    other = Box()
    second = await ground.listener(other)
    await other.until(lambda: other.payloads().keys() == said)
    assert seats(second) == ("ordered", "shared-1")


async def test_who_loses_the_lock_stops_reading_and_acknowledges_nothing_more(ground: Ground, box: Box) -> None:
    locks = FragileLocks()
    first = await ground.listener(box, locks=locks)
    box.open.clear()
    said = await publish(ground, 20)
    await until(lambda: first.statistics().in_flight == 20)
    locks.gone.set()
    await until(lambda: seats(first) == ())
    other = Box()
    await ground.listener(other)
    await other.until(lambda: other.payloads().keys() == said)
    assert (first.statistics().acknowledged, box.stored) == (0, [])


async def test_who_is_thrown_out_by_the_next_holder_of_the_seat_does_not_come_back(ground: Ground, box: Box) -> None:
    first = await ground.listener(box, locks=StolenLocks())
    async with ground.transactions.begin() as tx:
        await ground.book.claim(tx, "shared-1", "another", datetime.now(UTC))
    async with aiomqtt.Client("127.0.0.1", ground.broker.port, identifier="iotistic-shared-1", timeout=5) as another:
        # Its lock is still there as far as it knows; so it has to look into the book.
        await until(lambda: "shared-2" in seats(first))
        await another.publish("still/here", b"", qos=1)


async def test_who_is_thrown_out_by_somebody_who_does_not_hold_the_seat_comes_back(ground: Ground, box: Box) -> None:
    first = await ground.listener(box)
    async with aiomqtt.Client("127.0.0.1", ground.broker.port, identifier="iotistic-shared-1", timeout=5):
        await until(lambda: first.statistics().reconnects == 1)
    await until(lambda: first.statistics().subscribed == 2)
    assert seats(first) == ("ordered", "shared-1")


@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_a_broker_that_comes_again_is_found_again(ground: Ground, box: Box, how: str) -> None:
    listener = await ground.listener(box)
    await (ground.broker.stop() if how == "stop" else ground.broker.kill())
    await ground.broker.start()
    await until(lambda: listener.statistics().subscribed == 2)
    said = await publish(ground, 20)
    reported = await publish(ground, 20, "state", mark="state ")
    await box.until(lambda: box.payloads().keys() == said | reported)
    assert listener.statistics().reconnects >= 2


async def test_messages_in_hand_when_the_broker_stops_are_stored_after_it_comes_again(ground: Ground, box: Box) -> None:
    listener = await ground.listener(box)
    box.out_of_order = True
    said = await publish(ground, 20)
    await until(lambda: listener.statistics().in_flight == 20)
    await ground.broker.stop()
    box.out_of_order = False
    await ground.broker.start()
    await box.until(lambda: box.payloads().keys() == said)


async def test_where_the_broker_cannot_share_the_ordered_seat_reads_everything(ground: Ground, box: Box) -> None:
    keeper = Keeper()
    keeper.allow("iotistic", "#")
    embedded = EmbeddedBroker(keeper, AnyBox(), port=0)
    await embedded.start()
    ground.broker.port = embedded.port
    listener = await ground.listener(box)
    uuid = uuid4()
    async with ground.device(username="iotistic", password=PASSWORD) as device:
        await device.publish(topic(uuid), b"reading", qos=1)
        await device.publish(topic(uuid, "state"), b"state", qos=1)
    await box.until(lambda: len(box.stored) == 2)
    await listener.stop()
    await embedded.stop()


async def test_the_book_knows_by_whom_a_seat_was_held_last_and_when(ground: Ground) -> None:
    noon, later = datetime(2026, 11, 24, 12, tzinfo=UTC), datetime(2026, 11, 24, 13, tzinfo=UTC)
    async with ground.transactions.begin() as tx:
        await ground.book.claim(tx, "shared-1", "a", noon)
        await ground.book.claim(tx, "shared-1", "b", noon)
        await ground.book.claim(tx, "shared-2", "a", noon)
        await ground.book.give_up(tx, "shared-2")
        assert await ground.book.confirm(tx, "shared-1", "b", later)
        assert not await ground.book.confirm(tx, "shared-1", "a", noon)
        assert await ground.book.all(tx) == {"shared-1": ("b", later)}
