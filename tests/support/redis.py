"""A real Redis."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from attrs import define, field

from tests.support.programs import program
from tests.support.server import free_port, listens

START_SECONDS = 10


@define
class RedisServer:
    """A server that keeps nothing on disk; the port stays the same over restarts."""

    folder: Path
    port: int = field(factory=free_port)
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"redis://127.0.0.1:{self.port}/0"

    async def start(self) -> None:
        """Start it and wait until it listens."""
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
        self.process = await asyncio.create_subprocess_exec(
            program("redis-server"), *options, stdout=asyncio.subprocess.DEVNULL
        )
        async with asyncio.timeout(START_SECONDS):
            await listens(self.process, self.port)

    async def stop(self) -> None:
        """End it; what it held is gone."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()


@pytest_asyncio.fixture
async def redis_server(tmp_path: Path) -> AsyncIterator[RedisServer]:
    """A server of the test's own. It runs."""
    server = RedisServer(tmp_path)
    await server.start()
    yield server
    await server.stop()
