"""State reports: the first one is whole, later ones say only what changed, replayed ones are stripped."""

from collections.abc import Mapping
from datetime import datetime
from random import Random
from typing import Any

from attrs import evolve, frozen

from entrypoints.simulator.moments import iso
from entrypoints.simulator.wire import OS_VERSION, as_json

STATIC = frozenset({"config", "os_version", "agent_version", "local_ip"})
GONE_IN_REPLAYS = ("version", "endpoints_health", "top_processes", "network_interfaces", "sensor_health")
GONE_FROM_SERVICES = ("state", "serviceStatus", "error")
GONE_FROM_SERVICE_CONFIG = ("environment", "labels")
MEMORY_TOTAL = 4096
STORAGE_TOTAL = 262_144
STORAGE_FLOOR = 2_000


@frozen(kw_only=True)
class Report:
    """One state report."""

    sequence: int
    content: Mapping[str, Any]
    replayed: bool = False

    def payload(self, uuid: str) -> bytes:
        """What goes over the wire: the device is its single top-level key."""
        return as_json({uuid: self.content})

    def stripped(self) -> "Report":
        """As the agent queues it when it could not be sent. Without a version it can be told from a fresh one."""
        content = {key: value for key, value in self.content.items() if key not in GONE_IN_REPLAYS}
        if "apps" in content:
            content["apps"] = {key: _app_stripped(app) for key, app in content["apps"].items()}
        return evolve(self, content=content, replayed=True)


def _app_stripped(app: Mapping[str, Any]) -> dict[str, Any]:
    return {**app, "services": [_service_stripped(service) for service in app["services"]]}


def _service_stripped(service: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in service.items() if key not in GONE_FROM_SERVICES}
    config = service["config"]
    kept["config"] = {key: value for key, value in config.items() if key not in GONE_FROM_SERVICE_CONFIG}
    return kept


class Differences:
    """Leaves out of a report what the server has been told since the agent started."""

    def __init__(self) -> None:
        self._told: dict[str, Any] = {}

    def unsaid(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Those facts that are new or have changed."""
        return {name: value for name, value in facts.items() if self._told.get(name) != value}

    def told(self, facts: Mapping[str, Any]) -> None:
        """The server acknowledged these."""
        self._told.update(facts)


def static_facts(config: Mapping[str, Any], agent_version: str, local_ip: str) -> dict[str, Any]:
    """What is reported only at first and when it changes."""
    return {"config": config, "os_version": OS_VERSION, "agent_version": agent_version, "local_ip": local_ip}


def metrics(chance: Random, sequence: int, uptime: float, mac_address: str, local_ip: str) -> dict[str, Any]:
    """The metrics cycle. The used storage grows by one MB a report, so that each stored row names its report."""
    return {
        "cpu_usage": round(chance.uniform(2, 65), 1),
        "memory_usage": chance.randint(900, 2400),
        "memory_total": MEMORY_TOTAL,
        "storage_usage": storage_of(sequence),
        "storage_total": STORAGE_TOTAL,
        "temperature": round(chance.uniform(38, 62), 1),
        "uptime": round(uptime, 2),
        "top_processes": [_process(chance, pid, name) for pid, name in _PROCESSES],
        "network_interfaces": [_interface(mac_address, local_ip)],
    }


def storage_of(sequence: int) -> int:
    """The used storage, in MB, in the report of that number."""
    return STORAGE_FLOOR + sequence


def endpoint_health(chance: Random, moment: datetime, protocol: str, registers: int) -> dict[str, Any]:
    """How an adapter finds one of its sensors."""
    return {
        "protocol": protocol,
        "connected": True,
        "lastPoll": iso(moment),
        "lastSeen": iso(moment),
        "errorCount": 0,
        "lastError": None,
        "responseTimeMs": chance.randint(1, 40),
        "pollSuccessRate": 1,
        "registersUpdated": registers,
        "communicationQuality": "good",
    }


_PROCESSES = (
    (1, "systemd"),
    (412, "dockerd"),
    (655, "node"),
    (702, "nginx"),
    (811, "wpa_supplicant"),
    (904, "containerd"),
    (1033, "sshd"),
    (1187, "cron"),
    (1302, "journald"),
    (1477, "node"),
)


def _process(chance: Random, pid: int, name: str) -> dict[str, Any]:
    return {"pid": pid, "name": name, "cpu": round(chance.uniform(0, 9), 1), "mem": round(chance.uniform(0, 4), 1)}


def _interface(mac_address: str, local_ip: str) -> dict[str, Any]:
    return {
        "name": "eth0",
        "ip4": local_ip,
        "ip6": None,
        "mac": mac_address,
        "type": "wired",
        "default": True,
        "virtual": False,
        "operstate": "up",
    }
