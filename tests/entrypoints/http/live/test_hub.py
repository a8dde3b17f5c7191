"""What is watched is read when there is something new, once for all; what nobody watches is not read."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from attrs import define, field

from adapters.sql.signals import LocalSignals
from core.errors import NotFound
from core.ids import DeviceUuid
from entrypoints.http.live.channels import Channel, Item, Key
from entrypoints.http.live.hub import Hub, Subscription

DEVICE = DeviceUuid("5f3a1deb-f4c3-4e1b-8e76-70de4d2e3f56")
KEY = Key("letters", DEVICE)
WRITTEN = "test.written"
APART = 0.02


@define
class Desk:
    """Letters that come, and those who wait for them."""

    signals: LocalSignals = field(factory=LocalSignals)
    letters: list[str] = field(factory=list)
    reads: int = 0
    asked: asyncio.Event = field(factory=asyncio.Event)
    broken: BaseException | None = None

    @property
    def channel(self) -> Channel:
        """What can be watched."""
        return Channel(name="letters", read=self.read, shape=_joined, signals=(WRITTEN,))

    async def read(self, _key: Key, _after: int | None) -> Sequence[Item]:
        """All letters."""
        self.reads += 1
        self.asked.set()
        if self.broken is not None:
            raise self.broken
        return [Item(place, letter) for place, letter in enumerate(self.letters)]

    def write(self, *letters: str, device: str = DEVICE) -> None:
        """Letters come."""
        self.letters += letters
        self.signals.send(WRITTEN, device)


def _joined(values: Sequence[Any]) -> Mapping[str, Any]:
    return {"text": "".join(values)}


@define(eq=False)
class Reader:
    """Somebody who waits for letters."""

    desk: Desk
    got: "asyncio.Queue[str]" = field(factory=asyncio.Queue)

    def subscription(self, key: Key = KEY) -> Subscription:
        """To be told of them."""
        return Subscription(key, self.desk.channel, self._deliver)

    def _deliver(self, _key: Key, data: Mapping[str, Any], _position: int) -> None:
        self.got.put_nowait(data["text"])

    async def next(self) -> str:
        """The next delivery."""
        async with asyncio.timeout(5):
            return await self.got.get()


@pytest.fixture
def desk() -> Desk:
    """No letters yet."""
    return Desk()


@pytest.fixture
def hub(desk: Desk) -> Hub:
    """Reads quicker than in earnest."""
    return Hub(desk.signals, [desk.channel], apart=APART)


async def test_nothing_is_read_when_nobody_watches(desk: Desk, hub: Hub) -> None:
    desk.write("a")
    await asyncio.sleep(0)
    assert (desk.reads, len(hub)) == (0, 0)


async def test_who_comes_is_told_what_there_is_and_then_only_what_is_new(desk: Desk, hub: Hub) -> None:
    desk.write("a", "b")
    reader = Reader(desk)
    await hub.subscribe(subscription := reader.subscription())
    assert reader.got.get_nowait() == "ab"
    desk.write("c")
    assert await reader.next() == "c"
    hub.unsubscribe(subscription)


async def test_many_signals_at_once_are_one_reading_and_one_push(desk: Desk, hub: Hub) -> None:
    reader = Reader(desk)
    await hub.subscribe(subscription := reader.subscription())
    for letter in "abcdefgh":
        desk.write(letter)
    assert await reader.next() == "abcdefgh"
    assert desk.reads == 2
    hub.unsubscribe(subscription)


async def test_two_who_watch_the_same_cost_one_reading_and_get_nothing_twice(desk: Desk, hub: Hub) -> None:
    first, second = Reader(desk), Reader(desk)
    desk.write("a")
    subscriptions = [first.subscription(), second.subscription()]
    await hub.subscribe(subscriptions[0])
    desk.write("b")
    await hub.subscribe(subscriptions[1])
    assert (await first.next(), await first.next(), await second.next()) == ("a", "b", "ab")
    reads = desk.reads
    desk.write("c")
    assert (await first.next(), await second.next()) == ("c", "c")
    assert desk.reads == reads + 1
    for each in subscriptions:
        hub.unsubscribe(each)


async def test_what_happens_to_another_device_wakes_nobody_but_who_watches_all(desk: Desk, hub: Hub) -> None:
    one, everything = Reader(desk), Reader(desk)
    subscriptions = [one.subscription(), everything.subscription(Key("letters"))]
    for each in subscriptions:
        await hub.subscribe(each)
    reads = desk.reads
    desk.write("a", device="another")
    assert await everything.next() == "a"
    assert (desk.reads, one.got.empty()) == (reads + 1, True)
    for each in subscriptions:
        hub.unsubscribe(each)


async def test_when_the_last_one_leaves_nothing_is_left(desk: Desk, hub: Hub) -> None:
    reader = Reader(desk)
    await hub.subscribe(subscription := reader.subscription())
    hub.unsubscribe(subscription)
    hub.unsubscribe(subscription)
    reads = desk.reads
    desk.write("a")
    await asyncio.sleep(0)
    assert (len(hub), desk.reads, reader.got.empty()) == (0, reads, True)


async def test_a_channel_that_fails_goes_on_when_it_works_again(desk: Desk, hub: Hub) -> None:
    reader = Reader(desk)
    await hub.subscribe(subscription := reader.subscription())
    for broken in (NotFound("gone"), RuntimeError("a bug")):
        desk.broken = broken
        desk.asked.clear()
        desk.write("a")
        async with asyncio.timeout(5):
            await desk.asked.wait()
    desk.broken = None
    desk.write("b")
    assert await reader.next() == "aab"
    hub.unsubscribe(subscription)


async def test_who_cannot_be_told_anything_is_not_kept(desk: Desk, hub: Hub) -> None:
    desk.broken = NotFound("there is no such device")
    with pytest.raises(NotFound):
        await hub.subscribe(Reader(desk).subscription())
    assert len(hub) == 0
