"""Several processes of the same kind on one machine, started again when they die."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Mapping, Sequence

from attrs import define, field

log = logging.getLogger(__name__)

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
# Who has lived for so long has started well; when he dies he is started again at once.
WELL_STARTED = 10.0
# A process that drains needs some seconds. What is still there then is ended by force.
PATIENCE = 15.0
SUPERVISED = "--supervised"


@define(eq=False)
class Worker:
    """One of the processes, by its number."""

    number: int
    pause: float
    process: asyncio.subprocess.Process | None = None


@define(eq=False)
class Supervisor:
    """Keeps `count` processes running `command` until it is told to stop.

    Each is given a pipe as its standard input that stays open as long as this process lives, however that ends: who
    reads the end of it has nobody any more who would start him again, or stop him, and leaves.
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    count: int
    first_pause: float = FIRST_PAUSE
    workers: list[Worker] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.workers = [Worker(number, self.first_pause) for number in range(1, self.count + 1)]

    async def run(self, stopping: asyncio.Event) -> None:
        """Run them; when `stopping` is set let them finish, and return when they have."""
        keeping = [asyncio.create_task(self._keep(worker, stopping)) for worker in self.workers]
        await stopping.wait()
        await self._end()
        for task in keeping:
            task.cancel()
        await asyncio.gather(*keeping, return_exceptions=True)

    async def _keep(self, worker: Worker, stopping: asyncio.Event) -> None:
        clock = asyncio.get_running_loop().time
        while not stopping.is_set():
            started = clock()
            worker.process = await self._start(worker)
            code = await worker.process.wait()
            if stopping.is_set():
                return
            if clock() - started >= WELL_STARTED:
                worker.pause = self.first_pause
            log.error("process %d ended with %s; the next starts in %.1f s", worker.number, _words(code), worker.pause)
            try:
                async with asyncio.timeout(worker.pause):
                    await stopping.wait()
            except TimeoutError:
                worker.pause = min(worker.pause * 2, LONGEST_PAUSE)

    async def _start(self, worker: Worker) -> asyncio.subprocess.Process:
        environment = {**self.environment, "IOTISTIC_WORKER": str(worker.number)}
        return await asyncio.create_subprocess_exec(
            *self.command, SUPERVISED, stdin=asyncio.subprocess.PIPE, env=environment, start_new_session=True
        )

    async def _end(self) -> None:
        """Ask all to leave, and see to it that they do."""
        alive = [worker.process for worker in self.workers if worker.process and worker.process.returncode is None]
        for process in alive:
            process.terminate()
        try:
            async with asyncio.timeout(PATIENCE):
                await asyncio.gather(*(process.wait() for process in alive))
        except TimeoutError:
            for process in alive:
                if process.returncode is None:
                    log.warning("process %d does not leave and is ended by force", process.pid)
                    process.kill()
            await asyncio.gather(*(process.wait() for process in alive))


def this_command(*arguments: str) -> list[str]:
    """How to start ourselves anew, with other arguments."""
    return [sys.executable, "-c", "from entrypoints.cli.main import main; main()", *arguments]


async def orphaned(stopping: asyncio.Event) -> None:
    """Set `stopping` when the supervisor is gone."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(0, "rb"))
    try:
        await reader.read()
        log.warning("the supervisor is gone: leaving")
        stopping.set()
    finally:
        transport.close()


def _words(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"status {code}"
