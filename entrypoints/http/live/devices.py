"""The channels of one device."""

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from attrs import define

from core.actor import SYSTEM
from core.history import EVENTS_STORED
from core.ids import DeviceUuid
from core.services import Services
from core.telemetry import LOGS_STORED, METRICS_STORED, LogQuery, Sample, StoredLine
from entrypoints.http.event_views import event_as_json
from entrypoints.http.live.channels import Channel, Item, Key, microseconds, newest
from entrypoints.http.metrics import interface_as_json, sample_as_json

SYSTEM_INFO_SECONDS = 30.0
POINTS = 60
LINES = 200
LINE_BYTES = 256 * 1024
EVENTS = 100
MISSED_EVENTS = 500


def device_channels(services: Services) -> Mapping[str, Channel]:
    """All of them, by name. Who subscribes has been let in already, hence the readers ask as the system."""
    read = _Readers(services)
    channels = [
        Channel(
            name="system-info",
            read=read.system_info,
            shape=newest,
            signals=(METRICS_STORED,),
            every=SYSTEM_INFO_SECONDS,
        ),
        Channel(name="processes", read=read.processes, shape=newest, signals=(METRICS_STORED,)),
        Channel(name="network-interfaces", read=read.interfaces, shape=newest, signals=(METRICS_STORED,)),
        Channel(name="history", read=read.samples, shape=_points, signals=(METRICS_STORED,)),
        Channel(name="metrics", read=read.samples, shape=_metrics, signals=(METRICS_STORED,)),
        Channel(name="logs", read=read.lines, shape=_logs, signals=(LOGS_STORED,), by_service=True),
        Channel(name="events", read=read.events, shape=events, signals=(EVENTS_STORED,), resumes=True),
    ]
    return {channel.name: channel for channel in channels}


def events(values: Sequence[Any]) -> Mapping[str, Any]:
    """The shape of the channels of events: the oldest first."""
    return {"events": [event_as_json(event) for event in values]}


@define
class _Readers:
    _services: Services

    async def system_info(self, key: Key, _after: int | None) -> Sequence[Item]:
        uuid = _device(key)
        overview = await self._services.devices.overview(SYSTEM, uuid)
        condition = await self._services.metrics.condition(SYSTEM, uuid)
        device, vitals = overview.device, condition.vitals
        told = {
            "os": vitals.os_version or device.os_version or "Unknown",
            # Agents do not tell.
            "architecture": "Unknown",
            "uptime": vitals.uptime or 0,
            "hostname": device.name,
            "ipAddress": vitals.local_ip or device.ip_address,
            "macAddress": device.mac_address,
        }
        return [Item(microseconds(self._services.clock.now()), told)]

    async def processes(self, key: Key, _after: int | None) -> Sequence[Item]:
        condition = await self._services.metrics.condition(SYSTEM, _device(key))
        if condition.updated_at is None:
            return []
        return [Item(microseconds(condition.updated_at), {"top_processes": condition.vitals.top_processes or []})]

    async def interfaces(self, key: Key, _after: int | None) -> Sequence[Item]:
        condition = await self._services.metrics.condition(SYSTEM, _device(key))
        if condition.updated_at is None:
            return []
        found = [interface_as_json(interface) for interface in condition.vitals.network_interfaces or []]
        return [Item(microseconds(condition.updated_at), {"interfaces": found})]

    async def samples(self, key: Key, _after: int | None) -> Sequence[Item]:
        found = await self._services.metrics.last(SYSTEM, _device(key), POINTS)
        return [Item(microseconds(sample.recorded_at), sample) for sample in reversed(found) if not sample.late]

    async def lines(self, key: Key, _after: int | None) -> Sequence[Item]:
        query = LogQuery(service=key.service, limit=LINES)
        found = await self._services.logs.page(SYSTEM, _device(key), query)
        room = LINE_BYTES

        def fits(line: StoredLine) -> bool:
            nonlocal room
            room -= len(line.line.message)
            return room >= 0

        kept = list(takewhile(fits, found))
        return sorted((Item(line.id, line) for line in kept), key=lambda item: item.position)

    async def events(self, key: Key, after: int | None) -> Sequence[Item]:
        return await read_events(self._services, key.device, after)


async def read_events(services: Services, device: DeviceUuid | None, after: int | None) -> Sequence[Item]:
    """The last events, or those above a position."""
    found = await services.history.newest(device, EVENTS if after is None else MISSED_EVENTS, after)
    return sorted((Item(event.id, event) for event in found), key=lambda item: item.position)


def _device(key: Key) -> DeviceUuid:
    if key.device is None:
        raise ValueError(f"the channel {key.channel} is one of devices")
    return key.device


def _points(samples: Sequence[Any]) -> Mapping[str, Any]:
    """Series, the oldest point first. Agents do not measure the network, so there are no points of it."""
    return {
        "cpu": [{"time": sample.recorded_at, "value": sample.vitals.cpu_usage} for sample in samples],
        "memory": [_memory(sample) for sample in samples],
        "network": [],
    }


def _memory(sample: Sample) -> dict[str, Any]:
    used, total = sample.vitals.memory_usage, sample.vitals.memory_total
    available = None if used is None or total is None else max(0.0, total - used)
    return {"time": sample.recorded_at, "used": used, "available": available}


def _metrics(samples: Sequence[Any]) -> Mapping[str, Any]:
    return {"metrics": [sample_as_json(sample) for sample in samples]}


def _logs(lines: Sequence[Any]) -> Mapping[str, Any]:
    """Lines in both spellings that pages of the dashboard read, the oldest first."""
    return {"logs": [_line(line) for line in lines]}


def _line(stored: StoredLine) -> dict[str, Any]:
    line = stored.line
    return {
        "id": stored.id,
        "message": line.message,
        "timestamp": line.at,
        "serviceName": line.service_name,
        "service_name": line.service_name,
        "isSystem": line.is_system,
        "isStdErr": line.is_stderr,
        "level": line.level,
    }
