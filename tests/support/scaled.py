"""The scaled application in this process: HTTP on PostgreSQL behind a real Mosquitto that asks us about everybody."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import pytest_asyncio
from attrs import frozen

from adapters.mosquitto.broker import MosquittoBroker
from entrypoints.wiring.processes import Prepare, http_process
from entrypoints.wiring.running import Running
from entrypoints.wiring.scaled import Scaled
from tests.support.application import ENVIRONMENT, OWNER_PASSWORD, Api
from tests.support.mosquitto import Mosquitto, asking
from tests.support.server import free_port

SECRET = secrets.token_hex(32)
SECONDS = 10


def scaled_environment(postgres_url: str, broker_url: str, **more: str) -> dict[str, str]:
    """What every process is told."""
    return {
        **ENVIRONMENT,
        "DATABASE_URL": postgres_url,
        "DB_POOL_MAX": "5",
        "JWT_SECRET": SECRET,
        "MQTT_URL": broker_url,
        "MQTT_USERNAME": "iotistic",
        "MQTT_PASSWORD": secrets.token_hex(16),
        "MIGRATE_AT_START": "false",
        **more,
    }


async def first_owner(running: Running, _inside: Scaled) -> None:
    """There is somebody who can log in."""
    if not await running.services.accounts.anybody():
        await running.services.accounts.bootstrap("admin", OWNER_PASSWORD)


@asynccontextmanager
async def serving(environment: dict[str, str], prepare: Prepare = first_owner) -> AsyncIterator[Api]:
    """One process that serves HTTP, as far as that can be within this one."""
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(http_process(environment, prepare=prepare, installed=False))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield Api(running, http)


@frozen
class Fleet:
    """A control plane and its broker."""

    api: Api
    broker: Mosquitto
    environment: dict[str, str]


@pytest_asyncio.fixture
async def fleet(postgres_url: str, http_auth_plugin: Path) -> AsyncIterator[Fleet]:
    """HTTP on PostgreSQL, and Mosquitto in front of it."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="mosquitto-", ignore_cleanup_errors=True))
        port = free_port()
        broker = Mosquitto(Path(folder), asking(http_auth_plugin, f"http://127.0.0.1:{port}"))
        environment = scaled_environment(postgres_url, broker.url, PORT=str(port))
        api = await stack.enter_async_context(serving(environment))
        await broker.start()
        stack.push_async_callback(broker.stop)
        carrier = api.running.services.broker
        assert isinstance(carrier, MosquittoBroker)
        async with asyncio.timeout(SECONDS):
            await carrier.connected()
        yield Fleet(api, broker, environment)
