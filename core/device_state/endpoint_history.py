"""When sensors went and came back: written down from reports, shown to people, forgotten by age."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from core.actor import Actor
from core.checks import require
from core.clock import Clock
from core.device_state.endpoints import EndpointChange, changes_of
from core.device_state.model import Reported
from core.device_state.ports import DesiredStateStore, EndpointChangeStore
from core.device_state.settings import ENDPOINT_HISTORY_DAYS
from core.devices import DEVICE_READ
from core.errors import NotFound
from core.ids import DeviceUuid
from core.settings import Settings
from core.transactions import Transaction, Transactions

MOST_SHOWN = 1000
FORGOTTEN_AT_ONCE = 1000


class EndpointHistory:
    """The times at which the sensors of devices changed their condition."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        store: EndpointChangeStore,
        desired: DesiredStateStore,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._transactions = transactions
        self._store = store
        self._desired = desired
        self._kept_for = timedelta(days=settings[ENDPOINT_HISTORY_DAYS])
        self._clock = clock

    async def note(self, tx: Transaction, before: Reported | None, after: Reported, now: datetime) -> None:
        """Write down what a report changed, in the transaction that keeps the report; nothing if nothing did."""
        known = before.endpoints_health if before else None
        if after.endpoints_health is known:
            return
        changes = changes_of(known, after.endpoints_health, now)
        if changes:
            await self._store.add(tx, after.uuid, changes)

    async def of(
        self, actor: Actor, uuid: DeviceUuid, protocol: str, name: str, hours: int
    ) -> Sequence[EndpointChange]:
        """How a sensor fared in the last hours, the newest first. NotFound for an unknown device."""
        require(actor, DEVICE_READ)
        since = self._clock.now() - timedelta(hours=hours)
        async with self._transactions.read() as tx:
            if await self._desired.deployed(tx, uuid) is None:
                raise NotFound("there is no such device")
            return await self._store.last(tx, uuid, protocol, name, since=since, limit=MOST_SHOWN)

    async def forget_old(self) -> int:
        """Forget what has been kept for its time, a batch at a time; how many there were."""
        moment, total = self._clock.now() - self._kept_for, 0
        while True:
            async with self._transactions.begin() as tx:
                dropped = await self._store.drop_before(tx, moment, FORGOTTEN_AT_ONCE)
            total += dropped
            if dropped < FORGOTTEN_AT_ONCE:
                return total
