"""How a process of the scaled profile runs: until it is told to stop, and with what it says meanwhile."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping

import typer
from rich.console import Console
from rich.markup import escape

from core.errors import Refusal
from core.settings import Settings
from entrypoints.cli.supervisor import orphaned
from entrypoints.wiring import settings as declared
from entrypoints.wiring.logs import configure_logs
from entrypoints.wiring.observing import WORKER

Run = Callable[[asyncio.Event], Awaitable[None]]


def run_until_stopped(run: Run, environment: Mapping[str, str], *, role: str = "", supervised: bool = False) -> None:
    """Run with an event that SIGINT and SIGTERM set, on the fastest event loop there is. Exits with 1 when refused."""
    try:
        early = Settings(declared.LOGGING, environment)
        configure_logs(early[declared.LOG_LEVEL], early[declared.LOG_FORMAT], named(role, environment))
        with asyncio.Runner(loop_factory=_fastest()) as runner:
            runner.run(_until_stopped(run, supervised=supervised))
    except Refusal as refusal:
        Console(stderr=True).print(f"[bold red]iotistic cannot start:[/] {escape(refusal.message)}")
        raise typer.Exit(1) from refusal


def named(role: str, environment: Mapping[str, str]) -> str:
    """What the process is called in the log: its role, and its number if it is one of several on this machine."""
    number = environment.get(WORKER, "")
    return f"{role}-{number}" if number else role


def environment_with(**given: object) -> dict[str, str]:
    """The environment, with what was given on the command line in place of what it says."""
    return {**os.environ, **{name: str(value) for name, value in given.items() if value is not None}}


async def _until_stopped(run: Run, *, supervised: bool) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    watching = asyncio.create_task(orphaned(stopping)) if supervised else None
    try:
        await run(stopping)
    finally:
        if watching is not None:
            watching.cancel()


def _fastest() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # it comes with the extra `scaled`; without it everything works, a little slower
        return None
    return uvloop.new_event_loop
