"""A fleet of simulated agents in one event loop."""

import asyncio
import time
from random import Random, SystemRandom

from entrypoints.simulator.agent import Agent
from entrypoints.simulator.identity import Disk, recalled
from entrypoints.simulator.ledger import Ledger
from entrypoints.simulator.moments import Now, utc_now
from entrypoints.simulator.options import Options
from entrypoints.simulator.tally import Summary, Tally
from entrypoints.simulator.transport import api_of
from entrypoints.simulator.world import Device, World

GOODBYE = 1.5
"""Seconds the devices get for their last words."""


class Fleet:
    """Starts agents one after the other, lets them live, stops them. It prints nothing; `tally` may be watched."""

    def __init__(self, options: Options, *, now: Now = utc_now) -> None:
        self.options = options
        self.tally = Tally(options.devices)
        self._now = now
        self._agents: list[Agent] = []

    async def run(self, stop: asyncio.Event) -> Summary:
        """Run until `stop` is set or the duration is over. Raises what a device raised that was no failed call."""
        started = time.monotonic()
        ledger = Ledger(self.options.ledger)
        try:
            async with api_of(self.options.url, self.options.devices, self.tally) as api:
                world = World(options=self.options, api=api, tally=self.tally, ledger=ledger, now=self._now)
                await self._live(world, stop)
                await asyncio.to_thread(self._keep)
        finally:
            ledger.close()
        return self.tally.summary(time.monotonic() - started)

    async def _live(self, world: World, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as group:
            lives: list[asyncio.Task[None]] = []
            starting = group.create_task(self._start(world, group, lives))
            await _set_within(stop, self.options.duration or None)
            starting.cancel()
            await self._say_goodbye()
            for life in lives:
                life.cancel()

    async def _start(self, world: World, group: asyncio.TaskGroup, lives: list[asyncio.Task[None]]) -> None:
        for index in range(self.options.devices):
            agent = await asyncio.to_thread(self._made, world, index)
            self._agents.append(agent)
            lives.append(group.create_task(agent.run()))
            if self.options.ramp:
                await asyncio.sleep(1 / self.options.ramp)

    def _made(self, world: World, index: int) -> Agent:
        seed = self.options.seed
        chance = SystemRandom() if seed is None else Random(f"{seed}:{index}")  # noqa: S311 -- a seed is asked for to be repeatable
        disk = Disk(self.options.state_dir, index)
        memory = recalled(disk, chance, f"{self.options.name}-{index:05d}")
        return Agent(Device(index=index, identity=memory.identity, chance=chance, world=world), memory, disk)

    def _keep(self) -> None:
        for agent in self._agents:
            agent.keep()

    async def _say_goodbye(self) -> None:
        words = [asyncio.create_task(agent.farewell()) for agent in self._agents]
        if not words:
            return
        _, late = await asyncio.wait(words, timeout=GOODBYE)
        for word in late:
            word.cancel()
        await asyncio.gather(*words, return_exceptions=True)


async def _set_within(event: asyncio.Event, seconds: float | None) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
