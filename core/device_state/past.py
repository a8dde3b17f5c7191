"""What devices should run and did run at some moment in the past."""

from datetime import datetime
from typing import Protocol

from attrs import frozen

from core.actor import Actor
from core.checks import require
from core.device_state.documents import canonical
from core.device_state.model import Content, Deployed, Document, Reported, Target
from core.devices import DEVICE_READ, DEVICE_WRITE
from core.ids import DeviceUuid
from core.transactions import Transaction, Transactions

# For each device; a device that changes for ever forgets its own past, never that of others.
MOST_REMEMBERED = 100
LARGEST_REMEMBERED = 64 * 1024
FORGOTTEN_AT_ONCE = 500


@frozen(kw_only=True)
class ReportedVersion:
    """What a device ran from a moment on. `apps` is None where it was too large to be remembered, or not told."""

    uuid: DeviceUuid
    reported_at: datetime
    version: int | None
    apps: Document | None

    @classmethod
    def of(cls, reported: Reported) -> "ReportedVersion":
        """What is remembered of a report."""
        small = len(canonical(reported.apps)) <= LARGEST_REMEMBERED
        return cls(
            uuid=reported.uuid,
            reported_at=reported.reported_at,
            version=reported.version,
            apps=reported.apps if small else None,
        )


class PastStateStore(Protocol):
    """Remembers what devices ran, and finds what they should run. tests/contracts/past_state_store.py says how."""

    async def remember(self, tx: Transaction, version: ReportedVersion, most: int) -> None:
        """Keep it as the newest of the last `most` of its device. The device must exist."""

    async def reported(self, tx: Transaction, uuid: DeviceUuid, moment: datetime) -> ReportedVersion | None:
        """What the device ran at the moment, or None when that is not remembered."""

    async def deployed(self, tx: Transaction, uuid: DeviceUuid, moment: datetime) -> Deployed | None:
        """The version that was served at the moment, or None when there was none, or it is not kept any more."""

    async def forget_before(self, tx: Transaction, moment: datetime, most: int) -> int:
        """Forget up to `most` that were not true any more at the moment; how many there were."""


@frozen(kw_only=True)
class StatesAt:
    """Both states of a device at a moment; None is what there was not, or what is not remembered."""

    target: Deployed | None
    shown: Content | None
    current: ReportedVersion | None


class PastStates:
    """Looks back."""

    def __init__(self, *, transactions: Transactions, store: PastStateStore) -> None:
        self._transactions = transactions
        self._store = store

    async def at(self, actor: Actor, uuid: DeviceUuid, moment: datetime) -> StatesAt:
        """Both states at the moment; passwords of services are shown only to those who may edit them."""
        require(actor, DEVICE_READ)
        async with self._transactions.read() as tx:
            target = await self._store.deployed(tx, uuid, moment)
            current = await self._store.reported(tx, uuid, moment)
        shown = Target(deployed=target, with_secrets=DEVICE_WRITE in actor.permissions).shown if target else None
        return StatesAt(target=target, shown=shown, current=current)

    async def forget(self, before: datetime) -> int:
        """Forget what no device ran any more at the moment; how many versions. Others may write in between."""
        forgotten = 0
        while True:
            async with self._transactions.begin() as tx:
                some = await self._store.forget_before(tx, before, FORGOTTEN_AT_ONCE)
            forgotten += some
            if some < FORGOTTEN_AT_ONCE:
                return forgotten
