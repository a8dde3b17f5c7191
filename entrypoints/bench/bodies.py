"""What the devices of the bench send: as agents do, and never the same twice where that matters."""

import gzip
import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from entrypoints.bench.known import KnownDevice
from entrypoints.bench.load import request
from entrypoints.bench.mqtt_load import publish_packet

API = "/api/v1"
LOG_LINES = 20
MESSAGES = 12
REGISTERS = ("temperature", "pressure")
READINGS_PER_MESSAGE = MESSAGES * len(REGISTERS)
_JSON = {"Content-Type": "application/json"}
_BEGAN = datetime.now(UTC)


def _signed(device: KnownDevice) -> dict[str, str]:
    return {"X-Device-API-Key": device.key}


def poll(device: KnownDevice, etag: str | None = None) -> bytes:
    """The state poll; with an ETag it is answered 304."""
    headers = _JSON | _signed(device) | ({"If-None-Match": etag} if etag else {})
    return request("GET", f"{API}/device/{device.uuid}/state", headers)


def report(device: KnownDevice, number: int) -> bytes:
    """A report with metrics, as gzip PATCH."""
    processes = [{"pid": pid, "name": f"process-{pid}", "cpu": 1.5, "mem": 0.5} for pid in range(10)]
    body = {
        "apps": {},
        "is_online": True,
        "version": 1,
        "cpu_usage": 10 + number % 50,
        "memory_usage": 512,
        "memory_total": 1024,
        "storage_usage": 2000 + number,
        "storage_total": 8000,
        "temperature": 51.5,
        "uptime": 1000.5 + number,
        "top_processes": processes,
    }
    packed = gzip.compress(json.dumps({device.uuid: body}).encode(), compresslevel=6)
    return request("PATCH", f"{API}/device/state", _JSON | _signed(device) | {"Content-Encoding": "gzip"}, packed)


def logs(device: KnownDevice) -> bytes:
    """Twenty log lines, as gzip NDJSON."""
    at = int(datetime.now(UTC).timestamp() * 1000)
    lines = [
        {
            "timestamp": at + number,
            "level": "info",
            "message": f"Reconciliation finished in {number} ms",
            "source": {"type": "system", "name": "reconciler"},
            "isSystem": True,
            "deviceId": device.uuid,
            "context": {"component": "reconciler", "operation": "apply"},
        }
        for number in range(LOG_LINES)
    ]
    packed = gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode())
    headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"} | _signed(device)
    return request("POST", f"{API}/device/{device.uuid}/logs", headers, packed)


def broker_question(device: KnownDevice, name: str) -> bytes:
    """What an external broker asks of a device: `user` or `acl`."""
    body: dict[str, Any] = {"username": device.login.username, "clientid": device.login.username}
    if name == "user":
        body["password"] = device.login.password
    else:
        body |= {"topic": f"iot/device/{device.uuid}/state", "acc": 2}
    return request("POST", f"/mosquitto-auth/{name}", _JSON, json.dumps(body).encode())


class ReadingBatches:
    """Sensor messages of twelve polls with two registers each; every reading has a time of its own."""

    def __init__(self, fleet: list[KnownDevice], window: int = 16) -> None:
        self._fleet = fleet
        self._window = window
        self._times = itertools.count()

    def __call__(self, index: int, _turn: int) -> list[bytes]:
        """The next packets of a device."""
        device = self._fleet[index]
        topic = f"iot/device/{device.uuid}/sensor/modbus"
        return [publish_packet(topic, self._envelope(), number + 1) for number in range(self._window)]

    def _envelope(self) -> bytes:
        messages = [self._message() for _ in range(MESSAGES)]
        at = _BEGAN.isoformat().replace("+00:00", "Z")
        return json.dumps({"sensor": "modbus-pipe", "timestamp": at, "messages": messages}).encode()

    def _message(self) -> str:
        moment = _BEGAN - timedelta(milliseconds=next(self._times))
        at = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        shared = {"timestamp": at, "deviceName": "boiler", "value": 61.5, "unit": "C", "quality": "GOOD"}
        readings = [{**shared, "registerName": name} for name in REGISTERS]
        return json.dumps({"timestamp": at, "readings": readings})
