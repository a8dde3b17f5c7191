"""The control plane with this plugin, as a process of its own: plugins are tested as they are used."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest

START_SECONDS = 30.0
PATIENCE_SECONDS = 10.0
POLL_SECONDS = 0.05


class Plane:
    """A running control plane, and the credentials it made at its first start."""

    def __init__(self, credentials: dict[str, str]) -> None:
        self.url = credentials["url"]
        self._provisioning_key = credentials["provisioningKey"]
        account = {"username": credentials["username"], "password": credentials["password"]}
        _, answer = self.call("POST", "/api/v1/auth/login", account)
        self._token = answer["data"]["accessToken"]

    def call(self, method: str, path: str, body: Any = None, bearer: str | None = None) -> tuple[int, Any]:
        """Status and JSON of the answer."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.url + path, data=data, headers=headers, method=method)
        try:
            with urlopen(request, timeout=10) as response:
                raw = response.read()
                return response.status, json.loads(raw) if raw else None
        except HTTPError as error:
            return error.code, json.load(error)

    def as_owner(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """A call by the first account."""
        return self.call(method, path, body, self._token)

    def register(self) -> dict[str, Any]:
        """A new device: what it was told."""
        uuid = str(uuid4())
        body = {
            "uuid": uuid,
            "deviceName": f"pump-{uuid[:4]}",
            "deviceType": "standalone",
            "deviceApiKey": uuid4().hex + uuid4().hex,
        }
        status, answer = self.call("POST", "/api/v1/device/register", body, self._provisioning_key)
        assert status == 200, answer
        return body | answer

    def notes(self, uuid: str, *, at_least: int = 0) -> list[dict[str, Any]]:
        """The notes on a device, once there are so many: reactions come a moment after the answer."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while True:
            status, answer = self.as_owner("GET", f"/api/v1/devices/{uuid}/notes")
            assert status == 200, answer
            if answer["count"] >= at_least or time.monotonic() > ends:
                notes: list[dict[str, Any]] = answer["notes"]
                return notes
            time.sleep(POLL_SECONDS)

    def as_token(self) -> str:
        """The owner's access token."""
        return self._token


def iotistic(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    """The command `iotistic` of this environment."""
    command = Path(sys.executable).with_name("iotistic")
    return subprocess.Popen(
        [command, *arguments],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    """A control plane on free ports and a folder of its own."""
    folder = tmp_path_factory.mktemp("plane")
    file = folder / "credentials.json"
    options = ["--data", str(folder / "data"), "--port", "0", "--mqtt-port", "0", "--credentials", str(file)]
    process = iotistic("up", *options, NOTES_WELCOME="hello {name}", PASSWORD_HASH_COST="4")
    try:
        ends = time.monotonic() + START_SECONDS
        while not _is_up(file):
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < ends, "the control plane did not start"
            time.sleep(POLL_SECONDS)
        yield Plane(json.loads(file.read_text()))
    finally:
        process.terminate()
        process.communicate(timeout=20)


def _is_up(credentials: Path) -> bool:
    if not credentials.exists():
        return False
    try:
        with urlopen(json.loads(credentials.read_text())["url"] + "/ready", timeout=5) as response:
            return bool(response.status == 200)
    except (URLError, ValueError):
        return False
