"""The agent's requests and publications, as values: how each is addressed, signed and packed. Nothing is sent here."""

import gzip
import json
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import field, frozen

from entrypoints.simulator.identity import Identity

AGENT_VERSION = "1.0.84"
OS_VERSION = "Debian GNU/Linux 12 (bookworm)"
JSON = {"Content-Type": "application/json"}
GZIP = {"Content-Encoding": "gzip"}
NOT_MODIFIED = 304


@frozen(kw_only=True)
class Request:
    """One HTTP call. `kind` is its name in the statistics; `also_fine` are answers besides 2xx that are no failure."""

    kind: str
    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)
    also_fine: frozenset[int] = frozenset()


@frozen(kw_only=True)
class Publication:
    """One MQTT message. `kind` is its name in the statistics."""

    kind: str
    topic: str
    payload: bytes = field(repr=False)
    qos: int = 1


def as_json(value: object) -> bytes:
    """JSON without blanks, in the order given."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def api_base(url: str) -> str:
    """Where the API lives for a given endpoint: with and without a trailing slash or `/api` it is the same place."""
    base = url.rstrip("/")
    return f"{base}/v1" if base.endswith("/api") else f"{base}/api/v1"


def register(identity: Identity, provisioning_key: str, mac_address: str, agent_version: str) -> Request:
    """Ask to become known. The device brings its own uuid and key."""
    body = {
        "uuid": identity.uuid,
        "deviceName": identity.name,
        "deviceType": "standalone",
        "deviceApiKey": identity.api_key,
        "macAddress": mac_address,
        "osVersion": OS_VERSION,
        "agentVersion": agent_version,
    }
    return Request(
        kind="register",
        method="POST",
        path="/device/register",
        headers={**JSON, "Authorization": f"Bearer {provisioning_key}"},
        body=as_json(body),
    )


def exchange_key(identity: Identity) -> Request:
    """Show the key that was registered."""
    return Request(
        kind="key exchange",
        method="POST",
        path=f"/device/{identity.uuid}/key-exchange",
        headers={**JSON, "Authorization": f"Bearer {identity.api_key}"},
        body=as_json({"uuid": identity.uuid, "deviceApiKey": identity.api_key}),
    )


def sealed_exchange(identity: Identity, public_key: str) -> Request:
    """By v2: ask for the server's key and a challenge for this public key."""
    return Request(
        kind="sealed key exchange",
        method="POST",
        path="/provisioning/v2/key-exchange",
        headers=JSON,
        body=as_json({"deviceUuid": identity.uuid, "devicePublicKey": public_key}),
    )


def sealed_register(body: Mapping[str, Any]) -> Request:
    """By v2: ask to become known, with what was sealed."""
    path = "/provisioning/v2/register"
    return Request(kind="register", method="POST", path=path, headers=JSON, body=as_json(body))


def poll(identity: Identity, etag: str | None) -> Request:
    """Fetch the target state, unless it is still the one of that ETag, which goes back exactly as it came."""
    headers = {**JSON, **_signed(identity)}
    if etag is not None:
        headers["If-None-Match"] = etag
    return Request(
        kind="poll",
        method="GET",
        path=f"/device/{identity.uuid}/state",
        headers=headers,
        also_fine=frozenset({NOT_MODIFIED}),
    )


def report_over_http(identity: Identity, kind: str, payload: bytes) -> Request:
    """A state report where the broker is away."""
    headers = {**JSON, **GZIP, **_signed(identity)}
    return Request(kind=kind, method="PATCH", path="/device/state", headers=headers, body=gzip.compress(payload))


def report_over_mqtt(identity: Identity, kind: str, payload: bytes) -> Publication:
    """The same report, the usual way."""
    return Publication(kind=kind, topic=_topic(identity, "state"), payload=payload)


def logs(identity: Identity, lines: Sequence[Mapping[str, Any]]) -> Request:
    """Log lines as NDJSON, packed."""
    text = b"".join(as_json(line) + b"\n" for line in lines)
    headers = {"Content-Type": "application/x-ndjson", **GZIP, **_signed(identity)}
    path = f"/device/{identity.uuid}/logs"
    return Request(kind="logs", method="POST", path=path, headers=headers, body=gzip.compress(text))


def dropped_summaries(identity: Identity, summaries: Sequence[Mapping[str, Any]], reported_at: int) -> Request:
    """Say what log lines were lost. Never packed."""
    body = {"summaries": list(summaries), "deviceUuid": identity.uuid, "reportedAt": reported_at}
    return Request(
        kind="dropped summaries",
        method="POST",
        path=f"/device/{identity.uuid}/logs/dropped-summaries",
        headers={**JSON, **_signed(identity)},
        body=as_json(body),
    )


def next_job(identity: Identity) -> Request:
    """Ask for work. Every answer but 200 means that there is none, 404 and 204 without being a failure."""
    return Request(
        kind="next job",
        method="GET",
        path=f"/devices/{identity.uuid}/jobs/next",
        headers={**JSON, **_signed(identity), "User-Agent": f"Iotistic-agent/{identity.uuid}"},
        also_fine=frozenset({404}),
    )


def job_update_over_http(identity: Identity, job_id: str, update: Mapping[str, Any]) -> Request:
    """Say how a job goes that came over HTTP."""
    return Request(
        kind="job update",
        method="PATCH",
        path=f"/devices/{identity.uuid}/jobs/{job_id}/status",
        headers={**JSON, **_signed(identity), "User-Agent": f"Iotistic-agent/{identity.uuid}"},
        body=as_json(update),
    )


def job_update_over_mqtt(identity: Identity, job_id: str, update: Mapping[str, Any]) -> Publication:
    """Say how a job goes that came over MQTT."""
    topic = f"iot/device/{identity.uuid}/jobs/{job_id}/update"
    return Publication(kind="job update", topic=topic, payload=as_json(update))


def agent_status(identity: Identity, status: Mapping[str, Any]) -> Publication:
    """Say how an update of the agent goes."""
    topic = _topic(identity, "agent", "status")
    return Publication(kind="agent status", topic=topic, payload=as_json(status), qos=0)


def sensor_batch(identity: Identity, segment: str, envelope: Mapping[str, Any]) -> Publication:
    """What was measured. The last segment is the protocol, or the metric in simulation mode."""
    topic = _topic(identity, "sensor", segment)
    return Publication(kind="readings", topic=topic, payload=as_json(envelope))


def jobs_topic(identity: Identity) -> str:
    """Where jobs are announced."""
    return f"iot/device/{identity.uuid}/jobs/notify-next"


def update_topic(identity: Identity) -> str:
    """Where updates of the agent are ordered."""
    return f"iot/device/{identity.uuid}/agent/update"


def _topic(identity: Identity, branch: str, *levels: str) -> str:
    """Where the device reports: by v2 the branch comes first."""
    begin = (branch, identity.uuid) if identity.v2 else ("iot", "device", identity.uuid, branch)
    return "/".join((*begin, *levels))


def _signed(identity: Identity) -> dict[str, str]:
    return {"X-Device-API-Key": identity.api_key}
