"""A real Mosquitto, and the plugin by which it asks us about everybody."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import pytest_asyncio
from attrs import define, field

from tests.support.programs import program
from tests.support.server import free_port, listens

PLUGIN_SOURCE = Path(__file__).with_name("http_auth_plugin.c")
START_SECONDS = 10
FOLDERS = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib")
ADMIN = "a password for people"
# Else root's broker would become somebody who may not look into folders of tests.
AS_WE_ARE = ("user root",) if os.geteuid() == 0 else ()
EVERYBODY = ("allow_anonymous true",)


@define
class Mosquitto:
    """A broker in its own folder; the port stays the same over restarts, as it does in the field."""

    folder: Path
    lines: Sequence[str] = EVERYBODY
    port: int = field(factory=free_port)
    tls: Sequence[str] = ()
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{'mqtts' if self.tls else 'mqtt'}://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What it says."""
        return self.folder / "mosquitto.log"

    def configuration(self) -> str:
        """The whole file."""
        ours = [
            f"listener {self.port} 127.0.0.1",
            *self.tls,
            "persistence true",
            f"persistence_location {self.folder}/",
            "sys_interval 1",
            # Not 0, for "no limit": then 2.0.11 ends the connection of whoever publishes where he may not.
            "max_queued_messages 1000000",
            "log_type all",
            *AS_WE_ARE,
        ]
        return "\n".join([*ours, *self.lines, ""])

    async def start(self) -> None:
        """Start it and wait until it listens."""
        configuration = self.folder / "mosquitto.conf"
        configuration.write_text(self.configuration(), encoding="ascii")
        arguments = [program("mosquitto"), "-c", str(configuration)]
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(*arguments, stdout=log, stderr=log)
        async with asyncio.timeout(START_SECONDS):
            await listens(self.process, self.port, self.log)

    async def stop(self) -> None:
        """SIGTERM: it saves what it has not handed on."""
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            await self.process.wait()

    async def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()


@pytest.fixture(scope="session")
def http_auth_plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plugin, compiled."""
    source = PLUGIN_SOURCE.read_bytes()
    made = tmp_path_factory.mktemp("plugin") / f"{sha256(source).hexdigest()[:16]}.so"
    for header in ("mosquitto.h", "mosquitto_plugin.h"):
        program_header(header)
    command = [program("gcc"), "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-o", str(made)]
    subprocess.run([*command, str(PLUGIN_SOURCE), "-lcurl"], check=True)
    return made


def program_header(name: str) -> None:
    """See to it that the header is there; the test is skipped, saying what to install, where it is not."""
    if not any((Path(folder) / name).exists() for folder in ("/usr/include", "/usr/local/include")):
        program(name, "mosquitto-dev libmosquitto-dev libcurl4-openssl-dev gcc")


def asking(plugin: Path, base: str, secret: str = "", own: str = "", remember: int = 0) -> Sequence[str]:
    """The lines by which a broker asks us about everybody but `own`, who may do everything once he is in.

    It remembers for so many seconds that somebody may do something.
    """
    return [
        "allow_anonymous false",
        f"plugin {plugin}",
        f"plugin_opt_base {base}/mosquitto-auth",
        *([f"plugin_opt_own {own}"] if own else []),
        *([f"plugin_opt_remember {remember}"] if remember else []),
        *([f"plugin_opt_query ?secret={secret}"] if secret else []),
    ]


def dynamic_security() -> Path:
    """The plugin for accounts of the broker's own, which comes with Mosquitto."""
    program("mosquitto")
    return next(path for folder in FOLDERS if (path := Path(folder) / "mosquitto_dynamic_security.so").exists())


def ready_made(folder: Path) -> list[str]:
    """A file of accounts with an admin in it, made as contrib/mosquitto/README.md says. The lines that name it."""
    file = folder / "accounts.json"
    subprocess.run([program("mosquitto_ctrl", "mosquitto"), "dynsec", "init", file, "admin", ADMIN], check=True)
    return ["allow_anonymous false", f"plugin {dynamic_security()}", f"plugin_opt_config_file {file}"]


@pytest_asyncio.fixture
async def mosquitto() -> AsyncIterator[Mosquitto]:
    """A broker that lets everybody do everything. It runs."""
    with TemporaryDirectory(prefix="mosquitto-", ignore_cleanup_errors=True) as folder:
        broker = Mosquitto(Path(folder))
        await broker.start()
        yield broker
        await broker.stop()
