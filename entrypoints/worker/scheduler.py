"""Runs periodic tasks in this process: on a timer, and soon after the signals that wake them."""

import asyncio
import logging
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter

from core.errors import Unavailable
from core.periodic import PeriodicTask
from core.transactions import Signals

log = logging.getLogger(__name__)


def counter_of_runs(registry: CollectorRegistry) -> Counter:
    """Counts the runs of all tasks of this process."""
    return Counter("iotistic_periodic_runs", "Runs of periodic tasks", ["task", "outcome"], registry=registry)


class Scheduler:
    """One loop per task; a task never runs twice at once, and a failure costs one turn."""

    def __init__(self, tasks: Sequence[PeriodicTask], signals: Signals, runs: Counter) -> None:
        """`runs` is what `counter_of_runs` has made, once in a process."""
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
        try:
            await task.run()
        except Unavailable as refusal:
            log.warning("task %s has to wait: %s", task.name, refusal.message)
            self._runs.labels(task.name, "unavailable").inc()
        except Exception:
            log.exception("task %s failed", task.name)
            self._runs.labels(task.name, "failed").inc()
        else:
            self._runs.labels(task.name, "done").inc()
