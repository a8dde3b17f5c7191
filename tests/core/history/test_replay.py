"""Looking back at a device (contract §12.3 item 52, §11.6 M-07)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from adapters.sql.events import SqlEventStore
from adapters.sql.outbox import SqlOutboxStore
from adapters.sql.past_states import SqlPastStateStore
from adapters.sql.signals import LocalSignals
from adapters.system.locks import OwnLocks
from core.actor import STRANGER
from core.device_state import PastStates
from core.devices import DEVICE_READ, DeviceOffline, DeviceOnline
from core.errors import Invalid, NotFound, Unauthenticated
from core.history import HISTORY_READ, SETTINGS, History, Replays
from core.outbox import Outbox
from core.settings import Settings
from tests.core.telemetry.parts import registry
from tests.support.clock import NOON
from tests.support.states import APPS, MANAGER, OTHER, UUID, States, device_actor, person

LOOKER = person(DEVICE_READ, HISTORY_READ)


def after(minutes: float) -> datetime:
    """So long after noon."""
    return NOON + timedelta(minutes=minutes)


class Past:
    """A device with a past, and what looks at it."""

    def __init__(self, states: States, signals: LocalSignals) -> None:
        self.states = states
        devices = registry(states.transactions, signals, states.clock)
        store, transactions = SqlEventStore(), states.transactions
        self.replays = Replays(
            transactions=transactions,
            store=store,
            devices=devices,
            past_states=PastStates(transactions=transactions, store=SqlPastStateStore()),
        )
        history = History(
            transactions=transactions,
            store=store,
            devices=devices,
            settings=Settings(SETTINGS, {}),
            clock=states.clock,
        )
        self._outbox = Outbox(transactions, SqlOutboxStore(), states.clock, OwnLocks())
        self._outbox.subscribe(history.subscriptions())

    async def live(self) -> None:
        """Noon: enrolled. 10: online. 20: reports nothing running. 30: apps deployed. 40: runs them. 50: offline."""
        await self.states.enrol()
        await self._announce(10, DeviceOnline)
        await self._report(20, version=1, apps={})
        self.states.clock.jump(after(30))
        await self.states.desired.replace_draft(MANAGER, UUID, apps=APPS)
        await self.states.desired.deploy(MANAGER, UUID)
        await self._report(40, version=2, apps=APPS)
        await self._announce(50, DeviceOffline)
        await self._outbox.relay()

    async def _announce(self, minutes: int, kind: type[DeviceOnline] | type[DeviceOffline]) -> None:
        async with self.states.transactions.begin() as tx:
            tx.announce(kind(at=after(minutes), by="system", uuid=UUID))

    async def _report(self, minutes: int, **fields: Any) -> None:
        self.states.clock.jump(after(minutes))
        await self.states.reports.receive(device_actor(), {UUID: fields})


@pytest.fixture
def past(states: States, signals: LocalSignals) -> Past:
    """A device whose past has yet to be lived."""
    return Past(states, signals)


async def test_a_snapshot_shows_the_device_as_it_was(past: Past) -> None:
    await past.live()
    found = {minutes: await past.replays.snapshot(LOOKER, UUID, after(minutes)) for minutes in (0, 25, 35, 45, 55)}
    assert [each.target and each.target["version"] for each in found.values()] == [1, 1, 2, 2, 2]
    assert [each.current and each.current["apps"] for each in found.values()] == [None, {}, {}, APPS, APPS]
    assert [each.is_online for each in found.values()] == [None, True, True, True, False]


async def test_a_replay_tells_what_happened_in_its_order_and_how_it_ended(past: Past) -> None:
    await past.live()
    replay = await past.replays.replay(LOOKER, UUID, after(5), after(45))
    assert [event.type for event in replay.events] == [
        "device.online",
        "current_state.updated",
        "target_state.drafted",
        "target_state.updated",
        "current_state.updated",
    ]
    assert replay.count == 5
    assert replay.final.current == {"apps": APPS, "version": 2}


async def test_a_comparison_tells_what_changed_in_both_states_and_why(past: Past) -> None:
    await past.live()
    found = await past.replays.compare(LOOKER, UUID, after(25), after(55))
    changed = {each.change.field: each for each in found.changes}
    assert {"target_state.version", "target_state.apps.1001", "current_state.apps.1001", "is_online"} <= set(changed)
    types = {event.id: event.type for event in found.events}
    assert [types[number] for number in changed["target_state.version"].events] == ["target_state.updated"]
    assert [types[number] for number in changed["is_online"].events] == ["device.offline"]


async def test_a_comparison_with_itself_finds_nothing(past: Past) -> None:
    await past.live()
    assert not (await past.replays.compare(LOOKER, UUID, after(45), after(45))).changes


async def test_a_time_that_ends_before_it_begins_is_refused(past: Past) -> None:
    await past.live()
    with pytest.raises(Invalid):
        await past.replays.replay(LOOKER, UUID, after(2), after(1))


async def test_only_who_may_read_looks_back_and_only_at_devices_there_are(past: Past) -> None:
    await past.live()
    with pytest.raises(Unauthenticated):
        await past.replays.snapshot(STRANGER, UUID, NOON)
    with pytest.raises(NotFound):
        await past.replays.snapshot(LOOKER, OTHER, NOON)
