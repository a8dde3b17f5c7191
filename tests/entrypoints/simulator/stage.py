"""The server's side of the contract, with failures on order: what a fleet meets in these tests."""

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from attrs import define, field, frozen

from entrypoints.simulator.fleet import Fleet
from entrypoints.simulator.options import Options
from entrypoints.simulator.tally import Summary
from tests.entrypoints.simulator.broker import Broker, Connected, Heard, Published, Subscribed

PATIENCE = 10.0
LOST = 0
"""As a status: the request is handled, its answer never arrives."""


@frozen(kw_only=True)
class Called:
    """One HTTP request, its body inflated."""

    name: str
    path: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    status: int

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def lines(self) -> list[Any]:
        """The body as NDJSON."""
        return [json.loads(line) for line in self.body.splitlines()]


@define
class Stage:
    """An HTTP server and a broker that write down everything in the order in which it came."""

    heard: list[Called | Heard] = field(factory=list)
    faults: dict[str, deque[int]] = field(factory=lambda: defaultdict(deque))
    down: set[str] = field(factory=set)
    target: dict[str, Any] = field(factory=lambda: {"apps": {}, "config": {"logging": {"level": "info"}}, "version": 1})
    etag: str = '"one"'
    jobs: deque[dict[str, Any]] = field(factory=deque)
    url: str = ""
    broker: Broker = field(init=False)
    _news: asyncio.Event = field(factory=asyncio.Event)

    def __attrs_post_init__(self) -> None:
        self.broker = Broker(hear=self._hear)

    def called(self, name: str) -> list[Called]:
        """The requests of that name: the last word of the path, `target` for the poll, `next` for a job."""
        return [event for event in self.heard if isinstance(event, Called) and event.name == name]

    def published(self, ending: str) -> list[Published]:
        """The publications to topics that end so."""
        return [event for event in self.heard if isinstance(event, Published) and event.topic.endswith(ending)]

    def subscribed(self) -> list[Subscribed]:
        """All subscriptions."""
        return [event for event in self.heard if isinstance(event, Subscribed)]

    def connected(self) -> list[Connected]:
        """All MQTT connections."""
        return [event for event in self.heard if isinstance(event, Connected)]

    def reports(self) -> list[dict[str, Any]]:
        """All state reports that were acknowledged over HTTP, or published."""
        bodies = []
        for event in self.heard:
            if isinstance(event, Called) and event.name == "report" and event.status == 200:
                bodies.append(event.json)
            elif isinstance(event, Published) and event.topic.endswith("/state"):
                bodies.append(json.loads(event.payload))
        return [next(iter(body.values())) for body in bodies]

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for something to have been heard."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._news.clear()
                await self._news.wait()

    def _hear(self, event: Called | Heard) -> None:
        self.heard.append(event)
        self._news.set()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Whatever comes."""
        body = await request.read()
        name = _name(request)
        status = self.faults[name].popleft() if self.faults[name] else 500 if name in self.down else 200
        if name == "next" and status == 200 and not self.jobs:
            status = 404
        response = self._response(request, name) if status in {LOST, 200} else web.json_response({}, status=status)
        self._hear(
            Called(name=name, path=request.path, headers=dict(request.headers), body=body, status=response.status)
        )
        if status == LOST and request.transport is not None:
            request.transport.close()
        return response

    def _response(self, request: web.Request, name: str) -> web.Response:
        uuid = request.match_info.get("uuid", "")
        if name == "register":
            return web.json_response({"id": 7, "mqtt": self._credentials()})
        if name == "target":
            if request.headers.get("If-None-Match") == self.etag:
                return web.Response(status=304)
            return web.json_response({uuid: self.target}, headers={"ETag": self.etag})
        if name == "next":
            return web.json_response(self.jobs.popleft())
        return web.json_response({"status": "ok"})

    def _credentials(self) -> dict[str, str]:
        return {"username": "device_x", "password": "secret", "broker": f"mqtt://127.0.0.1:{self.broker.port}"}


def _name(request: web.Request) -> str:
    if request.path.endswith("/state"):
        return "report" if request.method == "PATCH" else "target"
    return request.path.rsplit("/", 1)[-1]


@asynccontextmanager
async def staged(*, broker: bool = True) -> AsyncIterator[Stage]:
    """A server; without a broker its port is known and closed."""
    stage = Stage()
    await stage.broker.start()
    if not broker:
        await stage.broker.stop()
    app = web.Application()
    app.router.add_route("*", "/api/v1/device/{uuid:[0-9a-f-]{36}}/{rest:.*}", stage.answer)
    app.router.add_route("*", "/{rest:.*}", stage.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    stage.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield stage
    finally:
        await stage.broker.stop()
        await runner.cleanup()


@define
class Running:
    """A fleet under way."""

    stop: asyncio.Event
    task: asyncio.Task[Summary]

    async def stopped(self) -> Summary:
        """Tell it to stop and wait until it has."""
        self.stop.set()
        return await self.task


@asynccontextmanager
async def fleet(stage: Stage, **changes: Any) -> AsyncIterator[Running]:
    """Agents in a hurry: everything that is not asked for by name is quick, and one device is enough."""
    hurried: dict[str, Any] = {
        "interval": 0.02,
        "time_scale": 0.001,
        "ramp": 0,
        "logs_per_minute": 0,
        "readings_per_minute": 0,
        "seed": 1,
    }
    options = Options(url=stage.url, key="provisioning-key", **{**hurried, **changes})
    stop = asyncio.Event()
    running = Running(stop=stop, task=asyncio.create_task(Fleet(options).run(stop)))
    try:
        yield running
    finally:
        await running.stopped()


def read_lines(text: str, kind: str) -> list[dict[str, Any]]:
    """The items of that kind in a ledger."""
    return [item for item in map(json.loads, text.splitlines()) if item["kind"] == kind]


def names(events: Iterable[Called | Heard]) -> list[str]:
    """What happened, in words."""
    words = []
    for event in events:
        if isinstance(event, Called):
            words.append(event.name)
        elif isinstance(event, Connected):
            words.append("CONNECT")
        elif isinstance(event, Subscribed):
            words.append(f"SUBSCRIBE {event.topic.split('/', 3)[3]}")
        else:
            words.append(f"PUBLISH {event.topic.split('/', 3)[3]}")
    return words
