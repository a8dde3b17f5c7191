"""Serving until told to stop, and what is shown meanwhile."""

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from attrs import frozen
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from adapters.system.secrets import write_private
from core.actor import SYSTEM
from core.provisioning import DEFAULT_FLEET, NewProvisioningKey
from core.services import Services
from core.settings import Settings
from entrypoints.simulator.fleet import Fleet
from entrypoints.simulator.options import Options
from entrypoints.wiring import settings as declared
from entrypoints.wiring.lifespan import Running, control_plane
from entrypoints.wiring.logs import configure_logs

ADMIN = "admin"
DEMO_INTERVAL = 5.0
DEMO_GOODBYE = 2.0


@frozen(kw_only=True)
class Wanted:
    """What the command line asked for."""

    data: Path
    environment: Mapping[str, str]
    demo: int = 0
    credentials: Path | None = None


@frozen(kw_only=True)
class FirstCredentials:
    """Made at the first start and shown this once. None where they had been made before."""

    password: str | None
    provisioning_key: str | None


async def serve(wanted: Wanted) -> None:
    """Run the control plane until SIGINT or SIGTERM; then drain and leave. Raises a Refusal when it cannot start."""
    early = Settings(declared.LOGGING, wanted.environment)
    configure_logs(early[declared.LOG_LEVEL], early[declared.LOG_FORMAT])
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    console = Console()
    async with control_plane(wanted.data, wanted.environment) as running:
        first = await first_credentials(running.services)
        if wanted.credentials is not None:
            write_credentials(wanted.credentials, running, first)
        _show(console, running, first)
        async with _demonstration(running, wanted.demo, stopping):
            await stopping.wait()
        console.print("stopping: finishing what is under way")


async def first_credentials(services: Services) -> FirstCredentials:
    """Make the first account and the first provisioning key, unless there are any."""
    password = await services.accounts.bootstrap(ADMIN, services.settings[declared.ADMIN_PASSWORD] or None)
    if await services.provisioning_keys.of_fleet(SYSTEM, None):
        return FirstCredentials(password=password, provisioning_key=None)
    wanted = NewProvisioningKey(fleet_id=DEFAULT_FLEET, max_uses=10_000, description="made at the first start")
    _, key = await services.provisioning_keys.create(SYSTEM, wanted)
    return FirstCredentials(password=password, provisioning_key=key)


def write_credentials(path: Path, running: Running, first: FirstCredentials) -> None:
    """Write the addresses and the credentials as JSON, for nobody else to read.

    Where a credential was made at an earlier start it is not known any more: the file then keeps what it had.
    """
    known = msgspec.json.decode(path.read_bytes(), type=dict[str, str]) if path.exists() else {}
    known |= {"url": running.url, "mqttUrl": running.mqtt_url, "username": ADMIN}
    if first.password:
        known["password"] = first.password
    if first.provisioning_key:
        known["provisioningKey"] = first.provisioning_key
    write_private(path, msgspec.json.format(msgspec.json.encode(known)).decode() + "\n", replace=True)


@asynccontextmanager
async def _demonstration(running: Running, devices: int, stopping: asyncio.Event) -> AsyncIterator[None]:
    """Simulated devices live against ourselves, through the same doors as real ones."""
    if not devices:
        yield
        return
    wanted = NewProvisioningKey(
        fleet_id="demo", max_uses=devices, expires_in_days=1, description="simulated devices of --demo"
    )
    _, key = await running.services.provisioning_keys.create(SYSTEM, wanted)
    fleet = Fleet(
        Options(url=running.url, key=key, devices=devices, interval=DEMO_INTERVAL, state_dir=running.data / "demo")
    )
    task = asyncio.create_task(fleet.run(stopping))
    try:
        yield
    finally:
        stopping.set()
        await asyncio.wait([task], timeout=DEMO_GOODBYE)
        task.cancel()


def _show(console: Console, running: Running, first: FirstCredentials) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_row("[bold]API[/]", f"{running.url}/api/v1")
    table.add_row("[bold]MQTT[/]", running.mqtt_url)
    table.add_row("[bold]data[/]", str(running.data.resolve()))
    if first.password:
        table.add_row("[bold]account[/]", f"{ADMIN} / {first.password}")
    if first.provisioning_key:
        table.add_row("[bold]provisioning key[/]", first.provisioning_key)
    shown_once = "These credentials are shown only this once." if first.password or first.provisioning_key else None
    console.print(Panel(table, title="Iotistic is running", subtitle=shown_once, expand=False))
