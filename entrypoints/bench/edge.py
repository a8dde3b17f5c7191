"""The edge profile: everything in one process, on SQLite, with the broker built in."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
from attrs import define

from entrypoints.bench import bodies
from entrypoints.bench.enrolling import Enrol, by_v1, enrol_all, log_in
from entrypoints.bench.figures import Quantity
from entrypoints.bench.known import KnownDevice, made_up, make_known
from entrypoints.bench.load import drive, request
from entrypoints.bench.meter import CONNECTIONS, NONE, WARM_SECONDS, Budget, Meter
from entrypoints.bench.mqtt_load import publish_all
from entrypoints.bench.processes import Server, control_plane, yardstick
from entrypoints.bench.sealed_enrolling import BySealing, made_seals

DATABASE = "iotistic.db"
ACTIVE = 200
PUBLISHERS = 16
FEW, MANY, LISTED = 1_000, 100_000, 10_000
MIB = 1024 * 1024
REPORT = Budget(words="≤ 400 µs", cpu_us=400)

Then = Callable[[Server, list[KnownDevice]], Awaitable[None]]


@define
class EdgeBench:
    """One run. Every figure is taken in the same minutes on the same machine as the yardstick."""

    folder: Path
    meter: Meter

    async def run(self) -> None:
        """Measure everything."""
        async with yardstick() as empty:
            await self.meter.rated("empty aiohttp handler", empty, [request("GET", "/", {})], NONE)
            self.meter.yardstick_us = self.meter.figures[0].cpu_us or 1.0
            async with control_plane(self.folder / "fresh") as server:
                self._at_start(server)
                await self._enrolments("provisioning v1, both phases", "fresh", server, by_v1)
            by_v2 = BySealing(await made_seals())
            # One of its own, that is not still busy with what the devices before have left to do.
            async with control_plane(self.folder / "fresh-v2") as server:
                await self._enrolments("provisioning v2, both phases", "fresh-v2", server, by_v2)
            few = await self._with_known(FEW, self._the_rest)
            await self._with_known(LISTED, self._list_and_memory, only=True)
            many = await self._with_known(MANY, None)
            for name in ("poll", "report"):
                growth = many[name] / few[name]
                self.meter.quantities.append(
                    Quantity(
                        name=f"{name}: cost at {MANY:,} known devices to that at {FEW:,}",
                        value=growth,
                        unit="×",
                        budget="≤ 1.2 ×",
                        kept=growth <= 1.2,  # noqa: PLR2004 - the budget
                    )
                )

    def _at_start(self, server: Server) -> None:
        ready, resident = server.seconds_to_ready, server.resident_bytes() / MIB
        self.meter.quantities += [
            Quantity(name="time to ready", value=ready, unit="s", budget="≤ 1.5 s", kept=ready <= 1.5),  # noqa: PLR2004
            Quantity(name="memory idle", value=resident, unit="MiB", budget="≤ 100 MiB", kept=resident <= 100),  # noqa: PLR2004
        ]

    async def _enrolments(self, name: str, data: str, server: Server, enrol: Enrol) -> None:
        self.meter.tell(name)
        credentials = self.folder / f"{data}.json"
        # The first that asks by v2 has the server make its key, once in its life.
        await enrol_all(credentials, enrol, seconds=WARM_SECONDS)
        before, began = server.cpu_seconds(), time.perf_counter()
        enrolled = await enrol_all(credentials, enrol, seconds=self.meter.seconds)
        spent, cpu = time.perf_counter() - began, server.cpu_seconds() - before
        budget = Budget(words="≥ 200 devices/s", rate=200)
        self.meter.add(name, enrolled / spent, cpu / enrolled * 1e6, budget, unit="devices/s")

    async def _with_known(self, number: int, then: Then | None, *, only: bool = False) -> dict[str, float]:
        """Measure on an installation that knows so many devices; the cost of a poll and of a report, in µs."""
        self.meter.tell(f"writing {number:,} known devices")
        data = self.folder / f"known-{number}"
        async with control_plane(data):
            pass  # the tables are made by a first start
        fleet = made_up(number)
        await make_known(data / DATABASE, fleet)
        async with control_plane(data) as server:
            costs = {} if only else await self._hot_paths(server, fleet, "" if then else f", {number:,} known")
            if then is not None:
                await then(server, fleet)
            return costs

    async def _hot_paths(self, server: Server, fleet: list[KnownDevice], suffix: str) -> dict[str, float]:
        active = active_of(fleet)
        etags = await etags_of(server.port, active)
        unmodified = [bodies.poll(device, etag) for device, etag in zip(active, etags, strict=True)]
        polled = await self.meter.rated(f"state poll, 304{suffix}", server, unmodified, Budget(words="≤ 2 ×", ratio=2))
        reports = [bodies.report(device, turn) for turn in range(3) for device in active]
        budget = Budget(words="≤ 400 µs", cpu_us=400)
        return {
            "poll": polled,
            "report": await self.meter.rated(f"report with metrics{suffix}", server, reports, budget),
        }

    async def _the_rest(self, server: Server, fleet: list[KnownDevice]) -> None:
        active = active_of(fleet)
        budget = Budget(words="≤ 3 ×", ratio=3)
        await self.meter.rated("state poll, 200", server, [bodies.poll(device) for device in active], budget)
        await self.meter.rated("logs, 20 lines", server, [bodies.logs(device) for device in active], NONE)
        for name in ("user", "acl"):
            questions = [bodies.broker_question(device, name) for device in active]
            await self.meter.rated(f"broker auth /{name}", server, questions, budget)
        await self._readings(server, active[:PUBLISHERS])

    async def _list_and_memory(self, server: Server, fleet: list[KnownDevice]) -> None:
        """What every device that polls adds to our memory, and what a page of the list of devices costs."""
        before = server.resident_bytes()
        polls = [bodies.poll(device) for device in fleet]
        for _ in range(2):
            await drive(server.port, polls, seconds=len(fleet) / 2_000, connections=CONNECTIONS)
        each = (server.resident_bytes() - before) / len(fleet) / 1000
        self.meter.quantities.append(
            Quantity(name="memory per known device", value=each, unit="kB", budget="≤ 5 kB", kept=each <= 5)  # noqa: PLR2004
        )
        token = await log_in(self.folder / f"known-{len(fleet)}.json")
        page = request("GET", f"{bodies.API}/devices?limit=100", {"Authorization": f"Bearer {token}"})
        await self.meter.rated(f"device list, 100 of {len(fleet):,}", server, [page], NONE)

    async def _readings(self, server: Server, devices: list[KnownDevice]) -> None:
        self.meter.tell("readings over MQTT")
        batches, logins = bodies.ReadingBatches(devices), [device.login for device in devices]
        before = server.cpu_seconds()
        messages, spent = await publish_all(server.mqtt_port, logins, batches, seconds=self.meter.seconds)
        readings = messages * bodies.READINGS_PER_MESSAGE
        cpu = (server.cpu_seconds() - before) / readings * 1e6
        budget = Budget(words="≥ 5,000/s", rate=5_000)
        self.meter.add("readings over MQTT", readings / spent, cpu, budget, unit="readings/s")


def active_of(fleet: list[KnownDevice]) -> list[KnownDevice]:
    """Those who speak: some of all, evenly spread."""
    return fleet[:: max(1, len(fleet) // ACTIVE)][:ACTIVE]


async def etags_of(port: int, devices: list[KnownDevice]) -> list[str]:
    """What each device would send along with its next poll."""
    async with aiohttp.ClientSession() as http:

        async def etag(device: KnownDevice) -> str:
            url = f"http://127.0.0.1:{port}{bodies.API}/device/{device.uuid}/state"
            async with http.get(url, headers={"X-Device-API-Key": device.key}) as answer:
                return answer.headers["ETag"]

        return list(await asyncio.gather(*map(etag, devices)))
