"""A real RabbitMQ that speaks MQTT and asks us about everybody; it takes ten seconds to start."""

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from attrs import define, field

from tests.support.programs import program
from tests.support.server import free_port, listens

OURS = Path(__file__).parents[2] / "contrib" / "rabbitmq" / "rabbitmq.conf"
START_SECONDS = 120
PLUGINS = "[rabbitmq_mqtt,rabbitmq_auth_backend_http]."


@define
class RabbitMq:
    """A broker in its own folder, a node of its own name, with a port mapper of its own."""

    folder: Path
    lines: Sequence[str]
    port: int = field(factory=free_port)
    mapper_port: int = field(factory=free_port)
    node_port: int = field(factory=free_port)
    amqp_port: int = 0  # 0: nobody comes by AMQP
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What it says."""
        return self.folder / "out"

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "HOME": str(self.folder),
            "RABBITMQ_NODENAME": f"iotistic{self.port}@localhost",
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_DIST_PORT": str(self.node_port),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self.mapper_port),
        }

    async def start(self) -> None:
        """Start it and wait until it listens."""
        (self.folder / "plugins").write_text(PLUGINS)
        amqp = f"listeners.tcp.1 = 127.0.0.1:{self.amqp_port}" if self.amqp_port else "listeners.tcp = none"
        ours = [amqp, f"mqtt.listeners.tcp.1 = 127.0.0.1:{self.port}", "log.file = false"]
        (self.folder / "rabbitmq.conf").write_text("\n".join([*ours, "log.console = true", *self.lines, ""]))
        # The wrapper on the PATH becomes somebody else where root calls it.
        program("rabbitmq-server")
        command = "/usr/lib/rabbitmq/bin/rabbitmq-server"
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                command, stdout=log, stderr=log, env=self._environment()
            )
        async with asyncio.timeout(START_SECONDS):
            await listens(self.process, self.port, self.log)

    async def stop(self) -> None:
        """Stop it, and the port mapper that it has started."""
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            with suppress(TimeoutError):
                async with asyncio.timeout(20):
                    await self.process.wait()
            if self.process.returncode is None:
                self.process.kill()
                await self.process.wait()
        mapper = await asyncio.create_subprocess_exec(
            program("epmd", "erlang-base"),
            "-kill",
            env=self._environment(),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await mapper.wait()


def asking_http(base: str) -> list[str]:
    """Our file, but for listeners and certificates; it asks us without a secret."""
    lines = OURS.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.startswith(("auth_", "mqtt.")) and "listeners" not in line]
    return [line.replace("http://127.0.0.1:3002", base).removesuffix("?secret=SECRET") for line in kept]
