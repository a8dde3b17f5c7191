"""Logging in and out over HTTP, as the console does it (contract §4.1, check 40)."""

from pathlib import Path
from typing import Any

import pytest

from core.actor import Role
from core.errors import Invalid
from tests.support.application import OWNER_PASSWORD, Api, Caller, running_api

USER_FIELDS = {"id", "username", "email", "role", "isActive", "fullName", "createdAt", "lastLoginAt"}


def bearer(api: Api, token: str) -> Caller:
    """Somebody with this token."""
    return Caller(api.http, api.running.url, {"Authorization": f"Bearer {token}"})


async def log_in(api: Api, username: str = "admin", password: str = OWNER_PASSWORD) -> dict[str, Any]:
    """What a login answers."""
    answer = await api.stranger.post("/auth/login", {"username": username, "password": password})
    assert answer.status == 200, answer
    data: dict[str, Any] = answer.body["data"]
    return data


async def test_a_login_answers_tokens_and_who_one_is(api: Api) -> None:
    answer = await api.stranger.post("/auth/login", {"username": "admin", "password": OWNER_PASSWORD})
    assert (answer.status, set(answer.body)) == (200, {"message", "data"})
    assert set(answer.body["data"]) == {"accessToken", "refreshToken", "user"}
    user = answer.body["data"]["user"]
    assert set(user) == USER_FIELDS
    assert (user["username"], user["role"], user["isActive"]) == ("admin", "owner", True)
    assert answer.headers["Cache-Control"] == "no-store"


async def test_me_tells_who_one_is_and_carries_no_credential(api: Api) -> None:
    answer = await (await api.person(Role.VIEWER)).get("/auth/me")
    assert answer.status == 200
    assert set(answer.body["data"]["user"]) == USER_FIELDS
    assert b"brokerClient" not in answer.raw
    assert b"assword" not in answer.raw


async def test_the_same_refresh_token_gives_access_tokens_again_and_again(api: Api) -> None:
    refresh = (await log_in(api))["refreshToken"]
    tokens = set()
    for _ in range(3):
        answer = await api.stranger.post("/auth/refresh", {"refreshToken": refresh})
        assert (answer.status, set(answer.body["data"])) == (200, {"accessToken"})
        tokens.add(answer.body["data"]["accessToken"])
    for token in tokens:
        assert (await bearer(api, token).get("/auth/me")).status == 200


async def test_a_logout_ends_its_own_session_only(api: Api) -> None:
    here, there = await log_in(api), await log_in(api)
    caller = bearer(api, here["accessToken"])
    assert (await caller.get("/auth/me")).status == 200
    answer = await caller.post("/auth/logout", {"refreshToken": here["refreshToken"]})
    assert (answer.status, set(answer.body)) == (200, {"message"})
    assert (await caller.get("/auth/me")).status == 401
    assert (await api.stranger.post("/auth/refresh", {"refreshToken": here["refreshToken"]})).status == 401
    assert (await bearer(api, there["accessToken"]).get("/auth/me")).status == 200


async def test_the_cookie_of_a_login_is_out_of_reach_of_scripts_and_goes_with_the_logout(api: Api) -> None:
    """Contract §5, §11.3 A-22."""
    login = {"username": "admin", "password": OWNER_PASSWORD}
    await api.person(Role.OWNER)
    answer = await api.stranger.post("/auth/login", login)
    refresh = {"refreshToken": answer.body["data"]["refreshToken"]}
    again = await api.stranger.post("/auth/refresh", refresh)
    for each in (answer, again):
        cookie, *attributes = [part.strip() for part in each.headers["Set-Cookie"].split(";")]
        assert cookie.startswith("iotistic_session=ey")
        assert {"HttpOnly", "Path=/", "SameSite=Lax"} < set(attributes)
        assert "Secure" not in attributes
    person = Caller(api.http, api.running.url, {"Authorization": f"Bearer {answer.body['data']['accessToken']}"})
    gone = await person.post("/auth/logout")
    assert 'iotistic_session=""' in gone.headers["Set-Cookie"]
    assert "Max-Age=0" in gone.headers["Set-Cookie"]


async def test_a_logout_needs_no_body(api: Api) -> None:
    login = await log_in(api)
    assert (await bearer(api, login["accessToken"]).post("/auth/logout")).status == 200
    assert (await api.stranger.post("/auth/refresh", {"refreshToken": login["refreshToken"]})).status == 401


async def test_a_new_password_invalidates_everything(api: Api) -> None:
    here, there = await log_in(api), await log_in(api)
    caller = bearer(api, here["accessToken"])
    change = {"currentPassword": OWNER_PASSWORD, "newPassword": "another horse"}
    answer = await caller.post("/auth/change-password", change)
    assert (answer.status, set(answer.body)) == (200, {"message"})
    for login in (here, there):
        assert (await bearer(api, login["accessToken"]).get("/auth/me")).status == 401
        assert (await api.stranger.post("/auth/refresh", {"refreshToken": login["refreshToken"]})).status == 401
    old = await api.stranger.post("/auth/login", {"username": "admin", "password": OWNER_PASSWORD})
    assert old.status == 401
    await log_in(api, "admin", "another horse")


async def test_a_new_password_that_will_not_do_is_a_400_that_names_the_field(api: Api) -> None:
    owner = await api.person(Role.OWNER)
    for current, new, field in (
        ("wrong horse", "another horse", "currentPassword"),
        (OWNER_PASSWORD, "short", "newPassword"),
        (OWNER_PASSWORD, "x" * 73, "newPassword"),
    ):
        answer = await owner.post("/auth/change-password", {"currentPassword": current, "newPassword": new})
        assert (answer.status, list(answer.body["fields"])) == (400, [field])


async def test_a_wrong_login_is_told_nothing_but_that_it_is_wrong(api: Api) -> None:
    wrong = await api.stranger.post("/auth/login", {"username": "admin", "password": "wrong horse"})
    unknown = await api.stranger.post("/auth/login", {"username": "nobody", "password": "wrong horse"})
    assert (wrong.status, wrong.raw) == (401, unknown.raw)


async def test_a_body_that_is_none_is_a_400(api: Api) -> None:
    for path, body in (
        ("/auth/login", {}),
        ("/auth/login", {"username": "admin"}),
        ("/auth/login", {"username": ["admin"], "password": OWNER_PASSWORD}),
        ("/auth/refresh", {}),
        ("/auth/refresh", {"refreshToken": None}),
    ):
        assert (await api.stranger.post(path, body)).status == 400
    assert (await api.stranger.post("/auth/refresh", {"refreshToken": "rubbish"})).status == 401
    assert (await api.stranger.post("/auth/login", {"username": "x" * 20_000, "password": "y"})).status == 413


async def test_too_many_wrong_logins_are_a_429_that_says_when(api: Api) -> None:
    for _ in range(10):
        assert (await api.stranger.post("/auth/login", {"username": "admin", "password": "wrong"})).status == 401
    answer = await api.stranger.post(
        "/auth/login",
        {"username": "admin", "password": OWNER_PASSWORD},
        headers={"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9", "True-Client-IP": "203.0.113.9"},
    )
    assert answer.status == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 900


async def test_nobody_signs_up_unless_that_was_allowed(api: Api) -> None:
    new = {"username": "carla", "email": "carla@example.com", "password": "correct horse"}
    answer = await api.stranger.post("/auth/register", new)
    assert (answer.status, "invitation" in answer.body["message"]) == (403, True)


async def test_where_signing_up_is_allowed_one_becomes_a_viewer_whatever_one_asks_for(data: Path) -> None:
    new = {"username": "carla", "email": "carla@example.com", "password": "correct horse", "fullName": "Carla"}
    twisted = new | {"role": "owner", "id": 1, "isActive": False, "is_admin": True}
    async with running_api(data, ALLOW_SIGNUP="true") as api:
        answer = await api.stranger.post("/auth/register", twisted)
        assert (answer.status, set(answer.body["data"])) == (201, {"accessToken", "refreshToken", "user"})
        user = answer.body["data"]["user"]
        assert (user["role"], user["isActive"], user["fullName"]) == ("viewer", True, "Carla")
        assert (await bearer(api, answer.body["data"]["accessToken"]).get("/auth/me")).status == 200


async def test_sessions_outlive_a_restart(data: Path) -> None:
    async with running_api(data) as api:
        login = await log_in(api)
    async with running_api(data) as api:
        assert (await bearer(api, login["accessToken"]).get("/auth/me")).status == 200
        assert (await api.stranger.post("/auth/refresh", {"refreshToken": login["refreshToken"]})).status == 200


async def test_a_device_key_is_no_access_token_and_an_access_token_no_device_key(api: Api) -> None:
    device = await api.device()
    for headers in ({"Authorization": f"Bearer {device.key}"}, {"X-Device-API-Key": device.key}):
        for path in ("/auth/me", "/users", "/audit-logs"):
            assert (await Caller(api.http, api.running.url, headers).get(path)).status == 401
    login = await log_in(api)
    for headers in (
        {"Authorization": f"Bearer {login['accessToken']}"},
        {"X-Device-API-Key": login["accessToken"]},
        {"X-Device-API-Key": login["refreshToken"]},
    ):
        caller = Caller(api.http, api.running.url, headers)
        assert (await caller.get(f"/device/{device.uuid}/state")).status in {401, 403}


async def test_a_refresh_token_opens_no_route(api: Api) -> None:
    login = await log_in(api)
    assert (await bearer(api, login["refreshToken"]).get("/auth/me")).status == 401


@pytest.mark.parametrize("secret", ["short", "your-secret-key-change-in-production"])
async def test_a_token_secret_that_others_know_stops_the_start_and_is_named(data: Path, secret: str) -> None:
    with pytest.raises(Invalid, match="JWT_SECRET"):
        async with running_api(data, JWT_SECRET=secret):
            pass


async def test_a_token_secret_that_is_made_up_is_for_its_owner_only(api: Api) -> None:
    file = api.data / "secrets" / "jwt"
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(file.read_text().strip()) == 64
