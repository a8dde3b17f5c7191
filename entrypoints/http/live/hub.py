"""Reads what is watched when there is something new, and only then; once for all who watch the same."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from attrs import define

from core.errors import Refusal
from core.transactions import ELSEWHERE, Signals
from entrypoints.http.live.channels import Channel, Item, Key

log = logging.getLogger(__name__)

# At most one push per channel and so many seconds: ten a second are no use to anybody's eyes.
APART = 1.0

Deliver = Callable[[Key, Mapping[str, Any], int], None]


@define(eq=False)
class Subscription:
    """Somebody watches something. `position` is that of the newest they have had."""

    key: Key
    channel: Channel
    deliver: Deliver
    position: int | None = None

    def tell(self, items: Sequence[Item]) -> None:
        """Deliver what they have not had."""
        had = self.position
        fresh = [item for item in items if had is None or item.position > had]
        if fresh:
            self.position = fresh[-1].position
            self.deliver(self.key, self.channel.shape([item.value for item in fresh]), fresh[-1].position)


class _Feed:
    """One thing that is watched, and those who do."""

    def __init__(self, channel: Channel, key: Key, apart: float) -> None:
        self.channel = channel
        self.key = key
        self.subscriptions: set[Subscription] = set()
        self._apart = apart
        self._woken = asyncio.Event()
        self._running = asyncio.create_task(self._run())

    def wake(self) -> None:
        """There is something new."""
        self._woken.set()

    def stop(self) -> None:
        """Nobody watches any more."""
        self._running.cancel()

    async def begin(self, subscription: Subscription) -> None:
        """Tell one who has just come what there is. Raises what the channel refuses."""
        after = subscription.position if self.channel.resumes else None
        subscription.tell(await self.channel.read(self.key, after))

    async def _run(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.channel.every):
                    await self._woken.wait()
            self._woken.clear()
            await self._tell_all()
            await asyncio.sleep(self._apart)

    async def _tell_all(self) -> None:
        try:
            items = await self.channel.read(self.key, None)
            for subscription in list(self.subscriptions):
                subscription.tell(items)
        except Refusal as refusal:
            log.info("nothing to tell of %s: %s", self.channel.name, refusal.message)
        except Exception:
            log.exception("a bug, in the channel %s", self.channel.name)


class Hub:
    """All that is watched. Costs two look-ups a signal when nobody watches."""

    def __init__(self, signals: Signals, channels: Iterable[Channel], *, apart: float = APART) -> None:
        self._apart = apart
        self._feeds: dict[Key, _Feed] = {}
        self._wakened: dict[tuple[str, str], set[_Feed]] = {}
        for topic in {topic for channel in channels for topic in channel.signals}:
            signals.on(topic, partial(self._signalled, topic))
        signals.on(ELSEWHERE, self._anything)

    def __len__(self) -> int:
        return len(self._feeds)

    async def subscribe(self, subscription: Subscription) -> None:
        """Deliver what there is now, and from now on what is new. Raises what the channel refuses, and ends it then."""
        feed = self._feeds.get(subscription.key) or self._open(subscription.channel, subscription.key)
        feed.subscriptions.add(subscription)
        try:
            await feed.begin(subscription)
        except BaseException:
            self.unsubscribe(subscription)
            raise

    def unsubscribe(self, subscription: Subscription) -> None:
        """Deliver nothing more. What nobody watches is not read any more."""
        feed = self._feeds.get(subscription.key)
        if feed is None:
            return
        feed.subscriptions.discard(subscription)
        if not feed.subscriptions:
            self._close(feed)

    def _open(self, channel: Channel, key: Key) -> _Feed:
        feed = self._feeds[key] = _Feed(channel, key, self._apart)
        for signal in _signals_of(feed):
            self._wakened.setdefault(signal, set()).add(feed)
        return feed

    def _close(self, feed: _Feed) -> None:
        feed.stop()
        del self._feeds[feed.key]
        for signal in _signals_of(feed):
            self._wakened[signal].discard(feed)
            if not self._wakened[signal]:
                del self._wakened[signal]

    def _anything(self, _key: str) -> None:
        for feed in self._feeds.values():
            feed.wake()

    def _signalled(self, topic: str, device: str) -> None:
        for whose in {device, _ALL}:
            for feed in self._wakened.get((topic, whose), ()):
                feed.wake()


_ALL = "*"


def _signals_of(feed: _Feed) -> list[tuple[str, str]]:
    return [(topic, feed.key.device or _ALL) for topic in feed.channel.signals]
