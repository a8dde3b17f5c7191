"""Probes and numbers at the root (contract 4.0)."""

from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry

from adapters.system import SystemClock
from core.errors import Unavailable
from core.health import Ping
from entrypoints.http.health import HealthRoutes
from tests.support.application import Api, running_api


async def works() -> None:
    """Everything is fine."""


async def refuses() -> None:
    """It says why."""
    raise Unavailable("the disk is full")


async def breaks() -> None:
    """It breaks, with something secret in its words."""
    raise RuntimeError("postgres://iotistic:hunter2@db")


async def readiness(*pings: Ping) -> tuple[int, dict[str, object], str | None]:
    """What GET /ready says with these pings."""
    routes = HealthRoutes(
        clock=SystemClock(), pings=pings, registry=CollectorRegistry(), metrics_token="", before_metrics=works
    )
    app = web.Application()
    app.router.add_get("/ready", routes.ready)
    async with (
        TestServer(app) as server,
        aiohttp.ClientSession() as http,
        http.get(server.make_url("/ready")) as answer,
    ):
        return answer.status, await answer.json(), answer.headers.get("Retry-After")


async def test_who_answers_here_and_that_it_is_alive(api: Api) -> None:
    root = await api.stranger.get("/", root=True)
    assert (root.status, root.body["service"], root.body["apiBase"]) == (200, "Iotistic Unified API", "/api/v1")
    assert {"status", "version", "apiVersion", "documentation"} <= set(root.body)
    health = await api.stranger.get("/health", root=True)
    assert (health.status, health.body["status"]) == (200, "healthy")
    assert health.body["timestamp"].endswith("Z")
    assert health.body["uptime"] >= 0


async def test_the_running_application_is_ready(api: Api) -> None:
    ready = await api.stranger.get("/ready", root=True)
    assert (ready.status, ready.body["status"], ready.body["failing"]) == (200, "ready", [])
    assert {"database", "broker"} <= set(ready.body["checks"])


async def test_whatever_does_not_work_is_named_and_tells_no_secret() -> None:
    status, body, retry_after = await readiness(Ping("database", works), Ping("disk", refuses), Ping("other", breaks))
    assert (status, retry_after) == (503, "5")
    assert body["failing"] == ["disk", "other"]
    assert body["checks"] == {"database": "ok", "disk": "the disk is full", "other": "RuntimeError"}


async def test_with_nothing_to_ask_it_is_ready() -> None:
    assert (await readiness())[0] == 200


@pytest.mark.parametrize("path", ["/nothing", "/api/v1/no%0Athing", "/%0D%0A"])
async def test_an_unknown_path_is_told_where_the_api_begins(api: Api, path: str) -> None:
    answer = await api.stranger.get(path, root=True)
    assert (answer.status, answer.body["error"]) == (404, "Not found")
    assert "/api/v1" in answer.body["hint"]


@pytest.mark.parametrize("path", ["/api/docs/", "/health/", "/api/v1/devices//"])
async def test_a_slash_too_many_leads_to_the_path_without_it(api: Api, path: str) -> None:
    answer = await api.stranger.get(path, root=True, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (308, path.rstrip("/"))


@pytest.mark.parametrize("path", ["/nothing/", "//evil.example/", "//evil.example/health/"])
async def test_a_path_that_is_none_leads_nowhere(api: Api, path: str) -> None:
    answer = await api.stranger.get(path, root=True, allow_redirects=False)
    assert answer.status == 404


async def test_without_a_token_numbers_are_for_this_machine_only(api: Api) -> None:
    answer = await api.stranger.get("/metrics", root=True)
    assert answer.status == 200
    assert b"iotistic_http_requests_total" in answer.raw
    through_proxy = await api.stranger.get("/metrics", root=True, headers={"X-Forwarded-For": "203.0.113.7"})
    assert through_proxy.status == 403


async def test_with_a_token_numbers_are_for_whoever_holds_it(tmp_path: Path) -> None:
    async with running_api(tmp_path / "data", METRICS_TOKEN="the-token") as api:
        for headers, status in (
            ({}, 403),
            ({"Authorization": "Bearer wrong"}, 403),
            ({"Authorization": "Bearer the-token"}, 200),
            ({"Authorization": "Bearer the-token", "X-Forwarded-For": "203.0.113.7"}, 200),
        ):
            assert (await api.stranger.get("/metrics", root=True, headers=headers)).status == status


@pytest.mark.parametrize(
    "path", ["/devices/5f3a1deb-f4c3-4e1b-8e76-70de4d2e3f56", "/devices/00000000-0000-4000-8000-000000000002"]
)
async def test_numbers_have_a_row_per_route_and_none_per_device(api: Api, path: str) -> None:
    """Else whoever asks for many paths fills the memory."""
    await api.stranger.get(path)
    answer = await api.stranger.get("/metrics", root=True)
    assert b"{uuid}" in answer.raw
    assert path.encode() not in answer.raw
