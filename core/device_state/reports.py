"""What devices say of themselves."""

import logging
from collections.abc import Mapping
from typing import Any

from core.actor import Actor
from core.caches import Cache
from core.checks import require, require_device
from core.clock import Clock
from core.device_state.documents import lenient_json
from core.device_state.endpoint_history import EndpointHistory
from core.device_state.events import CurrentStateChanged, ReportRefused
from core.device_state.model import Reported
from core.device_state.past import MOST_REMEMBERED, PastStateStore, ReportedVersion
from core.device_state.ports import ReportedStateStore, VitalsSink
from core.device_state.report import Report
from core.devices import DEVICE_READ
from core.errors import Conflict, Forbidden, Invalid, NotFound, Refusal, Unauthenticated, Unavailable
from core.ids import DeviceUuid
from core.transactions import Transactions

log = logging.getLogger(__name__)

# A device that publishes nonsense is written down once in a while, not at every message.
REFUSALS_REMEMBERED = 10_000
REFUSALS_APART = 60.0
MOST_APPS_TOLD = 100
# A report that is overtaken by another of the same device is put on top of that one.
ATTEMPTS = 5


class Reports:
    """Receives reports over HTTP and MQTT, and shows people the last one."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        store: ReportedStateStore,
        past: PastStateStore,
        endpoints: EndpointHistory,
        vitals: VitalsSink,
        clock: Clock,
    ) -> None:
        self._transactions = transactions
        self._store = store
        self._past = past
        self._endpoints = endpoints
        self._vitals = vitals
        self._clock = clock
        self._refused: Cache[str, bool] = Cache(clock, size=REFUSALS_REMEMBERED, ttl=REFUSALS_APART)

    async def receive(self, actor: Actor, body: Any) -> None:
        """Keep the report of the device that asks; it is on disk when this returns.

        `body` is an object with one key, the device's uuid. Forbidden when it is another device's; Invalid when it is
        no such object. Odd values within never refuse a report, they are left out.
        """
        uuid = actor.device_uuid
        if uuid is None:
            raise Unauthenticated("a device key is needed")
        require_device(actor, uuid)
        await self._record(uuid, Report.of(_own_part(uuid, body)))

    async def receive_published(self, uuid: DeviceUuid, payload: bytes) -> None:
        """Keep the report that came under the device's own topic (JSON, as over HTTP).

        What is not the device's own is dropped and audited; what comes from a device that is gone is dropped. Raises
        neither: the publisher would not hear it. The sign of life is noted by whoever hears all topics.
        """
        try:
            await self._record(uuid, Report.of(_own_part(uuid, lenient_json(payload))))
        except (Forbidden, Invalid) as refusal:
            await self._note_refusal(uuid, refusal)
        except NotFound:
            log.info("dropped the report of %s: there is no such device", uuid)

    async def current(self, actor: Actor, uuid: DeviceUuid) -> Reported:
        """What the device last said. NotFound before its first report."""
        reported = await self.latest(actor, uuid)
        if reported is None:
            raise NotFound("the device has not reported yet")
        return reported

    async def latest(self, actor: Actor, uuid: DeviceUuid) -> Reported | None:
        """What the device last said, or None before its first report."""
        require(actor, DEVICE_READ)
        async with self._transactions.read() as tx:
            return await self._store.find(tx, uuid)

    async def _record(self, uuid: DeviceUuid, report: Report) -> None:
        if report.notes:
            log.info("left out of the report of %s: %s", uuid, ", ".join(report.notes))
        for _ in range(ATTEMPTS):
            try:
                return await self._keep(uuid, report)
            except Conflict:
                continue  # another process has kept a report of the same device meanwhile
        raise Unavailable("the device reports more often than can be kept", retry_after=1.0)

    async def _keep(self, uuid: DeviceUuid, report: Report) -> None:
        now = self._clock.now()
        async with self._transactions.begin() as tx:
            before = await self._store.find(tx, uuid, to_change=True)
            after = report.merged_into(before, uuid, now)
            if after != before:
                await self._store.save(tx, after, first=before is None)
                await self._endpoints.note(tx, before, after, now)
            await self._vitals.record(tx, uuid, report.fields, late=report.late)
            if not report.late and after.differs_from(before):
                await self._past.remember(tx, ReportedVersion.of(after), MOST_REMEMBERED)
                apps = tuple(after.apps or ())[:MOST_APPS_TOLD]
                tx.announce(
                    CurrentStateChanged(at=now, by=f"device:{uuid}", uuid=uuid, version=after.version, apps=apps)
                )

    async def _note_refusal(self, uuid: DeviceUuid, refusal: Refusal) -> None:
        if self._refused.get(uuid):
            return
        self._refused.put(uuid, True)  # noqa: FBT003 - the cache holds a bare fact
        async with self._transactions.begin() as tx:
            tx.announce(ReportRefused(at=self._clock.now(), by=f"device:{uuid}", uuid=uuid, reason=refusal.message))


def _own_part(uuid: DeviceUuid, body: Any) -> Mapping[str, Any]:
    if not isinstance(body, Mapping) or len(body) != 1:
        raise Invalid("a report is an object with one key, the device's uuid", field="body")
    [(key, report)] = body.items()
    if not isinstance(key, str) or key.lower() != uuid:
        raise Forbidden("a device may only report for itself")
    if not isinstance(report, Mapping):
        raise Invalid("the report must be an object", field=uuid)
    return report
