"""The load generators of the bench count what servers really answered."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web

from core.actor import Role
from entrypoints.bench import bodies
from entrypoints.bench.figures import Figure, Quantity, table_of
from entrypoints.bench.known import KnownDevice
from entrypoints.bench.load import drive, request
from entrypoints.bench.meter import Budget
from entrypoints.bench.mqtt_load import Client, Login, publish_all
from tests.support.application import Api


@pytest_asyncio.fixture
async def counting() -> AsyncIterator[tuple[int, list[str]]]:
    """A server that answers in several ways, and what it was asked."""
    asked: list[str] = []

    async def answer(http: web.Request) -> web.Response:
        asked.append(http.path)
        await http.read()
        if http.path == "/unmodified":
            return web.Response(status=304)
        return web.Response(text="x" * 100_000 if http.path == "/long" else "ok")

    app = web.Application()
    app.router.add_route("*", "/{path}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1], asked
    await runner.cleanup()


async def test_every_answer_is_counted_once_whatever_its_form(counting: tuple[int, list[str]]) -> None:
    port, asked = counting
    requests = [request("GET", "/unmodified", {}), request("GET", "/long", {}), request("POST", "/short", {}, b"body")]
    load = await drive(port, requests, seconds=0.3, connections=4)
    assert load.requests == len(asked) == sum(load.statuses.values())
    assert load.statuses.keys() == {200, 304}
    assert len(load.latencies) == load.requests
    assert 0 < load.percentile(0.5) <= load.percentile(0.99)


async def known(api: Api) -> KnownDevice:
    device = await api.device()
    login = Login(username=device.mqtt["username"], password=device.mqtt["password"])
    return KnownDevice(uuid=device.uuid, key=device.key, login=login)


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


async def test_the_requests_of_the_bench_are_those_of_agents(api: Api) -> None:
    device = await known(api)
    requests = [
        bodies.poll(device),
        bodies.report(device, 1),
        bodies.logs(device),
        bodies.broker_question(device, "user"),
        bodies.broker_question(device, "acl"),
    ]
    load = await drive(port_of(api.running.url), requests, seconds=0.2, connections=2)
    assert set(load.statuses) == {200}


async def test_readings_that_were_counted_are_stored(api: Api) -> None:
    device = await known(api)
    batches = bodies.ReadingBatches([device], window=3)
    messages, _ = await publish_all(port_of(api.running.mqtt_url), [device.login], batches, seconds=0.05)
    viewer = await api.person(Role.VIEWER)
    shown = (await viewer.get(f"/devices/{device.uuid}/readings?limit=500")).body["readings"]
    assert messages >= 3
    assert len(shown) == min(500, messages * bodies.READINGS_PER_MESSAGE)


async def test_a_device_that_is_not_let_in_is_no_figure(api: Api) -> None:
    device = await known(api)
    with pytest.raises(ConnectionRefusedError):
        await Client.connected(port_of(api.running.mqtt_url), Login(username=device.login.username, password="wrong"))


def test_a_budget_is_kept_or_missed() -> None:
    budget = Budget(words="≤ 2 ×, ≥ 100/s", ratio=2, rate=100)
    assert budget.kept_by(ratio=2.0, rate=100)
    assert not budget.kept_by(ratio=2.1, rate=100)
    assert not budget.kept_by(ratio=2.0, rate=99)
    assert not budget.kept_by(rate=200)


def test_the_table_has_a_row_for_everything() -> None:
    figures = [Figure(name="poll", rate=1000, cpu_us=80, ratio=1.9, budget="≤ 2 ×", kept=True)]
    quantities = [Quantity(name="memory", value=90, unit="MiB", budget="≤ 100 MB", kept=True)]
    assert table_of(figures, quantities).row_count == 2
    assert figures[0].as_json()["ratio"] == 1.9
