"""Contract §12.4 item 59: no key, hash, password or token in any answer, log line, event or row that is read later.

Everything that has a secret is used once, as right and as wrong as it happens; then everything that can be read is
read, and each secret is looked for in it.
"""

import json
import logging
import re
import sqlite3
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import aiomqtt
import pytest
from attrs import define, field

from core.actor import Role
from entrypoints.http.app import path_of
from entrypoints.http.cookies import COOKIE
from tests.acceptance.test_v2_devices import mqtt_of
from tests.support.application import OWNER_PASSWORD, Api, Caller, EnrolledDevice, running_api
from tests.support.live import token_of, watching
from tests.support.mqtt import connected
from tests.support.sealing import SealingDevice, enrolled

METRICS_TOKEN, BROKER_SECRET = uuid4().hex, uuid4().hex
FIRST_APP = 1000
# Columns that hold what secrets are known by; tables whose rows are read for months.
DIGESTS: Mapping[str, str] = {
    "users": "password_hash",
    "sessions": "digest",
    "device_keys": "digest",
    "mqtt_users": "digest",
    "provisioning_keys": "digest",
}
READ_LATER = ("events", "audit_log", "outbox", "outbox_failures")
# What people wrote into what a device shall run is shown to whom may write it, and to the device.
SHOW_WHAT_WAS_WANTED = {
    "/api/v1/device/{uuid}/state",
    "/api/v1/devices/{uuid}",
    "/api/v1/devices/{uuid}/target-state",
    "/api/v1/devices/{uuid}/target-state/diff",
    "/api/v1/devices/{uuid}/target-state/versions/{version}",
    "/api/v1/events/device/{uuid}/replay",
    "/api/v1/events/device/{uuid}/snapshot",
    "/api/v1/events/device/{uuid}/compare",
}
# Only these show a secret, once: to whom it is made for, while it is made.
SHOW_ONCE = {
    "POST /api/v1/auth/login",
    "POST /api/v1/auth/refresh",
    "POST /api/v1/device/register",
    "POST /api/v1/devices",
    "POST /api/v1/provisioning-keys",
    "POST /api/v1/provisioning-keys/generate",
}
# Asked by others than people, or with an upgrade.
NOT_FOR_PEOPLE = {
    "/api/v1/device/{uuid}/state",
    "/api/v1/devices/{uuid}/jobs/next",
    "/mosquitto-auth/acl",
    "/mosquitto-auth/superuser",
    "/mosquitto-auth/user",
    "/mqtt",
    "/ws",
}
MOMENTS = tuple(f"/api/v1/events/device/{{uuid}}/{word}" for word in ("replay", "snapshot", "compare"))
QUERIES = {"/api/v1/provisioning-keys": "?fleetId=a", "/api/v1/devices/{uuid}/target-state/diff": "?from=2&to=3"}
NAMES = {
    "version": "3",
    "appId": str(FIRST_APP),
    "type": "app",
    "protocol": "opcua",
    "name": "s",
    "key": "a",
    "file": "swagger-ui.css",
}
STREAMS = {"/api/v1/live", "/api/v1/devices/{uuid}/live"}


@define
class Known:
    """The secrets by what they are, and what the paths of the API are filled with."""

    secrets: dict[str, str] = field(factory=dict)
    names: dict[str, str] = field(factory=dict)
    numbers: dict[str, str] = field(factory=lambda: {"/apps-services/": str(FIRST_APP)})
    given: set[str] = field(factory=set)
    wanted: str = field(factory=lambda: f"wanted-{uuid4().hex}")

    def keep(self, what: str, secret: str) -> str:
        """Note it, and hand it back."""
        self.secrets[what] = secret
        return secret

    def made(self, what: str) -> str:
        """A new one."""
        return self.keep(what, f"{what.replace(' ', '-')}-{uuid4().hex}")

    def filled(self, path: str) -> str:
        """The path of a route with things in it that exist; the device's uuid is left."""
        number = next((self.numbers[part] for part in self.numbers if part in path), "1")
        names = {"uuid": "{uuid}", **NAMES, **self.names}
        return re.sub(r"\{([^}]+)\}", lambda found: names.get(found[1], number), path)

    def found_in(self, text: str) -> list[str]:
        """Which ones stand in it."""
        return [what for what, secret in self.secrets.items() if secret in text]


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """Everything that is logged, whatever its level, with all that goes with it."""
    heard: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(f"{record.getMessage()} {record.exc_info} {vars(record)}")

    ear, root = Ear(), logging.getLogger()
    level = root.level
    root.addHandler(ear)
    root.setLevel(logging.DEBUG)
    yield heard
    root.removeHandler(ear)
    root.setLevel(level)


def heard_by(answers: list[tuple[str, str, bytes]]) -> aiohttp.TraceConfig:
    """Writes down every answer: the method, the path, the body."""

    async def note(_session: object, _context: object, came: aiohttp.TraceResponseChunkReceivedParams) -> None:
        answers.append((came.method, came.url.path, came.chunk))

    trace = aiohttp.TraceConfig()
    trace.on_response_chunk_received.append(note)
    return trace


def route_of(api: Api, method: str, path: str) -> str:
    """The route that a path leads to."""
    for route in api.running.routes:
        shape = path_of(route)
        if route.method == method and re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", shape), path):
            return f"{method} {shape}"
    return f"{method} {path}"


def service(variable: str, value: str) -> dict[str, Any]:
    """An app with one service that is told a secret."""
    config = {"environment": {variable: value, "URL": f"postgres://db:{value}@db/x"}}
    return {
        "1001": {
            "appId": 1001,
            "appName": "db",
            "services": [{"serviceId": 1, "serviceName": "db", "imageName": "db:1", "config": config}],
        }
    }


async def people_come(api: Api, owner: Caller, known: Known) -> None:
    """Log in, fail to, change a password, leave."""
    password = known.made("password of a person")
    account = {"username": "eve", "email": "eve@example.com", "role": "admin", "password": password}
    known.numbers["/users/"] = str((await owner.post("/users", account)).body["id"])
    login = await api.stranger.post("/auth/login", {"username": "eve", "password": password})
    tokens = login.body["data"]
    known.keep("refresh token", tokens["refreshToken"])
    known.keep("access token", tokens["accessToken"])
    known.keep("cookie", re.findall(rf"{COOKIE}=([^;]+)", login.headers["Set-Cookie"])[0])
    eve = Caller(api.http, api.running.url, {"Authorization": f"Bearer {tokens['accessToken']}"})
    fresh = await api.stranger.post("/auth/refresh", {"refreshToken": tokens["refreshToken"]})
    known.keep("refreshed token", fresh.body["data"]["accessToken"])
    wrong = {"username": "eve", "password": known.made("wrong password")}
    assert (await api.stranger.post("/auth/login", wrong)).status == 401
    forged = {"refreshToken": known.made("forged token")}
    assert (await api.stranger.post("/auth/refresh", forged)).status == 401
    assert (await api.stranger.get(f"/live?token={known.made('token in the query')}")).status == 401
    changed = {"currentPassword": password, "newPassword": known.made("new password")}
    assert (await eve.post("/auth/change-password", changed)).status == 200
    assert (await api.stranger.post("/auth/login", {"username": 1, "password": [password]})).status == 400
    async with watching(api, f"type=global&token={token_of(owner)}") as watcher:
        await watcher.say(type="subscribe", channel="mqtt-topics")
        await watcher.hear("mqtt-topics")


async def keys_are_made(owner: Caller, known: Known) -> tuple[str, str]:
    """Two keys to provision with; and all else that has a password."""
    keys = [await owner.post("/provisioning-keys", {"fleetId": "a"}), await owner.post("/provisioning-keys/generate")]
    expected = await owner.post("/devices", {"deviceName": "expected", "deviceType": "gateway"})
    known.keep("enrolment token", expected.body["enrolmentToken"])
    mqtt = {"username": "page", "password": known.made("MQTT password of a person")}
    number = (await owner.post("/auth/mqtt-users", mqtt)).body["user"]["id"]
    assert (await owner.post(f"/auth/mqtt-users/{number}/acls", {"topic": "#", "access": 5})).status == 201
    again = {"password": known.made("changed MQTT password")}
    assert (await owner.put(f"/auth/mqtt-users/{number}", again)).status == 200
    broker = {"name": "b", "protocol": "mqtt", "host": "192.0.2.1", "port": 1883, "username": "u"}
    added = await owner.post("/mqtt/brokers", broker | {"password": known.made("password of a broker")})
    known.numbers["/brokers/"] = str(added.body["broker"]["id"])
    return (known.keep("key", keys[0].body["key"]), known.keep("generated key", keys[1].body["key"]))


async def a_device_lives(api: Api, owner: Caller, device: EnrolledDevice, known: Known) -> None:
    """It is told a secret, and reports others: over both ways, in words, in what it runs and what it measures with."""
    path = f"/devices/{device.uuid}"
    for value in (f"{known.wanted}-1", f"{known.wanted}-2"):
        state = {"apps": service("DB_PASSWORD", value), "config": {}}
        assert (await owner.put(f"{path}/target-state", state)).status == 200
        assert (await owner.post(f"{path}/deploy")).status == 200
    for name, variable in (("http", "DB_PASSWORD"), ("mqtt", "API_TOKEN")):
        secret = known.made(f"reported over {name}")
        sensor = {"name": "s", "protocol": "opcua", "connectionString": json.dumps({"password": secret}), "enabled": 1}
        apps = service(variable, secret)
        report = {device.uuid: {"version": 3, "is_online": True, "apps": apps, "config": {"sensors": [sensor]}}}
        if name == "http":
            assert (await device.caller.patch("/device/state", report)).status == 200
        else:
            async with connected(device.mqtt) as client:
                await client.publish(f"iot/device/{device.uuid}/state", json.dumps(report), qos=1)
    line = json.dumps({"message": f"polling with Bearer {device.key}", "context": {"apiKey": device.key}})
    assert (await device.caller.post(f"/device/{device.uuid}/logs", data=line.encode())).status == 200


async def strangers_guess(api: Api, device: EnrolledDevice, known: Known) -> None:
    """Wrong secrets are often right ones, of something else."""
    for what, path in (("wrong device key", f"/device/{device.uuid}/state"), ("wrong token", "/devices")):
        bearer = {"Authorization": f"Bearer {known.made(what)}"}
        assert (await api.stranger.get(path, headers=bearer)).status == 401
    bearer = {"Authorization": f"Bearer {known.made('wrong key')}"}
    body = {"uuid": str(uuid4()), "deviceName": "x", "deviceType": "x", "deviceApiKey": uuid4().hex * 2}
    assert (await api.stranger.post("/device/register", body, headers=bearer)).status == 401
    bearer = {"Authorization": f"Bearer {known.made('wrong metrics token')}"}
    assert (await api.stranger.get("/metrics", root=True, headers=bearer)).status == 403
    path = f"/mosquitto-auth/user?secret={known.made('wrong secret of a broker')}"
    assert (await api.stranger.post(path, {"username": "page"}, root=True)).status != 200
    with pytest.raises(aiomqtt.MqttError):
        async with connected({**device.mqtt, "password": known.made("wrong MQTT password")}):
            pass


async def everything_happens(api: Api, known: Known) -> tuple[Caller, EnrolledDevice]:
    """What a day brings."""
    owner = await api.person(Role.OWNER)
    known.keep("password of the owner", OWNER_PASSWORD)
    known.keep("token of the owner", token_of(owner))
    first, second = await keys_are_made(owner, known)
    device = await api.device(first)
    known.keep("device key", device.key)
    known.keep("MQTT password", device.mqtt["password"])
    sealing = SealingDevice()
    given = sealing.opened((await enrolled(api.stranger, sealing, second)).body)
    known.keep("device key of v2", given["api"]["deviceApiKey"])
    known.keep("MQTT password of v2", given["mqtt"]["password"])
    async with connected(await mqtt_of(api, SealingDevice())) as client:
        await client.publish("nowhere", b"x")
    await people_come(api, owner, known)
    await a_device_lives(api, owner, device, known)
    await strangers_guess(api, device, known)
    assert (await owner.post("/groups", {"name": "g", "query": {"tags": {"a": "b"}}})).status == 201
    assert (await owner.post("/applications", {"appName": "Db", "slug": "db"})).body["appId"] == FIRST_APP
    await api.settle()
    assert (await owner.post("/mqtt-monitor/sync")).status == 200
    events = (await owner.get("/events/recent")).body["events"]
    topic = f"iot/device/{device.uuid}/state"
    known.names |= {"topic": topic.replace("/", "%2F"), "topic:.+": topic}
    known.names["correlationId"] = next(event["correlation_id"] for event in events if event["correlation_id"])
    known.keep("metrics token", METRICS_TOKEN)
    known.keep("secret of a broker", BROKER_SECRET)
    return owner, device


def rows_of(data: Path, *tables: str) -> str:
    """All that stands in these tables of the database."""
    with sqlite3.connect(data / "iotistic.db") as database:
        return "\n".join(repr(row) for table in tables for row in database.execute(f"select * from {table}"))  # noqa: S608


def digests_of(data: Path, known: Known) -> dict[str, str]:
    """What the secrets are known by: as stored, and as anybody would compute them."""
    found = {f"digest of {what}": sha256(secret.encode()).hexdigest() for what, secret in known.secrets.items()}
    with sqlite3.connect(data / "iotistic.db") as database:
        for table, column in DIGESTS.items():
            rows = database.execute(f"select {column} from {table} where {column} is not null").fetchall()  # noqa: S608
            assert rows, table
            texts = [value.hex() if isinstance(value, bytes) else value for (value,) in rows]
            found |= {f"{table}.{column} {number}": text for number, text in enumerate(texts)}
    for file in (data / "secrets").rglob("*"):
        if file.is_file():
            longest = max(file.read_text(encoding="utf-8").splitlines(), key=len)
            found[f"file {file.name}"] = longest
    return found


async def read(api: Api, reader: Caller, device: EnrolledDevice, known: Known) -> dict[str, str]:
    """What somebody gets from every route that can be read, and the device from its own."""
    answers: dict[str, str] = {}
    for route in api.running.routes:
        path = path_of(route)
        if route.method != "GET" or path in STREAMS:
            continue
        filled = known.filled(path).replace("{uuid}", device.uuid)
        asks = device.caller if path in NOT_FOR_PEOPLE else reader
        bearer = {"Authorization": f"Bearer {METRICS_TOKEN}"} if path == "/metrics" else {}
        answer = await asks.get(filled + QUERIES.get(path, ""), root=True, headers=bearer)
        answers[path] = answer.raw.decode(errors="replace")
        known.given |= {path} if answer.status < 300 else set()
    began = dict.fromkeys(("fromTime", "time1"), "2020-01-01T00:00:00Z")
    body = began | dict.fromkeys(("toTime", "time2", "timestamp"), "2100-01-01T00:00:00Z")
    for path in MOMENTS:
        answer = await reader.post(path.format(uuid=device.uuid), body, root=True)
        assert answer.status == 200, answer
        answers[path] = answer.raw.decode()
    return answers


def showing(answers: Mapping[str, str], secrets: Known) -> dict[str, list[str]]:
    """The answers in which a secret stands, and which."""
    return {path: found for path, text in answers.items() if (found := secrets.found_in(text))}


async def test_no_secret_is_read_anywhere_but_where_it_is_made(tmp_path: Path, lines: list[str]) -> None:
    known, data = Known(), tmp_path / "data"
    heard: list[tuple[str, str, bytes]] = []
    async with (
        running_api(data, METRICS_TOKEN=METRICS_TOKEN, MOSQUITTO_AUTH_SECRET=BROKER_SECRET) as running,
        aiohttp.ClientSession(trace_configs=[heard_by(heard)]) as http,
    ):
        api = Api(running.running, http)
        owner, device = await everything_happens(api, known)
        secrets = Known(secrets=known.secrets | digests_of(data, known))
        answers = await read(api, owner, device, known)
        assert set(answers) - set(MOMENTS) - known.given == NOT_FOR_PEOPLE - {"/api/v1/device/{uuid}/state"}
        once = {
            route_of(api, how, path) for how, path, body in heard if secrets.found_in(body.decode(errors="replace"))
        }
        viewers = await read(api, await api.person(Role.VIEWER), device, known)
        await api.settle()
    assert once == SHOW_ONCE
    assert (showing(answers, secrets), showing(viewers, secrets)) == ({}, {})
    assert {path for path, text in answers.items() if known.wanted in text} == SHOW_WHAT_WAS_WANTED
    assert {path for path, text in viewers.items() if known.wanted in text} == {"/api/v1/device/{uuid}/state"}
    secrets.keep("what a device shall run", known.wanted)
    assert lines
    assert [line for line in lines if secrets.found_in(line)] == []
    assert secrets.found_in(rows_of(data, *READ_LATER)) == []
