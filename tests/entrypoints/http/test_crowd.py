"""Who comes when there are too many is told at once to come again; nobody waits for nothing."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from core.actor import Role
from entrypoints.http.crowd import Crowd
from tests.support.application import running_api


async def test_there_is_room_for_so_many_and_again_when_one_has_left() -> None:
    crowd, leave = Crowd(2), asyncio.Event()

    async def stay(_request: web.Request) -> web.StreamResponse:
        await leave.wait()
        return web.Response(text="ok")

    serve = crowd.bounded(stay)
    request = make_mocked_request("GET", "/")
    inside = [asyncio.ensure_future(serve(request)) for _ in range(2)]
    await asyncio.sleep(0)
    refused = await serve(request)
    assert (refused.status, refused.headers["Retry-After"], crowd.refused) == (503, "2", 1)
    leave.set()
    assert [answer.status for answer in await asyncio.gather(*inside)] == [200, 200]
    assert (await serve(request)).status == 200


async def test_one_who_fails_leaves_as_well() -> None:
    crowd = Crowd(1)

    async def fail(_request: web.Request) -> web.StreamResponse:
        raise ValueError("a bug")

    for _ in range(3):
        with pytest.raises(ValueError, match="a bug"):
            await crowd.bounded(fail)(make_mocked_request("GET", "/"))
    assert (crowd.inside, crowd.refused) == (0, 0)


async def test_a_crowd_is_served_or_told_to_come_again_and_probes_always_are(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data", MAX_REQUESTS="8") as api:
        owner = await api.person(Role.OWNER)
        answers = await asyncio.gather(
            *(owner.get("/devices") for _ in range(80)), api.stranger.get("/health", root=True)
        )
        statuses = {answer.status for answer in answers[:-1]}
        assert statuses <= {200, 503}
        assert 200 in statuses
        assert all(answer.headers["Retry-After"] == "2" for answer in answers[:-1] if answer.status == 503)
        assert answers[-1].status == 200
        assert (await owner.get("/devices")).status == 200
