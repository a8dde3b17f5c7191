"""Groups of devices over HTTP."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from core.actor import Role
from tests.support.application import Api, Caller, running_api

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """One application for all tests of this module; each has groups and devices of its own."""
    async with running_api(tmp_path_factory.mktemp("groups")) as api:
        yield api


@pytest_asyncio.fixture(loop_scope="module")
async def manager(app: Api) -> Caller:
    """Somebody who may write devices."""
    return await app.person(Role.MANAGER)


async def made(manager: Caller, query: dict[str, Any], name: str | None = None) -> dict[str, Any]:
    answer = await manager.post("/groups", {"name": name or uuid4().hex, "query": query})
    assert answer.status == 201, answer
    group: dict[str, Any] = answer.body["group"]
    return group


async def test_a_group_is_made_shown_changed_and_removed(manager: Caller) -> None:
    name = uuid4().hex
    body = {"name": name, "description": "d", "query": {"tags": {"site": "Roth"}, "online": False, "type": None}}
    answer = await manager.post("/groups", body)
    assert (answer.status, answer.body["success"]) == (201, True)
    group = answer.body["group"]
    assert set(group) == {"id", "name", "description", "query", "createdAt", "createdBy", "updatedAt"}
    assert group["query"] == {"tags": {"site": "Roth"}, "online": False}
    one = f"/groups/{group['id']}"
    assert (await manager.get(one)).body == {"group": group}
    assert group in (await manager.get("/groups")).body["groups"]
    changed = (await manager.put(one, {"query": {"search": "press"}})).body["group"]
    assert (changed["name"], changed["query"]) == (name, {"search": "press"})
    assert (await manager.delete(one)).body["success"] is True
    for answer in (await manager.get(one), await manager.delete(one), await manager.put(one, {"name": "x"})):
        assert answer.status == 404


async def test_the_members_are_listed_as_devices_are(app: Api, manager: Caller) -> None:
    site, key = uuid4().hex, await app.provisioning_key()
    uuids = [(await app.device(key, deviceName=name)).uuid for name in ("beta", "alpha", "gamma")]
    await manager.post("/devices/tags/bulk", {"deviceUuids": uuids, "tags": {"site": site}})
    group = await made(manager, {"tags": {"site": site}})
    listed = (await manager.get(f"/groups/{group['id']}/devices?sort=name&limit=2")).body
    assert [device["name"] for device in listed["devices"]] == ["alpha", "beta"]
    assert listed["pagination"] == {"page": 1, "limit": 2, "totalDevices": 3, "totalPages": 2}
    await manager.delete(f"/devices/{uuids[0]}/tags/site")
    everything = (await manager.get(f"/groups/{group['id']}/devices")).body
    assert [device["uuid"] for device in everything["devices"]] == uuids[1:]


async def test_a_name_is_taken_once(manager: Caller) -> None:
    first, second = await made(manager, {"online": True}), await made(manager, {"online": True})
    assert (await manager.post("/groups", {"name": first["name"], "query": {"online": True}})).status == 409
    assert (await manager.put(f"/groups/{second['id']}", {"name": first["name"]})).status == 409


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "a"},
        {"name": "a", "query": {}},
        {"name": "a", "query": []},
        {"name": "a", "query": None},
        {"name": "", "query": {"online": True}},
        {"name": "a", "query": {"uuid": "x"}},
        {"name": "a", "query": {"online": "yes"}},
        {"name": "a", "query": {"tags": {"Site": "x"}}},
    ],
)
async def test_what_is_no_group_is_refused(manager: Caller, body: Any) -> None:
    assert (await manager.post("/groups", body)).status == 400
    assert "a" not in [group["name"] for group in (await manager.get("/groups")).body["groups"]]


@pytest.mark.parametrize("odd", ["0", "-1", "x", "9" * 18, "9" * 40, "1;", "%C2%B2", "1%00"])
async def test_an_odd_number_is_no_group(manager: Caller, odd: str) -> None:
    for answer in (
        await manager.get(f"/groups/{odd}"),
        await manager.get(f"/groups/{odd}/devices"),
        await manager.put(f"/groups/{odd}", {"name": "a"}),
        await manager.delete(f"/groups/{odd}"),
    ):
        assert answer.status == 404
