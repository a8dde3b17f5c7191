"""Runs periodic tasks in this process: on a timer, and soon after the signals that wake them."""

import asyncio
import logging
from collections.abc import Sequence
from time import perf_counter

from core.errors import Unavailable
from core.periodic import PeriodicTask
from core.transactions import Signals
from entrypoints.observing.tasks import DONE, TaskRuns

log = logging.getLogger(__name__)


class Scheduler:
    """One loop per task; a task never runs twice at once, and a failure costs one turn."""

    def __init__(self, tasks: Sequence[PeriodicTask], signals: Signals, runs: TaskRuns) -> None:
        """`runs` is one for all schedulers of a process."""
        self._tasks = tasks
        self._signals = signals
        self._running: list[asyncio.Task[None]] = []
        self._runs = runs

    def start(self) -> None:
        """Start every loop."""
        for task in self._tasks:
            self._running.append(asyncio.create_task(self._loop(task), name=f"periodic {task.name}"))

    async def stop(self) -> None:
        """Stop every loop; a run under way is cut off, as a crash would: what it does is safe to repeat."""
        for running in self._running:
            running.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _loop(self, task: PeriodicTask) -> None:
        woken = asyncio.Event()
        for topic in task.wakened_by:
            self._signals.on(topic, lambda _key: woken.set())
        while True:
            woken.clear()
            await self._run(task)
            try:
                async with asyncio.timeout(task.every.total_seconds()):
                    await woken.wait()
            except TimeoutError:
                continue

    async def _run(self, task: PeriodicTask) -> None:
        began = perf_counter()
        outcome = await self._outcome_of(task)
        self._runs.ran(task.name, outcome, perf_counter() - began)

    async def _outcome_of(self, task: PeriodicTask) -> str:
        try:
            await task.run()
        except Unavailable as refusal:
            log.warning("task %s has to wait: %s", task.name, refusal.message)
            return "unavailable"
        except Exception:
            log.exception("task %s failed", task.name)
            return "failed"
        return DONE
