"""Abuse cases 29, 30 and 33: what is told to who guesses, things of others, and credentials of another kind."""

from collections.abc import Iterable
from uuid import uuid4

import pytest

from core.actor import Role
from core.digests import digest_of, matches
from entrypoints.http.app import path_of
from entrypoints.http.routing import Caller as Kind
from entrypoints.http.routing import Route
from tests.support.application import OWNER_PASSWORD, Api, Caller, EnrolledDevice, registration

REFUSED = {401, 403}
# Spellings of one secret in every header that we read one from.
HEADERS = (("Authorization", "Bearer {}"), ("X-Device-API-Key", "{}"))


def routes_for(api: Api, *kinds: Kind) -> Iterable[Route]:
    """The routes that are open to callers of these kinds."""
    return [route for route in api.running.routes if route.allow.caller in kinds]


def filled(route: Route, uuid: str) -> str:
    """The route's path, with this device in it and things that do not exist."""
    path = path_of(route).replace("{uuid}", uuid)
    while "{" in path:
        begin, end = path.index("{"), path.index("}")
        path = path[:begin] + "7" + path[end + 1 :]
    return path


def bearing(api: Api, secret: str) -> list[Caller]:
    """Somebody who presents the secret in every way there is."""
    return [Caller(api.http, api.running.url, {name: value.format(secret)}) for name, value in HEADERS]


async def test_abuse_29_nobody_learns_from_an_answer_which_accounts_or_devices_there_are(api: Api) -> None:
    """Abuse case 29: not by the status, the words or the headers. That the work is the same: test_access_logins.py."""
    device = await api.device()
    await api.person(Role.VIEWER)
    logins = [
        await api.stranger.post("/auth/login", {"username": name, "password": "a guess"})
        for name in ("admin", "the-viewer", "nobody", "nobody@example.com")
    ]
    assert {(answer.status, answer.raw) for answer in logins} == {(401, logins[0].raw)}
    assert len({tuple(sorted(answer.headers)) for answer in logins}) == 1
    wrong = Caller(api.http, api.running.url, {"X-Device-API-Key": "0" * 64})
    polls = [await wrong.get(f"/device/{uuid}/state") for uuid in (device.uuid, uuid4())]
    assert {(answer.status, answer.raw) for answer in polls} == {(401, polls[0].raw)}


async def test_abuse_29_how_nearly_a_key_was_guessed_is_not_told(api: Api) -> None:
    """Abuse case 29: keys are looked up by their digests, in which nearly right is as wrong as anything."""
    secret = await api.provisioning_key()
    device = await api.device(secret)
    for key, path in ((device.key, f"/device/{device.uuid}/state"), (secret, "/device/register")):
        method = "POST" if path.endswith("register") else "GET"
        near, far = key[:-1] + ("0" if key[-1] != "0" else "1"), "0" * 64
        for one, other in zip(bearing(api, near), bearing(api, far), strict=True):
            answers = [await caller.call(method, path, json=registration()) for caller in (one, other)]
            assert {(answer.status, answer.raw) for answer in answers} == {(401, answers[0].raw)}
        assert not matches(near, digest_of(key))
        assert matches(key, digest_of(key))


async def test_abuse_30_no_route_gives_a_device_anything_of_another(api: Api) -> None:
    """Abuse case 30 (BOLA): made from the table of routes, in both spellings of the uuid."""
    own, other = await api.device(), await api.device()
    tried = 0
    for route in routes_for(api, Kind.DEVICE, Kind.DEVICE_OR_USER):
        if "{uuid}" not in route.path:
            continue
        for uuid in (other.uuid, other.uuid.upper()):
            answer = await own.caller.call(route.method, filled(route, uuid), root=True, json={})
            assert answer.status in REFUSED, f"{route.method} {route.path}: {answer.status}"
            tried += 1
    assert tried > 10
    assert (await other.caller.get(f"/device/{other.uuid}/state")).status == 200


async def test_abuse_30_a_body_that_names_another_device_reaches_neither(api: Api) -> None:
    """Abuse case 30, in bodies: alone, and in one with the device's own."""
    own, other = await api.device(), await api.device()
    report = {"apps": {}, "is_online": True, "version": 7}
    assert (await own.caller.patch("/device/state", {other.uuid: report})).status == 403
    assert (await own.caller.patch("/device/state", {own.uuid: report, other.uuid: report})).status == 400
    owner = await api.person(Role.OWNER)
    for device in (own, other):
        assert (await owner.get(f"/devices/{device.uuid}/current-state")).status == 404


async def test_abuse_33_a_device_key_opens_no_route_for_people(api: Api) -> None:
    """Abuse case 33."""
    device = await api.device()
    for route in routes_for(api, Kind.USER):
        for caller in bearing(api, device.key):
            answer = await caller.call(route.method, filled(route, device.uuid), root=True, json={})
            assert answer.status in REFUSED, f"{route.method} {route.path}: {answer.status}"
    assert (await device.caller.get(f"/device/{device.uuid}/state")).status == 200


async def test_abuse_33_the_token_of_an_owner_opens_no_route_for_devices(api: Api) -> None:
    """Abuse case 33, the reverse: people do not speak for devices."""
    device = await api.device()
    token = await api.log_in("admin", OWNER_PASSWORD)
    for route in routes_for(api, Kind.DEVICE):
        for caller in bearing(api, token):
            answer = await caller.call(route.method, filled(route, device.uuid), root=True, json={})
            assert answer.status in REFUSED, f"{route.method} {route.path}: {answer.status}"


async def test_abuse_33_a_provisioning_key_lets_devices_enrol_and_nothing_else(api: Api) -> None:
    """Abuse case 33: no escalation of its scope."""
    secret = await api.provisioning_key()
    device = await api.device(secret)
    for route in routes_for(api, Kind.USER, Kind.DEVICE, Kind.DEVICE_OR_USER):
        for caller in bearing(api, secret):
            answer = await caller.call(route.method, filled(route, device.uuid), root=True, json={})
            assert answer.status in REFUSED, f"{route.method} {route.path}: {answer.status}"


@pytest.mark.parametrize("how", ["removed", "out of service", "released"])
async def test_abuse_33_a_key_that_was_used_a_moment_ago_is_worth_nothing_once_it_is_revoked(
    api: Api, how: str
) -> None:
    """Abuse case 33: no answer is given out of what was remembered of the key."""
    device, owner = await api.device(), await api.person(Role.OWNER)
    for _ in range(3):
        assert (await device.caller.get(f"/device/{device.uuid}/state")).status == 200
    await revoke(owner, device, how)
    for _ in range(3):
        assert (await device.caller.get(f"/device/{device.uuid}/state")).status in REFUSED
        assert (await device.caller.patch("/device/state", {device.uuid: {"version": 1}})).status in REFUSED


async def revoke(owner: Caller, device: EnrolledDevice, how: str) -> None:
    """Take the key's worth from it."""
    path = f"/devices/{device.uuid}"
    if how == "removed":
        assert (await owner.delete(path)).status == 200
    elif how == "out of service":
        assert (await owner.patch(f"{path}/active", {"is_active": False})).status == 200
    else:
        assert (await owner.post(f"{path}/release")).status == 200
        again = registration(uuid=device.uuid)
        bearer = {"Authorization": f"Bearer {await provisioning_key(owner)}"}
        assert (await Caller(owner.http, owner.url).post("/device/register", again, headers=bearer)).status == 200


async def provisioning_key(owner: Caller) -> str:
    """A fresh one."""
    secret: str = (await owner.post("/provisioning-keys/generate", {})).body["key"]
    return secret
