"""Serving HTTP on PostgreSQL, alone or as one of several processes."""

import asyncio
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from attrs import frozen
from rich.console import Console

from core.errors import Unavailable
from entrypoints.cli.first_credentials import first_credentials, write_credentials
from entrypoints.cli.processes import Run
from entrypoints.cli.serving import show
from entrypoints.cli.supervisor import Supervisor, this_command
from entrypoints.wiring import settings as declared
from entrypoints.wiring.cluster import MIGRATE_AT_START
from entrypoints.wiring.composition import plugins_of, settings_of
from entrypoints.wiring.processes import FIRST_START, http_process, prepared
from entrypoints.wiring.running import Running
from entrypoints.wiring.scaled import Scaled


@frozen
class Serving:
    """One process that serves HTTP."""

    environment: Mapping[str, str]
    credentials: Path | None = None
    supervised: bool = False
    only_prepare: bool = False

    async def run(self, stopping: asyncio.Event) -> None:
        """Serve until told to stop; then drain and leave."""
        if self.only_prepare:
            async with prepared(self.environment, prepare=self._prepare):
                return
        async with http_process(self.environment, prepare=self._prepare, shared=self.supervised):
            await stopping.wait()

    async def _prepare(self, running: Running, inside: Scaled) -> None:
        """Make the first account, unless another process of ours is about to; and tell where we are."""
        if self.supervised:
            return
        async with inside.locks.try_hold(FIRST_START) as hold:
            if hold is None:
                return
            first = await first_credentials(running.services)
            if self.credentials is not None:
                write_credentials(self.credentials, running, first)
            await first.make_good(running.services)
        show(Console(), running, first, "is prepared" if self.only_prepare else "is running")


def supervise(environment: Mapping[str, str], workers: int, credentials: Path | None) -> Run:
    """Several processes on one port, the first start done before any of them."""

    async def run(stopping: asyncio.Event) -> None:
        settings = settings_of(plugins_of(environment), environment)
        with ExitStack() as stack:
            # Bound but not listened on: it keeps the port, also one that the kernel has chosen, from others.
            door = stack.enter_context(bound(settings[declared.HOST], settings[declared.PORT]))
            told = {**environment, declared.PORT.name: str(door.getsockname()[1])}
            written = ["--credentials", str(credentials)] if credentials else []
            await _prepare(told, written)
            supervisor = Supervisor(this_command("serve"), {**told, MIGRATE_AT_START.name: "false"}, workers)
            await supervisor.run(stopping)

    return run


async def _prepare(environment: Mapping[str, str], options: list[str]) -> None:
    process = await asyncio.create_subprocess_exec(
        *this_command("serve", "--only-prepare", *options), env=dict(environment)
    )
    if await process.wait():
        raise Unavailable("the first process could not prepare the start, for the reason above")


def bound(host: str, port: int) -> socket.socket:
    """A socket that holds the port for several processes. Unavailable when it is somebody else's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    holder = socket.socket(family, socket.SOCK_STREAM)
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        holder.bind((host, port))
    except OSError as error:
        holder.close()
        raise Unavailable(f"HTTP cannot listen on {host}:{port}: {error.strerror}; try --port") from error
    return holder
