"""A device that measures and publishes."""

import asyncio
import time
from collections import deque
from contextlib import suppress
from datetime import datetime, timedelta

from entrypoints.simulator import readings, wire
from entrypoints.simulator.readings import Message
from entrypoints.simulator.situation import Situation
from entrypoints.simulator.transport import Failed, Link
from entrypoints.simulator.wire import Publication
from entrypoints.simulator.world import Device

OLDEST_BATCH = 60.0
MOST_WAITING = 1000
MILLISECOND = timedelta(milliseconds=1)


class Sensing:
    """Polls the sensors at the asked rate. While the broker is away a batch grows and goes as one afterwards."""

    def __init__(self, device: Device, link: Link, situation: Situation) -> None:
        self._device = device
        self._link = link
        self._situation = situation
        self._waiting: dict[str, deque[Message]] = {}
        self._since = time.monotonic()
        self._last: datetime | None = None

    async def go_on(self) -> None:
        """Measure and publish, for ever."""
        while True:
            registers = sum(len(sensor.registers) for sensor in self._situation.sensors) or 1
            await asyncio.sleep(registers * 60 / self._device.world.options.readings_per_minute)
            self._measure()
            await self._publish_what_is_due()

    async def farewell(self) -> None:
        """What the agent does when it is told to stop: the last batch goes out twice, as it really does."""
        moment = self._device.world.now()
        for segment in list(self._waiting):
            if segment in self._waiting:
                again = await self._publish(segment, moment)
                await self._link.publish(again)

    def _measure(self) -> None:
        device, form = self._device, self._device.world.options.form
        for sensor in self._situation.sensors:
            moment = self._moment()
            measured = readings.measure(device.chance, sensor, moment)
            for message in readings.messages(form, measured, moment):
                segment = readings.segment_of(form, sensor, message)
                self._waiting.setdefault(segment, deque(maxlen=MOST_WAITING)).append(message)

    def _moment(self) -> datetime:
        moment = self._device.world.now()
        if self._last is not None:
            moment = max(moment, self._last + MILLISECOND)
        self._last = moment
        return moment

    async def _publish_what_is_due(self) -> None:
        old = time.monotonic() - self._since >= self._device.scaled(OLDEST_BATCH)
        moment = self._device.world.now()
        for segment in list(self._waiting):
            # The farewell may have taken it while the one before was on its way.
            waiting = len(self._waiting.get(segment, ()))
            if self._link.connected and waiting and (old or waiting >= self._device.world.options.batch):
                with suppress(Failed):
                    await self._publish(segment, moment)
        if old:
            self._since = time.monotonic()

    async def _publish(self, segment: str, moment: datetime) -> Publication:
        form = self._device.world.options.form
        batch = self._waiting.pop(segment)
        content = readings.envelope(form, segment, batch, moment)
        publication = wire.sensor_batch(self._device.identity, segment, content)
        try:
            await self._link.publish(publication)
        except Failed:
            since = self._waiting.get(segment, ())
            self._waiting[segment] = deque([*batch, *since], maxlen=MOST_WAITING)
            raise
        self._device.world.ledger.write(*readings.items(self._device.identity.uuid, form, batch))
        return publication
