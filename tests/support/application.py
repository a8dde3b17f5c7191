"""The whole embedded application, on free ports and a folder of the test's own, and people who call it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
import pytest_asyncio
from attrs import define, field, frozen

from core.actor import SYSTEM, Role
from core.provisioning import NewProvisioningKey
from entrypoints.wiring.lifespan import control_plane
from entrypoints.wiring.running import Running, Standalone

OWNER_PASSWORD = "a password for tests"
ENVIRONMENT: Mapping[str, str] = {
    "PORT": "0",
    "MQTT_PORT": "0",
    "IOTISTIC_ADMIN_PASSWORD": OWNER_PASSWORD,
    "PASSWORD_HASH_COST": "4",
    "HEARTBEAT_CHECK_INTERVAL": "100ms",
}


@frozen
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: Any
    raw: bytes


@define
class Caller:
    """Calls the API with the same headers each time. Paths are below /api/v1, or absolute with `root`."""

    http: aiohttp.ClientSession
    url: str
    headers: dict[str, str] = field(factory=dict)

    async def call(self, method: str, path: str, *, root: bool = False, **options: Any) -> Answer:
        """One request; JSON answers are parsed."""
        headers = {**self.headers, **options.pop("headers", {})}
        address = self.url + ("" if root else "/api/v1") + path
        async with self.http.request(method, address, headers=headers, **options) as response:
            raw = await response.read()
            body = await response.json() if raw and "json" in response.content_type else None
            return Answer(response.status, response.headers.copy(), body, raw)

    async def get(self, path: str, **options: Any) -> Answer:
        """GET."""
        return await self.call("GET", path, **options)

    async def post(self, path: str, json: Any = None, **options: Any) -> Answer:
        """POST, with a JSON body if there is one."""
        return await self.call("POST", path, json=json, **options)

    async def put(self, path: str, json: Any = None, **options: Any) -> Answer:
        """PUT."""
        return await self.call("PUT", path, json=json, **options)

    async def patch(self, path: str, json: Any = None, **options: Any) -> Answer:
        """PATCH."""
        return await self.call("PATCH", path, json=json, **options)

    async def delete(self, path: str, json: Any = None, **options: Any) -> Answer:
        """DELETE."""
        return await self.call("DELETE", path, json=json, **options)


@frozen(kw_only=True)
class EnrolledDevice:
    """A device that registered, with what it was told."""

    uuid: str
    key: str
    answer: Mapping[str, Any]
    caller: Caller

    @property
    def mqtt(self) -> Mapping[str, Any]:
        """username, password, broker…"""
        mqtt: Mapping[str, Any] = self.answer["mqtt"]
        return mqtt


@define
class Api:
    """The running application and everybody who may call it."""

    running: Running
    http: aiohttp.ClientSession
    _tokens: dict[Role, str] = field(factory=dict)

    @property
    def data(self) -> Path:
        """The folder it keeps everything in, where it is the one that is all in one process."""
        assert isinstance(self.running, Standalone)
        return self.running.data

    @property
    def stranger(self) -> Caller:
        """Somebody without credentials."""
        return Caller(self.http, self.running.url)

    async def person(self, role: Role) -> Caller:
        """Somebody who has logged in with this role."""
        if role not in self._tokens:
            username = "admin" if role is Role.OWNER else f"the-{role.word}"
            if role is not Role.OWNER:
                owner = await self.person(Role.OWNER)
                account = {"username": username, "email": f"{username}@example.com", "role": role.word}
                made = await owner.post("/users", account | {"password": OWNER_PASSWORD})
                assert made.status == 201, made
            self._tokens[role] = await self.log_in(username, OWNER_PASSWORD)
        return Caller(self.http, self.running.url, {"Authorization": f"Bearer {self._tokens[role]}"})

    async def log_in(self, username: str, password: str) -> str:
        """An access token."""
        answer = await self.stranger.post("/auth/login", {"username": username, "password": password})
        assert answer.status == 200, answer
        token: str = answer.body["data"]["accessToken"]
        return token

    async def provisioning_key(self, **wanted: Any) -> str:
        """A key that lets devices enrol."""
        new = NewProvisioningKey(**{"fleet_id": "tests", **wanted})
        _, secret = await self.running.services.provisioning_keys.create(SYSTEM, new)
        return secret

    async def device(self, key: str | None = None, **fields: Any) -> EnrolledDevice:
        """A device that has registered."""
        body = registration(**fields)
        bearer = {"Authorization": f"Bearer {key or await self.provisioning_key()}"}
        answer = await self.stranger.post("/device/register", body, headers=bearer)
        assert answer.status == 200, answer
        caller = Caller(self.http, self.running.url, {"X-Device-API-Key": body["deviceApiKey"]})
        return EnrolledDevice(uuid=body["uuid"], key=body["deviceApiKey"], answer=answer.body, caller=caller)

    async def settle(self) -> None:
        """Wait until every announced event has reached its reactions."""
        while await self.running.services.outbox.relay():
            pass
        await self.running.services.liveness.settle()
        while await self.running.services.outbox.relay():
            pass


def registration(**fields: Any) -> dict[str, Any]:
    """The body of a registration, as an agent sends it."""
    uuid = str(uuid4())
    body = {
        "uuid": uuid,
        "deviceName": f"device-{uuid[:8]}",
        "deviceType": "standalone",
        "deviceApiKey": uuid4().hex + uuid4().hex,
        "macAddress": "02:00:00:00:00:01",
        "osVersion": "Debian GNU/Linux 12 (bookworm)",
        "agentVersion": "1.0.84",
    }
    return body | fields


async def _first_owner(running: Standalone) -> None:
    await running.services.accounts.bootstrap("admin", OWNER_PASSWORD)


@asynccontextmanager
async def running_api(data: Path, *, installed: bool = False, **environment: str) -> AsyncIterator[Api]:
    """The application on a folder, with other settings if wanted, and with plugins that are `installed` if wanted."""
    async with AsyncExitStack() as stack:
        plane = control_plane(data, {**ENVIRONMENT, **environment}, prepare=_first_owner, installed=installed)
        running = await stack.enter_async_context(plane)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield Api(running, http)


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """The application, on a folder of the test's own."""
    async with running_api(tmp_path / "data") as api:
        yield api


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder that survives restarts within the test."""
    return tmp_path / "data"
