"""Readings of sensors: taken from MQTT, read by people."""

import asyncio
import logging

from core.actor import Actor
from core.checks import require
from core.clock import Clock
from core.devices import Devices
from core.ids import DeviceUuid
from core.pages import Page
from core.telemetry.logs import LARGE
from core.telemetry.model import DATA_READ, ReadingQuery, StoredReading
from core.telemetry.payloads import MOST_READINGS, readings_of
from core.telemetry.ports import ReadingStore
from core.telemetry.room import Room
from core.transactions import Transactions

log = logging.getLogger(__name__)


class Readings:
    """Keeps what sensors measure, each reading once."""

    def __init__(
        self, *, transactions: Transactions, store: ReadingStore, devices: Devices, room: Room, clock: Clock
    ) -> None:
        self._transactions = transactions
        self._store = store
        self._devices = devices
        self._room = room
        self._clock = clock

    async def receive(self, uuid: DeviceUuid, topic: str, payload: bytes) -> None:
        """Keep a message of `iot/device/<uuid>/sensor/<topic>`, whatever it holds. On disk when it returns.

        Only the broker calls this, for a device that it has let publish there. Never refuses; a message that comes
        twice adds nothing. Raises Unavailable when it cannot be stored now.
        """
        self._room.require()
        now = self._clock.now()
        if len(payload) > LARGE:
            readings = await asyncio.to_thread(readings_of, topic, payload, now)
        else:
            readings = readings_of(topic, payload, now)
        if len(readings) == MOST_READINGS:
            log.warning("device %s sent more readings at once than are kept: the first %d are", uuid, MOST_READINGS)
        if readings:
            async with self._transactions.begin() as tx:
                await self._store.add(tx, uuid, now, readings)

    async def page(self, actor: Actor, uuid: DeviceUuid, query: ReadingQuery) -> Page[StoredReading]:
        """Some of the readings of a device, newest first. NotFound."""
        require(actor, DATA_READ)
        await self._devices.overview(actor, uuid)
        async with self._transactions.read() as tx:
            found = await self._store.page(tx, uuid, query)
        items = tuple(found[: query.limit])
        return Page(items=items, next=str(items[-1].position) if len(found) > query.limit else None)
