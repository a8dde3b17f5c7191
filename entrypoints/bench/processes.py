"""Servers under test, as processes of their own whose cost can be read from outside."""

import asyncio
import os
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from attrs import frozen

START_SECONDS = 120.0
_KIB = 1024
_QUIET = ("LOG_LEVEL=error", "LOG_FORMAT=json", "PASSWORD_HASH_COST=4")
_UP = "from entrypoints.cli.main import main; main()"


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@frozen(kw_only=True)
class Server:
    """A server that runs. What it costs is read from /proc, so the bench runs on Linux."""

    process: asyncio.subprocess.Process
    port: int
    mqtt_port: int = 0
    seconds_to_ready: float = 0.0

    def cpu_seconds(self) -> float:
        """Processor time spent so far, user and system."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii")
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def database_cpu_seconds(self) -> float:
        """Nothing: the database is a part of the process."""
        return 0.0

    def resident_bytes(self) -> int:
        """Memory held now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * _KIB


@asynccontextmanager
async def control_plane(data: Path, *, port: int = 0, mqtt_port: int = 0) -> AsyncIterator[Server]:
    """`iotistic up` on a folder, until the block is left."""
    port, mqtt_port = port or free_port(), mqtt_port or free_port()
    options = ["--data", str(data), "--port", str(port), "--mqtt-port", str(mqtt_port)]
    options += ["--credentials", str(data.with_suffix(".json"))]
    async with _running([sys.executable, "-c", _UP, "up", *options], port, "/ready", mqtt_port) as server:
        yield server


@asynccontextmanager
async def yardstick() -> AsyncIterator[Server]:
    """The empty aiohttp handler."""
    port = free_port()
    script = str(Path(__file__).with_name("yardstick.py"))
    async with _running([sys.executable, script, str(port)], port, "/", 0) as server:
        yield server


@asynccontextmanager
async def _running(command: list[str], port: int, path: str, mqtt_port: int) -> AsyncIterator[Server]:
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec("env", *_QUIET, *command, stdout=asyncio.subprocess.DEVNULL)
    try:
        async with asyncio.timeout(START_SECONDS):
            await answers(process, port, path)
        yield Server(process=process, port=port, mqtt_port=mqtt_port, seconds_to_ready=time.perf_counter() - began)
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def answers(process: asyncio.subprocess.Process, port: int, path: str) -> None:
    """Returns when the server answers 200. It is another process: there is nothing to wait for but its answer."""
    question = f"GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode()
    while process.returncode is None:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(question)
            line = await reader.readline()
            writer.close()
            if b" 200 " in line:
                return
        await asyncio.sleep(0.01)
    raise RuntimeError(f"the server ended with status {process.returncode} before it was ready")
