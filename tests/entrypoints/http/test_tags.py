"""Tags and their definitions over HTTP, as the pages of the console use them (contract §4.10, §12.3 item 53)."""

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
    """One application for all tests of this module; each has devices and keys of its own."""
    async with running_api(tmp_path_factory.mktemp("tags")) as api:
        yield api


@pytest_asyncio.fixture(loop_scope="module")
async def manager(app: Api) -> Caller:
    """Somebody who may write devices."""
    return await app.person(Role.MANAGER)


@pytest_asyncio.fixture(loop_scope="module")
async def admin(app: Api) -> Caller:
    """Somebody who may define tags."""
    return await app.person(Role.ADMIN)


def a_word() -> str:
    """A key, or a value, that no other test uses."""
    return f"k{uuid4().hex[:12]}"


async def tags_of(caller: Caller, uuid: str) -> dict[str, str]:
    answer = await caller.get(f"/devices/{uuid}/tags")
    assert answer.status == 200
    tags: dict[str, str] = answer.body["tags"]
    return tags


async def test_one_tag_is_written_read_and_taken_off(app: Api, manager: Caller) -> None:
    uuid = (await app.device()).uuid
    path = f"/devices/{uuid}/tags"
    assert (await manager.get(path)).body == {"deviceUuid": uuid, "tags": {}}
    answer = await manager.post(path, {"key": "site", "value": " Roth "})
    assert (answer.status, answer.body["success"]) == (200, True)
    assert answer.body["tag"] == {"key": "site", "value": "Roth"}
    assert answer.body["message"]
    answer = await manager.delete(f"{path}/site")
    assert (answer.status, answer.body["success"], answer.body["key"]) == (200, True, "site")
    assert (await manager.delete(f"{path}/site")).status == 404
    assert await tags_of(manager, uuid) == {}


async def test_all_tags_are_replaced(app: Api, manager: Caller) -> None:
    uuid = (await app.device()).uuid
    for tags in ({"site": "Roth", "line": "4"}, {"site": "Ulm"}, {}):
        answer = await manager.put(f"/devices/{uuid}/tags", {"tags": tags})
        assert (answer.status, answer.body["success"], answer.body["tags"]) == (200, True, tags)
        assert await tags_of(manager, uuid) == tags


@pytest.mark.parametrize(
    ("method", "body"),
    [
        ("POST", {"key": "Site", "value": "a"}),
        ("POST", {"key": "site", "value": ""}),
        ("POST", {"key": "site", "value": 4}),
        ("POST", {"key": "site"}),
        ("POST", {"key": "site", "value": "a\u0000b"}),
        ("PUT", {"tags": {"site": None}}),
        ("PUT", {"tags": ["site"]}),
        ("PUT", {}),
        ("PUT", {"tags": {f"k{n}": "v" for n in range(51)}}),
    ],
)
async def test_what_is_no_tag_is_refused(app: Api, manager: Caller, method: str, body: Any) -> None:
    uuid = (await app.device()).uuid
    assert (await manager.call(method, f"/devices/{uuid}/tags", json=body)).status == 400
    assert await tags_of(manager, uuid) == {}


async def test_an_unknown_device_has_no_tags(manager: Caller) -> None:
    path = f"/devices/{uuid4()}/tags"
    for answer in (
        await manager.get(path),
        await manager.post(path, {"key": "a", "value": "b"}),
        await manager.put(path, {"tags": {}}),
        await manager.delete(f"{path}/a"),
    ):
        assert answer.status == 404


async def test_devices_are_found_by_their_tags(app: Api, manager: Caller) -> None:
    site = a_word()
    first, second = await app.device(deviceName="one"), await app.device()
    await manager.put(f"/devices/{first.uuid}/tags", {"tags": {"site": site, "line": "4"}})
    await manager.put(f"/devices/{second.uuid}/tags", {"tags": {"site": site, "line": "5"}})
    answer = await manager.post("/devices/query", {"tagSelectors": {"site": site, "line": "4"}})
    assert (answer.status, answer.body["count"], answer.body["total"]) == (200, 1, 1)
    assert answer.body["devices"] == [
        {
            "uuid": first.uuid,
            "deviceName": "one",
            "deviceType": "standalone",
            "isOnline": False,
            "tags": {"line": "4", "site": site},
        }
    ]
    page = await manager.post("/devices/query?limit=1", {"tagSelectors": {"site": site}})
    rest = await manager.post(
        f"/devices/query?limit=1&cursor={page.body['nextCursor']}", {"tagSelectors": {"site": site}}
    )
    assert [page.body["devices"][0]["uuid"], rest.body["devices"][0]["uuid"]] == [first.uuid, second.uuid]
    assert (await manager.post("/devices/query", {"tagSelectors": {}})).status == 400


async def test_the_list_of_devices_is_filtered_by_tags(app: Api, manager: Caller) -> None:
    site, url = a_word(), "mqtt://a:1883"
    both, one = await app.device(), await app.device()
    await manager.put(f"/devices/{both.uuid}/tags", {"tags": {"site": site, "url": url}})
    await manager.put(f"/devices/{one.uuid}/tags", {"tags": {"site": site}})

    async def listed(query: str) -> list[str]:
        answer = await manager.get(f"/devices?{query}")
        assert answer.status == 200
        assert answer.body["pagination"]["totalDevices"] == len(answer.body["devices"])
        return [device["uuid"] for device in answer.body["devices"]]

    assert await listed(f"tag=site:{site}") == [both.uuid, one.uuid]
    assert await listed(f"tag=site:{site}&tag=url:{url}") == [both.uuid]
    assert await listed(f"tag=site:{site}&filter={one.uuid}") == [one.uuid]
    assert await listed(f"tag=site:{site}&tag=site:other") == []
    assert await listed(f"tag=&tag=site:{site}&online=true") == []


async def test_many_devices_are_tagged_at_once(app: Api, manager: Caller) -> None:
    uuids = [(await app.device()).uuid for _ in range(3)]
    answer = await manager.post("/devices/tags/bulk", {"deviceUuids": uuids, "tags": {"site": "Roth", "line": "4"}})
    assert answer.status == 200
    counted = {"success": True, "devicesUpdated": 3, "tagsApplied": 2, "totalOperations": 6}
    assert counted.items() <= answer.body.items()
    for uuid in uuids:
        assert await tags_of(manager, uuid) == {"line": "4", "site": "Roth"}


async def test_bulk_names_what_does_not_exist_and_writes_nothing(app: Api, manager: Caller) -> None:
    """Abuse 30: ids in batch bodies are looked at one by one."""
    known, unknown = (await app.device()).uuid, str(uuid4())
    body = {"deviceUuids": [known, unknown], "tags": {"site": "Roth"}}
    answer = await manager.post("/devices/tags/bulk", body)
    assert answer.status == 404
    assert unknown in answer.body["message"]
    assert await tags_of(manager, known) == {}
    wrong: list[Any] = [
        {"deviceUuids": [known, "x"], "tags": {"site": "Roth"}},
        {"deviceUuids": [], "tags": {"site": "Roth"}},
        {"deviceUuids": [known], "tags": {}},
        {"deviceUuids": [str(uuid4()) for _ in range(1001)], "tags": {"site": "Roth"}},
    ]
    for each in wrong:
        assert (await manager.post("/devices/tags/bulk", each)).status == 400
    assert await tags_of(manager, known) == {}


async def test_keys_and_values_in_use_are_listed(app: Api, manager: Caller) -> None:
    key = a_word()
    for value in ("b", "a", "b"):
        await manager.post(f"/devices/{(await app.device()).uuid}/tags", {"key": key, "value": value})
    answer = await manager.get("/tags/keys")
    assert {"key": key, "deviceCount": 3} in answer.body["keys"]
    assert answer.body["count"] == len(answer.body["keys"])
    assert (await manager.get(f"/tags/values/{key}")).body == {"key": key, "count": 2, "values": ["a", "b"]}
    assert (await manager.get(f"/tags/values/{a_word()}")).body["values"] == []


async def test_a_definition_is_made_shown_changed_and_removed(admin: Caller) -> None:
    key = a_word()
    answer = await admin.post("/tags/definitions", {"key": key, "description": "where", "allowedValues": ["b", "a"]})
    assert (answer.status, answer.body["success"]) == (201, True)
    definition = answer.body["definition"]
    fields = {"id", "key", "description", "allowedValues", "isRequired", "createdAt", "createdBy", "updatedAt"}
    assert set(definition) == fields
    assert (definition["key"], definition["allowedValues"], definition["isRequired"]) == (key, ["b", "a"], False)
    assert (await admin.post("/tags/definitions", {"key": key})).status == 409
    listed = (await admin.get("/tags/definitions")).body
    assert definition in listed["definitions"]
    assert listed["count"] == len(listed["definitions"])
    changed = await admin.put(f"/tags/definitions/{key}", {"allowedValues": [], "isRequired": False})
    assert changed.body["definition"]["allowedValues"] == []
    assert changed.body["definition"]["description"] == "where"
    assert (await admin.delete(f"/tags/definitions/{key}")).body["success"] is True
    assert (await admin.delete(f"/tags/definitions/{key}")).status == 404
    assert (await admin.put(f"/tags/definitions/{key}", {"isRequired": True})).status == 404


async def test_a_definition_holds_for_all_that_is_written_and_stays_while_it_is_used(app: Api, admin: Caller) -> None:
    key, path = a_word(), f"/devices/{(await app.device()).uuid}/tags"
    await admin.post("/tags/definitions", {"key": key, "allowedValues": ["prod", "test"]})
    refused = await admin.post(path, {"key": key, "value": "staging"})
    assert refused.status == 400
    assert "prod, test" in refused.body["message"]
    assert (await admin.post(path, {"key": key, "value": "test"})).status == 200
    assert (await admin.delete(f"/tags/definitions/{key}")).status == 409
    await admin.put(f"/tags/definitions/{key}", {"isRequired": True})
    assert (await admin.delete(f"{path}/{key}")).status == 409
    assert (await admin.put(path, {"tags": {}})).status == 400
    await admin.put(f"/tags/definitions/{key}", {"isRequired": False})
    assert (await admin.delete(f"{path}/{key}")).status == 200
    assert (await admin.delete(f"/tags/definitions/{key}")).status == 200
