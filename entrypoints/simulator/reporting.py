"""A device that reports its state: over MQTT first, over HTTP else, and later where neither worked."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from entrypoints.simulator import wire
from entrypoints.simulator.ledger import Item
from entrypoints.simulator.reports import STATIC, Differences, Report, metrics, static_facts
from entrypoints.simulator.situation import Situation
from entrypoints.simulator.transport import Failed, Link
from entrypoints.simulator.waits import Backoff
from entrypoints.simulator.world import Device

MOST_QUEUED = 1000
REPLAY_TRIES = 3
BETWEEN_TRIES = 1.0


class Reporting:
    """The report loop."""

    def __init__(self, device: Device, link: Link, situation: Situation, next_number: Callable[[], int]) -> None:
        self._device = device
        self._link = link
        self._situation = situation
        self._next_number = next_number
        self._differences = Differences()
        self._queue: deque[Report] = deque(maxlen=MOST_QUEUED)
        self._backoff = Backoff(device.chance, device.world.options.time_scale)
        self._started = time.monotonic()
        self._metrics_due = 0.0

    async def go_on(self, first_wait: float) -> None:
        """Report, for ever."""
        wait = first_wait
        while True:
            await asyncio.sleep(wait)
            wait = await self.once()

    async def once(self) -> float:
        """Send one report, and those that wait when it got through. Returns the seconds until the next one."""
        report = self._made()
        try:
            await self._send(report)
        except Failed:
            self._situation.online = False
            self._queue.append(report.stripped())
            return self._backoff.failed()
        self._backoff.reset()
        self._situation.online = True
        self._differences.told({name: report.content[name] for name in STATIC & report.content.keys()})
        await self._flush()
        return self._device.world.options.interval

    def _facts(self) -> dict[str, object]:
        config = self._situation.reported_config()
        return static_facts(config, self._situation.agent_version, self._device.local_ip)

    def _made(self) -> Report:
        number = self._next_number()
        content: dict[str, object] = {
            "apps": self._situation.apps,
            "is_online": self._situation.online,
            "version": self._situation.target.version,
            "endpoints_health": self._situation.endpoints_health(),
        }
        content |= self._differences.unsaid(self._facts())
        uptime = time.monotonic() - self._started
        if uptime >= self._metrics_due:
            self._metrics_due = uptime + self._device.world.options.metrics_interval
            content |= metrics(self._device.chance, number, uptime, self._device.mac_address, self._device.local_ip)
        return Report(sequence=number, content=content)

    async def _flush(self) -> None:
        while self._queue:
            for attempt in range(REPLAY_TRIES):
                try:
                    await self._send(self._queue[0])
                except Failed:
                    if attempt + 1 == REPLAY_TRIES:
                        return
                    await asyncio.sleep(self._device.scaled(BETWEEN_TRIES))
                else:
                    self._queue.popleft()
                    break

    async def _send(self, report: Report) -> None:
        identity = self._device.identity
        payload = report.payload(identity.uuid)
        kind = "replay" if report.replayed else "report"
        try:
            await self._link.publish(wire.report_over_mqtt(identity, f"{kind} (MQTT)", payload))
            via = "mqtt"
        except Failed:
            await self._device.world.api.call(wire.report_over_http(identity, f"{kind} (HTTP)", payload))
            via = "http"
        self._device.world.ledger.write(_item(identity.uuid, report, via))


def _item(uuid: str, report: Report, via: str) -> Item:
    facts: dict[str, object] = {
        "sequence": report.sequence,
        "version": report.content.get("version"),
        "storage_usage": report.content.get("storage_usage"),
        "via": via,
        "replayed": report.replayed,
    }
    return Item(kind="report", uuid=uuid, facts=facts)
