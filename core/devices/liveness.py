"""Which devices are alive: whoever has been heard of lately is."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from core.actor import SYSTEM
from core.clock import Clock
from core.devices.events import DeviceOffline, DeviceOnline
from core.devices.ports import LivenessStore
from core.ids import DeviceUuid
from core.transactions import Signals, Transactions

LIVENESS = "liveness"
# One of many processes writes a device down again after this part of the time that it may be silent.
APART = 0.1
# Who asks so much later than he should, in seconds, was held up: something was not as it should be.
LONGEST_PAUSE = 10.0
# Few enough to hold nobody up.
BATCH = 1000


class Liveness:
    """Hears every sign of life and tells when a device comes or goes: one event each way.

    Signs are kept in memory and written down in one go by `settle`; losing the last few to a crash loses nothing,
    since living devices speak again.

    Where this process hears all devices it also notices who has fallen silent. Where it is `one_of_many` that is left
    to `Silence`, and a device that goes on speaking is written down a few times within `offline_after`, no more.
    """

    def __init__(
        self,
        transactions: Transactions,
        store: LivenessStore,
        clock: Clock,
        signals: Signals,
        *,
        offline_after: timedelta,
        one_of_many: bool = False,
    ) -> None:
        self._transactions = transactions
        self._store = store
        self._clock = clock
        self._signals = signals
        self._offline_after = offline_after.total_seconds()
        self._one_of_many = one_of_many
        self._apart = self._offline_after * APART if one_of_many else 0.0
        self._heard: dict[DeviceUuid, float] = {}
        self._unwritten: dict[DeviceUuid, datetime] = {}

    async def open(self) -> None:
        """Take over from the last run. Whoever was online gets the full time to speak up: we were away, not they."""
        if self._one_of_many:
            return
        async with self._transactions.read() as tx:
            for uuid in await self._store.online(tx):
                self._heard[uuid] = self._clock.monotonic()

    def seen(self, uuid: DeviceUuid) -> None:
        """A device has given an authenticated sign of life just now."""
        heard, now = self._heard.get(uuid), self._clock.monotonic()
        if self._one_of_many and heard is not None and now - heard < self._apart:
            return
        self._heard[uuid] = now
        self._unwritten[uuid] = self._clock.now()
        if heard is None:
            self._signals.hint(LIVENESS, uuid)

    def forget(self, uuid: DeviceUuid) -> None:
        """The device is gone: it is not missed."""
        self._heard.pop(uuid, None)
        self._unwritten.pop(uuid, None)

    async def settle(self) -> None:
        """Write down who was heard of and who has been silent for too long."""
        heard, self._unwritten = self._unwritten, {}
        limit = self._clock.monotonic() - self._offline_after
        silent = [uuid for uuid, at in self._heard.items() if at < limit]
        if not heard and not silent:
            return
        try:
            if self._one_of_many:
                await self._note_in_parts(heard)
            else:
                await self._note(heard, silent)
        except BaseException:
            self._unwritten = heard | self._unwritten
            raise
        for uuid in silent:
            if self._heard.get(uuid, limit) < limit:
                del self._heard[uuid]

    async def _note(self, heard: Mapping[DeviceUuid, datetime], silent: Sequence[DeviceUuid]) -> None:
        now = self._clock.now()
        async with self._transactions.begin() as tx:
            for uuid in await self._store.heard(tx, heard):
                tx.announce(DeviceOnline(at=heard[uuid], by=SYSTEM.reference, uuid=uuid))
            for uuid in await self._store.silent(tx, silent, now):
                tx.announce(DeviceOffline(at=now, by=SYSTEM.reference, uuid=uuid))

    async def _note_in_parts(self, heard: dict[DeviceUuid, datetime]) -> None:
        """Write down a few at a time, for others write to the same rows; take out of `heard` who has been."""
        ordered = sorted(heard)
        for first in range(0, len(ordered), BATCH):
            part = ordered[first : first + BATCH]
            async with self._transactions.begin() as tx:
                # Machines do not agree what time it is; all that is compared with each other is the database's time.
                ahead = await self._store.now(tx) - self._clock.now()
                seen = {uuid: heard[uuid] + ahead for uuid in part}
                for uuid in await self._store.heard(tx, seen):
                    tx.announce(DeviceOnline(at=seen[uuid], by=SYSTEM.reference, uuid=uuid))
            for uuid in part:
                del heard[uuid]


class Silence:
    """Notices who has fallen silent, where many processes hear devices: by what they have written down.

    Only the leader asks, `asked_every` so often. Whoever begins to lead, or could not ask for a while, first gives
    everybody the full time to speak up: it was us who were away. All moments are those of the database's clock.
    """

    def __init__(
        self,
        transactions: Transactions,
        store: LivenessStore,
        clock: Clock,
        *,
        offline_after: timedelta,
        asked_every: timedelta,
    ) -> None:
        self._transactions = transactions
        self._store = store
        self._clock = clock
        self._offline_after = offline_after
        self._longest_pause = 2 * asked_every.total_seconds() + LONGEST_PAUSE
        self.begin()

    def begin(self) -> None:
        """We lead from now on. What was before we do not know."""
        self._asked = self._clock.monotonic()
        self._patient_until = self._asked + self._offline_after.total_seconds()

    async def notice(self) -> None:
        """Mark offline, and tell of, those who have been silent for too long."""
        now = self._clock.monotonic()
        if now - self._asked > self._longest_pause:
            self.begin()
        if now >= self._patient_until:
            while await self._notice_some() == BATCH:
                pass
        else:
            await self._see_whether_the_database_answers()
        self._asked = self._clock.monotonic()

    async def _see_whether_the_database_answers(self) -> None:
        async with self._transactions.read() as tx:
            await self._store.now(tx)

    async def _notice_some(self) -> int:
        async with self._transactions.begin() as tx:
            now = await self._store.now(tx)
            # A sign of life may be as much younger than what was written down of it.
            gone = await self._store.fall_silent(tx, now - self._offline_after * (1 + APART), now, BATCH)
            for uuid in gone:
                tx.announce(DeviceOffline(at=now, by=SYSTEM.reference, uuid=uuid))
        return len(gone)
