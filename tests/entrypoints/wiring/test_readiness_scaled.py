"""What GET /ready says of PostgreSQL, soon enough for whoever asks."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from entrypoints.http.health import PING_SECONDS
from tests.support.application import Api
from tests.support.own_postgres import OwnPostgres
from tests.support.scaled import scaled_environment, serving
from tests.support.server import free_port

SOON = PING_SECONDS + 2


@asynccontextmanager
async def a_process(url: str) -> AsyncIterator[Api]:
    """One that serves HTTP. There is no broker."""
    async with serving(scaled_environment(url, f"mqtt://127.0.0.1:{free_port()}")) as api:
        yield api


async def database(api: Api) -> str:
    """What is said of the database."""
    async with asyncio.timeout(SOON):
        ready = await api.stranger.get("/ready", root=True)
    assert (ready.status, "broker" in ready.body["failing"]) == (503, True)
    return str(ready.body["checks"]["database"])


async def until(api: Api, true: Callable[[str], bool]) -> str:
    """What is said once that is so."""
    async with asyncio.timeout(30):
        while True:
            said = await database(api)
            if true(said):
                return said


async def test_a_database_that_can_only_be_read_is_told(own_postgres: OwnPostgres) -> None:
    async with a_process(own_postgres.url) as api:
        assert await database(api) == "ok"
        await asyncio.to_thread(own_postgres.become_standby)
        assert "can only be read" in await until(api, lambda said: "read" in said)
        refused = await api.stranger.post("/auth/login", {"username": "nobody", "password": "wrong password"})
        assert (refused.status, "Retry-After" in refused.headers) == (503, True)


async def test_a_database_that_is_frozen_is_told_in_time_and_is_ready_again(own_postgres: OwnPostgres) -> None:
    async with a_process(own_postgres.url) as api:
        with own_postgres.frozen():
            assert await database(api) == "no answer within 3 s"
        assert await until(api, lambda said: said == "ok")


async def test_a_database_that_is_stopped_is_told(own_postgres: OwnPostgres) -> None:
    async with a_process(own_postgres.url) as api:
        own_postgres.stop()
        assert await until(api, lambda said: said != "ok") != "ok"
