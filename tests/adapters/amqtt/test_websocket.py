"""MQTT over WebSocket on the HTTP port."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import aiomqtt
import pytest
from aiohttp import web

from adapters.amqtt import EmbeddedBroker
from entrypoints.http.mqtt_websocket import PATH, MqttWebSocket
from tests.adapters.amqtt.conftest import Start
from tests.adapters.amqtt.doubles import (
    DEVICE,
    PASSWORD,
    SOON,
    Box,
    connect_packet,
    publish_packet,
)

NAME = f"device_{DEVICE}"
STATE = f"iot/device/{DEVICE}/state"


class Site:
    """An HTTP server with the route, on a free port."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        app = web.Application()
        app.router.add_get(PATH, MqttWebSocket(broker).handle)
        self.runner = web.AppRunner(app, shutdown_timeout=1)
        self.port = 0

    async def open(self) -> None:
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.port = self.runner.addresses[0][1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{PATH}"


@pytest.fixture
async def broker(start: Start) -> EmbeddedBroker:
    return await start(connect_seconds=0.3, pending_websockets=2, packet_bytes=100_000)


@pytest.fixture
async def site(broker: EmbeddedBroker) -> AsyncIterator[Site]:
    site = Site(broker)
    await site.open()
    yield site
    await broker.stop()
    await site.runner.cleanup()


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def ended(socket: aiohttp.ClientWebSocketResponse) -> None:
    async with asyncio.timeout(SOON):
        while not socket.closed:
            await socket.receive()


async def test_a_real_client_speaks_mqtt_over_a_websocket(broker: EmbeddedBroker, site: Site, box: Box) -> None:
    update = f"iot/device/{DEVICE}/agent/update"
    async with (
        asyncio.timeout(SOON),
        aiomqtt.Client(
            "127.0.0.1",
            site.port,
            username=NAME,
            password=PASSWORD,
            identifier=NAME,
            protocol=aiomqtt.ProtocolVersion.V311,
            transport="websockets",
            websocket_path=PATH,
        ) as device,
    ):
        await device.subscribe(update, qos=1)
        await device.publish(STATE, b"x" * 90_000, qos=1)
        assert len(box.stored[0].payload) == 90_000
        await broker.publish(update, b"y" * 90_000)
        message = await anext(aiter(device.messages))
        assert message.payload == b"y" * 90_000


async def test_packets_need_not_end_where_websocket_messages_end(
    site: Site, browser: aiohttp.ClientSession, box: Box
) -> None:
    stream = connect_packet(NAME, NAME) + publish_packet(STATE, b"1", qos=1) + publish_packet(STATE, b"2", qos=1)
    async with browser.ws_connect(site.url, protocols=["mqtt"]) as socket:
        assert socket.protocol == "mqtt"
        for start in range(0, len(stream), 11):
            await socket.send_bytes(stream[start : start + 11])
        await box.until(stored=2)


async def test_a_websocket_without_the_subprotocol_is_refused(site: Site, browser: aiohttp.ClientSession) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await browser.ws_connect(site.url, protocols=["chat"])
    assert refused.value.status == 400
    async with browser.get(site.url) as answer:
        assert answer.status == 400
        assert "offer the subprotocol mqtt" in (await answer.json())["message"]


async def test_text_on_a_websocket_closes_it(site: Site, browser: aiohttp.ClientSession) -> None:
    async with browser.ws_connect(site.url, protocols=["mqtt"]) as socket:
        await socket.send_str("hello")
        await ended(socket)


async def test_a_websocket_without_connect_is_cut(
    broker: EmbeddedBroker, site: Site, browser: aiohttp.ClientSession
) -> None:
    async with browser.ws_connect(site.url, protocols=["mqtt"]) as socket:
        [connection] = broker._connections
        await ended(socket)
        await connection.left.wait()
    assert broker._interior.door.inside == 0


async def test_websockets_of_strangers_are_bounded(site: Site, browser: aiohttp.ClientSession) -> None:
    waiting = [await browser.ws_connect(site.url, protocols=["mqtt"]) for _ in range(2)]
    async with browser.ws_connect(site.url, protocols=["mqtt"]) as third:
        async with asyncio.timeout(0.2):
            await ended(third)
    for socket in waiting:
        await socket.close()


async def test_a_websocket_message_that_is_too_large_closes_it(site: Site, browser: aiohttp.ClientSession) -> None:
    async with browser.ws_connect(site.url, protocols=["mqtt"]) as socket:
        await socket.send_bytes(connect_packet(NAME, NAME) + b"\x30\xff\xff\x7f" + b"x" * 200_000)
        await ended(socket)


async def test_a_revoked_client_on_a_websocket_is_cut(
    broker: EmbeddedBroker, site: Site, browser: aiohttp.ClientSession
) -> None:
    async with browser.ws_connect(site.url, protocols=["mqtt"]) as socket:
        await socket.send_bytes(connect_packet(NAME, NAME))
        assert (await socket.receive()).data == b"\x20\x02\x00\x00"
        await broker.disconnect(NAME)
        await ended(socket)
    assert broker.statistics().sessions == 0


async def test_stopping_the_broker_ends_websockets_too(
    broker: EmbeddedBroker, site: Site, browser: aiohttp.ClientSession
) -> None:
    async with browser.ws_connect(site.url, protocols=["mqtt"]) as socket:
        await socket.send_bytes(connect_packet(NAME, NAME))
        await socket.receive()
        await asyncio.gather(broker.stop(), ended(socket))
