"""The history: every event, kept for a while, to be looked at."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from attrs import evolve

from core.actor import Actor, ActorKind, Permission
from core.checks import require
from core.clock import Clock
from core.devices import Devices
from core.errors import Invalid
from core.events import Announced, AnySubscription, Event, Subscription
from core.history.model import Bucket, EventQuery, HistoryEvent, Period, Tally, event_of, regrouped
from core.history.ports import EventStore
from core.history.settings import EVENT_RETENTION, MOST_BYTES
from core.ids import DeviceUuid
from core.settings import Settings
from core.transactions import Transactions

HISTORY_READ = Permission("data:read")
# As the audit log: see PRIVATE_CATEGORIES.
HISTORY_READ_ALL = Permission("settings:write")

# Hinted at with the device's uuid, or with nothing, when an event has been stored.
EVENTS_STORED = "history.events"

FORGOTTEN_AT_ONCE = 500
# What is worth knowing for longer, and how many times as long.
_LASTING: Mapping[str, int] = {"info": 1, "warning": 4, "error": 4, "critical": 4}
LONGEST_BY_HOUR = timedelta(days=31)
LONGEST_BY_DAY = timedelta(days=366)


class History:
    """Keeps every event that is announced, and answers what happened."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        store: EventStore,
        devices: Devices,
        settings: Settings,
        clock: Clock,
        most_bytes: int | None = None,
    ) -> None:
        """`most_bytes` replaces the setting where less than that has room."""
        self._transactions = transactions
        self._store = store
        self._devices = devices
        self._kept_for = timedelta(days=settings[EVENT_RETENTION])
        self._most_bytes = settings[MOST_BYTES] if most_bytes is None else most_bytes
        self._clock = clock

    def subscriptions(self) -> Sequence[AnySubscription]:
        """Everything."""
        return [Subscription(name="history.events", events=(Event,), reaction=self.record, at_once=True)]

    async def record(self, announced: Announced[Any]) -> None:
        """Keep an event, once however often it is delivered."""
        event = event_of(announced)
        async with self._transactions.begin() as tx:
            if await self._store.add(tx, event):
                tx.hint(EVENTS_STORED, event.device_uuid or "")

    async def search(self, actor: Actor, query: EventQuery) -> Sequence[HistoryEvent]:
        """The events asked for, of all devices and of none."""
        asked = _allowed(actor, query)
        async with self._transactions.read() as tx:
            return await self._store.find(tx, asked)

    async def of_device(self, actor: Actor, uuid: DeviceUuid, query: EventQuery) -> Sequence[HistoryEvent]:
        """The events of a device asked for, also of one that was removed. NotFound when nobody ever heard of it."""
        found = await self.search(actor, evolve(query, device_uuid=uuid))
        if not found:
            await self._devices.overview(actor, uuid)
        return found

    async def chain(self, actor: Actor, correlation_id: str, limit: int) -> Sequence[HistoryEvent]:
        """Everything that came of one request, the oldest first."""
        return await self.search(actor, EventQuery(correlation_id=correlation_id, ascending=True, limit=limit))

    async def tally(self, actor: Actor, since: datetime, uuid: DeviceUuid | None = None) -> Sequence[Tally]:
        """How often what happened since the moment, to one device or altogether. NotFound."""
        if uuid is not None:
            await self._devices.overview(actor, uuid)
        asked = _allowed(actor, EventQuery(device_uuid=uuid, since=since))
        async with self._transactions.read() as tx:
            return await self._store.tally(tx, asked)

    async def aggregate(
        self, actor: Actor, uuid: DeviceUuid, period: Period, since: datetime, until: datetime
    ) -> Sequence[Bucket]:
        """How often what happened to a device in each part of a time, the oldest first. NotFound."""
        longest = LONGEST_BY_HOUR if period is Period.HOUR else LONGEST_BY_DAY
        if not timedelta(0) <= until - since <= longest:
            raise Invalid(f"dateTo must be up to {longest.days} days after dateFrom", field="dateTo")
        await self._devices.overview(actor, uuid)
        asked = _allowed(actor, EventQuery(device_uuid=uuid, since=since, until=until))
        hours = 1 if period is Period.HOUR else 24
        async with self._transactions.read() as tx:
            found = await self._store.buckets(tx, asked, hours * 3600)
        return regrouped(list(found), period)

    async def newest(
        self, device_uuid: DeviceUuid | None, limit: int, after: int | None = None
    ) -> Sequence[HistoryEvent]:
        """The last events that everybody may see who reads data, newest first; for those who were let in already.

        With an id in `after`, the first ones that were stored after it, the oldest first.
        """
        query = EventQuery(device_uuid=device_uuid, limit=limit, after=after, ascending=after is not None)
        async with self._transactions.read() as tx:
            return await self._store.find(tx, query)

    async def forget_old(self) -> int:
        """Forget what is older than it has to be, then the oldest of what is too much; how many events.

        Others may write in between.
        """
        forgotten = 0
        for severity, times in _LASTING.items():
            before = self._clock.now() - self._kept_for * times
            forgotten += await self._forget(before, severity)
        return forgotten + await self._forget_surplus()

    async def _forget(self, before: datetime, severity: str) -> int:
        forgotten = 0
        while True:
            async with self._transactions.begin() as tx:
                some = await self._store.forget_before(tx, before, severity, FORGOTTEN_AT_ONCE)
            forgotten += some
            if some < FORGOTTEN_AT_ONCE:
                return forgotten

    async def _forget_surplus(self) -> int:
        async with self._transactions.read() as tx:
            surplus = (await self._store.extent(tx)).surplus(self._most_bytes)
        for begin in range(0, surplus, FORGOTTEN_AT_ONCE):
            async with self._transactions.begin() as tx:
                if not await self._store.forget_oldest(tx, min(FORGOTTEN_AT_ONCE, surplus - begin)):
                    return begin
        return surplus


def _allowed(actor: Actor, query: EventQuery) -> EventQuery:
    """The question, as far as the actor may ask it."""
    require(actor, HISTORY_READ)
    return evolve(query, private=actor.kind is ActorKind.SYSTEM or HISTORY_READ_ALL in actor.permissions)
