"""Contract §12.4 item 56: what people ask lists by never becomes part of a query's own words."""

from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
import pytest_asyncio

from core.actor import Role
from tests.support.application import Api, Caller, running_api

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROBES = [
    "' OR '1'='1",
    "1; DROP TABLE devices; --",
    "x' UNION SELECT password_hash FROM users --",
    "site') OR 1=1 --",
    'site" OR ""="',
    "site->>'$.a'",
    "name, (SELECT 1)",
    "CASE WHEN 1=1 THEN name ELSE uuid END",
    'devices."uuid"',
    "%",
    "_",
    "*",
    "${jndi:ldap://a}",
    "\\",
    "site\x00",
    "\u017fite",
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """One application with one tagged device."""
    async with running_api(tmp_path_factory.mktemp("selectors")) as api:
        manager = await api.person(Role.MANAGER)
        device = await api.device()
        await manager.put(f"/devices/{device.uuid}/tags", {"tags": {"site": "Roth"}})
        yield api


@pytest_asyncio.fixture(loop_scope="module")
async def manager(app: Api) -> Caller:
    """Somebody who may write devices."""
    return await app.person(Role.MANAGER)


async def unharmed(manager: Caller) -> bool:
    answer = await manager.get("/devices?tag=site:Roth")
    return answer.status == 200 and answer.body["count"] == 1


@pytest.mark.parametrize("probe", PROBES)
async def test_keys_of_tags_are_refused(manager: Caller, probe: str) -> None:
    assert (await manager.get(f"/devices?tag={quote(probe)}:Roth")).status == 400
    assert (await manager.post("/devices/query", {"tagSelectors": {probe: "Roth"}})).status == 400
    assert (await manager.post("/groups", {"name": "g", "query": {"tags": {probe: "Roth"}}})).status == 400
    assert await unharmed(manager)


@pytest.mark.parametrize("probe", PROBES)
async def test_values_of_tags_are_only_ever_compared(manager: Caller, probe: str) -> None:
    answer = await manager.get(f"/devices?tag=site:{quote(probe)}")
    assert answer.status == 400 or answer.body["count"] == 0
    answer = await manager.post("/devices/query", {"tagSelectors": {"site": probe}})
    assert answer.status == 400 or answer.body["count"] == 0
    assert await unharmed(manager)


@pytest.mark.parametrize("probe", PROBES)
async def test_fields_to_sort_by_are_known_words(manager: Caller, probe: str) -> None:
    for word in (probe, f"-{probe}", f"name {probe}"):
        assert (await manager.get(f"/devices?sort={quote(word)}")).status == 400
    assert await unharmed(manager)


@pytest.mark.parametrize("probe", [*PROBES, "uuid", "is_online", "device_type", "$where", "__class__", "of"])
async def test_words_of_a_saved_question_are_known_words(manager: Caller, probe: str) -> None:
    answer = await manager.post("/groups", {"name": "g", "query": {probe: "x", "type": "gateway"}})
    assert answer.status == 400
    assert (await manager.get("/groups")).body["count"] == 0
    assert await unharmed(manager)


@pytest.mark.parametrize("word", ["type", "fleetId", "search", "status", "provisioningState", "online"])
async def test_values_of_a_saved_question_are_only_ever_compared(manager: Caller, word: str) -> None:
    for probe in PROBES:
        answer = await manager.post("/groups", {"name": "g", "query": {word: probe}})
        if answer.status == 201:
            group = f"/groups/{answer.body['group']['id']}"
            assert (await manager.get(f"{group}/devices")).body["count"] == 0
            assert (await manager.delete(group)).status == 200
        else:
            assert answer.status == 400
    assert await unharmed(manager)
