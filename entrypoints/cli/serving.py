"""Serving until told to stop, and what is shown meanwhile."""

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from attrs import frozen
from rich.console import Console
from rich.markup import escape

from core.actor import SYSTEM
from core.devices import DeviceQuery
from core.provisioning import NewProvisioningKey
from core.services import Services
from core.settings import Settings
from entrypoints.cli.first_credentials import (
    ADMIN,
    FirstCredentials,
    first_credentials,
    write_credentials,
)
from entrypoints.wiring import settings as declared
from entrypoints.wiring.lifespan import control_plane
from entrypoints.wiring.logs import configure_logs
from entrypoints.wiring.reconcilers import OUTBOX
from entrypoints.wiring.running import Running, Standalone

DEMO_FLEET = "demo"
DEMO_FOLDER = "demo"
DEMO_INTERVAL = 5.0
DEMO_GOODBYE = 2.0


@frozen(kw_only=True)
class Wanted:
    """What the command line asked for."""

    data: Path
    environment: Mapping[str, str]
    demo: int = 0
    credentials: Path | None = None


async def serve(wanted: Wanted) -> None:
    """Run the control plane until SIGINT or SIGTERM; then drain and leave. Raises a Refusal when it cannot start."""
    early = Settings(declared.LOGGING, wanted.environment)
    configure_logs(early[declared.LOG_LEVEL], early[declared.LOG_FORMAT], "up")
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    console = Console()

    async def prepare(running: Standalone) -> None:
        first = await first_credentials(running.services)
        if wanted.credentials is not None:
            write_credentials(wanted.credentials, running, first)
        await first.make_good(running.services)
        show(console, running, first)

    async with control_plane(wanted.data, wanted.environment, prepare=prepare) as running:
        async with _demonstration(console, running, wanted, stopping):
            await stopping.wait()
        console.print("stopping: finishing what is under way")


@asynccontextmanager
async def _demonstration(
    console: Console, running: Standalone, wanted: Wanted, stopping: asyncio.Event
) -> AsyncIterator[None]:
    """Simulated devices live against ourselves, through the same doors as real ones."""
    if not wanted.demo:
        yield
        return
    # Without a demonstration the simulator and its MQTT client take no memory.
    from entrypoints.simulator.fleet import Fleet
    from entrypoints.simulator.options import Options

    new = NewProvisioningKey(
        fleet_id=DEMO_FLEET, max_uses=wanted.demo, expires_in_days=1, description="simulated devices of --demo"
    )
    _, key = await running.services.provisioning_keys.create(SYSTEM, new)
    folder = wanted.data / DEMO_FOLDER
    fleet = Fleet(Options(url=running.url, key=key, devices=wanted.demo, interval=DEMO_INTERVAL, state_dir=folder))
    tasks = [
        asyncio.create_task(fleet.run(stopping)),
        asyncio.create_task(_tell_when_online(console, running.services, wanted.demo)),
    ]
    try:
        yield
    finally:
        stopping.set()
        await asyncio.wait(tasks[:1], timeout=DEMO_GOODBYE)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _tell_when_online(console: Console, services: Services, devices: int) -> None:
    """Say when all simulated devices are online, as anybody sees them."""
    changed = asyncio.Event()
    services.signals.on(OUTBOX, lambda _key: changed.set())
    online = DeviceQuery(fleet_id=DEMO_FLEET, online=True, limit=1)
    while ((await services.devices.page(SYSTEM, online)).total or 0) < devices:
        await changed.wait()
        changed.clear()
    console.print(f"{devices} simulated devices are online")


def show(console: Console, running: Running, first: FirstCredentials, words: str = "is running") -> None:
    """Where it is and how to get in; each on a line of its own that can be copied whole."""
    lines = {"API": f"{running.url}/api/v1", "MQTT": running.mqtt_url}
    if isinstance(running, Standalone):
        lines["data"] = str(running.data.resolve())
    if first.password:
        lines["account"] = f"{ADMIN} / {first.password}"
    if first.provisioning_key:
        lines["provisioning key"] = first.provisioning_key
    console.print(f"[bold green]Iotistic {words}[/]")
    for name, value in lines.items():
        console.print(f"  [bold]{name:<16}[/]  {escape(value)}", soft_wrap=True, highlight=False)
    if first.password or first.provisioning_key:
        console.print("[dim]The account and the key are shown only this once. Ctrl-C stops.[/]")
