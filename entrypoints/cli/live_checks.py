"""What `iotistic doctor` sees of a control plane that runs; and whether one could start, if none does."""

import http.client
import json
import resource
import socket
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from core.settings import Settings
from entrypoints.cli.findings import Finding, failing, fine, warning
from entrypoints.wiring import settings as declared

SECONDS = 5.0
FILES_WANTED = 4096
# CONNECT of MQTT 3.1.1 (§3.1) as nobody; a broker that works refuses it with 4 or 5 (§3.2.2.3).
CONNACK = b"\x20\x02\x00"
NOT_NOW = 3
REFUSED = {4, 5}


def check_server(tenant: Mapping[str, Any]) -> Iterator[Finding]:
    """Whether the control plane that runs on the folder is ready, and its broker answers."""
    host = _reachable(str(tenant.get("host", "127.0.0.1")))
    yield _readiness(host, int(tenant.get("port", 0)), tenant.get("pid"))
    yield _broker(host, int(tenant.get("mqttPort", 0)))


def check_ports(settings: Settings) -> Iterator[Finding]:
    """Whether the ports are free for the next start."""
    for name, port in (("PORT", settings[declared.PORT]), ("MQTT_PORT", settings[declared.MQTT_PORT])):
        host = settings[declared.HOST]
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            socket.create_server((host, port), family=family).close()
        except OSError as error:
            advice = f"stop what listens there (ss -ltnp), or set {name}"
            yield failing("ports", f"{host}:{port} cannot be listened on: {error.strerror}", advice)
        else:
            yield fine("ports", f"{host}:{port} is free")


def check_open_files(tenant: Mapping[str, Any] | None) -> Finding:
    """Whether as many connections may be open as there may be devices."""
    most = _limit_of(tenant["pid"]) if tenant and "pid" in tenant else None
    if most is None:
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    endless = most == resource.RLIM_INFINITY
    if not endless and most < FILES_WANTED:
        advice = "raise it: `ulimit -n 65536`, or LimitNOFILE=65536 in the service"
        return warning("open files", f"at most {most}: about as many devices can be connected", advice)
    return fine("open files", "no limit" if endless else f"at most {most:,}")


def _readiness(host: str, port: int, pid: object) -> Finding:
    told = f"process {pid} on {host}:{port}"
    connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
    try:
        connection.request("GET", "/ready")
        answer = connection.getresponse()
        body = json.loads(answer.read())
    except (OSError, ValueError, http.client.HTTPException) as error:
        return failing("server", f"{told} does not answer: {error}", "look at its log; restart it if it stays so")
    finally:
        connection.close()
    if answer.status != http.client.OK:
        what = ", ".join(f"{name}: {body['checks'][name]}" for name in body.get("failing", []))
        return failing("server", f"{told} is not ready: {what}", "look at its log for the first error")
    return fine("server", f"{told} is ready")


def _broker(host: str, port: int) -> Finding:
    told = f"{host}:{port}"
    try:
        with socket.create_connection((host, port), timeout=SECONDS) as wire:
            wire.sendall(_connect())
            answer = wire.recv(4)
    except OSError as error:
        return failing("broker", f"{told} does not answer: {error}", "look at the log; a firewall may be in between")
    if answer[:3] == CONNACK and len(answer) == len(CONNACK) + 1 and answer[3] in REFUSED:
        return fine("broker", f"{told} answers, and refuses strangers")
    if answer[:3] == CONNACK and answer[3:] == bytes([NOT_NOW]):
        return failing("broker", f"{told} answers that it cannot work now", "see what /ready says about the database")
    return failing("broker", f"{told} answers with {answer.hex() or 'nothing'}", "something else may listen there")


def _connect() -> bytes:
    words = [b"iotistic-doctor", b"iotistic-doctor", b"nobody has this password"]
    payload = b"".join(struct.pack("!H", len(word)) + word for word in words)
    packet = b"\x00\x04MQTT\x04\xc2\x00\x0a" + payload
    return bytes([0x10, len(packet)]) + packet


def _limit_of(pid: object) -> int | None:
    """The limit of a running process, where the system tells it."""
    try:
        lines = Path(f"/proc/{pid}/limits").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = [line.split()[3] for line in lines if line.startswith("Max open files")]
    if not found:
        return None
    return resource.RLIM_INFINITY if found[0] == "unlimited" else int(found[0])


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
