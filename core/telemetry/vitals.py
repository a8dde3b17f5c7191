"""The vital signs in a device's report."""

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from core.telemetry.cleaning import number, whole, word

MOST_PROCESSES = 50
MOST_INTERFACES = 64
# The name in the report (contract §2.7) of each number we keep.
NUMBERS = {
    "cpu_usage": "cpu_usage",
    "cpu_temp": "temperature",
    "memory_usage": "memory_usage",
    "memory_total": "memory_total",
    "storage_usage": "storage_usage",
    "storage_total": "storage_total",
    "uptime": "uptime",
}
_INTERFACE_WORDS = ("name", "ip4", "ip6", "mac", "type", "operstate", "ssid")


@frozen(kw_only=True)
class Vitals:
    """Percent, °C, MB, seconds, as the agent measures them; None where a report says nothing of it."""

    cpu_usage: float | None = None
    cpu_temp: float | None = None
    memory_usage: float | None = None
    memory_total: float | None = None
    storage_usage: float | None = None
    storage_total: float | None = None
    uptime: float | None = None
    top_processes: list[dict[str, Any]] | None = None
    network_interfaces: list[dict[str, Any]] | None = None
    os_version: str | None = None
    agent_version: str | None = None
    local_ip: str | None = None

    @property
    def measured(self) -> bool:
        """Whether there is something that a series of measurements should hold."""
        return self.top_processes is not None or any(getattr(self, name) is not None for name in NUMBERS)

    @property
    def empty(self) -> bool:
        """Whether the report told nothing new at all."""
        told = (self.network_interfaces, self.os_version, self.agent_version, self.local_ip)
        return not self.measured and all(value is None for value in told)


def vitals_of(report: Mapping[str, Any]) -> Vitals:
    """What the report tells of the device's health. Never raises; odd values count as not told."""
    numbers = {ours: number(report[theirs]) for ours, theirs in NUMBERS.items() if theirs in report}
    return Vitals(
        **numbers,
        top_processes=_processes(report.get("top_processes")),
        network_interfaces=_interfaces(report.get("network_interfaces")),
        os_version=word(report.get("os_version"), 100),
        agent_version=word(report.get("agent_version"), 100),
        local_ip=word(report.get("local_ip"), 64),
    )


def _processes(value: object) -> list[dict[str, Any]] | None:
    if not isinstance(value, list):
        return None
    return [_process(item) for item in value[:MOST_PROCESSES] if isinstance(item, Mapping)]


def _process(item: Mapping[Any, Any]) -> dict[str, Any]:
    process: dict[str, Any] = {"pid": whole(item.get("pid")), "name": word(item.get("name"))}
    process |= {name: number(item.get(name)) for name in ("cpu", "mem")}
    command = word(item.get("command"), 1024)
    return process if command is None else process | {"command": command}


def _interfaces(value: object) -> list[dict[str, Any]] | None:
    if not isinstance(value, list):
        return None
    return [_interface(item) for item in value[:MOST_INTERFACES] if isinstance(item, Mapping)]


def _interface(item: Mapping[Any, Any]) -> dict[str, Any]:
    interface: dict[str, Any] = {name: word(item.get(name), 128) for name in _INTERFACE_WORDS if name in item}
    interface |= {name: item.get(name) is True for name in ("default", "virtual")}
    if "signalLevel" in item:
        interface["signalLevel"] = number(item["signalLevel"])
    return interface
