"""A reconnect storm: the server dies with everybody connected, and all come back within seconds."""

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from attrs import define, field

from entrypoints.bench.edge import DATABASE, MIB
from entrypoints.bench.figures import Quantity
from entrypoints.bench.known import KnownDevice, made_up, make_known
from entrypoints.bench.meter import Tell
from entrypoints.bench.mqtt_load import Client
from entrypoints.bench.processes import Server, control_plane, free_port

DEVICES = 2_000
WINDOW = 20.0
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
SEED = 20


@define
class _Storm:
    """What happened to those who came back."""

    port: int
    began: float
    latencies: list[float] = field(factory=list)
    refusals: int = 0
    back_at: list[float] = field(factory=list)
    clients: list[Client] = field(factory=list)

    async def come_back(self, device: KnownDevice, after: float) -> None:
        """Connect at a moment of one's own, again and again as agents do: after 1, 2, 4… seconds."""
        await asyncio.sleep(after)
        wait = FIRST_WAIT
        while True:
            asked = time.perf_counter()
            try:
                self.clients.append(await Client.connected(self.port, device.login))
            except (OSError, TimeoutError, asyncio.IncompleteReadError):
                self.refusals += 1
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)
            else:
                now = time.perf_counter()
                self.latencies.append(now - asked)
                self.back_at.append(now - self.began)
                return


async def storm(folder: Path, tell: Tell) -> list[Quantity]:
    """Connect the fleet, kill the server, start it again, and see how long it takes until everybody is back."""
    data, port, mqtt_port = folder / "storm", free_port(), free_port()
    fleet = made_up(DEVICES)
    async with control_plane(data):
        pass
    await make_known(data / DATABASE, fleet)
    async with control_plane(data, port=port, mqtt_port=mqtt_port) as server:
        tell(f"connecting {DEVICES:,} devices")
        before = await _rush(server, fleet, window=WINDOW)
        idle = server.resident_bytes()
        server.process.kill()
        await server.process.wait()
    for client in before.clients:
        client.close()
    async with control_plane(data, port=port, mqtt_port=mqtt_port) as server:
        tell(f"{DEVICES:,} devices come back within {WINDOW:.0f} s")
        after = await _rush(server, fleet, window=WINDOW)
        peak = max(idle, server.resident_bytes())
    for client in after.clients:
        with suppress(OSError):
            client.close()
    return _quantities(after, peak)


async def _rush(server: Server, fleet: Sequence[KnownDevice], *, window: float) -> _Storm:
    chance = random.Random(SEED)  # noqa: S311 - moments, not secrets
    rush = _Storm(port=server.mqtt_port, began=time.perf_counter())
    await asyncio.gather(*(rush.come_back(device, chance.uniform(0, window)) for device in fleet))
    return rush


def _quantities(rush: _Storm, peak: int) -> list[Quantity]:
    latencies = sorted(rush.latencies)
    everybody = len(rush.back_at) == DEVICES
    return [
        Quantity(name="storm: devices back", value=len(rush.back_at), unit="", budget=f"{DEVICES:,}", kept=everybody),
        Quantity(name="storm: everybody back after", value=max(rush.back_at), unit="s"),
        Quantity(name="storm: attempts that failed", value=rush.refusals, unit="", budget="0", kept=rush.refusals == 0),
        Quantity(name="storm: CONNECT, p99", value=latencies[int(len(latencies) * 0.99)] * 1e3, unit="ms"),
        Quantity(name="storm: memory with everybody connected", value=peak / MIB, unit="MiB"),
    ]
