"""Vital signs: recorded from reports, shown to people."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from attrs import frozen

from core.actor import Actor
from core.checks import require
from core.clock import Clock
from core.devices import Devices
from core.ids import DeviceUuid
from core.telemetry.model import DATA_READ, MOST_POINTS, Period, Sample
from core.telemetry.ports import MetricStore, VitalsStore
from core.telemetry.room import Room
from core.telemetry.vitals import Vitals, vitals_of
from core.transactions import Transaction, Transactions

# Hinted at with the device's uuid when a report has been kept.
METRICS_STORED = "telemetry.metrics"


@frozen(kw_only=True)
class Condition:
    """How a device was when it last reported."""

    uuid: DeviceUuid
    is_online: bool
    vitals: Vitals
    updated_at: datetime | None


class Metrics:
    """Records what reports tell of a device's health. Implements `core.device_state.VitalsSink`."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        store: MetricStore,
        latest: VitalsStore,
        devices: Devices,
        room: Room,
        clock: Clock,
    ) -> None:
        self._transactions = transactions
        self._store = store
        self._latest = latest
        self._devices = devices
        self._room = room
        self._clock = clock

    async def record(self, tx: Transaction, uuid: DeviceUuid, report: Mapping[str, Any], *, late: bool) -> None:
        """Keep what a report tells, within the transaction that keeps the report.

        A late report was queued while the device was away. It says nothing of how the device is now, nor when it was
        so: it joins the series, marked, and leaves the latest vital signs alone.
        Nothing odd is refused; Unavailable when the series would grow and there is no room.
        """
        vitals = vitals_of(report)
        now = self._clock.now()
        if vitals.measured:
            self._room.require()
            await self._store.add(tx, uuid, Sample(recorded_at=now, vitals=vitals, late=late))
        if not late and not vitals.empty:
            await self._latest.merge(tx, uuid, now, vitals)
        tx.hint(METRICS_STORED, uuid)

    async def last(self, actor: Actor, uuid: DeviceUuid, limit: int) -> Sequence[Sample]:
        """The newest samples, newest first. NotFound."""
        await self._check(actor, uuid)
        async with self._transactions.read() as tx:
            return await self._store.last(tx, uuid, limit)

    async def series(self, actor: Actor, uuid: DeviceUuid, period: Period) -> Sequence[Sample]:
        """At most sixty averages over the period, oldest first. NotFound."""
        await self._check(actor, uuid)
        async with self._transactions.read() as tx:
            return await self._store.averages(tx, uuid, self._clock.now(), period.length, MOST_POINTS)

    async def condition(self, actor: Actor, uuid: DeviceUuid) -> Condition:
        """How the device was when it last reported. NotFound."""
        require(actor, DATA_READ)
        overview = await self._devices.overview(actor, uuid)
        async with self._transactions.read() as tx:
            sample = await self._latest.latest(tx, uuid)
        return Condition(
            uuid=uuid,
            is_online=overview.device.is_online,
            vitals=sample.vitals if sample else Vitals(),
            updated_at=sample.recorded_at if sample else None,
        )

    async def processes(self, actor: Actor, uuid: DeviceUuid, hours: int, limit: int) -> Sequence[Sample]:
        """The samples of the last hours that tell of processes, newest first. NotFound."""
        await self._check(actor, uuid)
        since = self._clock.now() - timedelta(hours=hours)
        async with self._transactions.read() as tx:
            return await self._store.processes(tx, uuid, since, limit)

    async def _check(self, actor: Actor, uuid: DeviceUuid) -> None:
        require(actor, DATA_READ)
        await self._devices.overview(actor, uuid)
