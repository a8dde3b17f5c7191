"""A live broker on a free port for each test."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from adapters.amqtt import EmbeddedBroker, Limits
from tests.adapters.amqtt.doubles import DEVICE, Box, Keeper, Raw

Start = Callable[..., Awaitable[EmbeddedBroker]]
Dial = Callable[..., Awaitable[Raw]]


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


@pytest.fixture
async def box() -> Box:
    return Box()


@pytest.fixture
async def start(keeper: Keeper, box: Box) -> AsyncIterator[Start]:
    """Starts a broker with other limits than the usual ones."""
    running: list[EmbeddedBroker] = []

    async def begin(**limits: Any) -> EmbeddedBroker:
        broker = EmbeddedBroker(keeper, box, port=0, limits=Limits(**limits))
        await broker.start()
        running.append(broker)
        return broker

    yield begin
    box.open.set()
    for broker in running:
        await broker.stop()


@pytest.fixture
async def broker(start: Start) -> EmbeddedBroker:
    return await start()


@pytest.fixture
async def dial() -> AsyncIterator[Dial]:
    """Opens connections that are gone after the test; logs in when it is told a username."""
    opened: list[Raw] = []

    async def open_one(broker: EmbeddedBroker, username: str = "", client_id: str = "", **options: Any) -> Raw:
        raw = await Raw.dial(broker)
        opened.append(raw)
        if username:
            await raw.login(client_id or username, username, **options)
        return raw

    yield open_one
    for raw in opened:
        await raw.close()


@pytest.fixture
async def device(broker: EmbeddedBroker, dial: Dial) -> Raw:
    """A device that is connected."""
    return await dial(broker, f"device_{DEVICE}")


@pytest.fixture
async def watcher(broker: EmbeddedBroker, dial: Dial, keeper: Keeper) -> Raw:
    """Somebody who may do everything, and is connected."""
    keeper.allow("watcher", "#")
    return await dial(broker, "watcher")
