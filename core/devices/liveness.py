"""Which devices are alive: whoever has been heard of lately is."""

from datetime import datetime, timedelta

from core.actor import SYSTEM
from core.clock import Clock
from core.devices.events import DeviceOffline, DeviceOnline
from core.devices.ports import LivenessStore
from core.ids import DeviceUuid
from core.transactions import Signals, Transactions

LIVENESS = "liveness"


class Liveness:
    """Hears every sign of life and tells when a device comes or goes: one event each way.

    Signs are kept in memory and written down in one go by `settle`; losing the last few to a crash loses nothing,
    since living devices speak again.
    """

    def __init__(
        self,
        transactions: Transactions,
        store: LivenessStore,
        clock: Clock,
        signals: Signals,
        *,
        offline_after: timedelta,
    ) -> None:
        self._transactions = transactions
        self._store = store
        self._clock = clock
        self._signals = signals
        self._offline_after = offline_after.total_seconds()
        self._heard: dict[DeviceUuid, float] = {}
        self._unwritten: dict[DeviceUuid, datetime] = {}

    async def open(self) -> None:
        """Take over from the last run. Whoever was online gets the full time to speak up: we were away, not they."""
        async with self._transactions.read() as tx:
            for uuid in await self._store.online(tx):
                self._heard[uuid] = self._clock.monotonic()

    def seen(self, uuid: DeviceUuid) -> None:
        """A device has given an authenticated sign of life just now."""
        known = uuid in self._heard
        self._heard[uuid] = self._clock.monotonic()
        self._unwritten[uuid] = self._clock.now()
        if not known:
            self._signals.send(LIVENESS, uuid)

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
        now = self._clock.now()
        try:
            async with self._transactions.begin() as tx:
                for uuid in await self._store.heard(tx, heard):
                    tx.announce(DeviceOnline(at=heard[uuid], by=SYSTEM.reference, uuid=uuid))
                for uuid in await self._store.silent(tx, silent, now):
                    tx.announce(DeviceOffline(at=now, by=SYSTEM.reference, uuid=uuid))
        except BaseException:
            self._unwritten = heard | self._unwritten
            raise
        for uuid in silent:
            if self._heard.get(uuid, limit) < limit:
                del self._heard[uuid]
