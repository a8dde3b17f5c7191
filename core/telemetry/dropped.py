"""Summaries of log lines that devices had to drop (contract §2.9)."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any

from core.actor import Actor
from core.checks import require, require_device
from core.clock import Clock
from core.devices import Devices
from core.ids import DeviceUuid
from core.telemetry.cleaning import believed, clean_json, moment_of, whole, word
from core.telemetry.model import DATA_READ, DroppedSummary
from core.telemetry.ports import DroppedSummaryStore
from core.telemetry.room import Room
from core.transactions import Transactions

MOST_SUMMARIES = 256
MOST_SAMPLES = 32


class DroppedSummaries:
    """Keeps each summary once, however often the device repeats it."""

    def __init__(
        self, *, transactions: Transactions, store: DroppedSummaryStore, devices: Devices, room: Room, clock: Clock
    ) -> None:
        self._transactions = transactions
        self._store = store
        self._devices = devices
        self._room = room
        self._clock = clock

    async def receive(self, actor: Actor, uuid: DeviceUuid, body: object) -> None:
        """Keep the summaries in a body; what is none is left out, since the agent repeats all until we agree.

        Raises Unavailable when there is no room.
        """
        require_device(actor, uuid)
        self._room.require()
        now = self._clock.now()
        summaries = summaries_of(body, now)
        if summaries:
            async with self._transactions.begin() as tx:
                await self._store.add(tx, uuid, now, summaries)

    async def last(self, actor: Actor, uuid: DeviceUuid, limit: int) -> Sequence[DroppedSummary]:
        """The newest summaries, newest first. NotFound."""
        require(actor, DATA_READ)
        await self._devices.overview(actor, uuid)
        async with self._transactions.read() as tx:
            return await self._store.last(tx, uuid, limit)


def summaries_of(body: object, now: datetime) -> list[DroppedSummary]:
    """The summaries in a body; never raises."""
    sent = body.get("summaries") if isinstance(body, Mapping) else None
    if not isinstance(sent, list):
        return []
    return [_summary(item, now) for item in sent[:MOST_SUMMARIES] if isinstance(item, Mapping)]


def _summary(sent: Mapping[str, Any], now: datetime) -> DroppedSummary:
    moment = moment_of(sent.get("droppedAt"))
    at, clamped = believed(moment, now)
    span = sent.get("timeRange")
    span = span if isinstance(span, Mapping) else {}
    return DroppedSummary(
        digest=_digest(sent if moment is None else moment.isoformat()),
        dropped_at=at,
        time_clamped=clamped,
        reason=word(sent.get("reason"), 64) or "unknown",
        began_at=moment_of(span.get("start")),
        ended_at=moment_of(span.get("end")),
        total_count=whole(sent.get("totalCount")) or 0,
        estimated_bytes=whole(sent.get("estimatedBytes")) or 0,
        level_counts=_counts(sent.get("levelCounts")),
        service_counts=_counts(sent.get("serviceCounts")),
        error_samples=_samples(sent.get("errorSamples")),
        warning_samples=_samples(sent.get("warningSamples")),
    )


def _counts(value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {}
    return {name: whole(count) or 0 for name, count in clean_json(value).items()}


def _samples(value: object) -> list[Any]:
    return clean_json(value[:MOST_SAMPLES]) if isinstance(value, list) else []


def _digest(value: object) -> bytes:
    text = json.dumps(clean_json(value), sort_keys=True)
    return blake2b(text.encode(), digest_size=16).digest()
