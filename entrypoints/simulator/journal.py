"""A device that sends its log."""

import asyncio
from collections import deque
from typing import Any

from entrypoints.simulator import loglines, wire
from entrypoints.simulator.ledger import Item
from entrypoints.simulator.moments import millis
from entrypoints.simulator.transport import Failed
from entrypoints.simulator.world import Device

BATCH = 100
FLUSH_AFTER = 0.1
TRIES = 5
FIRST_RETRY, LAST_RETRY = 5.0, 300.0
BREAKER_AFTER, BREAKER = 10, 60.0
MOST_SUMMARIES = 50
MOST_WAITING = 1000
LINES_AT_START = 4


class Journal:
    """Writes lines at the asked rate and sends them in batches; what cannot be sent is summed up instead."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._waiting: deque[dict[str, Any]] = deque()
        self._summaries: deque[dict[str, Any]] = deque(maxlen=MOST_SUMMARIES)
        self._boot = f"{millis(device.world.now()):x}"
        self._written = 0
        self._failures = 0
        self._news = asyncio.Event()

    async def write_on(self) -> None:
        """Write some lines now and others at the asked rate, for ever: as bursts, as agents do when they act."""
        options = self._device.world.options
        rate = options.logs_per_minute / 60
        burst = min(max(1, round(rate * options.interval)), BATCH)
        self._write(LINES_AT_START)
        while True:
            await asyncio.sleep(burst / rate)
            self._write(burst)

    async def send_on(self) -> None:
        """Send what waits, for ever."""
        while True:
            await self._news.wait()
            await asyncio.sleep(self._device.scaled(BREAKER) if self._failures >= BREAKER_AFTER else FLUSH_AFTER)
            self._news.clear()
            while self._waiting:
                await self._flush()

    def _write(self, count: int) -> None:
        device = self._device
        for _ in range(count):
            self._written += 1
            mark = f"{self._boot}-{self._written}"
            self._waiting.append(loglines.line(device.chance, device.identity.uuid, mark, device.world.now()))
        self._news.set()
        if len(self._waiting) > MOST_WAITING:
            lost = [self._waiting.popleft() for _ in range(BATCH)]
            self._lose(lost, "buffer_overflow")

    async def _flush(self) -> None:
        batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
        await self._deliver(batch)
        await self._confess()

    async def _deliver(self, batch: list[dict[str, Any]]) -> None:
        device = self._device
        wait = FIRST_RETRY
        for attempt in range(TRIES):
            try:
                await device.world.api.call(wire.logs(device.identity, batch))
            except Failed as failure:
                self._failures += 1
                if failure.status is not None or attempt + 1 == TRIES:
                    break
                await asyncio.sleep(device.scaled(wait))
                wait = min(wait * 2, LAST_RETRY)
            else:
                self._failures = 0
                device.world.ledger.write(*(self._item(line) for line in batch))
                return
        self._lose(batch, "retry_exhausted")

    async def _confess(self) -> None:
        if not self._summaries:
            return
        device = self._device
        told = list(self._summaries)
        try:
            await device.world.api.call(wire.dropped_summaries(device.identity, told, millis(device.world.now())))
        except Failed:
            return
        for summary in told:
            self._summaries.remove(summary)
            facts = {"droppedAt": summary["droppedAt"], "totalCount": summary["totalCount"]}
            device.world.ledger.write(Item(kind="dropped", uuid=device.identity.uuid, facts=facts))

    def _lose(self, lines: list[dict[str, Any]], reason: str) -> None:
        self._summaries.append(loglines.summary(lines, reason, self._device.world.now()))

    def _item(self, line: dict[str, Any]) -> Item:
        facts = {"message": line["message"], "timestamp": line["timestamp"]}
        return Item(kind="log", uuid=self._device.identity.uuid, facts=facts)
