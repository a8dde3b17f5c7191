"""Every route is tried by everybody: what comes of it stands in tests/snapshots/access.txt.

`401` and `403` are what the caller must get; `allow` is anything else, but for a bug of ours. Who is a person names
things that do not exist, so that nothing is harmed: to be told of that is to have been let in.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from uuid import uuid4

import pytest

from core.actor import Role
from entrypoints.http.app import path_of
from entrypoints.http.routing import Route
from tests.support.application import OWNER_PASSWORD, Api, Caller, EnrolledDevice, registration
from tests.support.sealing import sealed_by_nobody

TABLE = Path(__file__).parents[2] / "snapshots" / "access.txt"
PEOPLE = {role.word: role for role in Role}
DEVICE, OTHER_DEVICE = "device", "other-device"
CALLERS = ("stranger", *PEOPLE, DEVICE, OTHER_DEVICE)
ALLOW = "allow"
REFUSALS = {401: "401", 403: "403"}
BUG = 500
NUMBERS = {"id", "eventId", "appId", "version"}
# Where a body is looked at before credentials that stand in it, or beside it, are.
BODIES: Mapping[str, Callable[[], Mapping[str, object]]] = {
    "/api/v1/auth/register": lambda: {
        "username": "somebody",
        "email": "somebody@example.com",
        "password": "long enough",
    },
    "/api/v1/auth/login": lambda: {"username": uuid4().hex, "password": "a guess, and a wrong one"},
    "/api/v1/auth/refresh": lambda: {"refreshToken": "forged"},
    "/api/v1/device/register": registration,
    "/api/v1/provisioning/v2/key-exchange": lambda: {"deviceUuid": str(uuid4())},
    "/api/v1/provisioning/v2/register": sealed_by_nobody,
    "/api/v1/device/{uuid}/key-exchange": lambda: {"uuid": str(uuid4()), "deviceApiKey": uuid4().hex + uuid4().hex},
}
# What would be answered without end is asked for nothing.
QUERIES: Mapping[str, str] = {"/api/v1/live": "?channels=none", "/api/v1/devices/{uuid}/live": "?channels=none"}


def _expected() -> dict[tuple[str, str], tuple[str, ...]]:
    lines = [line.split() for line in TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return {(method, path): tuple(outcomes) for method, path, *outcomes in lines}


def _filled(route: Route, known: Mapping[str, str]) -> str:
    """The path with things in it: those that are known, or some that do not exist."""

    def fill(found: re.Match[str]) -> str:
        name = found[1].split(":")[0]
        return known.get(name) or ("999999" if name in NUMBERS else str(uuid4()))

    return re.sub(r"\{([^}]+)\}", fill, path_of(route)) + QUERIES.get(path_of(route), "")


def _body(route: Route) -> Mapping[str, object]:
    return BODIES.get(path_of(route), dict)()


class Everybody:
    """All who may call, each with things of their own."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._devices: tuple[EnrolledDevice, EnrolledDevice] | None = None

    async def outcome(self, name: str, route: Route) -> str:
        """What comes of it when the caller tries the route."""
        caller, known = await self._caller(name, route)
        answer = await caller.call(route.method, _filled(route, known), root=True, json=_body(route))
        if answer.status >= BUG:
            return str(answer.status)
        return REFUSALS.get(answer.status, ALLOW)

    async def _caller(self, name: str, route: Route) -> tuple[Caller, Mapping[str, str]]:
        if name in {DEVICE, OTHER_DEVICE}:
            # A device may remove itself: then there must be another.
            if self._devices is None or route.method == "DELETE":
                self._devices = await self._api.device(), await self._api.device()
            own, other = self._devices
            return (own if name == DEVICE else other).caller, {"uuid": own.uuid}
        if name == "stranger":
            return self._api.stranger, {}
        person = await self._api.person(PEOPLE[name])
        if "/auth/" in path_of(route):
            # Who logs out cannot go on: each of these gets a session for once.
            username = "admin" if PEOPLE[name] is Role.OWNER else f"the-{name}"
            token = await self._api.log_in(username, OWNER_PASSWORD)
            person = Caller(person.http, person.url, {"Authorization": f"Bearer {token}"})
        return person, {}


def test_the_table_knows_eight_callers() -> None:
    assert {len(outcomes) for outcomes in _expected().values()} == {len(CALLERS)}
    assert {word for outcomes in _expected().values() for word in outcomes} <= {ALLOW, *REFUSALS.values()}


async def test_every_route_has_a_line_in_the_table(api: Api) -> None:
    served = {(route.method, path_of(route)) for route in api.running.routes}
    assert served == set(_expected()), "write who may pass into tests/snapshots/access.txt"


async def test_everybody_gets_what_the_table_says(api: Api) -> None:
    expected, everybody, wrong = _expected(), Everybody(api), []
    for route in api.running.routes:
        line = expected.get((route.method, path_of(route)), ())
        found = tuple([await everybody.outcome(name, route) for name in CALLERS])
        if found != line:
            wrong.append(f"{route.method} {path_of(route)} {' '.join(found)}, but the table says {' '.join(line)}")
    assert not wrong, "\n  " + "\n  ".join(wrong)


async def test_a_wrong_token_is_nobody_anywhere(api: Api) -> None:
    forger = Caller(api.http, api.running.url, {"Authorization": f"Bearer {'x' * 20}.{'y' * 20}.{'z' * 20}"})
    passed = []
    for route in api.running.routes:
        if route.allow.caller.value in {"user", "device", "device or user"}:
            answer = await forger.call(route.method, _filled(route, {}), root=True, json={})
            if answer.status != 401:
                passed.append(f"{route.method} {path_of(route)} {answer.status}")
    assert not passed


@pytest.mark.parametrize("header", ["X-Device-API-Key", "Authorization"])
async def test_a_wrong_device_key_is_nobody_anywhere(api: Api, header: str) -> None:
    key = "f" * 64
    forger = Caller(api.http, api.running.url, {header: key if header != "Authorization" else f"Bearer {key}"})
    passed = []
    for route in api.running.routes:
        if route.allow.caller.value in {"user", "device", "device or user"}:
            answer = await forger.call(route.method, _filled(route, {}), root=True, json={})
            if answer.status != 401:
                passed.append(f"{route.method} {path_of(route)} {answer.status}")
    assert not passed
