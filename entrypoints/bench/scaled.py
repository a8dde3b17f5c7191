"""The scaled profile: several processes on PostgreSQL, Mosquitto and Redis."""

import asyncio
import time

import psycopg
from attrs import define

from adapters.sql.postgres_urls import conninfo_of
from entrypoints.bench import bodies
from entrypoints.bench.cluster import Cluster
from entrypoints.bench.copying import bare_copy
from entrypoints.bench.edge import FEW, MANY, REPORT, active_of, etags_of
from entrypoints.bench.enrolling import Enrol, by_v1, enrol_all
from entrypoints.bench.figures import Quantity
from entrypoints.bench.known import KnownDevice, made_up, make_known_to
from entrypoints.bench.load import drive, request
from entrypoints.bench.meter import WARM_SECONDS, Budget, Meter
from entrypoints.bench.mqtt_load import publish_all
from entrypoints.bench.processes import yardstick
from entrypoints.bench.relayed import carried_alone
from entrypoints.bench.sealed_enrolling import BySealing, made_seals
from entrypoints.bench.sustained import sustained

PUBLISHERS = 16
SUSTAINED_SECONDS = 20.0
FIRST_SECONDS = 10.0
# Of all that are known so many speak while the load lasts, each in its turn.
SPEAKING = 2_000
DRAIN_SECONDS = 60.0
GROWTH = 1.2


@define
class ScaledBench:
    """One run."""

    cluster: Cluster
    meter: Meter

    async def run(self) -> None:
        """Measure everything."""
        async with yardstick() as empty:
            await self.meter.rated("empty aiohttp handler", empty, [request("GET", "/", {})])
        self.meter.yardstick_us = self.meter.figures[0].cpu_us or 1.0
        await self._start()
        await self._enrolments("provisioning v1, both phases", by_v1)
        await self._enrolments("provisioning v2, both phases", BySealing(await made_seals()))
        few = await self._known(FEW)
        costs = await self._hot_paths(few, "")
        await self._the_rest(few)
        await self._readings(few)
        many = await self._known(MANY)
        grown = await self._hot_paths(many, f", {MANY:,} known")
        for name, cost in costs.items():
            growth = grown[name] / cost
            words = f"{name}: cost at {MANY:,} known devices to that at {FEW:,}"
            self.meter.quantities.append(
                Quantity(name=words, value=growth, unit="×", budget=f"≤ {GROWTH} ×", kept=growth <= GROWTH)
            )
        await self._sustained(many)

    async def _start(self) -> None:
        self.meter.tell("starting serve, listen and work")
        began = time.perf_counter()
        await self.cluster.start("serve", "serve", "--credentials", str(self.cluster.credentials))
        await self.cluster.serves()
        self.meter.quantities.append(Quantity(name="time to ready", value=time.perf_counter() - began, unit="s"))
        await self.cluster.start("listen", "listen")
        await self.cluster.start("work", "work")

    async def _enrolments(self, name: str, enrol: Enrol) -> None:
        self.meter.tell(name)
        await enrol_all(self.cluster.credentials, enrol, seconds=WARM_SECONDS)
        before, database = self.cluster.cpu_seconds(), self.cluster.database_cpu_seconds()
        began = time.perf_counter()
        enrolled = await enrol_all(self.cluster.credentials, enrol, seconds=self.meter.seconds)
        spent = time.perf_counter() - began
        self.meter.add(
            name,
            enrolled / spent,
            (self.cluster.cpu_seconds() - before) / enrolled * 1e6,
            Budget(words="≥ 200 devices/s", rate=200),
            unit="devices/s",
            database_us=(self.cluster.database_cpu_seconds() - database) / enrolled * 1e6,
        )

    async def _known(self, number: int) -> list[KnownDevice]:
        self.meter.tell(f"writing {number:,} known devices")
        fleet = made_up(number)
        await make_known_to(self.cluster.database_url, fleet)
        await self._sql("ANALYZE")
        return fleet

    async def _hot_paths(self, fleet: list[KnownDevice], suffix: str) -> dict[str, float]:
        active = active_of(fleet)
        etags = await etags_of(self.cluster.port, active)
        unmodified = [bodies.poll(device, etag) for device, etag in zip(active, etags, strict=True)]
        budget = Budget(words="≤ 2 ×", ratio=2)
        polled = await self.meter.rated(f"state poll, 304{suffix}", self.cluster, unmodified, budget)
        reports = [bodies.report(device, turn) for turn in range(3) for device in active]
        reported = await self.meter.rated(f"report with metrics{suffix}", self.cluster, reports, REPORT)
        return {"poll": polled, "report": reported}

    async def _the_rest(self, fleet: list[KnownDevice]) -> None:
        active, budget = active_of(fleet), Budget(words="≤ 3 ×", ratio=3)
        polls = [bodies.poll(device) for device in active]
        await self.meter.rated("state poll, 200", self.cluster, polls, budget)
        await self.meter.rated("logs, 20 lines", self.cluster, [bodies.logs(device) for device in active])
        for name in ("user", "acl"):
            questions = [bodies.broker_question(device, name) for device in active]
            await self.meter.rated(f"broker auth /{name}", self.cluster, questions, budget)

    async def _readings(self, fleet: list[KnownDevice]) -> None:
        """From devices through Mosquitto to `listen` and onto the disk; beside it what Mosquitto carries alone."""
        self.meter.tell("readings over MQTT")
        devices = active_of(fleet)[:PUBLISHERS]
        batches, logins = bodies.ReadingBatches(devices), [device.login for device in devices]
        before = [self.cluster.cpu_seconds(), self.cluster.database_cpu_seconds(), self.cluster.broker_cpu_seconds()]
        began = time.perf_counter()
        messages, _ = await publish_all(self.cluster.mqtt_port, logins, batches, seconds=self.meter.seconds)
        readings = messages * bodies.READINGS_PER_MESSAGE
        await self._stored(readings)
        spent = time.perf_counter() - began
        after = [self.cluster.cpu_seconds(), self.cluster.database_cpu_seconds(), self.cluster.broker_cpu_seconds()]
        ours, database, broker = ((late - early) / readings * 1e6 for late, early in zip(after, before, strict=True))
        rate, budget = readings / spent, Budget(words="≥ 20,000/s", rate=20_000)
        self.meter.add("readings over MQTT", rate, ours, budget, unit="readings/s", database_us=database)
        self.meter.tell("what Mosquitto carries alone")
        alone = await carried_alone(self.cluster.mqtt_port, logins, batches, seconds=self.meter.seconds)
        self.meter.tell("a bare COPY")
        copied = await asyncio.to_thread(bare_copy, self.cluster.database_url, self.meter.seconds)
        self.meter.quantities += [
            Quantity(name="readings: CPU of Mosquitto each", value=broker, unit="µs"),
            Quantity(
                name="readings: what Mosquitto alone carries to a bare subscriber, to that",
                value=alone * bodies.READINGS_PER_MESSAGE / rate,
                unit="×",
            ),
            Quantity(name="readings: rows a second to those of a bare COPY", value=rate / copied, unit="×"),
        ]

    async def _stored(self, readings: int) -> None:
        """Returns when so many are in the database: `listen` may be behind what Mosquitto has taken."""
        async with asyncio.timeout(DRAIN_SECONDS):
            while True:
                if await self._sql("SELECT count(*) FROM readings") >= readings:
                    return
                await asyncio.sleep(0.05)

    async def _sustained(self, fleet: list[KnownDevice]) -> None:
        self.meter.tell("a sustained load")
        spread = fleet[:: len(fleet) // SPEAKING]
        etags = await etags_of(self.cluster.port, spread)
        requests: list[bytes] = []
        for number, (device, etag) in enumerate(zip(spread, etags, strict=True)):
            requests += [bodies.poll(device, etag), bodies.report(device, number)]
        # Each for the first time, which costs more: afterwards it is a day like any other.
        await drive(self.cluster.port, requests, seconds=FIRST_SECONDS)
        self.meter.quantities += await sustained(self.cluster, requests, SUSTAINED_SECONDS)

    async def _sql(self, statement: str) -> int:
        """Run it beside what is measured; the number that it answers, if it answers."""

        def run() -> int:
            with psycopg.connect(conninfo_of(self.cluster.database_url), autocommit=True) as connection:
                cursor = connection.execute(statement.encode())
                row = cursor.fetchone() if cursor.description else None
                return int(row[0]) if row else 0

        return await asyncio.to_thread(run)
