"""Who watches: how many at once, what each may watch at once, and for how long."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from attrs import define, field, frozen

from core.access import SESSIONS, Sessions
from core.actor import Actor
from core.checks import require
from core.errors import Forbidden, Invalid, Unauthenticated, Unavailable
from core.history import HISTORY_READ as WATCH
from core.ids import DeviceUuid, SessionId
from core.transactions import ELSEWHERE, Signals
from entrypoints.http.live.channels import Channel, Key
from entrypoints.http.live.hub import Hub, Subscription
from entrypoints.http.live.mailbox import Mailbox

MOST_VISITORS = 500
MOST_OF_ONE = 100
MOST_STRANGERS = 50
MOST_SUBSCRIPTIONS = 20
# Sessions also end without a signal: when their time is over.
RECHECK_SECONDS = 60.0
TRY_AGAIN_SECONDS = 30.0

LEFT, SESSION_ENDED, GOING_AWAY = 1000, 4401, 1001

Encode = Callable[[Key, Mapping[str, Any], int], bytes]


@frozen
class Ending:
    """Why somebody cannot stay: a close code of RFC 6455 §7.4 or of our own, and words."""

    code: int
    reason: str


@define(eq=False)
class Visitor:
    """One connection that watches a device, or what concerns all."""

    hub: Hub
    channels: Mapping[str, Channel]
    device: DeviceUuid | None
    encode: Encode
    mailbox: Mailbox = field(factory=Mailbox)
    doubt: asyncio.Event = field(factory=asyncio.Event)
    ended: "asyncio.Future[Ending]" = field(factory=lambda: asyncio.get_running_loop().create_future())
    _subscriptions: dict[Key, Subscription] = field(factory=dict)

    def admit(self, name: str, service: str | None = None, after: int | None = None) -> Subscription | None:
        """A place for what is to be watched; None where it is watched already. Invalid for an unknown channel.

        Invalid, too, when there are too many already. `after` is the position that was had at an earlier visit.
        """
        channel = self.channels.get(name)
        if channel is None:
            raise Invalid(f"channel must be one of {', '.join(self.channels)}", field="channel")
        key = Key(name, self.device, service if channel.by_service else None)
        if key in self._subscriptions:
            return None
        if len(self._subscriptions) >= MOST_SUBSCRIPTIONS:
            raise Invalid(f"one connection may watch {MOST_SUBSCRIPTIONS} things at once", field="channel")
        position = after if channel.resumes else None
        subscription = Subscription(key, channel, self._deliver, position)
        self._subscriptions[key] = subscription
        return subscription

    async def begin(self, subscription: Subscription) -> None:
        """Watch, and be told what there is now. Raises what the channel refuses."""
        try:
            await self.hub.subscribe(subscription)
        except BaseException:
            self._subscriptions.pop(subscription.key, None)
            raise

    def unsubscribe(self, name: str, service: str | None = None) -> None:
        """Watch a channel no more: of one service, or altogether where none is named."""
        for key in list(self._subscriptions):
            if key.channel == name and service in {None, key.service}:
                self.hub.unsubscribe(self._subscriptions.pop(key))

    def leave(self) -> None:
        """Watch nothing any more."""
        for subscription in self._subscriptions.values():
            self.hub.unsubscribe(subscription)
        self._subscriptions.clear()

    def end(self, code: int, reason: str) -> None:
        """Tell the connection to close."""
        if not self.ended.done():
            self.ended.set_result(Ending(code, reason))

    def _deliver(self, key: Key, data: Mapping[str, Any], position: int) -> None:
        self.mailbox.put(self.encode(key, data, position))


class Visitors:
    """All who are here."""

    def __init__(self, sessions: Sessions, signals: Signals) -> None:
        self._sessions = sessions
        self._here: set[Visitor] = set()
        self._by_session: dict[SessionId | None, set[Visitor]] = {}
        self._of_person: Counter[int | None] = Counter()
        self._closed = False
        signals.on(SESSIONS, self._session_changed)
        signals.on(ELSEWHERE, self._anything_changed)

    def __len__(self) -> int:
        return len(self._here)

    @contextmanager
    def place_for(self, visitor: Visitor, actor: Actor | None) -> Iterator[None]:
        """A place among all, for as long as the block lasts; `actor` is None until they say who they are.

        Unavailable when there is none: then, or later.
        """
        person = actor.user_id if actor else None
        most = MOST_OF_ONE if actor else MOST_STRANGERS
        if self._closed or len(self._here) >= MOST_VISITORS or self._of_person[person] >= most:
            raise Unavailable("too many are watching", retry_after=TRY_AGAIN_SECONDS)
        self._here.add(visitor)
        self._of_person[person] += 1
        try:
            yield
        finally:
            self._here.discard(visitor)
            self._of_person[person] -= 1
            if self._of_person[person] <= 0:
                del self._of_person[person]
            visitor.leave()

    async def stay(self, visitor: Visitor, actor: Actor) -> None:
        """Returns when the person may not watch any more, and has ended the visit then."""
        mine = self._by_session.setdefault(actor.session_id, set())
        mine.add(visitor)
        try:
            while await self._still_may(actor):
                await _in_doubt(visitor)
            visitor.end(SESSION_ENDED, "the session has ended: log in again")
        finally:
            mine.discard(visitor)
            if not mine:
                self._by_session.pop(actor.session_id, None)

    def close(self) -> None:
        """Let nobody in, and send everybody away."""
        self._closed = True
        for visitor in self._here:
            visitor.end(GOING_AWAY, "the server stops")

    async def _still_may(self, actor: Actor) -> bool:
        try:
            require(await self._sessions.again(actor), WATCH)
        except (Unauthenticated, Forbidden):
            return False
        except Unavailable:
            return True  # nobody can tell; it is asked again
        return True

    def _session_changed(self, session: str) -> None:
        for visitor in self._by_session.get(SessionId(session), ()):
            visitor.doubt.set()

    def _anything_changed(self, _what: str) -> None:
        for visitor in self._here:
            visitor.doubt.set()


async def _in_doubt(visitor: Visitor) -> None:
    """Returns when the session may have ended, by a signal or by its time."""
    try:
        async with asyncio.timeout(RECHECK_SECONDS):
            await visitor.doubt.wait()
    except TimeoutError:
        return
    visitor.doubt.clear()
