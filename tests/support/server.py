"""The real server as a process of its own, to be killed."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import aiohttp
import msgspec
import pytest_asyncio
from attrs import define, field

START_SECONDS = 30.0
_START = "from entrypoints.cli.main import main; main()"


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def listens(process: asyncio.subprocess.Process, port: int, log: Path | None = None) -> None:
    """Returns when the process listens on the port; fails with what it has logged when it ends before."""
    while True:
        if process.returncode is not None:
            raise AssertionError(await asyncio.to_thread(log.read_text) if log else "it has ended")
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.01)  # another process gets ready; it has no other way to tell us


@define
class Server:
    """`iotistic up` on a folder; the ports stay the same over restarts, as they do in the field."""

    data: Path
    port: int = field(factory=free_port)
    mqtt_port: int = field(factory=free_port)
    environment: dict[str, str] = field(factory=dict)
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def credentials_file(self) -> Path:
        """Where it writes its first credentials."""
        return self.data.with_suffix(".credentials.json")

    def credentials(self) -> dict[str, str]:
        """What `--credentials` wrote."""
        return msgspec.json.decode(self.credentials_file.read_bytes(), type=dict[str, str])

    async def start(self, *more: str) -> None:
        """Start it and wait until it is ready."""
        options = ["--data", self.data, "--port", self.port, "--mqtt-port", self.mqtt_port]
        options += ["--credentials", self.credentials_file, *more]
        log = self.data.with_suffix(".log").open("ab")
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _START,
            "up",
            *map(str, options),
            stdout=log,
            stderr=log,
            env={**os.environ, "LOG_FORMAT": "json", "LOG_LEVEL": "warning", **self.environment},
        )
        log.close()
        async with asyncio.timeout(START_SECONDS):
            await self._ready()

    async def _ready(self) -> None:
        assert self.process is not None
        async with aiohttp.ClientSession() as http:
            while True:
                assert self.process.returncode is None, self.data.with_suffix(".log").read_text()
                with suppress(aiohttp.ClientError, OSError):
                    async with http.get(f"{self.url}/ready") as response:
                        if response.status == 200:
                            return
                # Another process gets ready; it has no other way to tell us.
                await asyncio.sleep(0.02)

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self.process is not None and self.process.returncode is None

    async def kill(self) -> None:
        """kill -9, as a power cut would."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()

    async def terminate(self) -> int:
        """SIGTERM; the exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return await self.process.wait()


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    """The real server on a folder of the test's own; not started yet, and gone when the test is over."""
    one = Server(tmp_path / "data")
    yield one
    if one.running:
        await one.kill()
