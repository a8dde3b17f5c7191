"""A device that asks what it should be."""

import asyncio
import json

from entrypoints.simulator import wire
from entrypoints.simulator.containers import Target
from entrypoints.simulator.situation import Situation
from entrypoints.simulator.transport import Answer, Failed
from entrypoints.simulator.waits import Backoff
from entrypoints.simulator.world import Device


class Polling:
    """The poll loop. The ETag is kept in memory only: the first poll after a start is unconditional."""

    def __init__(self, device: Device, situation: Situation) -> None:
        self._device = device
        self._situation = situation
        self._etag: str | None = None
        self._backoff = Backoff(device.chance, device.world.options.time_scale)

    async def go_on(self, first_wait: float) -> None:
        """Poll, for ever."""
        wait = first_wait
        while True:
            await asyncio.sleep(wait)
            wait = await self.once()

    async def once(self) -> float:
        """Poll and apply. Returns the seconds until the next one."""
        try:
            answer = await self._device.world.api.call(wire.poll(self._device.identity, self._etag))
            if answer.status != wire.NOT_MODIFIED:
                self._receive(answer)
        except Failed:
            self._situation.online = False
            return self._backoff.failed()
        self._backoff.reset()
        self._situation.online = True
        return self._device.world.options.interval

    def _receive(self, answer: Answer) -> None:
        self._etag = answer.headers.get("ETag")
        try:
            body = json.loads(answer.body)[self._device.identity.uuid]
            self._situation.apply(Target.from_body(body))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            reason = f"no target state in the answer: {type(error).__name__} {error}"
            self._device.world.tally.failed("poll", reason)
            raise Failed(reason) from error
