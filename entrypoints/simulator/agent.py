"""One simulated agent, from its registration to its stop."""

import asyncio
from contextlib import suppress

from attrs import evolve

from entrypoints.simulator import wire
from entrypoints.simulator.enrolment import enrol, enrol_by_v2
from entrypoints.simulator.identity import Account, Disk, Memory
from entrypoints.simulator.journal import Journal
from entrypoints.simulator.ledger import Item
from entrypoints.simulator.polling import Polling
from entrypoints.simulator.reporting import Reporting
from entrypoints.simulator.sealing import new_private_key
from entrypoints.simulator.sensing import Sensing
from entrypoints.simulator.situation import Situation
from entrypoints.simulator.tally import Phase
from entrypoints.simulator.transport import Failed, Link
from entrypoints.simulator.waits import Backoff
from entrypoints.simulator.working import Working
from entrypoints.simulator.world import Device


class Agent:
    """Speaks the agent's side of the contract, in the agent's order.

    Register, exchange the key, connect to MQTT, ask for a job, send the first log lines, subscribe to jobs, poll,
    report, subscribe to updates; then each of these in its own rhythm. The real agent tries to register once in a
    process and is started again by its supervisor: here the supervisor's restart is the back-off.
    """

    def __init__(self, device: Device, memory: Memory, disk: Disk) -> None:
        self._device = device
        self._memory = memory
        self._disk = disk
        self._situation = Situation(device)
        self._sensing: Sensing | None = None

    async def run(self) -> None:
        """Live until cancelled. `farewell` comes before that, `keep` after it."""
        account = await self._account()
        self._entered(Phase.STARTING)
        options = self._device.world.options
        link = Link(account, self._device.world.tally, ack_timeout=options.ack_timeout, time_scale=options.time_scale)
        link.changed = lambda: self._entered(Phase.MQTT if link.connected else Phase.HTTP)
        async with asyncio.TaskGroup() as group:
            group.create_task(link.stay_connected())
            await link.attempted.wait()
            if not link.connected:
                self._entered(Phase.HTTP)
            await self._start(group, link)

    async def farewell(self) -> None:
        """What it still says when it is told to stop."""
        if self._sensing is not None:
            with suppress(Failed):
                await self._sensing.farewell()
        self._entered(Phase.STOPPED)

    def keep(self) -> None:
        """Write down what must outlive a restart. Blocks."""
        self._disk.keep(self._memory)

    async def _start(self, group: asyncio.TaskGroup, link: Link) -> None:
        identity, options = self._device.identity, self._device.world.options
        working = Working(self._device, link, self._situation)
        polling = Polling(self._device, self._situation)
        await working.ask_once()
        # Without a broker at its start the real agent never sends a log in that life.
        if link.connected and options.logs_per_minute:
            journal = Journal(self._device)
            group.create_task(journal.write_on())
            group.create_task(journal.send_on())
        with suppress(Failed):
            await link.subscribe(wire.jobs_topic(identity), 1, working.notified)
        group.create_task(polling.go_on(await polling.once()))
        if options.reports:
            reporting = Reporting(self._device, link, self._situation, self._next_number)
            first_wait = await reporting.once()
            group.create_task(reporting.go_on(first_wait))
        with suppress(Failed):
            await link.subscribe(wire.update_topic(identity), 0, working.update_ordered)
        group.create_task(working.ask_on())
        group.create_task(working.work_on())
        if options.readings_per_minute:
            self._sensing = Sensing(self._device, link, self._situation)
            group.create_task(self._sensing.go_on())

    async def _account(self) -> Account:
        if self._memory.account is not None:
            return self._memory.account
        self._entered(Phase.REGISTERING)
        backoff = Backoff(self._device.chance, self._device.world.options.time_scale)
        while True:
            try:
                account = await self._registered()
            except Failed:
                await asyncio.sleep(backoff.failed())
            else:
                self._memory = evolve(self._memory, account=account)
                await asyncio.to_thread(self.keep)
                return account

    async def _registered(self) -> Account:
        world, uuid = self._device.world, self._device.identity.uuid
        if world.options.v2:
            identity, account = await enrol_by_v2(self._device, await self._private_key())
            self._memory = evolve(self._memory, identity=identity)
            self._device = evolve(self._device, identity=identity)
        else:
            account = await enrol(self._device)
        world.ledger.write(Item(kind="registration", uuid=uuid, facts={"id": account.id}))
        return account

    async def _private_key(self) -> str:
        """Made once and written down before it is shown: by it alone a lost answer is given again."""
        if self._memory.private_key is None:
            made = await asyncio.to_thread(new_private_key)
            self._memory = evolve(self._memory, private_key=made)
            await asyncio.to_thread(self.keep)
            return made
        return self._memory.private_key

    def _next_number(self) -> int:
        self._memory = evolve(self._memory, sequence=self._memory.sequence + 1)
        return self._memory.sequence

    def _entered(self, phase: Phase) -> None:
        self._device.world.tally.entered(self._device.index, phase)
