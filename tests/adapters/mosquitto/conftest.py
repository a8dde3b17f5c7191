"""Our side of a real Mosquitto."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from adapters.mosquitto.address import BrokerAddress
from adapters.mosquitto.broker import MosquittoBroker
from tests.support.mosquitto import Mosquitto

SOON = 10.0


@pytest.fixture
async def ours(mosquitto: Mosquitto) -> AsyncIterator[MosquittoBroker]:
    """Connected to it."""
    broker = MosquittoBroker(BrokerAddress.of(mosquitto.url, username="iotistic", password="secret"))
    await broker.open()
    try:
        async with asyncio.timeout(SOON):
            await broker.connected()
        yield broker
    finally:
        await broker.close()
