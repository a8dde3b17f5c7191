"""Looking back: how a device was at a moment, what happened until another, and what had changed by then."""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from attrs import frozen

from core.actor import Actor
from core.checks import require
from core.device_state import PastStates, StatesAt
from core.devices import Devices
from core.errors import Invalid
from core.history.comparison import MOST_CHANGES, Change, changes_between
from core.history.model import MOST_EVENTS, OFFLINE, ONLINE, EventQuery, HistoryEvent, wire_types
from core.history.ports import EventStore
from core.history.service import HISTORY_READ
from core.ids import DeviceUuid
from core.transactions import Transactions

# Which events tell of which part of a snapshot.
_TOLD_BY = {
    "target_state": wire_types("target_state.deployed"),
    "current_state": wire_types("current_state.changed"),
    "is_online": (ONLINE, OFFLINE),
}


@frozen(kw_only=True)
class Snapshot:
    """A device at a moment. None is what there was not, or what is not remembered any more."""

    uuid: DeviceUuid
    at: datetime
    states: StatesAt
    is_online: bool | None

    @property
    def target(self) -> dict[str, Any] | None:
        """What it should run, as JSON."""
        deployed, shown = self.states.target, self.states.shown
        if deployed is None or shown is None:
            return None
        return {"apps": shown.apps, "config": shown.config, "version": deployed.version}

    @property
    def current(self) -> dict[str, Any] | None:
        """What it ran, as JSON."""
        current = self.states.current
        return None if current is None else {"apps": current.apps, "version": current.version}

    def document(self) -> dict[str, Any]:
        """Everything, to be compared."""
        return {"target_state": self.target, "current_state": self.current, "is_online": self.is_online}


@frozen(kw_only=True)
class Replay:
    """What happened to a device between two moments, the oldest first, and how it was then.

    `count` is how many events there are; no more than the first of them are given.
    """

    events: Sequence[HistoryEvent]
    count: int
    final: Snapshot


@frozen(kw_only=True)
class ExplainedChange:
    """A change, and the ids of the events that may have brought it about."""

    change: Change
    events: tuple[int, ...]


@frozen(kw_only=True)
class Comparison:
    """What differs between two moments."""

    before: Snapshot
    after: Snapshot
    changes: Sequence[ExplainedChange]
    events: Sequence[HistoryEvent]
    count: int


class Replays:
    """Answers from what is stored: deployed versions, what devices reported, and events."""

    def __init__(
        self, *, transactions: Transactions, store: EventStore, devices: Devices, past_states: PastStates
    ) -> None:
        self._transactions = transactions
        self._store = store
        self._devices = devices
        self._past_states = past_states

    async def snapshot(self, actor: Actor, uuid: DeviceUuid, moment: datetime) -> Snapshot:
        """How the device was. NotFound when there is no such device."""
        await self._check(actor, uuid)
        return await self._snapshot(actor, uuid, moment)

    async def replay(self, actor: Actor, uuid: DeviceUuid, since: datetime, until: datetime) -> Replay:
        """What happened. Invalid when the time ends before it begins; NotFound."""
        await self._check(actor, uuid)
        events, count = await self._between(uuid, since, until)
        return Replay(events=events, count=count, final=await self._snapshot(actor, uuid, until))

    async def compare(self, actor: Actor, uuid: DeviceUuid, one: datetime, other: datetime) -> Comparison:
        """What differs between two moments, whichever comes first: the change is told from the one to the other."""
        await self._check(actor, uuid)
        before, after = await self._snapshot(actor, uuid, one), await self._snapshot(actor, uuid, other)
        events, count = await self._between(uuid, min(one, other), max(one, other))
        found = islice(changes_between(before.document(), after.document()), MOST_CHANGES)
        changes = [ExplainedChange(change=change, events=_involved(change, events)) for change in found]
        return Comparison(before=before, after=after, changes=changes, events=events, count=count)

    async def _check(self, actor: Actor, uuid: DeviceUuid) -> None:
        require(actor, HISTORY_READ)
        await self._devices.overview(actor, uuid)

    async def _between(self, uuid: DeviceUuid, since: datetime, until: datetime) -> tuple[Sequence[HistoryEvent], int]:
        if until < since:
            raise Invalid("the time must not end before it begins", field="toTime")
        query = EventQuery(device_uuid=uuid, since=since, until=until, ascending=True, limit=MOST_EVENTS)
        async with self._transactions.read() as tx:
            return await self._store.find(tx, query), await self._store.count(tx, query)

    async def _snapshot(self, actor: Actor, uuid: DeviceUuid, moment: datetime) -> Snapshot:
        states = await self._past_states.at(actor, uuid, moment)
        heard = EventQuery(device_uuid=uuid, types=(ONLINE, OFFLINE), until=moment, limit=1)
        async with self._transactions.read() as tx:
            last = await self._store.find(tx, heard)
        is_online = last[0].type == ONLINE if last else None
        return Snapshot(uuid=uuid, at=moment, states=states, is_online=is_online)


def _involved(change: Change, events: Sequence[HistoryEvent]) -> tuple[int, ...]:
    types = _TOLD_BY[change.field.partition(".")[0]]
    return tuple(event.id for event in events if event.type in types)
