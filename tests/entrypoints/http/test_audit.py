"""The audit log over HTTP (abuse case 34)."""

import pytest

from core.actor import Role
from tests.support.application import Api

PATH = "/audit-logs"


async def test_what_people_did_is_read_newest_first(api: Api) -> None:
    await api.person(Role.VIEWER)
    owner = await api.person(Role.OWNER)
    await api.settle()
    answer = await owner.get(PATH)
    assert answer.status == 200
    entries = answer.body["entries"]
    assert entries[0]["event"] == "user.logged_in"
    assert (entries[0]["actor"], entries[0]["address"]) == ("user:2:the-viewer", "127.0.0.1")
    assert entries[-1]["event"] == "user.created"
    assert [entry["id"] for entry in entries] == sorted((entry["id"] for entry in entries), reverse=True)
    assert answer.body["count"] == len(entries)


async def test_a_page_leads_to_the_next(api: Api) -> None:
    owner = await api.person(Role.OWNER)
    await api.person(Role.VIEWER)
    await api.settle()
    everything = [entry["id"] for entry in (await owner.get(PATH)).body["entries"]]
    paged: list[int] = []
    cursor = ""
    while True:
        page = (await owner.get(PATH, params={"limit": "2", "cursor": cursor})).body
        paged += [entry["id"] for entry in page["entries"]]
        if page["next"] is None:
            break
        cursor = page["next"]
    assert paged == everything


async def test_entries_are_found_by_what_they_say(api: Api) -> None:
    owner = await api.person(Role.OWNER)
    device = await api.device()
    await api.stranger.post("/auth/login", {"username": "nobody", "password": "wrong horse"})
    await api.settle()

    async def events(**params: str) -> list[str]:
        return [entry["event"] for entry in (await owner.get(PATH, params=params)).body["entries"]]

    assert await events(event="user.login_failed") == ["user.login_failed"]
    assert await events(severity="warning", actor="stranger") == ["user.login_failed"]
    assert "device.registered" in await events(device=device.uuid)
    assert set(await events(actor="user:1")) == {"user.logged_in"}
    assert await events(**{"from": "2099-01-01T00:00:00Z"}) == []
    assert await events(to="2000-01-01T00:00:00Z") == []


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=501",
        "limit=x",
        "cursor=x",
        "cursor=-1",
        "severity=loud",
        "device=x",
        "from=yesterday",
        "from=2026-01-01T00:00:00",
        "actor=" + "x" * 300,
    ],
)
async def test_a_question_that_makes_no_sense_is_a_400(api: Api, query: str) -> None:
    assert (await (await api.person(Role.OWNER)).get(f"{PATH}?{query}")).status == 400


async def test_what_an_attacker_typed_is_kept_as_text_in_json(api: Api) -> None:
    owner = await api.person(Role.OWNER)
    name = "<svg onload=alert(1)>\x1b[2J\r\n=1+1"
    await api.stranger.post("/auth/login", {"username": name, "password": "hunter2hunter2"})
    await api.settle()
    answer = await owner.get(PATH, params={"event": "user.login_failed"})
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.body["entries"][0]["details"]["username"] == "<svg onload=alert(1)>[2j=1+1"


async def test_no_secret_gets_into_the_log(api: Api) -> None:
    owner = await api.person(Role.OWNER)
    device = await api.device()
    login = {"username": "admin", "password": "hunter2hunter2"}
    await api.stranger.post("/auth/login", login)
    await owner.post("/auth/change-password", {"currentPassword": "hunter2hunter2", "newPassword": "hunter3hunter3"})
    await api.settle()
    log = (await owner.get(PATH, params={"limit": "500"})).raw.decode()
    for secret in ("hunter2", "hunter3", "$2b$", "eyJ", device.key, device.mqtt["password"]):
        assert secret not in log


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_no_route_changes_or_removes_entries_even_for_an_owner(api: Api, method: str) -> None:
    owner = await api.person(Role.OWNER)
    assert (await owner.call(method, PATH)).status == 405
    assert (await owner.call(method, f"{PATH}/1")).status == 404


async def test_the_log_is_not_for_strangers_and_devices(api: Api) -> None:
    assert (await api.stranger.get(PATH)).status == 401
    assert (await (await api.device()).caller.get(PATH)).status == 401
