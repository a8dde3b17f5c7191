"""What one connection may do, and how it ends (contract §11.3 A-15)."""

import asyncio
import time
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from core.actor import Role
from core.errors import Unauthenticated, Unavailable
from core.transactions import Signals
from entrypoints.http.live.hub import Hub
from entrypoints.http.live.socket import BURST, LARGEST_MESSAGE, Allowance, token_from
from entrypoints.http.live.visitors import MOST_OF_ONE, MOST_STRANGERS, MOST_SUBSCRIPTIONS, Visitor, Visitors
from entrypoints.wiring.web import DRAIN_SECONDS
from tests.support.application import Api, running_api
from tests.support.clock import TestClock
from tests.support.live import Watcher, listening, token_of, watching


async def test_a_ping_is_answered_and_nonsense_is_told_apart(api: Api) -> None:
    viewer = await api.person(Role.VIEWER)
    async with watching(api, f"type=global&token={token_of(viewer)}") as watcher:
        await watcher.say(type="ping")
        await watcher.hear("pong")
        for text in ("hello", "[]", '{"type":"dance"}', '{"type":"subscribe","channel":"logs"}', '{"type":7}'):
            await watcher.socket.send_str(text)
            await watcher.hear("error")
        await watcher.socket.send_bytes(b'{"type":"ping"}')
        await watcher.hear("error")
        await watcher.say(type="ping")
        await watcher.hear("pong")


async def test_one_connection_watches_only_so_much(api: Api) -> None:
    device, viewer = await api.device(), await api.person(Role.VIEWER)
    async with watching(api, f"deviceUuid={device.uuid}&token={token_of(viewer)}") as watcher:
        for number in range(MOST_SUBSCRIPTIONS):
            await watcher.say(type="subscribe", channel="logs", serviceName=str(number))
            await watcher.hear("subscribed")
        await watcher.say(type="subscribe", channel="logs", serviceName="0")
        await watcher.hear("subscribed")
        await watcher.say(type="subscribe", channel="logs", serviceName="one more")
        assert str(MOST_SUBSCRIPTIONS) in (await watcher.hear("error"))["message"]


async def test_a_message_that_is_too_large_ends_the_connection(api: Api) -> None:
    viewer = await api.person(Role.VIEWER)
    async with watching(api, f"type=global&token={token_of(viewer)}") as watcher:
        await watcher.hear("connected")
        await watcher.socket.send_str("x" * (LARGEST_MESSAGE + 1))
        assert await watcher.closed() == 1009


async def test_too_many_messages_end_the_connection(api: Api) -> None:
    viewer = await api.person(Role.VIEWER)
    async with watching(api, f"type=global&token={token_of(viewer)}") as watcher:
        for _ in range(BURST * 2):
            await watcher.say(type="ping")
        assert await watcher.closed() == 1008


def test_messages_are_allowed_again_after_a_while() -> None:
    clock = TestClock()
    allowance = Allowance(clock)
    assert [allowance.take() for _ in range(BURST + 1)] == [True] * BURST + [False]
    clock.advance(seconds=1)
    assert [allowance.take() for _ in range(11)] == [True] * 10 + [False]


async def test_whoever_says_nothing_does_not_stay() -> None:
    async def handle(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        with pytest.raises(Unauthenticated):
            await token_from(socket, patience=0.01)
        await socket.close(code=4401)
        return socket

    app = web.Application()
    app.router.add_get("/", handle)
    async with TestClient(TestServer(app)) as client, client.ws_connect("/") as socket:
        assert (await socket.receive()).data == 4401


async def test_watching_ends_with_the_session(api: Api) -> None:
    owner, viewer = await api.person(Role.OWNER), await api.person(Role.VIEWER)
    device = await api.device()
    async with (
        watching(api, f"type=global&token={token_of(viewer)}") as watcher,
        listening(viewer, f"/devices/{device.uuid}/live") as listener,
    ):
        await watcher.hear("connected")
        me = (await viewer.get("/auth/me")).body["data"]["user"]["id"]
        assert (await owner.put(f"/users/{me}", {"isActive": False})).status == 200
        assert await watcher.closed() == 4401
        assert "4401" in (await listener.hear("closed"))["data"]


async def test_the_server_does_not_wait_for_those_who_watch(tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as http:
        async with running_api(tmp_path / "data") as api:
            viewer = await api.person(Role.VIEWER)
            watcher = Watcher(await http.ws_connect(f"{api.running.url}/ws?type=global&token={token_of(viewer)}"))
            await watcher.hear("connected")
            closing, leaving = asyncio.create_task(watcher.closed()), time.monotonic()
        assert time.monotonic() - leaving < DRAIN_SECONDS
        assert await closing == 1001


async def test_places_are_limited_for_all_for_one_and_for_strangers(api: Api) -> None:
    services = api.running.services
    visitors = Visitors(services.sessions, services.signals)
    actor = await services.sessions.actor(token_of(await api.person(Role.VIEWER)), "")
    for who, most in ((None, MOST_STRANGERS), (actor, MOST_OF_ONE)):
        places = [visitors.place_for(_visitor(services.signals), who) for _ in range(most + 1)]
        for place in places[:-1]:
            place.__enter__()
        with pytest.raises(Unavailable):
            places[-1].__enter__()
        assert len(visitors) == most
        for place in places[:-1]:
            place.__exit__(None, None, None)
        assert len(visitors) == 0


def _visitor(signals: Signals) -> Visitor:
    return Visitor(Hub(signals, []), {}, None, lambda _key, _data, _position: b"")
